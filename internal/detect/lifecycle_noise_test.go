// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package detect

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A count that passes several powers of ten at once is escalated once.
func TestLeapIsReportedOnce(t *testing.T) {
	rule := hourly()
	rule.KeepAlive, rule.MaxDuration = 5*time.Hour, 24*time.Hour
	h := newHistory(rule)
	for minute := -300; minute < -60; minute++ { // no two in one window
		h.observe(minute, 1, 0)
	}
	h.backfill(-301, 0) // with all that is between them, one alert
	h.backfill(1, 2)
	assert.Equal(t, []string{"open -301", "escalated -301"}, shortStates(h))
}

// shortStates returns only state and minute of the opening.
func shortStates(h *history) (lines []string) {
	for _, a := range h.emitted {
		lines = append(lines, fmt.Sprintf("%s %d", [...]string{"open", "escalated", "closed"}[a.State], h.minute(a.Opened)))
	}
	return lines
}

// Calls that drain after an alert was closed correct it, but not every second.
func TestCorrectionsAreNotReportedEverySecond(t *testing.T) {
	h := newHistory(hourly())
	h.backfill(0)
	h.tick(10 * time.Minute)
	h.states()
	for second := range 600 {
		late := h.events(0, 1)
		late[0].Time += int64(second) // within the first second of the burst
		now := 20*time.Minute + time.Duration(second)*time.Second
		h.note(h.detector.Observe(late, h.start.Add(now)).Alerts)
		h.tick(now + time.Millisecond)
	}
	h.tick(2 * time.Hour)
	closed := slices.DeleteFunc(h.emitted, func(a Alert) bool { return a.State != Closed })
	assert.LessOrEqual(t, len(closed), 12)
	require.NotEmpty(t, closed)
	assert.Equal(t, 603, closed[len(closed)-1].Count)
}

// A timer that was held up for hours, as by a backend that hangs, still emits everything that was due.
func TestCorrectionIsReportedHoweverLateTheTimer(t *testing.T) {
	h := newHistory(hourly())
	h.backfill(0)
	h.tick(10 * time.Minute)
	h.observe(0, 1, 20*time.Minute)
	h.states()
	h.tick(5 * time.Hour)
	assert.Equal(t, []string{"closed 0: 4 from 0 to 0"}, h.states())
}

// A session is over once its gap has passed, and not before.
func TestSessionIsNotClosedWhileItGoesOn(t *testing.T) {
	rule := hourly()
	rule.Window, rule.Size, rule.KeepAlive, rule.MaxDuration = Session, 5*time.Minute, 0, 24*time.Hour
	h := newHistory(rule)
	for minute := 0; minute < 40; minute += 4 {
		h.observe(minute, 1, time.Duration(minute)*time.Minute)
		h.tick(time.Duration(minute)*time.Minute + time.Second)
	}
	h.tick(2 * time.Hour)
	assert.Equal(t, []string{"open 0: 3 from 0 to 8", "closed 0: 10 from 0 to 36"}, h.states())
}

// An alert that was opened is closed, even if its group was evicted: an analyst must not wait for its end.
func TestEvictedAlertIsClosed(t *testing.T) {
	rule := hourly()
	rule.MaxBytes = 16 << 20
	detector := New(rule)
	const alerts = 100_000
	opens, closes := 0, 0
	for user := 0; user < alerts; user += 1000 {
		emitted := detector.Observe(crowd(user, user+1000, 3, noon), noon).Alerts
		closes += countClosed(emitted)
		opens += len(opened(emitted))
	}
	require.Positive(t, detector.Stats().Evicted)
	closes += countClosed(detector.Tick(noon.Add(time.Hour)))
	assert.Equal(t, opens, closes)
}

// Evicted alerts must not wait in memory for their timer, which may be held up.
func TestEvictedAlertsLeaveTheTimer(t *testing.T) {
	rule := hourly()
	rule.MaxBytes = 8 << 20
	detector := New(rule)
	for user := 0; user < 60_000; user += 1000 {
		detector.Observe(crowd(user, user+1000, 3, noon), noon)
	}
	alerts, waiting := 0, 0
	for i := range detector.shards {
		alerts += len(detector.shards[i].alerts)
		waiting += len(detector.shards[i].timers)
		for _, a := range detector.shards[i].timers {
			require.Equal(t, a.Dropped, a.Key == "", "a name can be long")
		}
	}
	require.Positive(t, detector.Stats().Evicted)
	assert.LessOrEqual(t, waiting, 2*alerts+shardCount)
}

// Alerts are bounded also while nothing else needs memory.
func TestAlertsOfLongNamesMakeRoomForEachOther(t *testing.T) {
	rule := hourly()
	rule.MaxBytes, rule.Threshold = 16<<20, 0
	detector := New(rule)
	name := strings.Repeat("n", 100_000)
	for user := range 1000 {
		require.Len(t, opened(detector.Observe([]Event{at(name+strconv.Itoa(user), "1", noon)}, noon).Alerts), 1)
	}
	assert.Positive(t, detector.Stats().Evicted)
	for i := range detector.shards {
		assert.LessOrEqual(t, detector.shards[i].bytes(), detector.shards[i].budget())
	}
}

func countClosed(emitted []Alert) (n int) {
	for _, a := range emitted {
		if a.State == Closed {
			n++
		}
	}
	return n
}
