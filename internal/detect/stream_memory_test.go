// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package detect_test

import (
	"cmp"
	"runtime"
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"

	"example.com/otelcol-guardrail/internal/oracle"
	"example.com/otelcol-guardrail/internal/streams"
)

// What arrives within size and retention of each other is counted together, to
// the nanosecond, however long the detector has been running. What is forgotten
// sooner or later can at worst let an alert come again, never invent one.
func TestRememberedForSizeAndRetention(t *testing.T) {
	thoroughly(t, func(t *rapid.T) {
		stream := streams.Stream{
			Threshold: rapid.IntRange(0, 3).Draw(t, "threshold"),
			Size:      1000,
			Retention: rapid.SampledFrom([]time.Duration{0, 1, 500, 1000, 7000}).Draw(t, "retention"),
			Groups:    [][]string{{"a"}},
		}
		horizon := stream.Size + stream.Retention
		rule := oracle.Rule{Type: oracle.Sliding, Size: stream.Size, Threshold: stream.Threshold}
		pauses := rapid.SliceOfN(rapid.SampledFrom([]time.Duration{
			0, 0, 1, horizon / 4, horizon / 2, horizon - 1, horizon, horizon + 1, 2*horizon - 1, 2 * horizon, 9 * horizon,
		}), 1, 40).Draw(t, "pauses")

		var (
			feed   = newFeeder(stream)
			now    = time.Unix(1e9, 0)
			all    []oracle.Event
			at     []time.Time
			oldest = 0
			opened = map[oracle.Alert]time.Time{}
		)
		for i, pause := range pauses {
			now = now.Add(pause)
			event := streams.Event{
				Time: rapid.Int64Range(-1500, 1500).Draw(t, "time"), ID: strconv.Itoa(i), Model: "model",
			}
			all, at = append(all, toOracle(stream.Groups, []streams.Event{event})...), append(at, now)
			for now.Sub(at[oldest]) > horizon {
				oldest++
			}

			for _, alert := range feed.feed([]streams.Event{event}, now).Alerts {
				name := named(alert)
				if last, before := opened[name]; before && now.Sub(last) <= horizon {
					t.Fatalf("twice within %v: %+v", now.Sub(last), name)
				}
				opened[name] = now
			}
			for _, due := range oracle.Alerts(all[oldest:], rule) {
				if _, ok := opened[due]; !ok {
					t.Fatalf("missed %+v, which arrived within %v", due, now.Sub(at[oldest]))
				}
			}
		}
		due := map[oracle.Alert]bool{}
		for _, alert := range oracle.Alerts(all, rule) {
			due[alert] = true
		}
		for alert := range opened {
			if !due[alert] {
				t.Fatalf("extra %+v", alert)
			}
		}
	})
}

// A detector that runs for months needs no more memory than one that ran for a day.
func TestMemoryIsGivenBack(t *testing.T) {
	stream := streams.Stream{Threshold: 5, Size: time.Minute, Retention: time.Hour, Groups: make([][]string, 50)}
	for i := range stream.Groups {
		stream.Groups[i] = []string{"user-" + strconv.Itoa(i), "111122223333"}
	}
	feed, now, id := newFeeder(stream), time.Unix(1e9, 0), 0
	hours := func(n int) (heap uint64) {
		for range n * 60 {
			now = now.Add(time.Minute)
			var events []streams.Event
			for group := range stream.Groups {
				id++
				events = append(events, streams.Event{
					Time: now.UnixNano(), Group: group, ID: strconv.Itoa(id), Model: "model",
				})
			}
			feed.feed(events, now)
		}
		runtime.GC()
		var memory runtime.MemStats
		runtime.ReadMemStats(&memory)
		return memory.HeapAlloc
	}
	early := hours(6)
	if late := hours(60); late > early*3/2 {
		t.Errorf("%d bytes after 6 hours, %d after 66", early, late)
	}
	runtime.KeepAlive(feed)
}

func byGroupAndStart(a, b oracle.Alert) int {
	return cmp.Or(cmp.Compare(a.Group, b.Group), cmp.Compare(a.Start, b.Start))
}
