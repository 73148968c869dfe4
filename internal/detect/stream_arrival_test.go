// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package detect_test

import (
	"slices"
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"

	"example.com/otelcol-guardrail/internal/testing/oracle"
	"example.com/otelcol-guardrail/internal/testing/streams"
)

// The alerts depend on what happened only: not on the order in which it arrives,
// how often, or in what batches.
func TestArrivalDoesNotMatter(t *testing.T) {
	eachWindow(t, arrivalDoesNotMatter)
}

func arrivalDoesNotMatter(t *testing.T, window oracle.Type) {
	t.Helper()
	thoroughly(t, func(t *rapid.T) {
		stream := streams.Stream{
			Window:    window,
			Threshold: rapid.IntRange(0, 4).Draw(t, "threshold"),
			Size:      8,
			Retention: time.Hour,
			Groups:    [][]string{{"a", "bc"}, {"ab", "c"}},
		}
		events := rapid.SliceOfN(drawEvent(stream), 1, 40).Draw(t, "events")
		again := rapid.SliceOf(rapid.SampledFrom(events)).Draw(t, "again")
		arrivals := slices.Concat(events, again)
		other := rapid.Permutation(arrivals).Draw(t, "another order")

		alerts := deliver(t, stream, events)
		if got := deliver(t, stream, other); !slices.Equal(got, alerts) {
			t.Fatalf("another arrival, other alerts: %v, not %v", got, alerts)
		}
		if want := oracle.Alerts(toOracle(stream.Groups, events), stream.Rule()); !slices.Equal(alerts, want) {
			t.Fatalf("alerts: %v, not %v", alerts, want)
		}
	})
}

// drawEvent draws from few times and ids, so that much of it meets. An event
// without a time of its own has the time that follows from its ID.
func drawEvent(stream streams.Stream) *rapid.Generator[streams.Event] {
	return rapid.Custom(func(t *rapid.T) streams.Event {
		event := streams.Event{
			Time:   rapid.Int64Range(-20, 30).Draw(t, "time"),
			Group:  rapid.IntRange(0, len(stream.Groups)-1).Draw(t, "group"),
			ID:     strconv.Itoa(rapid.IntRange(0, 3).Draw(t, "id")),
			IDOnly: rapid.IntRange(0, 4).Draw(t, "id only") == 4,
			Model:  "model",
		}
		if event.IDOnly {
			event.ID = "observed at " + strconv.FormatInt(event.Time, 10)
		}
		return event
	})
}

// deliver feeds events in batches cut anywhere, with time passing between them or
// not, and returns the alerts sorted.
func deliver(t *rapid.T, stream streams.Stream, events []streams.Event) []oracle.Alert {
	feed := newFeeder(stream)
	now := time.Unix(1e9, 0)
	all := toOracle(stream.Groups, events)
	ledger := newLedger(stream.Rule())
	for len(events) > 0 {
		n := rapid.IntRange(1, len(events)).Draw(t, "batch")
		ledger.enter(feed.feed(events[:n], now).Alerts)
		events = events[n:]
		now = now.Add(rapid.SampledFrom([]time.Duration{0, 1, time.Second}).Draw(t, "pause"))
		if rapid.Bool().Draw(t, "tick") {
			if err := tick(feed, ledger, now); err != nil {
				t.Fatal(err)
			}
		}
	}
	found, wrong := ledger.found(all)
	if len(wrong) > 0 {
		t.Fatal(wrong)
	}
	var alerts []oracle.Alert
	for alert, times := range found {
		if times != 1 {
			t.Fatalf("%d times %+v", times, alert)
		}
		alerts = append(alerts, alert)
	}
	slices.SortFunc(alerts, byGroupAndStart)
	return alerts
}

// thoroughly checks a property more often than rapid does by itself, and the
// more often the more streams are to be checked.
func thoroughly(t *testing.T, property func(*rapid.T)) {
	for range shareOfStreams(20) {
		rapid.Check(t, property)
	}
}
