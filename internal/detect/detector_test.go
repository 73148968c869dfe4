// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package detect

import (
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// noon is when everything arrives that does not say otherwise.
var noon = time.Date(2026, 3, 14, 12, 0, 0, 0, time.UTC)

// at makes an event of a user.
func at(user, id string, t time.Time) Event {
	return Event{Time: t.UnixNano(), Key: AppendKey(nil, user), ID: id}
}

// Ten thousand users who called once must not stay in memory forever.
func TestUsersAreForgotten(t *testing.T) {
	rule := Rule{Threshold: 5, Size: time.Minute, KeepAlive: 10 * time.Minute, MaxDuration: time.Hour, Retention: time.Hour}
	detector := New(rule)
	for i := range 10_000 {
		event := at("user "+strconv.Itoa(i), "once", noon)
		event.IDOnly = i%2 == 0
		detector.Observe([]Event{event}, noon)
	}
	require.Equal(t, 10_000, detector.Stats().Groups)

	detector.Tick(noon.Add(rule.Size + rule.Retention))
	assert.Equal(t, 10_000, detector.Stats().Groups, "size and retention after they arrived")
	detector.Tick(noon.Add(2 * (rule.Size + rule.Retention)))
	assert.Zero(t, detector.Stats().Groups)
}

// What arrives within size and retention is counted with what is remembered, and
// what arrives long afterwards is not.
func TestRememberingEndsAfterSizeAndRetention(t *testing.T) {
	rule := Rule{Threshold: 1, Size: time.Minute, Retention: time.Hour}
	for _, test := range []struct {
		pause  time.Duration
		alerts int
	}{
		{rule.Size + rule.Retention, 1},
		{2 * (rule.Size + rule.Retention), 0},
	} {
		detector := New(rule)
		detector.Observe([]Event{at("alice", "1", noon)}, noon)
		assert.Len(t, detector.Observe([]Event{at("alice", "2", noon)}, noon.Add(test.pause)).Alerts, test.alerts, test.pause)
	}
}

// An alert outlives the invocations that raised it for as long as it may continue.
func TestAlertIsRememberedForKeepAlive(t *testing.T) {
	rule := Rule{Threshold: 0, Size: time.Minute, KeepAlive: 24 * time.Hour, MaxDuration: 48 * time.Hour, Retention: time.Hour}
	detector := New(rule)
	require.Len(t, detector.Observe([]Event{at("alice", "1", noon)}, noon).Alerts, 1)

	later := noon.Add(24*time.Hour - time.Second)
	assert.Empty(t, detector.Tick(later))
	assert.Equal(t, 1, detector.Stats().Groups)
	assert.Empty(t, detector.Observe([]Event{at("alice", "2", later)}, later).Alerts, "the same attack")

	assert.Len(t, detector.Tick(later.Add(26*time.Hour)), 1, "closed")
	detector.Tick(later.Add(27 * time.Hour))
	assert.Zero(t, detector.Stats().Groups)
}

// A clock that is set back must neither forget nor stop anything.
func TestTimeRunningBackwards(t *testing.T) {
	rule := Rule{Threshold: 2, Size: time.Minute, KeepAlive: 10 * time.Minute, MaxDuration: time.Hour, Retention: time.Hour}
	detector := New(rule)
	assert.Empty(t, detector.Observe([]Event{at("alice", "1", noon)}, noon).Alerts)
	assert.Empty(t, detector.Observe([]Event{at("alice", "2", noon)}, noon.Add(-1000*time.Hour)).Alerts)
	detector.Tick(time.Unix(0, 0))
	assert.Len(t, detector.Observe([]Event{at("alice", "3", noon)}, noon.Add(-time.Hour)).Alerts, 1)
	assert.Equal(t, 1, detector.Observe([]Event{at("alice", "1", noon)}, noon.Add(time.Minute)).Repeats)

	// Set forward and back again: what arrives after that is remembered like anything else.
	detector.Tick(noon.Add(1000 * time.Hour)) // closes the alert, which the next forgets
	detector.Tick(noon.Add(1001 * time.Hour))
	require.Zero(t, detector.Stats().Groups)
	for id, want := range []int{0, 0, 1} {
		assert.Len(t, detector.Observe([]Event{at("alice", strconv.Itoa(id), noon)}, noon).Alerts, want)
	}
}

// A retry, or a source that is read twice, must not raise an alert.
func TestRepeatsCountOnce(t *testing.T) {
	second := noon.Add(time.Second)
	observed := func(user, id string, t time.Time) Event {
		event := at(user, id, t)
		event.IDOnly = true
		return event
	}
	for name, test := range map[string]struct {
		events  []Event
		repeats int
	}{
		"same id, same time":                       {[]Event{at("a", "1", noon), at("a", "1", noon)}, 1},
		"same id, another time":                    {[]Event{at("a", "1", noon), at("a", "1", second)}, 0},
		"same time, another id":                    {[]Event{at("a", "1", noon), at("a", "2", noon)}, 0},
		"another group":                            {[]Event{at("a", "1", noon), at("b", "1", noon)}, 0},
		"observed again at another time":           {[]Event{observed("a", "1", noon), observed("a", "1", second)}, 1},
		"observed again in another bucket":         {[]Event{observed("a", "1", noon), observed("a", "1", noon.Add(time.Hour))}, 1},
		"observed, another id":                     {[]Event{observed("a", "1", noon), observed("a", "2", noon)}, 0},
		"observed in another group":                {[]Event{observed("a", "1", noon), observed("b", "1", noon)}, 0},
		"observed when the other says that it was": {[]Event{at("a", "1", noon), observed("a", "1", noon)}, 1},
		"no ids":          {[]Event{at("a", "", noon), at("a", "", noon)}, 1},
		"thrice":          {[]Event{at("a", "1", noon), at("a", "1", noon), at("a", "1", noon)}, 2},
		"thrice observed": {[]Event{observed("a", "1", noon), observed("a", "1", second), observed("a", "1", noon)}, 2},
		"among others of the same time, in any order": {[]Event{at("a", "2", noon), at("a", "1", noon), at("a", "3", noon), at("a", "2", noon)}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			rule := Rule{Threshold: 0, Size: time.Minute, Retention: time.Hour}
			assert.Equal(t, test.repeats, New(rule).Observe(test.events, noon).Repeats, "in one batch")

			detector, repeats := New(rule), 0
			for i := range test.events {
				repeats += detector.Observe(test.events[i:i+1], noon.Add(time.Duration(i)*time.Minute)).Repeats
			}
			assert.Equal(t, test.repeats, repeats, "one by one")
		})
	}
}

// A source that lags sends again what it could not deliver: without a time of its own, a call is a repeat as long as
// any other would be remembered.
func TestObservedRepeatIsKnownForSizeAndRetention(t *testing.T) {
	rule := Rule{Threshold: 0, Size: time.Minute, Retention: time.Hour}
	for minute := range 90 {
		detector := New(rule)
		detector.Observe([]Event{at("somebody", "", noon)}, noon)
		first, again := noon.Add(time.Duration(minute)*time.Minute), noon.Add(time.Duration(minute+61)*time.Minute)
		call := at("alice", "1", first)
		call.IDOnly = true
		require.Zero(t, detector.Observe([]Event{call}, first).Repeats)
		for now := first; now.Before(again); now = now.Add(time.Minute) {
			detector.Tick(now)
		}
		call.Time = again.UnixNano()
		assert.Equal(t, 1, detector.Observe([]Event{call}, again).Repeats, "first in minute %d", minute)
	}
}

// Whatever times a record claims, the collector must not stop for it.
func TestNoTimeBreaksTheDetector(t *testing.T) {
	instants := rapid.OneOf(
		rapid.Int64(),
		rapid.SampledFrom([]int64{math.MinInt64, math.MinInt64 + 1, -1, 0, 1, math.MaxInt64 - 1, math.MaxInt64}),
		rapid.Int64Range(math.MinInt64, math.MinInt64+3e11),
		rapid.Int64Range(math.MaxInt64-3e11, math.MaxInt64),
		rapid.Int64Range(noon.UnixNano()-3e11, noon.UnixNano()+3e11),
	)
	arrivals := rapid.OneOf(
		rapid.Just(time.Time{}),
		rapid.Map(rapid.Int64(), func(ns int64) time.Time { return time.Unix(0, ns) }),
		rapid.Map(rapid.Int64Range(-1<<60, 1<<60), func(s int64) time.Time { return time.Unix(s, 0) }),
		rapid.Map(rapid.Int64Range(-3e11, 3e11), func(ns int64) time.Time { return noon.Add(time.Duration(ns)) }),
	)
	rapid.Check(t, func(t *rapid.T) {
		detector := New(Rule{
			Threshold:   rapid.IntRange(0, 3).Draw(t, "threshold"),
			Size:        rapid.SampledFrom([]time.Duration{time.Millisecond, time.Minute, 24 * time.Hour}).Draw(t, "size"),
			KeepAlive:   rapid.SampledFrom([]time.Duration{0, 10 * time.Minute, 168 * time.Hour}).Draw(t, "keep alive"),
			MaxDuration: rapid.SampledFrom([]time.Duration{24 * time.Hour, 8760 * time.Hour}).Draw(t, "max duration"),
			Retention:   rapid.SampledFrom([]time.Duration{time.Second, 168 * time.Hour}).Draw(t, "retention"),
		})
		for range rapid.IntRange(1, 20).Draw(t, "batches") {
			var batch []Event
			for i, instant := range rapid.SliceOfN(instants, 0, 10).Draw(t, "times") {
				batch = append(batch, Event{
					Time: instant, Key: AppendKey(nil, "alice"), ID: strconv.Itoa(i), IDOnly: rapid.Bool().Draw(t, "id only"),
				})
			}
			now := arrivals.Draw(t, "now")
			for _, alert := range detector.Observe(batch, now).Alerts {
				if alert.Count < 1 || alert.First > alert.Last {
					t.Fatalf("%+v", alert)
				}
			}
			detector.Tick(now)
			if err := detector.Consistent(); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// A user who calls without end in one minute must not slow down everybody else's records.
func TestFloodOfOneUserStaysFast(t *testing.T) {
	const flood = 12_000
	rng := rand.New(rand.NewPCG(1, 2))
	for name, instant := range map[string]func(i int) int64{
		"in order":      func(i int) int64 { return int64(i) },
		"backwards":     func(i int) int64 { return int64(flood - i) },
		"in any order":  func(int) int64 { return rng.Int64N(int64(time.Minute)) },
		"in one second": func(int) int64 { return 0 }, // to which Bedrock's own times are cut
	} {
		t.Run(name, func(t *testing.T) {
			detector := New(Rule{Threshold: 5, Size: time.Minute, Retention: time.Hour})
			begun, emitted := time.Now(), []State(nil)
			for i := range flood {
				event := at("alice", strconv.Itoa(i), noon.Add(time.Duration(instant(i))))
				for _, a := range detector.Observe([]Event{event}, noon).Alerts {
					emitted = append(emitted, a.State)
				}
			}
			took := time.Since(begun)
			assert.Equal(t, []State{Open, Escalated, Escalated, Escalated}, emitted, "opened, and past 50, 500 and 5,000")
			// Generous, for a busy machine and the race detector: without them it is 1 to 8 microseconds.
			assert.Less(t, took, flood*time.Millisecond)
			t.Log(took/flood, "an event")
		})
	}
}

// opened returns those of the records that open an alert.
func opened(alerts []Alert) []Alert {
	return slices.DeleteFunc(alerts, func(a Alert) bool { return a.State != Open })
}

// A count that says it is exact is exact, and one that need not be a lower bound says that it is exact.
func TestCountIsExactWhereItSaysSo(t *testing.T) {
	for seed := range uint64(20) {
		checkExact(t, seed, true)
	}
}

func TestCountIsExactWhereItSaysSoWhateverTheOrder(t *testing.T) {
	for seed := range uint64(20) {
		checkExact(t, seed, false)
	}
}

// checkExact floods a bucket, and looks at the count of a window that reaches into it from the next.
func checkExact(t *testing.T, seed uint64, inOrder bool) {
	t.Helper()
	const size, threshold = 20_000, 5
	rng := rand.New(rand.NewPCG(seed, 3))
	times := make([]int64, 3000+rng.IntN(12_000))
	for i := range times {
		times[i] = rng.Int64N(size)
	}
	if inOrder {
		slices.Sort(times)
	}
	detector := New(Rule{Threshold: threshold, Size: size, Retention: time.Hour})
	for i, instant := range times {
		detector.Observe([]Event{{Time: instant, Key: AppendKey(nil, "alice"), ID: strconv.Itoa(i)}}, noon)
	}
	end := size + rng.Int64N(size)
	alerts := opened(detector.Observe([]Event{{Time: end, Key: AppendKey(nil, "alice"), ID: "last"}}, noon).Alerts)
	count := 1
	for _, instant := range times {
		if end-instant < size {
			count++
		}
	}
	switch {
	case count <= threshold:
		assert.Empty(t, alerts, "seed %d", seed)
	case !assert.Len(t, alerts, 1, "seed %d", seed):
	case alerts[0].Exact:
		assert.Equal(t, count, alerts[0].Count, "seed %d", seed)
	default:
		assert.LessOrEqual(t, alerts[0].Count, count, "seed %d", seed)
		assert.Greater(t, count, 4096, "seed %d: there was room for all of it", seed)
	}
}

// An analyst starts from the newest calls; a list that repeats one model is of no use.
func TestEvidenceIsTheNewestTenInOrder(t *testing.T) {
	detector := New(Rule{Threshold: 24, Size: time.Minute, Retention: time.Hour})
	var batch []Event
	for i := range 25 {
		event := at("alice", strconv.Itoa(i), noon.Add(time.Duration(i)*time.Second))
		event.RequestID = "request " + strconv.Itoa(i)
		event.Model = []string{"nova", "claude", "llama"}[i%3]
		event.Operation = map[bool]string{true: "Converse"}[i < 5] // known of the first few only
		batch = append(batch, event)
	}
	batch[24].RequestID = batch[16].RequestID // at another time, so another invocation
	rand.New(rand.NewPCG(1, 1)).Shuffle(24, func(i, j int) { batch[i], batch[j] = batch[j], batch[i] })
	alerts := detector.Observe(batch, noon).Alerts
	require.Len(t, alerts, 1)

	want := []string{"request 14", "request 15"}
	for i := 17; i < 24; i++ {
		want = append(want, "request "+strconv.Itoa(i))
	}
	assert.Equal(t, append(want, "request 16"), alerts[0].RequestIDs)
	assert.Equal(t, []string{"claude", "llama", "nova"}, alerts[0].Models, "by when each was called last")
	assert.Equal(t, []string{"Converse"}, alerts[0].Operations)
	assert.Empty(t, alerts[0].Regions)
}

// Alerts leave in the order in which their causes arrived.
func TestAlertsOfABatchAreInItsOrder(t *testing.T) {
	detector := New(Rule{Threshold: 1, Size: time.Minute, Retention: time.Hour})
	var batch []Event
	var want []string
	for i := range 200 {
		user := "user " + strconv.Itoa(i)
		batch = append(batch, at(user, "1", noon), at(user, "2", noon))
		want = append(want, user)
	}
	var got []string
	for _, alert := range detector.Observe(batch, noon).Alerts {
		got = append(got, alert.Group...)
	}
	assert.Equal(t, want, got)
}
