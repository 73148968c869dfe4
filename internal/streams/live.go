// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package streams

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"time"
)

// Live makes a stream that goes on for much longer than anything is remembered:
// every event arrives when it happens, or late by no more than the retention,
// and a repeat while its original is still remembered.
func Live(seed uint64) Stream {
	rng := rand.New(rand.NewPCG(seed, 2))
	stream := Stream{Seed: seed, Threshold: threshold(rng), Size: size(rng), Groups: groups(rng)}
	stream.Retention = pick(rng, 0, 1, stream.Size/2, stream.Size, 7*stream.Size)

	stage := newStage(rng, stream)
	stage.anchors = stage.anchors[:1]
	repeats := pick(rng, 0, 0, 5, 40)
	seen := map[Event]bool{}
	for _, event := range stage.play() {
		if seen[event.Identity()] {
			continue // it could come when the first is forgotten
		}
		seen[event.Identity()] = true
		delay := pick(rng, 0, stream.Retention, time.Duration(rng.Int64N(int64(stream.Retention)+1)))
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
