// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/otelcol-guardrail/e2e/internal/sink"
)

// received is what all the collectors of a run have exported.
type received struct {
	records map[string]bool // by request id
	opened  []sighting      // in order
}

// sighting is an alert of state open that a collector has exported.
type sighting struct {
	window
	id       string
	instance string // of the collector that made the record
	request  int    // its position among the requests
}

func receive(t *testing.T, requests []sink.Request) received {
	t.Helper()
	r := received{records: map[string]bool{}}
	for i, request := range requests {
		if request.Err != nil {
			continue
		}
		for _, resourceLogs := range request.Logs.ResourceLogs().All() {
			instance := ""
			if value, ok := resourceLogs.Resource().Attributes().Get("service.instance.id"); ok {
				instance = value.Str()
			}
			for _, scopeLogs := range resourceLogs.ScopeLogs().All() {
				for _, record := range scopeLogs.LogRecords().All() {
					if !isAlert(record) {
						var call struct{ RequestID string }
						require.NoError(t, json.Unmarshal([]byte(record.Body().Str()), &call))
						r.records[call.RequestID] = true
						continue
					}
					a := alert{record.Body().Str(), record.Attributes().AsRaw()}
					if a.state() != "open" {
						continue
					}
					start, err := time.Parse(time.RFC3339Nano, a.text("gen_ai_guardrail.window.start"))
					require.NoError(t, err)
					r.opened = append(r.opened, sighting{window{a.rule(), groupOf(a.user(), a.account()), start}, a.id(), instance, i})
				}
			}
		}
	}
	return r
}

// faults describes every difference from what is due when the whole load has been accepted. stops is how often a collector was
// stopped.
func (r received) faults(l load, stops int, queued bool) (faults []string) {
	lost := map[string]bool{}
	for _, call := range slices.Concat(l.batches...) {
		if !r.records[call.RequestID] {
			lost[call.RequestID] = true
		}
	}
	if len(lost) > 0 {
		faults = append(faults, fmt.Sprintf("%d records were accepted and not exported: %s", len(lost), some(slices.Sorted(maps.Keys(lost)))))
	}

	due, opened := l.due(), l.whole(r.windows())
	faults = append(faults, differences("alerts are missing", due, opened)...)
	faults = append(faults, differences("alerts are unexpected", opened, due)...)
	return append(faults, r.repeats(stops, queued)...)
}

// windows returns the windows of the alerts, those of repeats again.
func (r received) windows() (windows []window) {
	for _, s := range r.opened {
		windows = append(windows, s.window)
	}
	return windows
}

func differences(what string, one, other map[window]bool) []string {
	var only []window
	for w := range one {
		if !other[w] {
			only = append(only, w)
		}
	}
	if len(only) == 0 {
		return nil
	}
	slices.SortFunc(only, window.compare)
	return []string{fmt.Sprintf("%d %s of %d: %s", len(only), what, len(one), some(only))}
}

// inOrder sorts by instance, given that instances are named in the order of their starts. What one sends while it stops may arrive
// after what the next one sends.
func (r received) inOrder() received {
	slices.SortStableFunc(r.opened, func(a, b sighting) int { return strings.Compare(a.instance, b.instance) })
	return r
}

// repeats describes alerts that were reported under several ids, more often than restarts explain, twice by one collector, or by a
// later collector other than in its first request with alerts. With a queue after the processor, a stop can come before either of them
// has noted that an alert was delivered, and alerts can be delivered in another order.
func (r received) repeats(stops int, queued bool) (faults []string) {
	type report struct {
		last  sighting
		times int
	}
	known, opening := map[window]report{}, map[string]int{}
	limit := stops + 1
	if queued {
		limit = 2 * limit
	}
	for _, s := range r.opened {
		if _, ok := opening[s.instance]; !ok {
			opening[s.instance] = s.request
		}
		before := known[s.window]
		known[s.window] = report{s, before.times + 1}
		switch {
		case before.times == 0:
		case before.last.id != s.id:
			faults = append(faults, fmt.Sprintf("an alert has two ids, %s and %s: %v", before.last.id, s.id, s.window))
		case before.times >= limit:
			faults = append(faults, fmt.Sprintf("an alert was reported %d times: %v", before.times+1, s.window))
		case before.last.instance == s.instance && !queued:
			faults = append(faults, fmt.Sprintf("an alert was reported twice by one collector: %v", s.window))
		case s.request != opening[s.instance] && !queued:
			faults = append(faults, fmt.Sprintf("an alert was reported again, but not at the start of a collector: %v, by %s in request %d, after %s",
				s.window, s.instance, s.request, before.last.instance))
		}
	}
	return faults
}

// some returns the first few items of a list as text.
func some[T any](list []T) string {
	var text []string
	for _, item := range list[:min(len(list), 5)] {
		text = append(text, fmt.Sprint(item))
	}
	if len(list) > len(text) {
		text = append(text, "...")
	}
	return strings.Join(text, "; ")
}
