// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"runtime"
	"strings"
	"time"
)

// goal is the bound that a ratio should keep.
type goal struct {
	bound  float64
	faster bool // the ratio should be at least the bound, otherwise at most
	none   bool // there is no goal: the ratio is only reported
	// byUpper is the bound of the upper quartile of added CPU, by which it is judged.
	byUpper float64
	// reached is the current ratio where the bound is out of reach for now. It must not get worse.
	reached float64
	share   bool // reported as a share, not as a factor
	added   bool // the ratio is the share that is added
}

var reported = goal{none: true, faster: true}

func fasterBy(times float64) goal { return goal{bound: times, faster: true} }

func atMost(times float64) goal { return goal{bound: times} }

// String returns the goal in words.
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

// slack is the factor by which a ratio measured on a busy machine may miss its bound
// before it counts as a regression.
const slack = 1.5

// held reports whether the ratio is no regression.
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

// reaching returns the goal with the ratio that is reached for now.
func (g goal) reaching(ratio float64) goal {
	g.reached = ratio
	return g
}

// row is the result of a comparison.
type row struct {
	work, mix, against string
	goal               goal
	ratio              quartiles
	ours, other        quartiles // nanoseconds a record
	note               string
}

// met returns what the table says of the goal.
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

// String returns the row as a line of a Markdown table.
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

// results returns a Markdown page with the rows and the circumstances of their measurement.
func results(rows []row) string {
	var b strings.Builder
	fmt.Fprintf(&b, `# Results

Measured on %s with `+"`make bench`"+`, which writes this file: %d cores, %s, %s/%s. Ratios are
medians of interleaved turns, followed by their quartiles; [README.md](README.md) explains what they compare. The times beside them are
CPU time, for orientation.

`, time.Now().UTC().Format(time.DateOnly), runtime.NumCPU(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
	b.WriteString(tableHead)
	for _, r := range rows {
		fmt.Fprintln(&b, r)
	}
	return b.String()
}
