// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package streams

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestSameSeedSameStream(t *testing.T) {
	for seed := range uint64(50) {
		first, second := New(seed), New(seed)
		assert.Equal(t, first, second)
	}
	assert.NotEqual(t, New(1).Batches, New(2).Batches)
}

func TestEverythingArrivesWhileItIsRemembered(t *testing.T) {
	for seed := range uint64(500) {
		stream := New(seed)
		first, last := stream.Batches[0].Now, stream.Batches[len(stream.Batches)-1].Now
		assert.LessOrEqual(t, last.Sub(first), stream.Size+stream.Retention, "seed %d", seed)
		for i, batch := range stream.Batches {
			assert.False(t, batch.Now.Before(first), "seed %d: the clock goes back at batch %d", seed, i)
			assert.NotEmpty(t, batch.Events, "seed %d", seed)
			first = batch.Now
		}
	}
}

func TestStatsCountWhatIsThere(t *testing.T) {
	event := func(time int64, id string, group int) Event { return Event{Time: time, ID: id, Group: group} }
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
