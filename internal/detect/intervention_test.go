// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package detect

import (
	"fmt"
	"math"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// afterMinute is a rule for calls at most a minute after an intervention.
func afterMinute(threshold int) Rule {
	rule := hourly()
	rule.Threshold, rule.AfterIntervention = threshold, time.Minute
	return rule
}

// blocked makes a call of a user in which a guardrail intervened.
func blocked(user, id string, t time.Time) Event {
	e := at(user, id, t)
	e.Intervened, e.Uncounted, e.RequestID, e.GuardrailID = true, true, id, "guardrail of "+id
	return e
}

func observe(d *Detector, now time.Time, events ...Event) []Alert {
	return d.Observe(events, now).Alerts
}

// A call is reported if it follows an intervention of the same user, and near enough: to the
// nanosecond, whichever arrives first.
func TestCallIsReportedAfterAnIntervention(t *testing.T) {
	for name, test := range map[string]struct {
		user       string
		at         int64 // of the intervention
		call       int64
		after      time.Duration
		isReported bool
	}{
		"right before":                         {"alice", -1, 0, 60, true},
		"at the same time":                     {"alice", 0, 0, 60, false},
		"later":                                {"alice", 1, 0, 60, false},
		"as long before as it may be":          {"alice", -60, 0, 60, true},
		"a nanosecond longer":                  {"alice", -61, 0, 60, false},
		"of another user":                      {"bob", -1, 0, 60, false},
		"however long before":                  {"alice", 0, math.MaxInt64, math.MaxInt64, true},
		"longer than can be expressed":         {"alice", math.MinInt64 + 9, math.MaxInt64 - 9, math.MaxInt64, false},
		"at the end of time":                   {"alice", math.MaxInt64, 0, math.MaxInt64, false},
		"right before the end of time":         {"alice", math.MaxInt64 - 1, math.MaxInt64, 60, true},
		"at the beginning of time":             {"alice", math.MinInt64, math.MinInt64 + 60, 60, true},
		"at the beginning of time, and not so": {"alice", math.MinInt64, math.MinInt64 + 61, 60, false},
	} {
		for _, window := range []WindowType{Sliding, Tumbling, Session} {
			for _, order := range []string{"first", "last", "in front", "behind"} {
				t.Run(fmt.Sprintf("%s/%s/%d", name, order, window), func(t *testing.T) {
					rule := afterMinute(0)
					rule.Window, rule.AfterIntervention = window, test.after
					rule.Size = 20 // so that not even a bucket at the ends of time begins outside of them
					call := at("alice", "call", time.Unix(0, test.call))
					intervention := blocked(test.user, "blocked", time.Unix(0, test.at))
					call.Time, intervention.Time = test.call, test.at
					detector := New(rule)
					var emitted []Alert
					for _, batch := range map[string][][]Event{
						"first":    {{intervention}, {call}},
						"last":     {{call}, {intervention}},
						"in front": {{intervention, call}},
						"behind":   {{call, intervention}},
					}[order] {
						emitted = append(emitted, detector.Observe(batch, noon).Alerts...)
					}
					require.NoError(t, detector.Consistent())
					if !test.isReported {
						require.Empty(t, emitted)
						return
					}
					require.Len(t, emitted, 1)
					assert.Equal(t, 1, emitted[0].Count)
					assert.Equal(t, test.call, emitted[0].First)
					assert.Equal(t, &Intervention{Time: test.at, RequestID: "blocked", GuardrailID: "guardrail of blocked"}, emitted[0].Intervention)
				})
			}
		}
	}
}

// A call in which a guardrail intervened may itself count, as with a guardrail that is not
// approved: it counts if it follows another, and others follow it.
func TestCountedCallIsAnIntervention(t *testing.T) {
	detector := New(afterMinute(1))
	both := func(id string, t time.Time) Event {
		e := blocked("alice", id, t)
		e.Uncounted = false
		return e
	}
	assert.Empty(t, observe(detector, noon, both("1", noon)), "nothing came before it")
	assert.Empty(t, observe(detector, noon, both("2", noon.Add(time.Second))))
	emitted := observe(detector, noon, at("alice", "3", noon.Add(2*time.Second)))
	require.Len(t, emitted, 1)
	assert.Equal(t, 2, emitted[0].Count)
	assert.Equal(t, "1", emitted[0].Intervention.RequestID)
	emitted = observe(detector, noon, blocked("alice", "0", noon.Add(-time.Second))) // now the first counts, too
	assert.Empty(t, emitted)
	closed := detector.Tick(noon.Add(time.Hour))
	require.Len(t, closed, 1)
	assert.Equal(t, 3, closed[0].Count)
}

// What is delivered again counts once, as a call and as an intervention.
func TestRepeatsAroundInterventionsCountOnce(t *testing.T) {
	for _, idOnly := range []bool{false, true} {
		detector := New(afterMinute(1))
		call, intervention := at("alice", "1", noon), blocked("alice", "2", noon.Add(-time.Second))
		both := blocked("alice", "3", noon.Add(time.Second))
		both.Uncounted = false
		events := []Event{call, call, both, both, intervention, intervention, call, both}
		repeats := 0
		for i, e := range events {
			if e.IDOnly = idOnly; idOnly {
				e.Time += int64(i) // observed again
			}
			result := detector.Observe([]Event{e}, noon)
			repeats += result.Repeats
			assert.Equal(t, i == 4, len(result.Alerts) == 1, "event %d", i)
		}
		assert.Equal(t, len(events)-3, repeats)
		assert.Equal(t, 2, detector.Tick(noon.Add(time.Hour))[0].Count)
	}
}

// A call is not counted again when it is delivered again after its intervention is forgotten.
func TestRepeatIsKnownWithoutItsIntervention(t *testing.T) {
	rule := afterMinute(1)
	detector := New(rule)
	detector.Observe([]Event{blocked("alice", "0", noon)}, noon)
	call := []Event{at("alice", "1", noon.Add(time.Second))}
	later := noon.Add(rule.remembered())
	assert.Zero(t, detector.Observe(call, later).Repeats)
	later = later.Add(rule.remembered())
	assert.Equal(t, 1, detector.Observe(call, later).Repeats)
	require.Zero(t, detector.Stats().Held)
}

// Calls and interventions find each other for as long as a source may be late: the calls of one
// window, and what they follow, however they are spread over that time.
func TestInterventionsAreRememberedForTheirTime(t *testing.T) {
	rule := afterMinute(1)
	rule.AfterIntervention = 3 * time.Hour
	remembered := rule.Size + rule.AfterIntervention + rule.Retention
	intervention, calls := blocked("alice", "0", noon), []Event{at("alice", "1", noon.Add(time.Hour)), at("alice", "2", noon.Add(time.Hour))}
	for pause, want := range map[time.Duration]int{remembered: 1, 2 * remembered: 0} {
		detector := New(rule)
		observe(detector, noon, intervention)
		assert.Len(t, observe(detector, noon.Add(pause), calls...), want, "calls %v later", pause)
		detector = New(rule)
		observe(detector, noon, calls...)
		assert.Len(t, observe(detector, noon.Add(pause), intervention), want, "an intervention %v later", pause)
		detector = New(rule)
		observe(detector, noon, calls[0])
		observe(detector, noon.Add(pause/2), intervention)
		assert.Len(t, observe(detector, noon.Add(pause), calls[1]), want, "one each %v later", pause)
		detector.Tick(noon.Add(4 * pause))
		assert.Zero(t, detector.Stats().Held)
		assert.Zero(t, detector.Stats().Groups)
		assert.NoError(t, detector.Consistent())
	}
}

// An analyst sees which intervention an alert follows: the latest before its first call as it
// was known then, the same in each record.
func TestAlertNamesItsIntervention(t *testing.T) {
	const uuid = "0190f6a0-0000-7000-8000-00000000000b"
	detector := New(afterMinute(0))
	later := blocked("alice", "between", noon.Add(5*time.Second))
	named := blocked("alice", uuid, noon.Add(-time.Second))
	observe(detector, noon, blocked("alice", "before", noon.Add(-2*time.Second)), named, later, blocked("bob", "other", noon.Add(-1)))
	want := &Intervention{Time: named.Time, RequestID: uuid, GuardrailID: "guardrail of " + uuid}
	emitted := observe(detector, noon, at("alice", "1", noon), at("alice", "2", noon.Add(10*time.Second)))
	require.Len(t, emitted, 1)
	assert.Equal(t, want, emitted[0].Intervention)

	observe(detector, noon, blocked("alice", "late", noon.Add(-time.Millisecond))) // after it was reported
	for i := range 20 {
		emitted = append(emitted, observe(detector, noon, at("alice", "more "+strconv.Itoa(i), noon.Add(time.Duration(i))))...)
	}
	emitted = append(emitted, detector.Tick(noon.Add(time.Hour))...)
	require.Len(t, emitted, 3, "opened, escalated, closed")
	for _, record := range emitted {
		assert.Equal(t, want, record.Intervention)
	}
}

// Of interventions at one time, the same is named in each process.
func TestSimultaneousInterventionsAreNamedAlike(t *testing.T) {
	for range 20 { // since IDs are hashed with a key of the detector's own
		detector := New(afterMinute(0))
		for _, id := range []string{"b", "d", "a", "c"} {
			observe(detector, noon, blocked("alice", id, noon))
		}
		assert.Equal(t, "d", observe(detector, noon, at("alice", "1", noon.Add(1)))[0].Intervention.RequestID)
	}
}

// Where an intervention lets many calls count at once, each window is reported by itself, in order of time, and the limit
// holds.
func TestLateInterventionOpensManyAlerts(t *testing.T) {
	rule := afterMinute(0)
	rule.AfterIntervention, rule.KeepAlive, rule.Limit = time.Hour, 0, 10
	detector := New(rule)
	var calls []Event
	for minute := range 30 {
		calls = append(calls, at("alice", strconv.Itoa(minute), noon.Add(time.Duration(minute)*time.Minute)))
	}
	require.Empty(t, observe(detector, noon, calls...))
	emitted := observe(detector, noon, at("bob", "1", noon), blocked("alice", "0", noon.Add(-1)), blocked("bob", "0", noon.Add(-1)))
	require.Len(t, emitted, 10)
	for i, a := range emitted {
		assert.Equal(t, calls[i].Time, a.First)
	}
	assert.Equal(t, 21, detector.Stats().Limited)
}

// A user who made very many calls before an intervention arrives does not hold up the detector:
// useless interventions find nothing to do, and all calls are counted by the one that matters.
func TestInterventionAfterManyCalls(t *testing.T) {
	const calls = 100_000
	for name, when := range map[string]func(i int) time.Duration{
		"one after the other": func(i int) time.Duration { return time.Duration(i+1) * time.Millisecond },
		"backwards":           func(i int) time.Duration { return time.Duration(calls-i) * time.Millisecond },
		"at one time":         func(int) time.Duration { return time.Second },
	} {
		t.Run(name, func(t *testing.T) {
			rule := afterMinute(5)
			rule.AfterIntervention = time.Hour
			detector := New(rule)
			batch := make([]Event, 0, 1000)
			for i := range calls {
				if batch = append(batch, at("alice", strconv.Itoa(i), noon.Add(when(i)))); len(batch) == cap(batch) {
					require.Empty(t, observe(detector, noon, batch...))
					batch = batch[:0]
				}
			}
			for i := range calls { // too early for any of them
				require.Empty(t, observe(detector, noon, blocked("alice", strconv.Itoa(i), noon.Add(-2*time.Hour+time.Duration(i)))))
			}
			require.NoError(t, detector.Consistent())
			began := time.Now()
			emitted := opened(observe(detector, noon, blocked("alice", "it", noon)))
			t.Logf("%v for %d calls", time.Since(began), calls)
			require.Len(t, emitted, 1)
			require.NoError(t, detector.Consistent())
			closed := detector.Tick(noon.Add(time.Hour))
			require.Len(t, closed, 1)
			assert.Equal(t, name == "one after the other" || name == "backwards", closed[0].Count == calls, "%d counted", closed[0].Count)
			assert.GreaterOrEqual(t, closed[0].Count, 4096)
		})
	}
}
