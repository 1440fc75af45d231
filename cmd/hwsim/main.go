// Command hwsim simulates decode steps of language models on memory
// hierarchies.
package main

import (
	"context"
	"os"

	"hwsim/cmd/hwsim/internal/command"
	"hwsim/configs"
	"hwsim/workloads"
)

func main() {
	app := command.App{Out: os.Stdout, Err: os.Stderr, Simulate: simulate}
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
