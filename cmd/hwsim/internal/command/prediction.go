package command

import (
	"context"
	"io"
	"path/filepath"
	"strings"

	"hwsim/cmd/hwsim/internal/page"
	"hwsim/cmd/hwsim/internal/profile"
	"hwsim/cmd/hwsim/internal/report"
	"hwsim/cmd/hwsim/internal/timeline"
	"hwsim/configs"
	"hwsim/workloads"
	"hwsim/workloads/offload"
	"hwsim/workloads/program"
)

// A kind is a sort of configuration.
type kind struct {
	outputs []string // the files of a prediction
	predict func(ctx context.Context, d *configs.Document, o *options) (prediction, error)
}

// prediction is what running a configuration has told.
type prediction interface {
	complete() bool
	write(w io.Writer, format string) error
	// output writes one of the kind's outputs.
	output(w io.Writer, name string) error
}

const (
	reportFile  = "report.json"
	pageFile    = "report.html"
	profileFile = "profile.pb.gz"
	traceFile   = "trace.json"
)

// kindOf tells a program on a core, by its core or its stream, and offloaded
// generation from a decode step.
func (a *App) kindOf(d *configs.Document, o *options) (kind, error) {
	_, core := d.Get("core")
	_, stream := d.Get("stream")
	_, offloaded := d.Get("offload")
	_, swept := d.Get(sweepTable)
	notExact := o.given["fidelity"] && o.fidelity.value != "exact"
	if o.requests.text != "" && (core || stream || offloaded) {
		return kind{}, userErrorf("-requests %s: only decode steps have it", o.requests.text)
	}
	switch {
	case swept:
		return kind{}, userErrorf("%s: has a table [sweep]: want hwsim sweep", o.config)
	case core || stream:
		if notExact {
			return kind{}, userErrorf("-fidelity %s: a configuration with [core] is simulated access by access: want exact", o.fidelity.value)
		}
		return kind{[]string{reportFile, pageFile}, a.predictProgram}, nil
	case offloaded:
		if notExact {
			return kind{}, userErrorf("-fidelity %s: a configuration with [offload] is scheduled step by step: want exact", o.fidelity.value)
		}
		return kind{[]string{reportFile, pageFile}, a.predictOffload}, nil
	}
	return kind{stepOutputs(o), a.predictStep}, nil
}

// stepOutputs are the files of a step. What is analytic has no timeline.
func stepOutputs(o *options) []string {
	if o.fidelity.value == "analytic" {
		return []string{reportFile, pageFile, profileFile}
	}
	return []string{reportFile, pageFile, profileFile, traceFile}
}

// step is the prediction of a decode step.
type step struct{ *workloads.Result }

func (a *App) predictStep(ctx context.Context, d *configs.Document, o *options) (prediction, error) {
	log, err := createRequestLog(o)
	if err != nil {
		return nil, err
	}
	r, err := a.Simulate(ctx, d, workloads.Options{Seed: o.seed, Fidelity: o.fidelity.value, Name: o.name(), Hash: d.Hash(), Workers: o.workers, Detail: o.detail,
		Windows: o.windows, Requests: log.requests()})
	return step{r}, log.close(err)
}

func (s step) complete() bool { return s.Complete }

func (s step) write(w io.Writer, format string) error { return report.Write(w, format, s.Result) }

func (s step) output(w io.Writer, name string) error {
	switch name {
	case pageFile:
		return page.Step(w, s.Result)
	case profileFile:
		return profile.Write(w, s.Result)
	case traceFile:
		return timeline.Write(w, s.Result)
	}
	return report.JSON(w, s.Result)
}

// programRun is the prediction of a program on a core.
type programRun struct{ *program.Result }

func (a *App) predictProgram(ctx context.Context, d *configs.Document, o *options) (prediction, error) {
	r, err := a.Program(ctx, d, program.Options{Seed: o.seed, Name: o.name(), Hash: d.Hash()})
	return programRun{r}, err
}

func (p programRun) complete() bool { return p.Complete }

func (p programRun) write(w io.Writer, format string) error {
	return report.WriteProgram(w, format, p.Result)
}

func (p programRun) output(w io.Writer, name string) error {
	if name == pageFile {
		return page.Program(w, p.Result)
	}
	return report.ProgramJSON(w, p.Result)
}

// offloadRun is the prediction of offloaded generation.
type offloadRun struct{ *offload.Result }

func (a *App) predictOffload(_ context.Context, d *configs.Document, o *options) (prediction, error) {
	r, err := a.Offload(d, offload.Options{Name: o.name(), Hash: d.Hash()})
	return offloadRun{r}, err
}

func (offloadRun) complete() bool { return true }

func (p offloadRun) write(w io.Writer, format string) error {
	return report.WriteOffload(w, format, p.Result)
}

func (p offloadRun) output(w io.Writer, name string) error {
	if name == pageFile {
		return page.Offload(w, p.Result)
	}
	return report.OffloadJSON(w, p.Result)
}

// configName is what reports call a configuration.
func configName(config string) string { return strings.TrimSuffix(filepath.Base(config), ".toml") }
