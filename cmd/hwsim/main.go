// Command hwsim simulates decode steps of language models, and programs on a core,
// on memory hierarchies.
package main

import (
	"context"
	"os"

	"hwsim/cmd/hwsim/internal/command"
	"hwsim/configs"
	"hwsim/workloads"
	"hwsim/workloads/program"
)

func main() {
	app := command.App{Out: os.Stdout, Err: os.Stderr, Simulate: simulate, Program: runProgram}
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

// runProgram runs the program that a configuration describes on its core.
func runProgram(ctx context.Context, d *configs.Document, o program.Options) (*program.Result, error) {
	var c program.Config
	if err := d.Decode(&c); err != nil {
		return nil, command.UserError(err)
	}
	return program.Run(ctx, &c, o)
}
