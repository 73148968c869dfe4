// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"runtime"
	"strings"
	"time"
)

// goal is what a ratio is to be.
type goal struct {
	bound  float64
	faster bool // the ratio is to be at least the bound, else at most
	none   bool // there is none: the ratio is reported
	// byUpper judges a share of added CPU by the upper quartile, against a bound of its own.
	byUpper float64
	// reached is the ratio that there is, where the bound is out of reach for now: what must not get worse.
	reached float64
	share   bool // told as a share, not as a number of times
	added   bool // the ratio is what comes on top
}

var reported = goal{none: true, faster: true}

func fasterBy(times float64) goal { return goal{bound: times, faster: true} }

func atMost(times float64) goal { return goal{bound: times} }

// String says what is to be reached.
func (g goal) String() string {
	switch {
	case g.none:
		return "reported"
	case g.added:
		return fmt.Sprintf("at most %+.0f %%", 100*g.bound)
	case g.byUpper > 0:
		return fmt.Sprintf("at most %+.0f %%, upper quartile under %+.0f %%", 100*g.bound, 100*g.byUpper)
	case g.share:
		return fmt.Sprintf("at least %g of its gain", g.bound)
	case g.faster:
		return fmt.Sprintf("at least %g times faster", g.bound)
	default:
		return fmt.Sprintf("at most %g times", g.bound)
	}
}

// met reports whether the goal is reached.
func (g goal) met(ratio quartiles) bool {
	switch {
	case g.none:
		return true
	case g.byUpper > 0:
		return ratio.upper < g.byUpper
	case g.faster:
		return ratio.median >= g.bound
	default:
		return ratio.median <= g.bound
	}
}

// slack is by how much a ratio measured on a busy machine may miss what it is
// held to before it counts as a step back.
const slack = 1.5

// held reports whether the ratio is no step back.
func (g goal) held(ratio quartiles) bool {
	bound := g.bound
	if g.reached != 0 {
		bound = g.reached
	}
	switch {
	case g.none:
		return true
	case g.faster:
		return ratio.median >= bound/slack
	default:
		return ratio.median <= bound*slack
	}
}

func (g goal) butReached(ratio float64) goal {
	g.reached = ratio
	return g
}

// row is a comparison measured.
type row struct {
	work, mix, against string
	goal               goal
	ratio              quartiles
	ours, other        quartiles // nanoseconds a record
	note               string
}

func (r row) met() string {
	switch {
	case r.goal.none:
		return ""
	case r.goal.met(r.ratio):
		return "met"
	default:
		return "**not met**"
	}
}

// String is the row as a line of a Markdown table.
func (r row) String() string {
	format := func(v float64) string { return fmt.Sprintf("%.2f", v) }
	if r.goal.byUpper > 0 || r.goal.added {
		format = func(v float64) string { return fmt.Sprintf("%+.1f %%", 100*v) }
	}
	return fmt.Sprintf("| %s | %s | %s | %s (%s to %s) | %s | %s | %s |", r.work, r.mix, r.against,
		format(r.ratio.median), format(r.ratio.lower), format(r.ratio.upper), r.goal, r.met(), r.note)
}

const tableHead = `| work | mix | against | ratio (quartiles) | goal | | CPU time of a record |
|---|---|---|---|---|---|---|
`

// results are the rows with what is needed to judge them.
func results(rows []row) string {
	var b strings.Builder
	fmt.Fprintf(&b, `# Results

Measured on %s with `+"`make bench`"+`, by which this file is written: %d cores, %s, %s/%s. Ratios
are medians of interleaved turns, the quartiles behind them; what they compare is told in [README.md](README.md). The times beside
them are CPU time, for orientation.

`, time.Now().UTC().Format(time.DateOnly), runtime.NumCPU(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
	b.WriteString(tableHead)
	for _, r := range rows {
		fmt.Fprintln(&b, r)
	}
	return b.String()
}
