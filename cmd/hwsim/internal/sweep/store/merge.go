package store

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
)

// Merge joins the stores of a sweep's shards: the records of all its points that any
// of them has, in order. They must be of one sweep and one version of the program,
// and agree on points that several have.
func Merge(dirs []string) (Header, []Record, error) {
	var head Header
	var all []Record
	for i, dir := range dirs {
		h, records, err := Read(dir)
		if err != nil {
			return Header{}, nil, err
		}
		if i > 0 && h != head {
			return Header{}, nil, mistake("%s holds another sweep (%s) than %s (%s)", dir, h, dirs[0], head)
		}
		head, all = h, append(all, records...)
	}
	merged, err := latest(all)
	return head, merged, err
}

// latest is OfVersion the last record's version, which must have all the points.
func latest(records []Record) ([]Record, error) {
	if len(records) == 0 {
		return nil, nil
	}
	version := records[len(records)-1].Version
	current := Current(records, version)
	for _, r := range records {
		if _, ok := current[r.Point]; !ok {
			return nil, mistake("point %d is of another version (%s) than others (%s): run the sweep again with one version", r.Point, r.Version, version)
		}
	}
	return OfVersion(records, version)
}

// OfVersion returns one record of each point that a version has run, in order of
// points. It is an error if two of one point differ.
func OfVersion(records []Record, version string) ([]Record, error) {
	current := Current(records, version)
	for _, r := range records {
		if same := current[r.Point]; r.Version == version && (r.Key != same.Key || !reflect.DeepEqual(r.Outcome, same.Outcome)) {
			return nil, fmt.Errorf("point %d has two outcomes, of configurations %s and %s", r.Point, r.Config, same.Config)
		}
	}
	points := slices.Collect(maps.Values(current))
	slices.SortFunc(points, func(a, b Record) int { return a.Point - b.Point })
	return points, nil
}

// Current returns the records of a version by point.
func Current(records []Record, version string) map[int]Record {
	current := map[int]Record{}
	for _, r := range records {
		if r.Version == version {
			current[r.Point] = r
		}
	}
	return current
}
