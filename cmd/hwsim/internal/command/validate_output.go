package command

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"

	"hwsim/cmd/hwsim/internal/page"
	"hwsim/validation"
	"hwsim/validation/plots"
)

const plotExtension = ".svg"

// checkValidationOutputs reports what saveValidation would stumble on. Which
// plots there will be is known after the run: any that is there stands in
// their way.
func checkValidationOutputs(dir string, force bool) error {
	names := []string{reportFile, pageFile}
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		if filepath.Ext(e.Name()) == plotExtension {
			names = append(names, e.Name())
		}
	}
	return checkFolder(dir, force, names...)
}

// saveValidation writes the report and its plots into dir, if there is one,
// and returns a line that says so.
func saveValidation(dir string, force bool, r *validation.Report) (note string, err error) {
	if dir == "" {
		return "", nil
	}
	var content bytes.Buffer
	if err := writeValidationJSON(&content, r); err != nil {
		return "", err
	}
	var drawn bytes.Buffer
	if err := page.Validation(&drawn, r); err != nil {
		return "", err
	}
	files := []file{{reportFile, content.Bytes()}, {pageFile, drawn.Bytes()}}
	images, err := plots.Of(r)
	if err != nil {
		return "", err
	}
	for _, p := range images {
		files = append(files, file{p.Name, p.SVG})
	}
	if err := saveFiles(dir, force, files); err != nil {
		return "", err
	}
	return fmt.Sprintf("\n%s, %s and %d plots are in %s\n", pageFile, reportFile, len(images), dir), nil
}
