// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package samplelogs

import (
	"fmt"
	"time"
)

// day is when everything happens: a fixed date, so that the files never change by themselves.
const day = "2026-03-14"

// at reads times of that day, written as 15:04:05 (UTC).
func at(clocks ...string) []time.Time {
	times := make([]time.Time, len(clocks))
	for i, clock := range clocks {
		t, err := time.Parse(time.DateTime, day+" "+clock)
		if err != nil {
			panic(fmt.Sprintf("scenario: %v", err))
		}
		times[i] = t
	}
	return times
}

// every returns n times, one step from each other.
func every(step time.Duration, n int, start string) []time.Time {
	times := make([]time.Time, n)
	for i := range times {
		times[i] = at(start)[0].Add(time.Duration(i) * step)
	}
	return times
}

// steadily returns n times about nine seconds from each other, which makes six or seven a minute.
func steadily(n int, start string) []time.Time {
	times := every(9*time.Second, n, start)
	for i := range times {
		times[i] = times[i].Add(time.Duration(draw("steadily", start, i).below(3)-1) * time.Second)
	}
	return times
}
