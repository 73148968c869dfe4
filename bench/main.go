// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

func main() {
	if len(os.Args) > 1 && os.Args[1] == "collector" {
		if err := runCollector(os.Args[2:]); err != nil {
			os.Exit(1) // it has printed the reason
		}
		return
	}
	ctx, release := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, release) // the current measurement in process finishes first; a second signal exits at once
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	quick := flag.Bool("quick", false, "measure less, for a first look")
	check := flag.Bool("check", false, "measure in process only, and fail when a ratio misses its goal by half")
	only := flag.String("only", "", "measure only the `work` whose name contains this")
	output := flag.String("o", "", "write the results to this `file` as well")
	flag.Parse()
	e := effort{rounds: 25, turn: 20 * time.Millisecond, pairs: 15}
	switch {
	case *quick:
		e = effort{rounds: 7, turn: 5 * time.Millisecond, pairs: 3}
	case *check:
		e.rounds = 15
	}
	rows, err := measureAll(ctx, os.Stdout, e, *only, *check)
	if err != nil {
		return err
	}
	if *output != "" {
		if err := os.WriteFile(*output, []byte(results(rows)), 0o644); err != nil {
			return err
		}
	}
	if *check {
		return regressions(rows)
	}
	return nil
}

// measureAll measures one row after another until ctx ends, and prints each when it is done.
func measureAll(ctx context.Context, w io.Writer, e effort, only string, inProcessOnly bool) ([]row, error) {
	var measurements []func() (row, error)
	add := func(work string, measure func() (row, error)) {
		if strings.Contains(work, only) {
			measurements = append(measurements, measure)
		}
	}
	for _, c := range inProcessComparisons {
		add(c.work+", in process", func() (row, error) { return c.measure(e) })
	}
	if !inProcessOnly {
		for _, c := range wholeCollectors() {
			add("whole collector, "+c.work, func() (row, error) { return c.measure(ctx, e) })
		}
		for _, m := range []int{mixNone, mixGuarded, mixSome, mixAll} {
			add("two cores against one", func() (row, error) { return measureScaling(e, m) })
		}
	}
	fmt.Fprint(w, tableHead)
	var rows []row
	for _, measure := range measurements {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		r, err := measure()
		if err != nil {
			return nil, err
		}
		fmt.Fprintln(w, r)
		rows = append(rows, r)
	}
	return rows, nil
}

// regressions returns an error that names the rows whose ratio has become worse, or nil.
func regressions(rows []row) error {
	var failed []error
	for _, r := range rows {
		if !r.goal.held(r.ratio) {
			failed = append(failed, fmt.Errorf("%s (%s): %.2f against %s; the goal is %s", r.work, r.mix, r.ratio.median, r.against, r.goal))
		}
	}
	return errors.Join(failed...)
}
