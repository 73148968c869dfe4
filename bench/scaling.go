// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// measureScaling compares how much more two cores do than one, for a processor
// whose groups both cores use, with the same for a loop that shares nothing.
func measureScaling(e effort, mixIndex int) (row, error) {
	const batches = 500
	ours, err := newGuardrail()
	if err != nil {
		return row{}, err
	}
	defer ours.close()
	loads := [...]*load{newLoad(mixes[mixIndex], 0, batches, batchSize), newLoad(mixes[mixIndex], 0, batches, batchSize)}
	loads[1].serial = 1_000_000_000 // other calls, by the same users
	renew := func(workers int) {
		for _, l := range loads[:workers] {
			l.renew()
		}
	}
	var broken atomic.Value
	process := func(worker int) {
		for _, batch := range loads[worker].batches {
			if err := ours.consume(batch); err != nil {
				broken.Store(err)
			}
		}
	}

	var scaled, ideal []float64
	for range 2 * e.rounds {
		scaled = append(scaled, gain(process, renew))
		ideal = append(ideal, gain(spin, func(int) {}))
	}
	if err, ok := broken.Load().(error); ok {
		return row{}, err
	}
	o, i := quartilesOf(scaled), quartilesOf(ideal)
	return row{
		work:    "two cores against one, attribute records",
		mix:     mixes[mixIndex].name,
		against: "a pure CPU loop",
		goal:    goal{bound: 0.9, faster: true, share: true, none: mixIndex == mixAll},
		ratio:   quartiles{o.lower / i.median, o.median / i.median, o.upper / i.median},
		note:    fmt.Sprintf("%.2f times against %.2f", o.median, i.median),
	}, nil
}

// gain returns how many times more work two goroutines do than one in the same time.
func gain(work, prepare func(int)) float64 {
	prepare(1)
	one := together(1, work)
	prepare(2)
	two := together(2, work)
	return 2 * one.Seconds() / two.Seconds()
}

// together returns how long workers take that each do the work once. They wait for
// one another to begin: a goroutine that has no core yet would be late by more than
// the differences to be measured.
func together(workers int, work func(worker int)) time.Duration {
	runtime.GC() // free the garbage of making the records
	var ready atomic.Int32
	var done sync.WaitGroup
	began, ended := make([]time.Time, workers), make([]time.Time, workers)
	for worker := range workers {
		done.Go(func() {
			for ready.Add(1); int(ready.Load()) < workers; {
				runtime.Gosched()
			}
			began[worker] = time.Now()
			work(worker)
			ended[worker] = time.Now()
		})
	}
	done.Wait()
	return slices.MaxFunc(ended, time.Time.Compare).Sub(slices.MinFunc(began, time.Time.Compare))
}

// spin keeps a core busy for some milliseconds.
func spin(int) {
	n := uint64(1)
	for range 2_000_000 {
		n = n*6364136223846793005 + 1442695040888963407
	}
	spun.Store(n)
}

var spun atomic.Uint64
