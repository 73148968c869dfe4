// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package detect

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// states returns and forgets what was emitted, a line each: the state, the minute
// that the alert opened in, the count, the minutes of the first and last event.
func (h *history) states() (lines []string) {
	for _, a := range h.emitted {
		if a.State == Overflow {
			lines = append(lines, fmt.Sprintf("overflow of %d groups, %d invocations, %d evicted",
				len(a.Overflow.Groups), a.Overflow.Invocations, a.Overflow.Evicted))
			continue
		}
		line := fmt.Sprintf("%s %d: %d from %d to %d", [...]string{"open", "escalated", "closed"}[a.State],
			h.minute(a.Opened), a.Count, h.minute(a.First), h.minute(a.Last))
		if a.Merged {
			line += fmt.Sprintf(", merged into %d", h.minute(a.MergedInto))
		}
		lines = append(lines, line)
	}
	h.emitted = nil
	return lines
}

// An attack that grows is escalated, but not every hundred calls.
func TestAlertEscalatesEachTimeItGrowsTenfold(t *testing.T) {
	h := newHistory(hourly())
	for minute := range 30 {
		h.observe(minute, 50, time.Duration(minute)*time.Minute)
		h.tick(time.Duration(minute)*time.Minute + time.Second)
	}
	assert.Equal(t, []string{
		"open 0: 3 from 0 to 0",
		"escalated 0: 21 from 0 to 0",
		"escalated 0: 201 from 0 to 4",
	}, h.states(), "1,500 calls are not more than a thousand times two")
	h.observe(30, 600, 30*time.Minute)
	assert.Equal(t, []string{"escalated 0: 2001 from 0 to 38"}, h.states())
}

// Where none is allowed, an alert still escalates: when it passes ten invocations.
func TestAlertOfNoToleranceEscalatesAtTen(t *testing.T) {
	rule := hourly()
	rule.Threshold = 0
	h := newHistory(rule)
	h.observe(0, 10, 0)
	assert.Equal(t, []string{"open 0: 1 from 0 to 0"}, h.states())
	h.observe(1, 1, 0)
	assert.Equal(t, []string{"escalated 0: 11 from 0 to 1"}, h.states())
}

// The end of an attack is reported once nothing has arrived for keep_alive, and not before.
func TestQuietAlertIsReportedAsClosed(t *testing.T) {
	h := newHistory(hourly())
	h.observe(0, 3, 0)
	h.observe(0, 2, 5*time.Minute)
	h.states()
	h.tick(15*time.Minute - time.Nanosecond)
	assert.Empty(t, h.states(), "the last call came 5 minutes after the first")
	h.tick(15 * time.Minute)
	assert.Equal(t, []string{"closed 0: 5 from 0 to 0"}, h.states())
	for minute := range 600 {
		h.tick(time.Duration(15+minute) * time.Minute)
	}
	assert.Empty(t, h.states(), "once")
}

// Late events correct the totals that the analyst has seen, under the same ID.
func TestLateCallCorrectsAClosedAlert(t *testing.T) {
	h := newHistory(hourly())
	h.backfill(0, 5)
	h.tick(10 * time.Minute)
	assert.Equal(t, []string{"open 0: 3 from 0 to 0", "closed 0: 6 from 0 to 5"}, h.states())

	h.observe(3, 1, 20*time.Minute)
	h.tick(20*time.Minute + time.Second)
	assert.Empty(t, h.states(), "more may arrive")
	h.tick(21 * time.Minute)
	assert.Equal(t, []string{"closed 0: 7 from 0 to 5"}, h.states())

	h.observe(4, 3, 30*time.Minute)
	h.tick(31 * time.Minute)
	assert.Equal(t, []string{"closed 0: 10 from 0 to 5"}, h.states(), "a whole burst, too")
	h.tick(33 * time.Minute)
	assert.Empty(t, h.states())
}

// A repeat of what was counted changes nothing.
func TestRepeatDoesNotCorrectAClosedAlert(t *testing.T) {
	h := newHistory(hourly())
	batch := h.events(0, 3)
	h.note(h.detector.Observe(batch, h.start).Alerts)
	h.tick(10 * time.Minute)
	h.states()
	assert.Equal(t, 3, h.detector.Observe(batch, h.start.Add(20*time.Minute)).Repeats)
	h.tick(21 * time.Minute)
	assert.Empty(t, h.states())
}

// Two alerts that prove to be one continue as the earlier, and the record of the later says so.
func TestBridgeClosesTheLaterAlert(t *testing.T) {
	for name, order := range map[string][]int{"the earlier first": {0, 20}, "the later first": {20, 0}} {
		t.Run(name, func(t *testing.T) {
			h := newHistory(hourly())
			h.backfill(order...)
			h.states()
			h.backfill(10)
			assert.Equal(t, []string{"closed 20: 3 from 20 to 20, merged into 0"}, h.states())
			h.tick(10 * time.Minute)
			assert.Equal(t, []string{"closed 0: 9 from 0 to 20"}, h.states())
			h.observe(20, 1, 20*time.Minute)
			h.tick(21 * time.Minute)
			assert.Equal(t, []string{"closed 0: 10 from 0 to 20"}, h.states(), "the later one is over for good")
		})
	}
}

// A closed alert has been handled: an attack that continues must not disappear into it.
func TestLateBurstInAClosedAlertTakesNoOpenOneWithIt(t *testing.T) {
	h := newHistory(hourly())
	h.live(0, 5)
	h.tick(16 * time.Minute)
	h.observe(15, 3, 16*time.Minute)
	assert.Equal(t, []string{"open 0: 3 from 0 to 0", "closed 0: 6 from 0 to 5", "open 15: 3 from 15 to 15"}, h.states())
	h.observe(4, 3, 17*time.Minute)
	h.live(18)
	h.tick(18*time.Minute + 30*time.Second)
	assert.Equal(t, []string{"closed 0: 9 from 0 to 5"}, h.states())
	h.tick(40 * time.Minute)
	assert.Equal(t, []string{"closed 15: 6 from 15 to 18"}, h.states())
}

// An alert that lasts too long is closed and opened anew, so that it is not forgotten. The window that the
// new one opens with reaches back into the old.
func TestMaxDurationClosesAndOpensAnew(t *testing.T) {
	rule := hourly()
	rule.MaxDuration = 20 * time.Minute
	h := newHistory(rule)
	for minute := range 45 {
		h.live(minute)
		h.tick(time.Duration(minute)*time.Minute + 30*time.Second)
	}
	h.tick(time.Hour)
	assert.Equal(t, []string{
		"open 0: 3 from 0 to 0",
		"escalated 0: 21 from 0 to 6",
		"closed 0: 60 from 0 to 19",
		"open 20: 3 from 19 to 20",
		"escalated 20: 21 from 19 to 26",
		"closed 20: 62 from 19 to 39",
		"open 40: 3 from 39 to 40",
		"closed 40: 17 from 39 to 44",
	}, h.states())
}

// Of an alert that is never quiet for long enough, the count stays right after its first calls are forgotten.
func TestTotalsOutliveTheCallsThemselves(t *testing.T) {
	rule := hourly()
	rule.MaxDuration = 24 * time.Hour
	h := newHistory(rule)
	for minute := 0; minute < 600; minute += 5 {
		h.live(minute)
		h.tick(time.Duration(minute)*time.Minute + time.Minute)
	}
	h.states()
	h.tick(700 * time.Minute)
	assert.True(t, h.emitted[len(h.emitted)-1].Exact)
	assert.Equal(t, []string{"closed 0: 360 from 0 to 595"}, h.states())
}

// Calls between two bursts that are forgotten before the second one joins the alert are missing from its count,
// which must then say that it is a lower bound: whether the second happened later or earlier.
func TestTotalsSayWhenCallsWereForgotten(t *testing.T) {
	for name, test := range map[string]struct {
		second int // minute of the second burst
		lost   int // calls between the two
	}{
		"between this and a later burst":    {20 * 60, 2},
		"between this and an earlier burst": {-20 * 60, 2},
		"none, up to a later burst":         {20 * 60, 0},
		"none, up to an earlier burst":      {-20 * 60, 0},
	} {
		t.Run(name, func(t *testing.T) {
			rule := hourly()
			rule.KeepAlive, rule.MaxDuration = 24*time.Hour, 48*time.Hour
			h := newHistory(rule)
			h.live(0)
			h.observe(test.second/20, test.lost, time.Hour)
			h.tick(10 * time.Hour)
			h.observe(test.second, 3, 20*time.Hour)
			h.emitted = nil
			h.tick(60 * time.Hour)
			if assert.Len(t, h.emitted, 1) {
				assert.Equal(t, 6, h.emitted[0].Count)
				assert.Equal(t, test.lost == 0, h.emitted[0].Exact)
			}
		})
	}
}
