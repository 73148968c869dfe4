// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package detect_test

import (
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/otelcol-guardrail/internal/detect"
	"example.com/otelcol-guardrail/internal/testing/oracle"
	"example.com/otelcol-guardrail/internal/testing/streams"
)

// exactCount is up to how many events of a bucket an alert's count must be exact.
const exactCount = 4096

// More events than are counted exactly cost the count its exactness, and no alert.
func TestFloodKeepsAlertsExact(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long")
	}
	eachWindow(t, floodKeepsAlertsExact)
}

func floodKeepsAlertsExact(t *testing.T, window oracle.Type) {
	t.Helper()
	rng := rand.New(rand.NewPCG(1, 2))
	for name, test := range map[string]struct {
		threshold int
		time      func(i int) int64
	}{
		"one instant":               {5, func(int) int64 { return 7 }},
		"backwards":                 {5, func(i int) int64 { return int64(-i) }},
		"any order":                 {5, func(int) int64 { return rng.Int64N(11_000) }},
		"end of one, begin of next": {5, func(i int) int64 { return 1_300 + int64(i) }},
		"a threshold over 4,096":    {5_000, func(int) int64 { return rng.Int64N(11_000) }},
		"one call after a burst": {4_600, func(i int) int64 {
			switch {
			case i < 2*4_600-2: // about twice as many as must be kept
				return 9_999
			case i == 2*4_600-2:
				return 10_000 // over the threshold with those just before it
			default:
				return 50_000 + int64(i)
			}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			stream := streams.Stream{
				Window: window, Threshold: test.threshold, Size: 10_000, Retention: time.Minute, Groups: [][]string{{"a"}},
			}
			feed := newFeeder(stream)
			ledger := newLedger(stream.Rule())
			var all []oracle.Event
			for i := range 9_500 { // enough that the oldest are discarded
				event := []streams.Event{{Time: test.time(i), ID: strconv.Itoa(i), Model: "model"}}
				all = append(all, toOracle(stream.Groups, event)...)
				for _, alert := range ledger.enter(feed.feed(event, time.Unix(1e9, 0)).Alerts) {
					window := len(windowOf(stream, alert, all))
					if alert.Exact {
						assert.Equal(t, window, alert.Count)
					} else {
						assert.GreaterOrEqual(t, alert.Count, exactCount)
						assert.LessOrEqual(t, alert.Count, window)
					}
				}
			}
			assert.NoError(t, ledger.compare(all))
		})
	}
}

// A call that may repeat a discarded one makes the total a lower bound. Nothing else does.
func TestFloodedAlertIsExactUntilARepeatMayBeCounted(t *testing.T) {
	eachWindow(t, floodedAlertIsExactUntilARepeatMayBeCounted)
}

func floodedAlertIsExactUntilARepeatMayBeCounted(t *testing.T, window oracle.Type) {
	t.Helper()
	const flood = 9_500
	call := func(at, id int) []streams.Event {
		return []streams.Event{{Time: int64(at), ID: strconv.Itoa(id), Model: "model", Presumed: true}}
	}
	for name, test := range map[string]struct {
		late     []streams.Event
		exact    bool
		repeat   bool // known as such
		distinct int  // calls in all
	}{
		"again, one that is discarded":   {call(1_000, 1_000), false, false, flood},
		"again, one that is kept":        {call(flood-1_000, flood-1_000), true, true, flood},
		"again, the first":               {call(1, 1), window == oracle.Session, window == oracle.Session, flood},
		"another, among those kept":      {call(flood-1_000, 0), true, false, flood + 1},
		"another, among those discarded": {call(1_000, 0), false, false, flood + 1},
		"another, before all":            {call(0, 0), false, false, flood + 1},
	} {
		t.Run(name, func(t *testing.T) {
			stream := streams.Stream{Window: window, Threshold: 5, Size: 10_000, Retention: time.Minute, Groups: [][]string{{"a"}}}
			feed, arrival := newFeederFor(stream, time.Minute, year), time.Unix(1e9, 0)
			for i := range flood {
				feed.feed(call(i+1, i+1), arrival)
			}
			assert.Equal(t, test.repeat, feed.feed(test.late, arrival).Repeats == 1)
			emitted := feed.detector.Tick(arrival.Add(time.Hour))
			require.Len(t, emitted, 1)
			assert.Equal(t, test.exact, emitted[0].Exact)
			assert.LessOrEqual(t, emitted[0].Count, test.distinct)
			assert.GreaterOrEqual(t, emitted[0].Count, flood)
			if test.exact {
				assert.Equal(t, test.distinct, emitted[0].Count)
			}
			assert.Equal(t, emitted[0].Count, emitted[0].Presumed)
			assert.NoError(t, feed.detector.Consistent())
		})
	}
}

// When all of a flood but its last call is forgotten, calls before and after that are remembered as ever.
func TestCallsAfterAForgottenFloodAreRemembered(t *testing.T) {
	eachWindow(t, func(t *testing.T, window oracle.Type) {
		for name, late := range map[string]int64{"after": 9_700, "before": 9_550} {
			if late < 9_600 && window != oracle.Session {
				continue // it would be discarded before the one that is left
			}
			stream := streams.Stream{Window: window, Threshold: 5, Size: 10_000, Retention: time.Minute, Groups: [][]string{{"a"}}}
			feed, arrival := newFeederFor(stream, time.Hour, year), time.Unix(1e9, 0)
			observe := func(at int64) detect.Result {
				id := strconv.FormatInt(at, 10)
				return feed.feed([]streams.Event{{Time: at, ID: id, Model: "model"}}, arrival)
			}
			for i := range int64(9_500) {
				observe(i)
			}
			for _, pause := range []time.Duration{0, 20 * time.Second, 40 * time.Second, 80 * time.Second} {
				arrival = time.Unix(1e9, 0).Add(pause)
				feed.detector.Tick(arrival)
				if pause == 40*time.Second {
					observe(9_600)
				}
			}
			assert.Zero(t, observe(late).Repeats, name)
			assert.Equal(t, 1, observe(late).Repeats, name)
			assert.Equal(t, 1, observe(9_600).Repeats, name)
			emitted := feed.detector.Tick(arrival.Add(time.Hour))
			require.Len(t, emitted, 1, name)
			assert.LessOrEqual(t, emitted[0].Count, 9_502, name)
			if name == "after" {
				assert.Equal(t, 9_502, emitted[0].Count, name)
				assert.True(t, emitted[0].Exact, name)
			}
			assert.NoError(t, feed.detector.Consistent(), name)
		}
	})
}

// A shipper that sends a whole flood again raises no total, even where Bedrock has cut all times to one second.
func TestFloodThatIsSentAgainIsALowerBound(t *testing.T) {
	const flood = 9_500
	rng := rand.New(rand.NewPCG(1, 2))
	for name, at := range map[string]func(i int) int64{
		"one instant": func(int) int64 { return 7 },
		"in order":    func(i int) int64 { return int64(i) },
		"backwards":   func(i int) int64 { return int64(flood - i) },
		"any order":   func(int) int64 { return rng.Int64N(10_000) },
	} {
		t.Run(name, func(t *testing.T) {
			eachWindow(t, func(t *testing.T, window oracle.Type) {
				stream := streams.Stream{Window: window, Threshold: 5, Size: 10_000, Retention: time.Minute, Groups: [][]string{{"a"}}}
				feed, arrival := newFeederFor(stream, time.Minute, year), time.Unix(1e9, 0)
				var events []streams.Event
				for i := range flood {
					events = append(events, streams.Event{Time: at(i), ID: strconv.Itoa(i), Model: "model"})
				}
				for range 3 {
					for i := range events {
						feed.feed(events[i:i+1], arrival)
					}
				}
				emitted := feed.detector.Tick(arrival.Add(time.Hour))
				require.Len(t, emitted, 1)
				assert.False(t, emitted[0].Exact)
				assert.LessOrEqual(t, emitted[0].Count, flood)
				assert.GreaterOrEqual(t, emitted[0].Count, exactCount)
				assert.NoError(t, feed.detector.Consistent())
			})
		})
	}
}

// Of a flood, what arrived last is remembered like anything else, even if what
// arrived before it happened later.
func TestFloodIsRememberedByArrival(t *testing.T) {
	stream := streams.Stream{Threshold: 5, Size: 1000, Groups: [][]string{{"a"}}}
	feed, start := newFeeder(stream), time.Unix(1e9, 0)
	flood := func(at int64, id string) (events []streams.Event) {
		for i := range exactCount {
			events = append(events, streams.Event{Time: at, ID: id + strconv.Itoa(i), Model: "model"})
		}
		return events
	}
	ledger := newLedger(stream.Rule())
	require.Len(t, ledger.enter(feed.feed(flood(900, "later"), start).Alerts), 1)
	feed.feed(flood(500, "earlier"), start.Add(1000))

	next := []streams.Event{{Time: 1200, ID: "next", Model: "model"}}
	for pause := time.Duration(1100); pause < 2000; pause += 100 {
		// Something else keeps the detector going.
		feed.feed([]streams.Event{{Time: -5000, ID: pause.String(), Model: "model"}}, start.Add(pause))
	}
	alerts := ledger.enter(feed.feed(next, start.Add(2000)).Alerts)
	require.Len(t, alerts, 1, "the earlier ones arrived %v ago", stream.Size)
	assert.EqualValues(t, 1000, alerts[0].Opened)
}

// A session that is flooded still begins with its first event, whatever of it was discarded: what arrives late and lies
// near that event belongs to it.
func TestFloodedSessionKeepsItsBeginning(t *testing.T) {
	stream := streams.Stream{
		Window: oracle.Session, Threshold: 5, Size: 10_000, Retention: time.Minute, Groups: [][]string{{"a"}},
	}
	feed, arrival := newFeederFor(stream, time.Minute, year), time.Unix(1e9, 0)
	observe := func(at int64, id string) []detect.Alert {
		return feed.feed([]streams.Event{{Time: at, ID: id, Model: "model"}}, arrival).Alerts
	}
	observe(10_001, "first")
	for i := range 3 * exactCount {
		observe(15_000+int64(i)%4_000, strconv.Itoa(i))
	}
	assert.Empty(t, observe(2_000, "late"), "near to the first only")
	emitted := feed.detector.Tick(arrival.Add(time.Hour))
	require.Len(t, emitted, 1)
	assert.EqualValues(t, 2_000, emitted[0].First)
	assert.Equal(t, []int64{10_001, 2_000}, []int64{emitted[0].Opened, emitted[0].WindowStart})
}
