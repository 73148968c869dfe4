// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package streams

import (
	"cmp"
	"math/rand/v2"
	"slices"
)

// order assigns each event a key; events arrive by ascending keys.
type order func(rng *rand.Rand, size int64, events []Event) (keys []int64)

func arrive(rng *rand.Rand, size int64, events []Event) []Event {
	keys := pick[order](rng, inOrder, inOrder, jitter, lag, lag, outage, backfill, shuffle, reverse)(rng, size, events)
	indexes := make([]int, len(events))
	for i := range indexes {
		indexes[i] = i
	}
	slices.SortStableFunc(indexes, func(a, b int) int { return cmp.Compare(keys[a], keys[b]) })

	arrived := make([]Event, len(events))
	for i, index := range indexes {
		arrived[i] = events[index]
	}
	return arrived
}

func byEvent(events []Event, key func(Event) int64) []int64 {
	keys := make([]int64, len(events))
	for i, event := range events {
		keys[i] = key(event)
	}
	return keys
}

func inOrder(_ *rand.Rand, _ int64, events []Event) []int64 {
	return byEvent(events, func(e Event) int64 { return e.Time })
}

func reverse(_ *rand.Rand, _ int64, events []Event) []int64 {
	return byEvent(events, func(e Event) int64 { return -e.Time })
}

func shuffle(rng *rand.Rand, _ int64, events []Event) []int64 {
	return byEvent(events, func(Event) int64 { return rng.Int64() })
}

func jitter(rng *rand.Rand, size int64, events []Event) []int64 {
	most := size * (1 + rng.Int64N(3))
	return byEvent(events, func(e Event) int64 { return e.Time + rng.Int64N(most) })
}

// lag has several sources, each in order but late in its own way.
func lag(rng *rand.Rand, size int64, events []Event) []int64 {
	lags := make([]int64, 2+rng.IntN(4))
	for i := range lags {
		lags[i] = rng.Int64N(30 * size)
	}
	return byEvent(events, func(e Event) int64 { return e.Time + pick(rng, lags...) })
}

// outage holds one source's events back and releases them all at once.
func outage(rng *rand.Rand, size int64, events []Event) []int64 {
	begin := events[rng.IntN(len(events))].Time
	end := begin + size*(1+rng.Int64N(60))
	return byEvent(events, func(e Event) int64 {
		if chance(rng, 50) && begin <= e.Time && e.Time < end {
			return end
		}
		return e.Time
	})
}

// backfill reads old files in any order, each of them from its beginning.
func backfill(rng *rand.Rand, size int64, events []Event) []int64 {
	length := size * (1 + rng.Int64N(20))
	files := map[int64]int64{}
	return byEvent(events, func(e Event) int64 {
		file := e.Time / length
		if _, known := files[file]; !known {
			files[file] = rng.Int64N(1e6)
		}
		return files[file]*length + e.Time - file*length
	})
}
