// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package detect_test

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"testing"

	"example.com/otelcol-guardrail/internal/detect"
	"example.com/otelcol-guardrail/internal/testing/oracle"
	"example.com/otelcol-guardrail/internal/testing/streams"
)

// An alert says exactly what was counted. That is beyond dispute where
// events arrive one by one and in order: the window that the last of them ends.
func TestAlertSaysWhatWasCounted(t *testing.T) {
	eachKind(t, func(t *testing.T, kind streamKind) {
		for _, seed := range seeds(4) {
			stream := oneByOne(kind.stream(seed))
			if checkCounted(stream) != nil {
				fail(t, stream, checkCounted)
			}
		}
	})
}

// oneByOne delivers the same events in order of time, each in a batch of its own.
func oneByOne(stream streams.Stream) streams.Stream {
	events := withOriginalTimes(stream)
	slices.SortStableFunc(events, func(a, b streams.Event) int { return cmp.Compare(a.Time, b.Time) })
	now := stream.Batches[0].Now
	stream.Batches = nil
	for _, event := range events {
		stream.Batches = append(stream.Batches, streams.Batch{Now: now, Events: []streams.Event{event}})
	}
	return stream
}

func checkCounted(stream streams.Stream) error {
	feed := newFeeder(stream)
	seen := map[streams.Event]bool{}
	all := toOracle(stream.Groups, stream.Events())
	counted := oracle.Counted(all, stream.Rule())
	var arrived []streams.Event // the distinct ones that count
	for i, batch := range stream.Batches {
		result := feed.feed(batch.Events, batch.Now)
		last := batch.Events[0]
		if !seen[last.Identity()] && slices.Contains(counted, all[i]) {
			seen[last.Identity()] = true
			arrived = append(arrived, last)
		}
		for _, alert := range result.Alerts {
			if alert.State != detect.Open {
				continue
			}
			if !seen[last.Identity()] {
				return fmt.Errorf("batch %d: an alert for an event that does not count: %#v", i, alert)
			}
			window := endedBy(stream, last, arrived)
			if err := checkWindow(alert, window); err != nil {
				return fmt.Errorf("batch %d: %w\nalert %#v\nwindow %+v", i, err, alert, window)
			}
		}
	}
	return nil
}

// endedBy returns the events of the window that the last of them ends.
func endedBy(stream streams.Stream, last streams.Event, arrived []streams.Event) []streams.Event {
	var window []streams.Event
	for _, event := range slices.Backward(arrived) {
		if event.Group != last.Group {
			continue
		}
		within := false
		switch stream.Window {
		case oracle.Sliding:
			within = uint64(last.Time)-uint64(event.Time) < uint64(stream.Size)
		case oracle.Tumbling:
			within = oracle.Bucket(event.Time, stream.Size) == oracle.Bucket(last.Time, stream.Size)
		case oracle.Session:
			within = len(window) == 0 || near(window[len(window)-1].Time, event.Time, stream.Rule())
		}
		if !within {
			break
		}
		window = append(window, event)
	}
	slices.Reverse(window)
	return window
}

// checkWindow compares an alert with the events it stands for, in order of time.
func checkWindow(alert detect.Alert, window []streams.Event) error {
	presumed := 0
	kinds := map[string]bool{}
	for _, event := range window {
		kinds[kind(event)] = true
		if event.Presumed {
			presumed++
		}
	}
	first, last := window[0].Time, window[len(window)-1].Time
	if alert.Count != len(window) || alert.Presumed != presumed || alert.First != first || alert.Last != last {
		return fmt.Errorf("want %d events, %d presumed, from %d to %d", len(window), presumed, first, last)
	}
	if want := slices.Sorted(maps.Keys(kinds)); !slices.Equal(alert.Kinds, want) {
		return fmt.Errorf("want the kinds %q", want)
	}
	for name, evidence := range map[string]struct {
		listed []string
		value  func(streams.Event) string
	}{
		"request ids": {alert.RequestIDs, func(e streams.Event) string { return e.ID }},
		"models":      {alert.Models, func(e streams.Event) string { return e.Model }},
		"operations":  {alert.Operations, operation},
		"regions":     {alert.Regions, region},
	} {
		if err := checkNewest(evidence.listed, window, evidence.value); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

// checkNewest checks that a list holds the ten values seen last, each once; of values last seen at
// the same instant any will do.
func checkNewest(listed []string, window []streams.Event, value func(streams.Event) string) error {
	seen := map[string]int64{}
	for _, event := range window {
		seen[value(event)] = event.Time
	}
	if want := min(len(seen), 10); len(listed) != want {
		return fmt.Errorf("%d listed, not %d", len(listed), want)
	}
	oldest := int64(math.MaxInt64)
	for _, one := range listed {
		at, ok := seen[one]
		if !ok {
			return fmt.Errorf("%q is listed twice, or is not in the window", one)
		}
		oldest = min(oldest, at)
		delete(seen, one)
	}
	for one, at := range seen {
		if at > oldest {
			return fmt.Errorf("%q is newer than what is listed", one)
		}
	}
	return nil
}
