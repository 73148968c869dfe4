// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

// Command guardrail-backtest shows what the detection would have found in logs: it reads what the collector would read,
// through the same code, and reports the alerts, what the verdicts rest on, and how the rules would do with other
// settings. docs/backtest.md describes it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"sync"
	"syscall"

	"example.com/otelcol-guardrail/cmd/guardrail-backtest/internal/backtest"
	"example.com/otelcol-guardrail/cmd/guardrail-backtest/internal/config"
	"example.com/otelcol-guardrail/cmd/guardrail-backtest/internal/expect"
	"example.com/otelcol-guardrail/cmd/guardrail-backtest/internal/source"
	"example.com/otelcol-guardrail/internal/version"
)

// Exit codes.
const (
	exitOK          = 0
	exitFailed      = 1 // an expectation was not met, or the backtest failed
	exitUsage       = 2
	exitInterrupted = 130
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	os.Exit(run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// run runs the command and returns its exit code.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	f, err := parseFlags(args, stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return exitOK
	case err != nil:
		return exitUsage
	case f.version:
		fmt.Fprintln(stdout, "guardrail-backtest version", version.Version)
		return exitOK
	}
	code, err := f.run(ctx, stdin, stdout, stderr)
	if err != nil {
		fmt.Fprintln(stderr, "guardrail-backtest:", err)
	}
	return code
}

func (f *flags) run(ctx context.Context, stdin io.Reader, stdout, stderr io.Writer) (code int, err error) {
	set := config.Default()
	if f.config != "" {
		if set, err = config.Load(ctx, f.config, f.component); err != nil {
			return exitUsage, err
		}
	}
	inputs, err := source.Find(f.paths)
	if err != nil {
		return exitUsage, err
	}
	inputs.Within(f.from.Time, f.to.Time)
	var expected *expect.Expectations
	if f.expect != "" {
		if expected, err = expect.Load(f.expect); err != nil {
			return exitUsage, err
		}
	}

	output := newOutput(f, stdout)
	bar := newProgress(stderr, inputs)
	result, err := backtest.Run(ctx, &backtest.Options{
		Inputs: inputs, Stdin: interruptible(ctx, stdin), Config: set, From: f.from.Time, To: f.to.Time,
		Explain: f.explain, Compare: f.compare != "",
		Progress: bar.add, OnAlert: output.alert,
	})
	bar.finish()
	if err != nil {
		return exitFailed, err
	}
	if err := output.write(result, expected); err != nil {
		return exitFailed, err
	}
	failed := 0
	if expected != nil {
		if failed, err = output.writeOutcomes(result.Report, expected, stderr); err != nil {
			return exitFailed, err
		}
	}
	switch {
	case ctx.Err() != nil:
		return exitInterrupted, nil
	case failed > 0:
		return exitFailed, nil
	default:
		return exitOK, nil
	}
}

// interruptible returns a reader that ends when ctx does, even while nothing comes. It leaves in alone until it is read
// itself: what is on standard input may be meant for others.
func interruptible(ctx context.Context, in io.Reader) io.Reader {
	reader, writer := io.Pipe()
	context.AfterFunc(ctx, func() { writer.Close() })
	start := sync.OnceFunc(func() {
		go func() {
			_, err := io.Copy(writer, in)
			writer.CloseWithError(err)
		}()
	})
	return readerFunc(func(p []byte) (int, error) {
		start()
		return reader.Read(p)
	})
}

// readerFunc is a function as a reader.
type readerFunc func(p []byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }
