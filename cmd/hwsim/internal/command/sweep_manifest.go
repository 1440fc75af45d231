package command

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"hwsim/cmd/hwsim/internal/sweep/kubernetes"
	"hwsim/configs"
)

// writeManifest writes the sweep as a job of Kubernetes and says what to do with it.
func (s *sweeping) writeManifest() error {
	o := s.options
	if err := s.checkTasks(); err != nil {
		return err
	}
	config, err := s.alone()
	if err != nil {
		return err
	}
	j := &kubernetes.Job{
		Name: s.id(o.claim), Tasks: o.tasks, Image: o.image, Claim: o.claim, Config: config, File: o.name() + ".toml",
	}
	j.Arguments = s.arguments(j.ConfigPath())
	if o.given["j"] {
		j.Arguments = append(j.Arguments, "-j", strconv.Itoa(o.jobs))
	}
	text, err := j.Manifest()
	if err != nil {
		return UserError(err)
	}
	if err := os.MkdirAll(o.dir, 0o777); err != nil {
		return UserError(err)
	}
	path := filepath.Join(o.dir, manifestFile)
	if err := saveSame(path, o.force, text); err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.app.Out, `%s: %d points in %d pods, which write to %s/ on claim %s

  kubectl apply -f %[1]s
  kubectl wait --for=condition=complete --timeout=-1s job/%[4]s

and then, where the claim is mounted at CLAIM:

  hwsim sweep -merge CLAIM/%[4]s/* -out %[6]s
`, path, len(s.design.Points), o.tasks, j.Shards(), o.claim, o.dir)
	return err
}

// alone returns the configuration as one file that needs no others but presets.
func (s *sweeping) alone() (string, error) {
	var text bytes.Buffer
	if err := s.whole.PrintUses(&text); err != nil {
		return "", fmt.Errorf("print the configuration: %w", err)
	}
	dir, err := os.MkdirTemp("", "hwsim")
	if err != nil {
		return "", fmt.Errorf("print the configuration: %w", err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, manifestFile)
	if err := os.WriteFile(path, text.Bytes(), 0o666); err != nil {
		return "", fmt.Errorf("print the configuration: %w", err)
	}
	again, err := configs.Load(path, nil)
	if err != nil {
		return "", userErrorf("-manifest: %s uses files, which pods do not have: want presets in their place: %w", s.options.config, err)
	}
	if again.Hash() != s.whole.Hash() {
		return "", userErrorf("-manifest: %s uses files, which pods do not have: want presets in their place", s.options.config)
	}
	return text.String(), nil
}
