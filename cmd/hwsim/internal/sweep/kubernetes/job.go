package kubernetes

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"text/template"
)

// Job is a sweep's Indexed Job, a shard an index.
type Job struct {
	Name      string // of job and ConfigMap
	Tasks     int    // shards
	Image     string // of a container with hwsim on its path
	Claim     string // PersistentVolumeClaim that keeps the outcomes
	Config    string // text of the configuration's file
	File      string // its name, which outcomes have too
	Arguments []string
}

// Where a pod has the claim and the configuration.
const (
	claimFolder  = "/out"
	configFolder = "/config"
)

// ConfigPath is where a pod has the configuration, for Arguments.
func (j *Job) ConfigPath() string { return configFolder + "/" + j.File }

// Shards is the folder on the claim whose folders are the shards' stores.
func (j *Job) Shards() string { return j.Name }

//go:embed job.yaml
var manifestText string

var manifest = template.Must(template.New("job.yaml").Funcs(template.FuncMap{
	"quote":  quote,
	"indent": indent,
}).Parse(manifestText))

var (
	name    = regexp.MustCompile(`^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$`)
	file    = regexp.MustCompile(`^[A-Za-z0-9._-]+$`)
	noImage = regexp.MustCompile(`[^A-Za-z0-9._:/@-]`)
)

// Manifest returns the manifest, or what in it Kubernetes would refuse.
func (j *Job) Manifest() ([]byte, error) {
	switch {
	case noImage.MatchString(j.Image):
		return nil, fmt.Errorf("image %q: want a container image, as registry/hwsim:1", j.Image)
	case !name.MatchString(j.Claim):
		return nil, fmt.Errorf("claim %q: want the name of a PersistentVolumeClaim", j.Claim)
	case !file.MatchString(j.File):
		return nil, fmt.Errorf("configuration %q: want a name of letters, digits, dots, dashes and underscores", j.File)
	}
	var b bytes.Buffer
	err := manifest.Execute(&b, struct {
		*Job
		All                       []string
		ClaimFolder, ConfigFolder string
	}{j, j.arguments(), claimFolder, configFolder})
	return b.Bytes(), err
}

// arguments are those of a pod: $( is an expansion to Kubernetes, unless there are two
// dollars.
func (j *Job) arguments() (all []string) {
	for _, a := range j.Arguments {
		all = append(all, strings.ReplaceAll(a, "$(", "$$("))
	}
	const index = "$(JOB_COMPLETION_INDEX)"
	return append(all, "-shard", fmt.Sprintf("%s/%d", index, j.Tasks),
		"-out", fmt.Sprintf("%s/%s/%s_of_%d", claimFolder, j.Shards(), index, j.Tasks))
}

// indent writes the lines of a block.
func indent(text string) string {
	text = strings.ReplaceAll(strings.TrimSpace(text), "\n", "\n    ")
	return strings.ReplaceAll(text, "\n    \n", "\n\n")
}

// quote writes a text as a scalar of YAML, which any string of JSON is.
func quote(text string) (string, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(text)
	return strings.TrimSpace(b.String()), err
}
