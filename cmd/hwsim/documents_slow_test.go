//go:build slow

package main

import "testing"

func TestSlowCommandsOfDocuments(t *testing.T) { runExamples(t, slowExamples) }
