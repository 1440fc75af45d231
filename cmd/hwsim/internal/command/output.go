package command

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"

	"hwsim/cmd/hwsim/internal/profile"
	"hwsim/cmd/hwsim/internal/report"
	"hwsim/workloads"
)

// outputs are the files that -o writes.
var outputs = []struct {
	name  string
	write func(io.Writer, *workloads.Result) error
}{
	{"report.json", report.JSON},
	{"profile.pb.gz", profile.Write},
}

// checkOutputs reports what save would stumble on, before a long run rather
// than after it.
func checkOutputs(dir string, force bool) error {
	if info, err := os.Stat(dir); err == nil && !info.IsDir() {
		return userErrorf("%s is not a folder", dir)
	}
	if dir == "" || force {
		return nil
	}
	var problems []error
	for _, o := range outputs {
		path := filepath.Join(dir, o.name)
		if _, err := os.Lstat(path); err == nil {
			problems = append(problems, existsError(path))
		}
	}
	return errors.Join(problems...)
}

func existsError(path string) error {
	return userErrorf("%s exists; -force overwrites it", path)
}

// save writes all outputs into dir, if there is one.
func save(dir string, force bool, r *workloads.Result) error {
	if dir == "" {
		return nil
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return userError{err}
	}
	for _, o := range outputs {
		var content bytes.Buffer
		if err := o.write(&content, r); err != nil {
			return err
		}
		if err := saveFile(filepath.Join(dir, o.name), force, content.Bytes()); err != nil {
			return err
		}
	}
	return nil
}

// saveFile writes a file whole or not at all. Only force replaces a file.
func saveFile(path string, force bool, content []byte) error {
	mode := os.O_EXCL
	if force {
		mode = os.O_TRUNC
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|mode, 0o666)
	if errors.Is(err, os.ErrExist) {
		return existsError(path)
	}
	if err != nil {
		return userError{err}
	}
	_, err = f.Write(content)
	if err = errors.Join(err, f.Close()); err != nil {
		os.Remove(path)
		return userError{err}
	}
	return nil
}
