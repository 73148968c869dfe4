// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package streams

import (
	"math/rand/v2"
	"slices"
	"time"
)

// repeat delivers some events again, at once or much later.
func repeat(rng *rand.Rand, size int64, events []Event) []Event {
	if chance(rng, 40) {
		return events
	}
	percent := pick(rng, 1, 5, 20, 50)
	for i := 0; i < len(events) && i < 5000; i++ {
		if !chance(rng, percent) {
			continue
		}
		again := events[i]
		if again.IDOnly && chance(rng, 50) {
			again.Time += rng.Int64N(3*size) - size // observed a second time
		}
		within := pick(rng, 1, 10, len(events)-i)
		at := i + 1 + rng.IntN(min(within, len(events)-i))
		events = slices.Insert(events, at, again)
	}
	if chance(rng, 10) {
		events = append(events, events...)
	}
	return events
}

// pack cuts the stream into batches, and delivers some batches twice.
func pack(rng *rand.Rand, events []Event) []Batch {
	most := pick(rng, 1, 1, 3, 20, 200, len(events))
	least := pick(rng, 1, most)
	replays := pick(rng, 0, 0, 0, 5)
	var batches []Batch
	for len(events) > 0 {
		n := min(least+rng.IntN(most-least+1), len(events))
		batches = append(batches, Batch{Events: events[:n:n]})
		events = events[n:]
		if chance(rng, replays) {
			batches = append(batches, batches[rng.IntN(len(batches))])
		}
	}
	return batches
}

// wind sets the clock of each batch. Nothing arrives later than what the
// detector must remember, but some of it exactly then.
func wind(rng *rand.Rand, stream Stream) {
	total := pick(rng, 0, stream.Retention, stream.Size+stream.Retention,
		time.Duration(rng.Int64N(int64(stream.Size+stream.Retention))))
	steps := make([]float64, len(stream.Batches))
	sum := 0.0
	pauses := pick(rng, 0, 50, 95) // percent of batches without any time between
	for i := range steps {
		if i == len(steps)-1 && sum == 0 || i > 0 && !chance(rng, pauses) {
			steps[i] = rng.ExpFloat64()
			sum += steps[i]
		}
	}
	start := time.Date(2026, 5, 17, 12, 0, 0, 0, time.UTC).Add(time.Duration(rng.Int64N(int64(time.Hour))))
	passed := 0.0
	for i := range stream.Batches {
		passed += steps[i]
		part := 1.0
		if sum > 0 {
			part = min(passed/sum, 1)
		}
		stream.Batches[i].Now = start.Add(min(time.Duration(part*float64(total)), total))
	}
}
