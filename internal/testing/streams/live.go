// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package streams

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"time"

	"example.com/otelcol-guardrail/internal/testing/oracle"
)

// Live makes a stream that lasts much longer than anything is remembered:
// every event arrives when it happens, or late by so little that what makes a
// window overfull is remembered together, and a repeat while its original is.
func Live(seed uint64, window oracle.Type) Stream {
	rng := rand.New(rand.NewPCG(seed, 2))
	stream := Stream{Seed: seed, Window: window, Threshold: threshold(rng), Size: size(rng), Groups: groups(rng)}
	late := pick(rng, 0, 1, stream.Size/2, stream.Size, 7*stream.Size)
	stream.Retention = late
	if window == oracle.Session { // which alone can be longer than its size
		stream.Retention += 2 * time.Duration(stream.Threshold+1) * stream.Size
	}

	stage := newStage(rng, stream)
	stage.anchors = stage.anchors[:1]
	repeats := pick(rng, 0, 0, 5, 40)
	seen := map[Event]bool{}
	for _, event := range stage.play() {
		if seen[event.Identity()] {
			continue // it could come when the first is forgotten
		}
		seen[event.Identity()] = true
		delay := pick(rng, 0, late, time.Duration(rng.Int64N(int64(late)+1)))
		arrival := time.Unix(0, event.Time).Add(delay)
		stream.Batches = append(stream.Batches, Batch{Now: arrival, Events: []Event{event}})
		if chance(rng, repeats) {
			again := arrival.Add(time.Duration(rng.Int64N(int64(stream.Size+stream.Retention) + 1)))
			stream.Batches = append(stream.Batches, Batch{Now: again, Events: []Event{event}})
		}
	}
	slices.SortStableFunc(stream.Batches, func(a, b Batch) int {
		return cmp.Compare(a.Now.UnixNano(), b.Now.UnixNano())
	})
	return stream
}
