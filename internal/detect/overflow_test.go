// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package detect

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// crowd returns the calls of some users, who each make one or more at one time.
func crowd(from, to, calls int, when time.Time) (events []Event) {
	for user := from; user < to; user++ {
		for i := range calls {
			events = append(events, at(fmt.Sprintf("user %05d", user), fmt.Sprint(when.UnixNano(), i), when))
		}
	}
	return events
}

func limited(limit int) Rule {
	rule := hourly()
	rule.Limit = limit
	return rule
}

// A thousand alerts at once help nobody: the first few are emitted, the rest summed up after ten minutes, once.
func TestAlertsOverTheLimitAreSummedUp(t *testing.T) {
	detector := New(limited(10))
	alerts := detector.Observe(crowd(0, 30, 3, noon), noon).Alerts
	require.Len(t, alerts, 10)
	for i, a := range alerts {
		assert.Equal(t, fmt.Sprintf("user %05d", i), a.Group[0], "those that came first")
	}
	assert.Equal(t, 20, detector.Stats().Limited)
	detector.Observe(crowd(29, 30, 40, noon.Add(time.Second)), noon.Add(time.Minute)) // one of those grows

	var emitted []Alert
	for second := range 1200 {
		emitted = append(emitted, detector.Tick(noon.Add(time.Duration(second)*time.Second))...)
	}
	var overflows, closed []Alert
	for _, a := range emitted {
		switch a.State {
		case Overflow:
			overflows = append(overflows, a)
		default:
			closed = append(closed, a)
		}
	}
	assert.Len(t, closed, 10, "only those that were opened are closed, and none of them grew")
	require.Len(t, overflows, 1)
	assert.Equal(t, noon.Add(10*time.Minute).UnixNano(), overflows[0].Opened)
	summary := overflows[0].Overflow
	require.Len(t, summary.Groups, 20)
	assert.Equal(t, SummaryGroup{Group: []string{"user 00029"}, Count: 43}, summary.Groups[0], "the largest first")
	assert.Equal(t, 19*3+43, summary.Invocations)
	assert.Zero(t, summary.Evicted)
	assert.Equal(t, 20, detector.Stats().Limited)
}

// A flood that continues is summed up every ten minutes, each group once, and alerts are opened again up to the limit.
func TestOverflowIsReportedAtMostOnceInTenMinutes(t *testing.T) {
	detector := New(limited(1))
	var overflows []time.Duration
	var groups []string
	opens := 0
	for second := 0; second < 60*60; second += 20 {
		now := noon.Add(time.Duration(second) * time.Second)
		opens += len(opened(detector.Observe(crowd(second, second+1, 3, now), now).Alerts))
		for _, a := range detector.Tick(now) {
			if a.State == Overflow {
				overflows = append(overflows, now.Sub(noon))
				for _, g := range a.Overflow.Groups {
					groups = append(groups, g.Group[0])
				}
			}
		}
	}
	assert.Equal(t, 6, opens)
	for i := 1; i < len(overflows); i++ {
		assert.GreaterOrEqual(t, overflows[i]-overflows[i-1], 10*time.Minute)
	}
	assert.InDelta(t, 5, len(overflows), 1)
	slices.Sort(groups)
	assert.Len(t, slices.Compact(slices.Clone(groups)), len(groups), "no group is reported twice")
}

// The limit holds for exactly ten minutes. After that, the alerts that come first are opened again.
func TestLimitHoldsForTenMinutes(t *testing.T) {
	detector := New(limited(10))
	require.Len(t, detector.Observe(crowd(0, 10, 3, noon), noon).Alerts, 10)
	later := noon.Add(limitPeriod - 1)
	assert.Empty(t, detector.Observe(crowd(10, 11, 3, later), later).Alerts)

	later = noon.Add(limitPeriod)
	alerts := detector.Observe(crowd(11, 40, 3, later), later).Alerts
	require.Len(t, alerts, 10)
	for i, a := range alerts {
		assert.Equal(t, fmt.Sprintf("user %05d", 11+i), a.Group[0], "those that come first")
	}
}

// An alert over the limit is never reported by itself, however it develops.
func TestAlertOverTheLimitIsNeverReportedByItself(t *testing.T) {
	detector := New(limited(1))
	require.Len(t, detector.Observe(crowd(0, 1, 3, noon), noon).Alerts, 1)
	assert.Empty(t, detector.Observe(crowd(1, 2, 300, noon), noon).Alerts)
	var emitted []State
	for minute := range 90 {
		for _, a := range detector.Tick(noon.Add(time.Duration(minute) * time.Minute)) {
			emitted = append(emitted, a.State)
		}
	}
	assert.ElementsMatch(t, []State{Closed, Overflow}, emitted)
	assert.Empty(t, detector.Observe(crowd(1, 2, 1, noon.Add(time.Second)), noon.Add(91*time.Minute)).Alerts)
	assert.Empty(t, detector.Tick(noon.Add(92*time.Minute)))
}

// An overflow with nothing left to sum up, since the suppressed alert was merged into a reported one, is not reported.
func TestOverflowOfNothingIsNotReported(t *testing.T) {
	h := newHistory(limited(1))
	h.backfill(0, 20)
	assert.Equal(t, []int{0}, h.opened)
	h.backfill(10) // makes them one
	h.states()
	h.tick(10 * time.Minute)
	h.tick(11 * time.Minute)
	assert.Equal(t, []string{"closed 0: 9 from 0 to 20"}, h.states())
}

// Evictions are reported at once, and then at most every ten minutes.
func TestEvictionsAreReported(t *testing.T) {
	rule := hourly()
	rule.MaxBytes = 16 << 20
	detector := New(rule)
	require.Empty(t, detector.Observe(crowd(0, 300_000, 1, noon), noon).Alerts)
	evicted := detector.Stats().Evicted
	require.Positive(t, evicted)
	assert.LessOrEqual(t, detector.Stats().Bytes, rule.MaxBytes)

	emitted := detector.Tick(noon)
	require.Len(t, emitted, 1)
	assert.Equal(t, Overflow, emitted[0].State)
	assert.Equal(t, Summary{Evicted: evicted}, *emitted[0].Overflow)

	later := noon.Add(time.Second)
	detector.Observe(crowd(300_000, 400_000, 1, later), later)
	assert.Empty(t, detector.Tick(noon.Add(10*time.Minute-1)))
	emitted = detector.Tick(noon.Add(10 * time.Minute))
	require.Len(t, emitted, 1)
	assert.Equal(t, detector.Stats().Evicted-evicted, emitted[0].Overflow.Evicted)
}

// At the end nobody waits ten minutes: what no overflow has reported yet is reported, once, however recent the latest one was. Nothing is closed by it.
func TestFlushReportsWhatTheNextOverflowWould(t *testing.T) {
	detector := New(limited(2))
	assert.Empty(t, detector.Flush(noon))
	require.Len(t, detector.Observe(crowd(0, 5, 3, noon), noon).Alerts, 2)
	var overflows []Alert
	tick := func(now time.Time) {
		for _, a := range detector.Tick(now) {
			if a.State == Overflow {
				overflows = append(overflows, a)
			}
		}
	}
	tick(noon.Add(10 * time.Minute))
	require.Len(t, overflows, 1)

	later := noon.Add(11 * time.Minute)
	require.Len(t, detector.Observe(crowd(5, 8, 4, later), later).Alerts, 2)
	require.Len(t, overflows, 1, "the last is too short ago")
	flushed := detector.Flush(later.Add(time.Second))
	require.Len(t, flushed, 1)
	assert.Equal(t, Overflow, flushed[0].State)
	assert.Equal(t, later.Add(time.Second).UnixNano(), flushed[0].Opened)
	assert.Equal(t, Summary{Groups: []SummaryGroup{{Group: []string{"user 00007"}, Count: 4}}, Invocations: 4}, *flushed[0].Overflow)

	assert.Empty(t, detector.Flush(later.Add(time.Second)))
	tick(later.Add(time.Hour))
	assert.Len(t, overflows, 1, "reported once")
}
