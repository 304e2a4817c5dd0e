// Command heartmark is the one program of Heartmark: server, demo and operator's tool. `heartmark help` lists its
// commands; the exit codes are 0 done and valid, 1 not valid, 2 undetermined, 64 and above usage and system errors.
package main

import (
	"context"
	"os"

	"heartmark/internal/app"
)

func main() { os.Exit(app.Main(context.Background(), os.Args[1:], os.Stdout, os.Stderr)) }
