// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"iter"
	"slices"

	"go.opentelemetry.io/collector/pdata/plog"
)

// requestSize is the number of records in a request: what SDKs export at once.
const requestSize = 512

// starts is how often the collectors are started, since the memory layout that a
// process happens to get changes its times until it exits.
const starts = 3

// wholeCollector compares collectors by the CPU time of their processes.
type wholeCollector struct {
	work     string
	size     int // of a body in bytes; 0: attribute records
	mix      int
	requests int // sent in a turn
	records  int // in a request
	variants []variant
	row      func(costs [][]float64) row
}

func wholeCollectors() []wholeCollector {
	var all []wholeCollector
	for m := range mixes {
		all = append(all, wholeCollector{
			"attribute records", 0, m, 150, requestSize,
			[]variant{withoutProcessor, withProcessor},
			addedCPU(m != mixAll),
		})
	}
	for m := range mixes {
		all = append(all, wholeCollector{
			"bodies of 2 KB", 2_000, m, 30, requestSize,
			[]variant{withoutProcessor, withProcessor, withTransformAndCount},
			addedShare(m != mixAll),
		})
	}
	for _, records := range []int{1, 100, 1_000} {
		all = append(all, wholeCollector{
			fmt.Sprintf("storage, requests of %d attribute records", records), 0, mixSome, max(100, 10_000/records), records,
			[]variant{withProcessor, withStorage},
			addedByStorage(records == 1_000),
		})
	}
	return all
}

// addedByStorage returns a function that reports by which share the second variant,
// which stores its state, costs more than the first, which does not.
func addedByStorage(judged bool) func(costs [][]float64) row {
	return func(costs [][]float64) row {
		added := ratios(costs[1], costs[0])
		for i := range added {
			added[i]--
		}
		return row{goal: goal{bound: 0.1, added: true, none: !judged}, against: "same collector without storage", ratio: quartilesOf(added)}
	}
}

// addedCPU returns a function that reports by which share the second variant costs
// more than the first.
func addedCPU(judged bool) func(costs [][]float64) row {
	return func(costs [][]float64) row {
		added := ratios(costs[1], costs[0])
		for i := range added {
			added[i]--
		}
		g := goal{bound: 0.05, byUpper: 0.08, none: !judged}
		return row{goal: g, against: "same collector without the processor", ratio: quartilesOf(added)}
	}
}

// addedShare returns a function that reports how many times more the third variant
// adds to the first than the second one does. It divides the medians, since the
// difference of two single runs may be close to zero.
func addedShare(judged bool) func(costs [][]float64) row {
	return func(costs [][]float64) row {
		ours, theirs := differences(costs[1], costs[0]), differences(costs[2], costs[0])
		g := fasterBy(18)
		g.none = !judged
		o, t := quartilesOf(ours), quartilesOf(theirs)
		return row{
			goal:    g,
			against: "what transform ParseJSON + count connector add",
			ratio:   quartiles{t.lower / o.upper, t.median / o.median, t.upper / o.lower},
			ours:    o,
			other:   t,
		}
	}
}

func differences(above, below []float64) []float64 {
	d := make([]float64, len(above))
	for i := range d {
		d[i] = above[i] - below[i]
	}
	return d
}

// measure sends the same requests to every variant in turn.
func (c wholeCollector) measure(ctx context.Context, e effort) (row, error) {
	l := newLoad(mixes[c.mix], c.size, c.requests, c.records)
	costs := make([][]float64, len(c.variants))
	for range starts {
		if err := c.measureStarted(ctx, l, (e.pairs+starts-1)/starts, costs); err != nil {
			return row{}, err
		}
	}
	r := c.row(costs)
	r.work = "whole collector, " + c.work
	r.mix = mixes[c.mix].name
	base := quartilesOf(costs[0])
	r.note = fmt.Sprintf("of %.0f ns a record", base.median)
	if r.other.median > 0 {
		r.note = fmt.Sprintf("%.0f ns against %.0f, added to %.0f", r.ours.median, r.other.median, base.median)
	}
	return r, nil
}

// measureStarted starts a process for each variant, measures some turns of them and appends
// the costs. A turn visits the processes forwards and then backwards, so that drift
// affects all of them alike.
func (c wholeCollector) measureStarted(ctx context.Context, l *load, turns int, costs [][]float64) error {
	processes := make([]*process, len(c.variants))
	for i, v := range c.variants {
		p, err := launch(ctx, v)
		if err != nil {
			return err
		}
		defer p.stop()
		processes[i] = p
	}
	for turn := range turns + 1 {
		sums := make([]float64, len(processes))
		for _, order := range []iter.Seq2[int, *process]{slices.All(processes), slices.Backward(processes)} {
			l.renew()
			requests, err := marshal(l.batches)
			if err != nil {
				return err
			}
			for i, p := range order {
				cost, err := p.cost(requests, l.records())
				if err != nil {
					return err
				}
				sums[i] += cost
			}
		}
		if turn == 0 {
			continue // this was the warm-up
		}
		for i, sum := range sums {
			costs[i] = append(costs[i], sum/2)
		}
	}
	return nil
}

func marshal(batches []plog.Logs) ([][]byte, error) {
	requests := make([][]byte, len(batches))
	for i, batch := range batches {
		request, err := (&plog.ProtoMarshaler{}).MarshalLogs(batch)
		if err != nil {
			return nil, err
		}
		requests[i] = request
	}
	return requests, nil
}
