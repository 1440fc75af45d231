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

// file is what -o writes, by its name in the folder.
type file struct {
	name    string
	content []byte
}

// outputs are the files that a run writes.
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
	var names []string
	for _, o := range outputs {
		names = append(names, o.name)
	}
	return checkFolder(dir, force, names...)
}

// checkFolder reports why files of these names cannot be written into a
// folder, if there is one.
func checkFolder(dir string, force bool, names ...string) error {
	if info, err := os.Stat(dir); err == nil && !info.IsDir() {
		return userErrorf("%s is not a folder", dir)
	}
	if dir == "" || force {
		return nil
	}
	var problems []error
	for _, name := range names {
		path := filepath.Join(dir, name)
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
	var files []file
	for _, o := range outputs {
		var content bytes.Buffer
		if err := o.write(&content, r); err != nil {
			return err
		}
		files = append(files, file{o.name, content.Bytes()})
	}
	return saveFiles(dir, force, files)
}

// saveFiles writes files into a folder, which need not be there.
func saveFiles(dir string, force bool, files []file) error {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return userError{err}
	}
	for _, f := range files {
		if err := saveFile(filepath.Join(dir, f.name), force, f.content); err != nil {
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
