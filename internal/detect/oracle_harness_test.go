// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package detect_test

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"example.com/otelcol-guardrail/internal/detect"
	"example.com/otelcol-guardrail/internal/testing/oracle"
	"example.com/otelcol-guardrail/internal/testing/streams"
)

// check feeds a stream to a detector and returns how what it emits differs from
// what the oracle says, or nil.
func check(stream streams.Stream) error {
	var (
		feed    = newFeeder(stream)
		ticks   = newClock(stream)
		all     = toOracle(stream.Groups, stream.Events())
		look    = looks(stream)
		ledger  = newLedger(stream.Rule())
		arrived = 0
		repeats = 0
		calls   = 0
	)
	for i, batch := range stream.Batches {
		for _, now := range ticks.before(batch) {
			if err := tick(feed, ledger, now); err != nil {
				return fmt.Errorf("before batch %d: %w", i, err)
			}
		}
		openedBefore := slices.Collect(maps.Keys(ledger.opened))
		result := feed.feed(batch.Events, batch.Now)
		before := all[:arrived]
		arrived += len(batch.Events)
		repeats += result.Repeats
		calls += result.Calls
		for _, alert := range ledger.enter(result.Alerts) {
			if len(openedBefore) >= 10 { // the rest is checked where it is cheaper
				break
			}
			if stream.Window == oracle.Session {
				if err := ledger.checkNews(alert, before, openedBefore); err != nil {
					return fmt.Errorf("batch %d: %w", i, err)
				}
			}
			if err := errors.Join(checkContent(stream, alert, before, all[:arrived]),
				checkIntervention(stream, alert, batch, before, all[:arrived])); err != nil {
				return fmt.Errorf("batch %d: %w", i, err)
			}
		}
		if look[i] {
			if err := errors.Join(ledger.compare(all[:arrived]), feed.detector.Consistent()); err != nil {
				return fmt.Errorf("after batch %d: %w", i, err)
			}
		}
	}
	if want := oracle.Repeats(all); repeats != want {
		return fmt.Errorf("%d repeats recognised, not %d", repeats, want)
	}
	if want := len(oracle.Counted(all, oracle.Rule{})); calls != want {
		return fmt.Errorf("%d distinct calls, not %d", calls, want)
	}
	return tick(feed, ledger, ticks.last.Add(100*(stream.Size+stream.Retention)))
}

// tick lets time pass, which must not open an alert.
func tick(feed *feeder, ledger *ledger, now time.Time) error {
	for _, record := range feed.detector.Tick(now) {
		if record.State != detect.Closed || record.Merged {
			return fmt.Errorf("time alone made %#v", record)
		}
		if ledger.opened[named(record)] == 0 {
			return fmt.Errorf("closed, but never opened: %#v", record)
		}
	}
	return nil
}

// looks returns the batches after which the oracle is consulted: all of a short
// stream, a few of a long one, always the last.
func looks(stream streams.Stream) map[int]bool {
	look := map[int]bool{len(stream.Batches) - 1: true}
	rng := rand.New(rand.NewPCG(stream.Seed, 1))
	for i := range stream.Batches {
		if len(stream.Batches) <= 20 || rng.IntN(len(stream.Batches)) < 3 {
			look[i] = true
		}
	}
	return look
}

// checkContent checks that an alert describes one window over the threshold, as it was
// known before the call or became known during it.
func checkContent(stream streams.Stream, alert detect.Alert, before, after []oracle.Event) error {
	var (
		least  = len(windowOf(stream, alert, before))
		window = windowOf(stream, alert, after)
		ids    = map[string]int{}
	)
	for _, event := range window {
		ids[event.ID]++
	}
	fail := func(what string) error { return fmt.Errorf("%s: %#v\nwindow %+v", what, alert, window) }
	if err := checkBounds(stream, alert); err != nil {
		return fail(err.Error())
	}
	switch {
	case !slices.ContainsFunc(window, func(e oracle.Event) bool { return e.Time == alert.Last }):
		return fail("nothing happened at the end of the window")
	case !slices.ContainsFunc(window, func(e oracle.Event) bool { return e.Time == alert.First }):
		return fail("nothing happened at the start of the window")
	case alert.Count <= stream.Threshold:
		return fail("the count is within the threshold")
	case alert.Count < least || alert.Count > len(window):
		return fail("the count is not the window's")
	case !alert.Exact:
		return fail("the count is said to be a lower bound")
	case alert.Presumed > alert.Count:
		return fail("more presumed than counted")
	case len(alert.RequestIDs) == 0 || len(alert.RequestIDs) > 10:
		return fail("not one to ten request ids")
	}
	for _, id := range alert.RequestIDs {
		if ids[id]--; ids[id] < 0 {
			return fail("request ids that are not of distinct events of the window")
		}
	}
	return nil
}

// checkIntervention checks that an alert names the latest intervention before its first event,
// as it was known before the call or became known during it.
func checkIntervention(stream streams.Stream, alert detect.Alert, batch streams.Batch, before, after []oracle.Event) error {
	if stream.AfterIntervention == 0 {
		if alert.Intervention != nil {
			return fmt.Errorf("an intervention: %#v", alert)
		}
		return nil
	}
	group := groupName(alert.Group)
	latest := func(known []oracle.Event) (at int64, ids []string) {
		at = math.MinInt64
		for _, i := range oracle.Interventions(known) {
			if i.Group != group || i.Time >= alert.First || i.Time < at {
				continue
			}
			if i.Time > at {
				at, ids = i.Time, nil
			}
			ids = append(ids, i.ID)
		}
		return at, ids
	}
	least, idsBefore := latest(before)
	most, ids := latest(after)
	i := alert.Intervention
	switch {
	case i == nil || i.Time < least || i.Time > most:
		return fmt.Errorf("not the latest intervention, which is at %d to %d: %#v: %#v", least, most, i, alert)
	case i.Time == most && !slices.Contains(ids, i.RequestID), i.Time == least && least == most && i.RequestID < slices.Max(append(idsBefore, "")):
		return fmt.Errorf("not one of the interventions %q: %#v: %#v", ids, i, alert)
	case len(batch.Events) == 1 && (i.Time != most || i.RequestID != slices.Max(ids)):
		return fmt.Errorf("not %q at %d: %#v: %#v", ids, most, i, alert)
	}
	return nil
}

// windowOf returns the known events of the window that an alert opened for.
func windowOf(stream streams.Stream, alert detect.Alert, known []oracle.Event) []oracle.Event {
	name := named(alert)
	counted := oracle.Counted(known, stream.Rule())
	switch stream.Window {
	case oracle.Tumbling:
		return oracle.Between(counted, name.Group, name.Start, name.Start+int64(stream.Size)-1)
	case oracle.Session:
		for _, run := range oracle.Runs(known, stream.Rule()) {
			if run.Holds(name.Group, name.Start) {
				return oracle.Between(counted, name.Group, run.First, run.Last)
			}
		}
		return nil
	}
	return oracle.Window(counted, name.Group, alert.Last, stream.Size)
}

func checkBounds(stream streams.Stream, alert detect.Alert) error {
	if stream.Window == oracle.Session {
		if alert.Opened != alert.First || alert.WindowStart != alert.First || alert.WindowEnd != alert.Last {
			return errors.New("start and end are not the session's")
		}
		return nil
	}
	switch {
	case alert.WindowStart != alert.Opened || alert.WindowEnd != alert.Opened+int64(stream.Size):
		return errors.New("start and end are not the bucket's")
	case oracle.Bucket(alert.Last, stream.Size) != alert.Opened:
		return errors.New("the last event lies outside of the bucket")
	case stream.Window == oracle.Tumbling && oracle.Bucket(alert.First, stream.Size) != alert.Opened:
		return errors.New("the first event lies outside of the bucket")
	case alert.Last-alert.First >= int64(stream.Size):
		return errors.New("first and last do not fit into a window")
	}
	return nil
}
