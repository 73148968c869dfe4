// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package detect_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"example.com/otelcol-guardrail/internal/detect"
	"example.com/otelcol-guardrail/internal/oracle"
	"example.com/otelcol-guardrail/internal/streams"
)

// check feeds a stream to a detector and returns how what it says differs from
// what the oracle says, or nothing.
func check(stream streams.Stream) error {
	var (
		feed    = newFeeder(stream)
		all     = toOracle(stream.Groups, stream.Events())
		look    = looks(stream)
		rule    = oracle.Rule{Type: oracle.Sliding, Size: stream.Size, Threshold: stream.Threshold}
		opened  = map[oracle.Alert]int{}
		arrived = 0
		repeats = 0
	)
	for i, batch := range stream.Batches {
		result := feed.feed(batch.Events, batch.Now)
		before := all[:arrived]
		arrived += len(batch.Events)
		repeats += result.Repeats
		for _, alert := range result.Alerts {
			if len(opened) < 10 { // the rest is checked where it is cheaper
				if err := checkContent(stream, alert, before, all[:arrived]); err != nil {
					return fmt.Errorf("batch %d: %w", i, err)
				}
			}
			opened[named(alert)]++
		}
		if look[i] {
			if err := compare(opened, oracle.Alerts(all[:arrived], rule)); err != nil {
				return fmt.Errorf("after batch %d: %w", i, err)
			}
		}
	}
	if want := len(all) - len(oracle.Distinct(all)); repeats != want {
		return fmt.Errorf("%d repeats recognised, not %d", repeats, want)
	}
	return nil
}

// looks chooses the batches after which the oracle is asked: all of a short
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

func named(alert detect.Alert) oracle.Alert {
	return oracle.Alert{Group: groupName(alert.Group), Start: alert.Bucket}
}

// compare wants every alert that is due, no other, and none twice.
func compare(opened map[oracle.Alert]int, due []oracle.Alert) error {
	var wrong []string
	for _, alert := range due {
		if opened[alert] == 0 {
			wrong = append(wrong, fmt.Sprintf("missed %+v", alert))
		}
	}
	for alert, times := range opened {
		if times > 1 {
			wrong = append(wrong, fmt.Sprintf("%d times %+v", times, alert))
		}
		if !slices.Contains(due, alert) {
			wrong = append(wrong, fmt.Sprintf("extra %+v", alert))
		}
	}
	if len(wrong) > 0 {
		slices.Sort(wrong)
		return fmt.Errorf("%d due, %d opened: %s", len(due), len(opened), strings.Join(wrong, ", "))
	}
	return nil
}

// checkContent wants an alert to describe one window that is overfull, as it was
// known before the call or became known during it.
func checkContent(stream streams.Stream, alert detect.Alert, before, after []oracle.Event) error {
	var (
		group  = groupName(alert.Group)
		least  = len(oracle.Window(before, group, alert.Last, stream.Size))
		window = oracle.Window(after, group, alert.Last, stream.Size)
		ids    = map[string]int{}
	)
	for _, event := range window {
		ids[event.ID]++
	}
	fail := func(what string) error { return fmt.Errorf("%s: %#v\nwindow %+v", what, alert, window) }
	switch {
	case alert.WindowStart != alert.Bucket || alert.WindowEnd != alert.Bucket+int64(stream.Size):
		return fail("start and end are not the bucket's")
	case oracle.Bucket(alert.Last, stream.Size) != alert.Bucket:
		return fail("the last event lies outside of the bucket")
	case !slices.ContainsFunc(window, func(e oracle.Event) bool { return e.Time == alert.Last }):
		return fail("nothing happened at the end of the window")
	case !slices.ContainsFunc(window, func(e oracle.Event) bool { return e.Time == alert.First }):
		return fail("nothing happened at the start of the window")
	case alert.Last-alert.First >= int64(stream.Size):
		return fail("first and last do not fit into a window")
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
