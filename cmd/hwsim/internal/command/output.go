package command

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
)

// file is what -o writes, by its name in the folder.
type file struct {
	name    string
	content []byte
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

// save writes the outputs of a prediction into dir, if there is one.
func save(dir string, force bool, p prediction, outputs []string) error {
	if dir == "" {
		return nil
	}
	var files []file
	for _, name := range outputs {
		var content bytes.Buffer
		if err := p.output(&content, name); err != nil {
			return err
		}
		files = append(files, file{name, content.Bytes()})
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
	f, err := createFile(path, force)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if err = errors.Join(err, f.Close()); err != nil {
		os.Remove(path)
		return userError{err}
	}
	return nil
}

// createFile opens an empty file. Only force replaces one that is there.
func createFile(path string, force bool) (*os.File, error) {
	mode := os.O_EXCL
	if force {
		mode = os.O_TRUNC
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|mode, 0o666)
	if errors.Is(err, os.ErrExist) {
		return nil, existsError(path)
	}
	if err != nil {
		return nil, userError{err}
	}
	return f, nil
}
