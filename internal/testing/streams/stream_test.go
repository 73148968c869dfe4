// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package streams

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"example.com/otelcol-guardrail/internal/testing/oracle"
)

var windows = []oracle.Type{oracle.Sliding, oracle.Tumbling, oracle.Session}

func TestSameSeedSameStream(t *testing.T) {
	for _, window := range windows {
		for seed := range uint64(50) {
			first, second := New(seed, window), New(seed, window)
			assert.Equal(t, first, second)
			first, second = Live(seed, window), Live(seed, window)
			assert.Equal(t, first, second)
			first, second = NewAfter(seed, window), NewAfter(seed, window)
			assert.Equal(t, first, second)
			first, second = LiveAfter(seed, window), LiveAfter(seed, window)
			assert.Equal(t, first, second)
		}
		assert.NotEqual(t, New(1, window).Batches, New(2, window).Batches)
	}
}

func TestEverythingArrivesWhileItIsRemembered(t *testing.T) {
	for _, window := range windows {
		for seed := range uint64(500) {
			stream := NewAfter(seed, window)
			first, last := stream.Batches[0].Now, stream.Batches[len(stream.Batches)-1].Now
			assert.LessOrEqual(t, last.Sub(first), stream.Size+stream.Retention, "seed %d", seed)
			for i, batch := range stream.Batches {
				assert.False(t, batch.Now.Before(first), "seed %d: the clock goes back at batch %d", seed, i)
				assert.NotEmpty(t, batch.Events, "seed %d", seed)
				first = batch.Now
			}
		}
	}
}

func event(time int64, id string, group int) Event { return Event{Time: time, ID: id, Group: group} }

func TestStatsCountWhatIsThere(t *testing.T) {
	stream := Stream{Size: 10, Threshold: 1, Groups: [][]string{{"a"}, {"b"}}, Batches: []Batch{
		{Now: time.Time{}, Events: []Event{event(8, "1", 0), event(18, "2", 0), event(8, "1", 0)}},
		{Now: time.Time{}, Events: []Event{event(11, "3", 0), event(18, "4", 0), event(8, "1", 1)}},
	}}
	assert.Equal(t, Stats{
		Events: 6, Batches: 2,
		Repeats:    1, // 8 again
		Disorder:   1, // 11 after 18
		Ties:       2, // both at 18
		GapTies:    2, // both at 18, after 8
		CloseCalls: 0,
		EdgeBursts: 1, // 8 and 11
	}, stream.Stats())
}

// What is hard on one kind of window need not be on another.
func TestStatsOfEachKindOfWindow(t *testing.T) {
	for name, test := range map[string]struct {
		window                        oracle.Type
		threshold                     int
		times                         []int64
		gapTies, closeCalls, overEdge int
	}{
		"tumbling: over an edge":                      {oracle.Tumbling, 1, []int64{8, 11}, 0, 0, 1},
		"tumbling: its bucket alerts anyway":          {oracle.Tumbling, 1, []int64{8, 11, 12}, 0, 0, 0},
		"tumbling: on the far edge":                   {oracle.Tumbling, 1, []int64{1, 10}, 1, 1, 1},
		"tumbling: on the far edge, and full already": {oracle.Tumbling, 1, []int64{1, 2, 10}, 1, 0, 0},
		"tumbling: before 1970":                       {oracle.Tumbling, 1, []int64{-10, 0}, 1, 1, 0},
		"session: exactly the gap":                    {oracle.Session, 1, []int64{1, 11}, 1, 1, 1},
		"session: alerts without the exact gap":       {oracle.Session, 1, []int64{1, 2, 12}, 1, 0, 0},
		"session: a nanosecond more than the gap":     {oracle.Session, 1, []int64{1, 12}, 0, 1, 0},
		"session: within a bucket":                    {oracle.Session, 1, []int64{1, 2}, 0, 0, 0},
		"session: over edges":                         {oracle.Session, 2, []int64{8, 12, 21}, 0, 0, 1},
		"session: the ends of time":                   {oracle.Session, 1, []int64{-9e18, 9e18}, 0, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			stream := Stream{Window: test.window, Size: 10, Threshold: test.threshold, Groups: [][]string{{"a"}}}
			for i, at := range test.times {
				stream.Batches = append(stream.Batches, Batch{Events: []Event{event(at, string(rune('a'+i)), 0)}})
			}
			stats := stream.Stats()
			assert.Equal(t, test.gapTies, stats.GapTies, "gap ties")
			assert.Equal(t, test.closeCalls, stats.CloseCalls, "close calls")
			assert.Equal(t, test.overEdge, stats.EdgeBursts, "bursts over an edge")
		})
	}
}
