// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package detect_test

import (
	"cmp"
	"fmt"
	"runtime"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"example.com/otelcol-guardrail/internal/detect"
	"example.com/otelcol-guardrail/internal/testing/oracle"
	"example.com/otelcol-guardrail/internal/testing/streams"
)

// What arrives within size and retention of each other is counted together, to
// the nanosecond, however long the detector has been running. What is forgotten
// sooner or later can at worst open an alert again, never invent one.
func TestRememberedForSizeAndRetention(t *testing.T) {
	eachKind(t, rememberedForSizeAndRetention)
}

func rememberedForSizeAndRetention(t *testing.T, kind streamKind) {
	t.Helper()
	thoroughly(t, func(t *rapid.T) {
		stream := streams.Stream{
			Window:    kind.window,
			Threshold: rapid.IntRange(0, 3).Draw(t, "threshold"),
			Size:      1000,
			Retention: rapid.SampledFrom([]time.Duration{0, 1, 500, 1000, 7000}).Draw(t, "retention"),
			Groups:    [][]string{{"a"}},
		}
		if kind.after {
			stream.AfterIntervention = rapid.SampledFrom([]time.Duration{1, 300, 1000, 9000}).Draw(t, "after intervention")
		}
		horizon := remembered(stream)
		pauses := rapid.SliceOfN(rapid.SampledFrom([]time.Duration{
			0, 0, 1, horizon / 4, horizon / 2, horizon - 1, horizon, horizon + 1, 2*horizon - 1, 2 * horizon, 9 * horizon,
		}), 1, 40).Draw(t, "pauses")
		kept := &memory{feed: newFeeder(stream), rule: stream.Rule(), ledger: newLedger(stream.Rule()), now: time.Unix(1e9, 0)}
		for i, pause := range pauses {
			kept.now = kept.now.Add(pause)
			if rapid.Bool().Draw(t, "tick") {
				if err := tick(kept.feed, kept.ledger, kept.now); err != nil {
					t.Fatal(err)
				}
			}
			event := streams.Event{
				Time: rapid.Int64Range(-2500, 2500).Draw(t, "time"), ID: strconv.Itoa(i), Model: "model",
			}
			if kind.after {
				event.Intervened = rapid.Bool().Draw(t, "intervened")
				event.Uncounted = event.Intervened && rapid.Bool().Draw(t, "uncounted")
			}
			if err := kept.observe(stream, event); err != nil {
				t.Fatal(err)
			}
		}
		found, wrong := kept.ledger.found(kept.all)
		due := oracle.Alerts(kept.all, kept.rule)
		for alert := range found {
			if !slices.Contains(due, alert) {
				wrong = append(wrong, fmt.Sprintf("extra %+v", alert))
			}
		}
		if len(wrong) > 0 {
			t.Fatal(wrong)
		}
	})
}

// remembered returns for how long at least an event must be.
func remembered(stream streams.Stream) time.Duration {
	return stream.Size + stream.AfterIntervention + stream.Retention
}

// memory holds what a detector must still remember.
type memory struct {
	feed   *feeder
	ledger *ledger
	rule   oracle.Rule
	now    time.Time
	all    []oracle.Event
	at     []time.Time // when each arrived
	oldest int         // the first of all that is surely remembered
	opened []opening
}

type opening struct {
	name  oracle.Alert
	at    time.Time    // from when on it must be known for a time: of a session, when the event arrived
	event oracle.Event // the latest to arrive of those counted
}

// opening returns how an alert was opened just now. What it counts may have waited.
func (m *memory) opening(alert detect.Alert) (o opening) {
	o.name = named(alert)
	counted := oracle.Between(oracle.Counted(m.all, m.rule), o.name.Group, alert.First, alert.Last)
	for i, event := range m.all {
		if slices.Contains(counted, event) {
			o.at, o.event = m.at[i], event
		}
	}
	if m.rule.Type != oracle.Session { // the alert keeps its bucket
		o.at = m.now
	}
	return o
}

func (m *memory) observe(stream streams.Stream, event streams.Event) error {
	m.all, m.at = append(m.all, toOracle(stream.Groups, []streams.Event{event})...), append(m.at, m.now)
	for m.now.Sub(m.at[m.oldest]) > remembered(stream) {
		m.oldest++
	}
	for _, alert := range m.ledger.enter(m.feed.feed([]streams.Event{event}, m.now).Alerts) {
		if err := m.again(stream, alert); err != nil {
			return err
		}
		m.opened = append(m.opened, m.opening(alert))
	}
	if err := m.feed.detector.Consistent(); err != nil {
		return err
	}
	found, _ := m.ledger.found(m.all)
	runs := oracle.Runs(m.all, m.rule)
	for _, due := range oracle.Alerts(m.all[m.oldest:], m.rule) {
		if m.rule.Type == oracle.Session {
			due, _ = runStart(runs, due) // forgotten ones may lie in front of it
		}
		if found[due] == 0 {
			return fmt.Errorf("missed %+v, which arrived within %v", due, m.now.Sub(m.at[m.oldest]))
		}
	}
	return nil
}

// again reports an alert that was opened already and cannot be forgotten.
func (m *memory) again(stream streams.Stream, alert detect.Alert) error {
	name := named(alert)
	runs := oracle.Runs(m.all[m.oldest:], m.rule)
	for _, before := range m.opened {
		if m.now.Sub(before.at) > remembered(stream) {
			continue
		}
		if _, gone := m.ledger.merged[before.name]; gone {
			continue
		}
		same := before.name == name
		if m.rule.Type == oracle.Session {
			same = slices.ContainsFunc(runs, func(run oracle.Run) bool {
				return run.Holds(name.Group, name.Start) && run.Holds(name.Group, before.event.Time)
			})
		}
		if same {
			return fmt.Errorf("%+v again, %v after %+v", name, m.now.Sub(before.at), before.name)
		}
	}
	return nil
}

// An alert is not opened again while anything that opened it may be counted again: an
// alert must not go with the first of its events.
func TestAlertOutlivesItsFirstEvents(t *testing.T) {
	stream := streams.Stream{Threshold: 1, Size: 1000, Groups: [][]string{{"a"}}}
	feed, ledger, start := newFeeder(stream), newLedger(stream.Rule()), time.Unix(1e9, 0)
	for i, event := range []struct {
		time    int64
		arrival time.Duration
		opened  int
	}{
		{0, 0, 0},
		{-500, 999, 1}, // in the bucket before, and yet the window that ends at 0 is overfull
		{10, 1998, 1},  // only what lies in the bucket before is certainly remembered
		{20, 2900, 1},  // and now the one before
	} {
		now := start.Add(event.arrival)
		require.NoError(t, tick(feed, ledger, now))
		ledger.enter(feed.feed([]streams.Event{{Time: event.time, ID: strconv.Itoa(i), Model: "model"}}, now).Alerts)
		require.Equal(t, event.opened, ledger.opened[oracle.Alert{Group: groupName(stream.Groups[0])}], "event %d", i)
	}
}

// A detector that runs for months needs no more memory than one that ran for a
// day, not even for a session that never ends.
func TestMemoryIsGivenBack(t *testing.T) {
	eachWindow(t, memoryIsGivenBack)
}

func memoryIsGivenBack(t *testing.T, window oracle.Type) {
	t.Helper()
	stream := streams.Stream{
		Window: window, Threshold: 5, Size: time.Minute, Retention: time.Hour, Groups: make([][]string, 50),
	}
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
			feed.detector.Tick(now)
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
