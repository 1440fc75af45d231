// Command hwsim simulates decode steps of language models, programs on a core, and
// offloaded generation, on memory hierarchies.
package main

import (
	"context"
	"os"

	"hwsim/cmd/hwsim/internal/command"
	"hwsim/configs"
	"hwsim/workloads"
	"hwsim/workloads/offload"
	"hwsim/workloads/program"
)

func main() {
	app := command.App{Out: os.Stdout, Err: os.Stderr, Simulate: simulate, Program: runProgram, Compare: compare, Offload: runOffload}
	os.Exit(app.Main(os.Args[1:]))
}

// simulate runs the workload that a configuration describes.
func simulate(ctx context.Context, d *configs.Document, o workloads.Options) (*workloads.Result, error) {
	var c workloads.Config
	if err := d.Decode(&c); err != nil {
		return nil, command.UserError(err)
	}
	return workloads.Run(ctx, &c, o)
}

// compare runs the workload under every policy.
func compare(ctx context.Context, policies []command.Policy, o workloads.Options) (*workloads.Comparison, error) {
	var all []workloads.Compared
	for _, p := range policies {
		one := workloads.Compared{Policy: p.Name, Config: &workloads.Config{}}
		one.Err = p.Document.Decode(one.Config)
		all = append(all, one)
	}
	return workloads.Compare(ctx, all, o)
}

// runProgram runs the program that a configuration describes on its core.
func runProgram(ctx context.Context, d *configs.Document, o program.Options) (*program.Result, error) {
	var c program.Config
	if err := d.Decode(&c); err != nil {
		return nil, command.UserError(err)
	}
	return program.Run(ctx, &c, o)
}

// runOffload runs the offloaded generation that a configuration describes.
func runOffload(d *configs.Document, o offload.Options) (*offload.Result, error) {
	var c offload.Config
	if err := d.Decode(&c); err != nil {
		return nil, command.UserError(err)
	}
	return offload.Run(&c, o)
}
