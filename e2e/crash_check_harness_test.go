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

// received is what has come out of all the collectors of a run together.
type received struct {
	records map[string]bool // by request id
	opened  []sighting      // in order
}

// sighting is an alert's opening, as told by one collector.
type sighting struct {
	window
	id       string
	instance string // of the collector that made the record
	request  int
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

// faults tells what is wrong with what was received, given that everything was accepted.
func (r received) faults(l load, ends int, queued bool) (faults []string) {
	lost := map[string]bool{}
	for _, call := range slices.Concat(l.batches...) {
		if !r.records[call.RequestID] {
			lost[call.RequestID] = true
		}
	}
	if len(lost) > 0 {
		faults = append(faults, fmt.Sprintf("%d records were accepted and did not come out: %s", len(lost), some(slices.Sorted(maps.Keys(lost)))))
	}

	var windows []window
	for _, s := range r.opened {
		windows = append(windows, s.window)
	}
	due, opened := l.due(), l.whole(windows)
	faults = append(faults, differences("alerts are missing", due, opened)...)
	faults = append(faults, differences("alerts should not be", opened, due)...)
	return append(faults, r.repeats(ends, queued)...)
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

// inOrder sorts by instance, for instances that are named in the order of their starts. What one has sent at its end may be taken
// in after what the next one sends.
func (r received) inOrder() received {
	slices.SortStableFunc(r.opened, func(a, b sighting) int { return strings.Compare(a.instance, b.instance) })
	return r
}

// repeats finds alerts that were told under several ids, more often than collectors have ended, twice by one collector, or that
// another collector told before and this one does not tell in its first request with alerts. With a queue behind the processor there
// is a second place where an end can come before the note that all is done, and its order.
func (r received) repeats(ends int, queued bool) (faults []string) {
	type told struct {
		last  sighting
		times int
	}
	known, opening := map[window]told{}, map[string]int{}
	most := ends + 1
	if queued {
		most = 2 * most
	}
	for _, s := range r.opened {
		if _, ok := opening[s.instance]; !ok {
			opening[s.instance] = s.request
		}
		before := known[s.window]
		known[s.window] = told{s, before.times + 1}
		switch {
		case before.times == 0:
		case before.last.id != s.id:
			faults = append(faults, fmt.Sprintf("an alert has two ids, %s and %s: %v", before.last.id, s.id, s.window))
		case before.times >= most:
			faults = append(faults, fmt.Sprintf("an alert was told %d times: %v", before.times+1, s.window))
		case before.last.instance == s.instance && !queued:
			faults = append(faults, fmt.Sprintf("an alert was told twice by one collector: %v", s.window))
		case s.request != opening[s.instance] && !queued:
			faults = append(faults, fmt.Sprintf("an alert was told again, but not at the start of a collector: %v, by %s in request %d, after %s",
				s.window, s.instance, s.request, before.last.instance))
		}
	}
	return faults
}

// some are the first few of a list.
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
