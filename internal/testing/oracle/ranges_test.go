// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package oracle

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestRuns(t *testing.T) {
	for name, test := range map[string]struct {
		events []Event
		want   []Run
	}{
		"nothing":                   {nil, nil},
		"one":                       {at(5), []Run{{"g", 5, 5, 1}}},
		"exactly the gap apart":     {at(7+s, 7), []Run{{"g", 7, 7 + s, 2}}},
		"a nanosecond more":         {at(8+s, 7), []Run{{"g", 7, 7, 1}, {"g", 8 + s, 8 + s, 1}}},
		"a bridge that comes last":  {at(0, 2*s, s), []Run{{"g", 0, 2 * s, 3}}},
		"across 1970":               {at(0, -s, -3*s), []Run{{"g", -3 * s, -3 * s, 1}, {"g", -s, 0, 2}}},
		"the same instant":          {at(4, 4, 4), []Run{{"g", 4, 4, 3}}},
		"repeats count once":        {append(at(1, 2), at(1, 2)...), []Run{{"g", 1, 2, 2}}},
		"the ends of time":          {at(math.MaxInt64, math.MinInt64), []Run{{"g", math.MinInt64, math.MinInt64, 1}, {"g", math.MaxInt64, math.MaxInt64, 1}}},
		"groups are no one session": {append(at(1), Event{Time: 1, Group: "f"}), []Run{{"f", 1, 1, 1}, {"g", 1, 1, 1}}},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, test.want, Runs(test.events, Rule{Type: Session, Size: time.Second, Threshold: 1}))
		})
	}
}

func TestRunHolds(t *testing.T) {
	run := Run{Group: "g", First: -3, Last: 5}
	for at, want := range map[int64]bool{-4: false, -3: true, 0: true, 5: true, 6: false} {
		assert.Equal(t, want, run.Holds("g", at), at)
	}
	assert.False(t, run.Holds("h", 0))
}

func TestBetween(t *testing.T) {
	events := append(at(-1, 0, 1, 1, 2), Event{Time: 1, ID: "x", Group: "h"})
	assert.Equal(t, at(-1, 0, 1, 1)[1:], Between(append(events, events...), "g", 0, 1), "both ends belong to it")
	assert.Empty(t, Between(events, "h", 2, 9))
}
