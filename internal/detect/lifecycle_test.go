// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package detect

import (
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// history plays bursts of one group, each just enough to make its bucket alert,
// and notes the minutes at which alerts opened, and all that is emitted.
type history struct {
	detector *Detector
	start    time.Time
	opened   []int
	emitted  []Alert
	ids      int
}

// hourly is the built-in rule's life of an alert, with fewer events.
func hourly() Rule {
	return Rule{Threshold: 2, Size: time.Minute, KeepAlive: 10 * time.Minute, MaxDuration: time.Hour, Retention: time.Hour}
}

func newHistory(rule Rule) *history {
	return &history{detector: New(rule), start: time.Unix(0, 0).Add(500_000 * time.Hour)}
}

// events makes events of a minute.
func (h *history) events(minute, n int) []Event {
	events := make([]Event, n)
	for i := range events {
		h.ids++
		events[i] = Event{
			Time: h.start.Add(time.Duration(minute)*time.Minute + time.Duration(i)*time.Second).UnixNano(),
			Key:  AppendKey(nil, "alice"),
			ID:   strconv.Itoa(h.ids),
		}
	}
	return events
}

// observe delivers n events of a minute, some minutes after the start.
func (h *history) observe(minute, n int, arrival time.Duration) {
	h.note(h.detector.Observe(h.events(minute, n), h.start.Add(arrival)).Alerts)
}

// tick calls Tick, some minutes after the start.
func (h *history) tick(arrival time.Duration) {
	h.note(h.detector.Tick(h.start.Add(arrival)))
}

func (h *history) note(alerts []Alert) {
	h.emitted = append(h.emitted, alerts...)
	for _, alert := range alerts {
		if alert.State == Open {
			h.opened = append(h.opened, h.minute(alert.Opened))
		}
	}
}

func (h *history) minute(instant int64) int {
	return int(time.Unix(0, instant).Sub(h.start) / time.Minute)
}

// live delivers bursts as they happen.
func (h *history) live(minutes ...int) {
	for _, minute := range minutes {
		h.observe(minute, 3, time.Duration(minute)*time.Minute+3*time.Second)
	}
}

// backfill delivers bursts all at one moment.
func (h *history) backfill(minutes ...int) {
	for _, minute := range minutes {
		h.observe(minute, 3, 0)
	}
}

// An analyst gets one alert for an attack that continues, not one a minute.
func TestBurstsInARowAreOneAlert(t *testing.T) {
	h := newHistory(hourly())
	for minute := range 60 {
		h.live(minute)
	}
	assert.Equal(t, []int{0}, h.opened)
}

// A pause shorter than keep_alive belongs to the attack; after a longer one a new alert opens.
func TestPauseEndsAnAlertOnlyAfterKeepAlive(t *testing.T) {
	h := newHistory(hourly())
	h.live(0, 9)
	assert.Equal(t, []int{0}, h.opened, "9 minutes apart")

	h = newHistory(hourly())
	h.live(0, 11)
	assert.Equal(t, []int{0, 11}, h.opened, "11 minutes apart")

	h = newHistory(hourly())
	h.live(0, 9, 18, 27)
	assert.Equal(t, []int{0}, h.opened, "each pause counts from the last burst")
}

// Old logs read at once give the alerts that were due at the time.
func TestBackfillPausesInEventTime(t *testing.T) {
	h := newHistory(hourly())
	h.backfill(0, 11) // a bucket is a minute long: 10 minutes from the end of one to the start of the other
	assert.Equal(t, []int{0}, h.opened)

	h = newHistory(hourly())
	h.backfill(0, 12)
	assert.Equal(t, []int{0, 12}, h.opened)

	h = newHistory(hourly())
	h.backfill(24, 12, 0)
	assert.Equal(t, []int{24, 12, 0}, h.opened, "in whatever order they are read")
}

// An attack that never ends opens a new alert every max_duration, so that it is not forgotten.
func TestMaxDurationOpensANewAlert(t *testing.T) {
	h := newHistory(hourly())
	for minute := range 150 {
		h.live(minute)
	}
	assert.Equal(t, []int{0, 60, 120}, h.opened)

	rule := hourly()
	rule.MaxDuration = rule.Size
	h = newHistory(rule)
	h.live(0, 1, 2)
	assert.Equal(t, []int{0, 1, 2}, h.opened, "each bucket is as long as an alert may be")
}

// A late burst inside an alert that the analyst knows opens no other.
func TestLateBurstInsideAnAlertOpensNone(t *testing.T) {
	h := newHistory(hourly())
	h.backfill(0, 8)
	h.observe(4, 3, 0)
	assert.Equal(t, []int{0}, h.opened, "while the alert is open")

	h.observe(5, 3, 40*time.Minute)
	assert.Equal(t, []int{0}, h.opened, "when it is closed")
}

// Of two sources, the slower one may hold the beginning of an attack.
func TestBurstInFrontOfAnOpenAlertBelongsToIt(t *testing.T) {
	h := newHistory(hourly())
	h.backfill(20, 15, 4)
	assert.Equal(t, []int{20}, h.opened)

	h.backfill(-7)
	assert.Equal(t, []int{20}, h.opened, "from the end of bucket -7 to the start of bucket 4 it is 10 minutes")
	h.backfill(-19)
	assert.Equal(t, []int{20, -19}, h.opened, "11 minutes")
}

func TestEarlierBurstsCountTowardsMaxDuration(t *testing.T) {
	h := newHistory(hourly())
	for minute := 100; minute > 0; minute-- {
		h.backfill(minute)
	}
	assert.Equal(t, []int{100, 40}, h.opened)
}

// Two alerts that prove to be one attack continue as one.
func TestBridgeOfTwoAlertsLeavesOne(t *testing.T) {
	rule := hourly()
	rule.MaxDuration = 30 * time.Minute
	h := newHistory(rule)
	h.backfill(0, 20)
	require.Equal(t, []int{0, 20}, h.opened)

	h.backfill(10)
	assert.Equal(t, []int{0, 20}, h.opened, "the bridge itself opens none")
	h.backfill(29)
	assert.Equal(t, []int{0, 20}, h.opened)
	h.backfill(30)
	assert.Equal(t, []int{0, 20, 30}, h.opened, "minute 29 was the last of the 30 since minute 0: two alerts would have had room")
}

// Two alerts that together would be too long stay two.
func TestBridgeDoesNotOutgrowMaxDuration(t *testing.T) {
	rule := hourly()
	rule.MaxDuration = 20 * time.Minute
	h := newHistory(rule)
	h.backfill(0, 20)
	require.Equal(t, []int{0, 20}, h.opened)
	h.backfill(10)
	assert.Equal(t, []int{0, 20}, h.opened)
	h.backfill(30)
	assert.Equal(t, []int{0, 20}, h.opened, "the second alert has room for it")
}

// An alert that nothing changes for keep_alive is closed: what follows opens another.
func TestQuietAlertIsClosed(t *testing.T) {
	h := newHistory(hourly())
	h.observe(0, 3, 0)
	h.observe(1, 3, 10*time.Minute-time.Nanosecond)
	assert.Equal(t, []int{0}, h.opened, "still open")

	h.observe(2, 3, 20*time.Minute-time.Nanosecond)
	assert.Equal(t, []int{0, 2}, h.opened, "after exactly keep_alive, whether the timer came by or not")
}

// A source that lags completes an alert that the analyst has handled already; a later burst opens a new one.
func TestLateCallDoesNotReopenAClosedAlert(t *testing.T) {
	h := newHistory(hourly())
	h.observe(0, 3, 0)
	h.tick(10 * time.Minute)
	h.observe(0, 1, 30*time.Minute)
	h.observe(5, 3, 30*time.Minute)
	assert.Equal(t, []int{0, 5}, h.opened)
}

// Calls that continue without crossing the threshold in a new bucket keep an alert open.
func TestCallsWithinAnAlertKeepItOpen(t *testing.T) {
	h := newHistory(hourly())
	h.observe(0, 3, 0)
	h.observe(0, 1, 9*time.Minute)
	h.observe(5, 3, 18*time.Minute)
	assert.Equal(t, []int{0}, h.opened)
}

func TestWithoutKeepAliveEveryWindowIsItsOwnAlert(t *testing.T) {
	rule := hourly()
	rule.KeepAlive = 0
	h := newHistory(rule)
	h.live(0, 1, 2, 30)
	assert.Equal(t, []int{0, 1, 2, 30}, h.opened)

	h.live(0, 1, 2, 30)
	assert.Equal(t, []int{0, 1, 2, 30}, h.opened, "but each only once")
}

// One user's alert must not silence another's.
func TestGroupsHaveAlertsOfTheirOwn(t *testing.T) {
	h := newHistory(hourly())
	events := h.events(0, 3)
	for _, other := range h.events(0, 3) {
		other.Key = AppendKey(nil, "bob")
		events = append(events, other)
	}
	alerts := h.detector.Observe(events, h.start).Alerts
	require.Len(t, alerts, 2)
	assert.Equal(t, []string{"alice"}, alerts[0].Group)
	assert.Equal(t, []string{"bob"}, alerts[1].Group)
}

// An alert keeps the bucket that opened it as its name, even if an earlier one joins it later.
func TestAlertIsRaisedForTheBucketThatCrossed(t *testing.T) {
	h := newHistory(hourly())
	first := h.events(3, 2)
	for i := range first { // at the end of minute 3
		first[i].Time += int64(57 * time.Second)
	}
	require.Empty(t, h.detector.Observe(first, h.start).Alerts)
	alerts := h.detector.Observe(h.events(4, 1), h.start).Alerts
	require.Len(t, alerts, 1)
	minute := func(n int) int64 { return h.start.Add(time.Duration(n) * time.Minute).UnixNano() }
	assert.Equal(t, minute(4), alerts[0].Opened)
	assert.Equal(t, minute(4), alerts[0].WindowStart)
	assert.Equal(t, minute(5), alerts[0].WindowEnd)
	assert.Equal(t, first[0].Time, alerts[0].First)
	assert.Equal(t, minute(4), alerts[0].Last)
	assert.Equal(t, 3, alerts[0].Count)
}

// While an alert is open, or the limit remembers it, time has something to bring; else it does not matter how much of it passes.
func TestAwaitsWhatTimeBrings(t *testing.T) {
	rule := hourly()
	rule.KeepAlive, rule.Limit = 30*time.Minute, 1
	detector := New(rule)
	assert.False(t, detector.HasTimers(noon))
	detector.Observe(crowd(0, 1, 2, noon), noon)
	assert.False(t, detector.HasTimers(noon), "no alert")
	detector.Observe(crowd(1, 2, 3, noon), noon)
	for _, step := range []struct {
		minute int
		awaits bool
	}{{0, true}, {10, true}, {29, true}, {30, false}, {1000, false}} {
		now := noon.Add(time.Duration(step.minute) * time.Minute)
		detector.Tick(now)
		assert.Equal(t, step.awaits, detector.HasTimers(now), "after %d minutes", step.minute)
	}

	rule.KeepAlive = time.Minute
	detector = New(rule)
	detector.Observe(crowd(0, 2, 3, noon), noon) // one over the limit
	detector.Tick(noon.Add(9 * time.Minute))
	assert.True(t, detector.HasTimers(noon.Add(9*time.Minute)), "the overflow is still due")
	detector.Tick(noon.Add(10 * time.Minute))
	assert.True(t, detector.HasTimers(noon.Add(19*time.Minute)), "the next is not due before the twentieth")
	assert.False(t, detector.HasTimers(noon.Add(20*time.Minute)))
}
