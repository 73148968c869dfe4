// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package detect

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/otelcol-guardrail/internal/detect/internal/journal"
)

// running returns a present in running time.
func running(d time.Duration) time.Time { return time.Unix(0, int64(d)) }

// An alert that nothing can belong to any more is not known again after a restart:
// a late invocation must not be reported as its correction.
func TestForgottenAlertStaysForgotten(t *testing.T) {
	rule := Rule{Threshold: 1, Size: time.Minute, KeepAlive: 10 * time.Minute, MaxDuration: time.Hour, Retention: time.Hour}
	detector := New(rule)
	journal, replay := detector.EnableJournal()
	replay.End(running(0), 1)
	require.Len(t, detector.Observe([]Event{at("alice", "1", noon), at("alice", "2", noon)}, running(0)).Alerts, 1)
	now := time.Duration(0)
	for ; detector.Stats().Groups > 0; now += time.Minute {
		detector.Tick(running(now))
	}
	pages, _ := journal.Drain(nil)

	restarted := New(rule)
	_, replay = restarted.EnableJournal()
	for _, page := range pages {
		require.NoError(t, replay.Page(page))
	}
	assert.Empty(t, replay.End(running(now), uint64(len(pages)+1)))
	for _, d := range []*Detector{detector, restarted} {
		assert.Zero(t, d.Stats().Groups)
		assert.Empty(t, d.Observe([]Event{at("alice", "3", noon)}, running(now)).Alerts)
		assert.Empty(t, d.Tick(running(now+time.Hour)))
	}
}

// Where the entry of an alert is missing, the alert is raised after the restart, once.
func TestAlertWhoseEntryIsMissingIsRaised(t *testing.T) {
	for name, cut := range map[string]func(body []byte) []byte{
		"whole":   func(body []byte) []byte { return body },
		"missing": func(body []byte) []byte { return body[:lastEvent(body)] },
	} {
		t.Run(name, func(t *testing.T) {
			detector := New(hourly())
			journal, replay := detector.EnableJournal()
			replay.End(running(0), 1)
			want := detector.Observe(crowd(0, 1, 3, noon), running(0)).Alerts
			require.Len(t, want, 1)
			pages, _ := journal.Drain(nil)
			pages[0].Body = cut(pages[0].Body)

			for range 2 { // what it then emits, it knows the next time
				restarted := New(hourly())
				journal, replay = restarted.EnableJournal()
				for _, page := range pages {
					require.NoError(t, replay.Page(page))
				}
				unreported := replay.End(running(time.Second), uint64(len(pages)+1))
				if name == "whole" || len(pages) > 1 {
					assert.Empty(t, unreported)
				} else {
					assert.Equal(t, want, unreported)
				}
				pages, _ = journal.Drain(pages)
			}
		})
	}
}

// lastEvent returns where the last event of a page ends: nothing comes after it but alerts
// and the limiter.
func lastEvent(body []byte) (end int) {
	for size := range body {
		entries, events := journal.NewReader(Page{Body: body[:size]}), 0
		for kind, err := entries.Next(); kind != journal.End && err == nil; kind, err = entries.Next() {
			if kind != journal.KindEvent {
				return end
			}
			events++
		}
		if _, err := entries.Next(); err == nil && events > 0 {
			end = size
		}
	}
	return end
}

// An alert that was merged into another is over, after a restart as well.
func TestMergedAlertStaysMerged(t *testing.T) {
	rule := Rule{Threshold: 1, Size: time.Minute, KeepAlive: time.Minute, MaxDuration: time.Hour, Retention: time.Hour}
	detector := New(rule)
	journal, replay := detector.EnableJournal()
	replay.End(running(0), 1)
	two := func(id string, when time.Time) []Event {
		return []Event{at("alice", id, when), at("alice", id+"'", when)}
	}
	detector.Observe(two("1", noon), running(0))
	detector.Observe(two("2", noon.Add(4*time.Minute)), running(0))
	detector.Observe(two("3", noon.Add(2*time.Minute)), running(0)) // bridges them
	restarted := New(rule)
	_, replay = restarted.EnableJournal()
	pages, _ := journal.Drain(nil)
	for _, page := range pages {
		require.NoError(t, replay.Page(page))
	}
	assert.Empty(t, replay.End(running(0), 2))
	assert.Len(t, restarted.Tick(running(time.Minute)), 1)
}

// A bucket still alerts when hardly any of its events is left: what is added to it belongs to its alert, after a restart as well.
func TestBucketStillAlertsWithoutItsEvents(t *testing.T) {
	rule := Rule{Threshold: 3, Size: time.Minute, KeepAlive: 24 * time.Hour, MaxDuration: 48 * time.Hour, Retention: time.Second}
	detector := New(rule)
	journal, replay := detector.EnableJournal()
	replay.End(running(0), 1)
	require.Len(t, detector.Observe(crowd(0, 1, 4, noon), running(0)).Alerts, 1)
	for now := time.Duration(0); now <= 3*time.Minute; now += 10 * time.Second { // one is always left
		detector.Observe([]Event{at("user 00000", now.String(), noon.Add(now/1000))}, running(now))
	}
	old, _ := journal.Drain(nil)
	detector.Checkpoint(running(3 * time.Minute))
	pages, _ := journal.Drain(nil)
	require.Greater(t, pages[len(pages)-1].Number, old[0].Number, "the first events have expired")

	restarted := New(rule)
	_, replay = restarted.EnableJournal()
	require.NoError(t, replay.Page(pages[len(pages)-1]))
	assert.Empty(t, replay.End(running(3*time.Minute), 100))
	late := []Event{at("user 00000", "late", noon.Add(50*time.Second))}
	for _, d := range []*Detector{detector, restarted} {
		d.Observe(late, running(3*time.Minute))
		closed := d.Tick(running(25 * time.Hour))
		require.Len(t, closed, 1)
		assert.Equal(t, late[0].Time, closed[0].Last)
	}
}

// An overflow of evictions, which belongs to no alert, is known after a restart: the next one is ten minutes later.
func TestOverflowOfEvictionsIsRemembered(t *testing.T) {
	rule := hourly()
	rule.MaxBytes = 8 << 20
	detector := New(rule)
	journal, replay := detector.EnableJournal()
	replay.End(running(0), 1)
	detector.Observe(crowd(0, 200_000, 1, noon), running(0))
	require.Len(t, detector.Tick(running(0)), 1)
	pages, _ := journal.Drain(nil)

	restarted := New(rule)
	_, replay = restarted.EnableJournal()
	for _, page := range pages {
		require.NoError(t, replay.Page(page))
	}
	replay.End(running(time.Second), pages[len(pages)-1].Number+1)
	require.Positive(t, restarted.Stats().Evicted, "again, during the replay")
	assert.Empty(t, restarted.Tick(running(10*time.Minute-1)))
	assert.Len(t, restarted.Tick(running(10*time.Minute)), 1)
}
