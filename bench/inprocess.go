// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"runtime"
	"time"
)

// effort says how long to measure.
type effort struct {
	rounds int           // in process: turns of each contender
	turn   time.Duration // in process: measured time of a turn
	pairs  int           // whole collectors: turns of each variant
}

// batchSize is the number of records in a batch in process.
const batchSize = 100

// inProcess compares the processor with another contender in one process.
type inProcess struct {
	work    string
	size    int // of a body in bytes; 0: attribute records
	mix     int
	against func() (*contender, error)
	goal    goal
}

var inProcessComparisons = []inProcess{
	{"attribute record", 0, mixNone, newCount, fasterBy(8).reaching(6.8)},
	{"attribute record", 0, mixGuarded, newCount, fasterBy(8).reaching(4)}, // also remembers who was guarded
	{"attribute record", 0, mixSome, newCount, fasterBy(8).reaching(2.6)},
	{"attribute record", 0, mixAll, newCount, reported},
	{"attribute record", 0, mixGuarded, infallible(newScanAndLookup), atMost(2)},
	{"record that is no invocation", 0, mixNone, infallible(newScan), atMost(0.7)},
	{"body of 2 KB", 2_000, mixNone, newTransformAndCount, fasterBy(18)},
	{"body of 2 KB", 2_000, mixGuarded, newTransformAndCount, fasterBy(18)},
	{"body of 2 KB", 2_000, mixSome, newTransformAndCount, fasterBy(18)},
	{"body of 2 KB", 2_000, mixAll, newTransformAndCount, reported},
	{"body of 100 KB", 100_000, mixNone, newTransformAndCount, fasterBy(30)},
	{"body of 100 KB", 100_000, mixGuarded, newTransformAndCount, fasterBy(30).reaching(24)},
	{"body of 100 KB", 100_000, mixSome, newTransformAndCount, fasterBy(30).reaching(19)},
	{"body of 100 KB", 100_000, mixAll, newTransformAndCount, reported},
	{"body of 100 KB", 100_000, mixGuarded, infallible(newSkip), atMost(3)},
	{"body of 100 KB", 100_000, mixSome, infallible(newSkip), atMost(3)},
}

func infallible(newContender func() *contender) func() (*contender, error) {
	return func() (*contender, error) { return newContender(), nil }
}

// measure measures the processor and the other contender in turns.
func (c inProcess) measure(e effort) (row, error) {
	ours, err := newGuardrail()
	if err != nil {
		return row{}, err
	}
	defer ours.close()
	other, err := c.against()
	if err != nil {
		return row{}, err
	}
	defer other.close()

	mine, theirs := c.load(), c.load() // separate, since transform changes its records
	var ourTimes, otherTimes []float64
	for range e.rounds {
		t, err := mine.turn(ours, e.turn)
		if err != nil {
			return row{}, err
		}
		u, err := theirs.turn(other, e.turn)
		if err != nil {
			return row{}, err
		}
		ourTimes, otherTimes = append(ourTimes, t), append(otherTimes, u)
	}
	allocs, err := mine.allocs(ours)
	if err != nil {
		return row{}, err
	}
	r := row{
		work:    c.work + ", in process",
		mix:     mixes[c.mix].name,
		against: other.name,
		goal:    c.goal,
		ours:    quartilesOf(ourTimes),
		other:   quartilesOf(otherTimes),
		note:    fmt.Sprintf("%.0f ns against %.0f; %.2f allocations a record", median(ourTimes), median(otherTimes), allocs),
	}
	if c.goal.faster {
		r.ratio = quartilesOf(ratios(otherTimes, ourTimes))
	} else {
		r.ratio = quartilesOf(ratios(ourTimes, otherTimes))
	}
	return r, nil
}

// load returns a load that fits in a core's cache, where records are that have just been
// received.
func (c inProcess) load() *load {
	batches := max(2, 1_000_000/max(1_000, c.size)/batchSize)
	return newLoad(mixes[c.mix], c.size, batches, min(batchSize, 2_000_000/max(1_000, c.size)))
}

// turn processes the load for at least span and returns the nanoseconds per record.
// The time to renew the load is not included.
func (l *load) turn(c *contender, span time.Duration) (float64, error) {
	runtime.GC() // free the other contender's garbage
	var spent time.Duration
	records := 0
	for spent < span {
		l.renew()
		before := worked()
		for _, batch := range l.batches {
			if err := c.consume(batch); err != nil {
				return 0, fmt.Errorf("%s: %w", c.name, err)
			}
		}
		spent += worked() - before
		records += l.records()
	}
	return float64(spent.Nanoseconds()) / float64(records), nil
}

// allocs returns the number of allocations per record of a contender that is warm.
func (l *load) allocs(c *contender) (float64, error) {
	const passes = 10
	var before, after runtime.MemStats
	var allocs uint64
	for range passes {
		l.renew()
		runtime.ReadMemStats(&before)
		for _, batch := range l.batches {
			if err := c.consume(batch); err != nil {
				return 0, err
			}
		}
		runtime.ReadMemStats(&after)
		allocs += after.Mallocs - before.Mallocs
	}
	return float64(allocs) / float64(passes*l.records()), nil
}

// records returns the number of records in the load.
func (l *load) records() (n int) {
	for _, batch := range l.batches {
		n += batch.LogRecordCount()
	}
	return n
}
