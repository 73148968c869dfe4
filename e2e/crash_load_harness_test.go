// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"example.com/otelcol-guardrail/e2e/internal/bedrock"
	"example.com/otelcol-guardrail/internal/testing/oracle"
)

// crashRules are the rules of testdata/crash.yaml, as the oracle takes them.
var crashRules = map[string]oracle.Rule{
	"unguarded_invocations": {Type: oracle.Sliding, Size: crashSize, Threshold: crashThreshold},
	"by_minute":             {Type: oracle.Tumbling, Size: crashSize, Threshold: crashThreshold},
	"by_session":            {Type: oracle.Session, Size: crashSize / 2, Threshold: crashThreshold},
	"after_a_block":         {Type: oracle.Sliding, Size: crashSize, Threshold: 1, After: 2 * time.Minute},
}

const (
	crashSize      = time.Minute
	crashThreshold = 5
)

// load is what is sent while collectors crash.
type load struct {
	batches [][]bedrock.Call // in order of arrival
	arrived []time.Time      // when the last call of each batch would arrive
	rules   map[string]oracle.Rule
}

// newLoad returns a load of about the given number of batches: bursts by many users over two hours, out of order by up to an hour, so
// that the calls of one alerting window come from several senders and often both before and after a crash. One call in five is guarded,
// half of those are stopped by the guardrail, and the given percentage of calls is sent twice.
func newLoad(rng *rand.Rand, batches, repeats int) load {
	return newLaggingLoad(rng, batches, repeats, 2*time.Hour, 1, 5*time.Minute, time.Hour)
}

// newLaggingLoad returns a load as newLoad does, over the given time, and with calls of each user that arrive later than they happened by
// up to one of the lags.
func newLaggingLoad(rng *rand.Rand, batches, repeats int, over time.Duration, lags ...time.Duration) load {
	const perBatch = 10 // calls, at most
	start := time.Date(2026, 5, 2, 7, 0, 0, 0, time.UTC)
	type arrival struct {
		call bedrock.Call
		due  time.Time
	}
	var arrivals []arrival
	for user := 0; len(arrivals) < batches*(perBatch+1)/2; user++ {
		calls, lag := 0, lags[rng.IntN(len(lags))]
		for range 1 + rng.IntN(4) {
			edge := start.Add(time.Duration(rng.IntN(int(over/crashSize))) * crashSize)
			for _, offset := range crashScenes[rng.IntN(len(crashScenes))](rng) {
				calls++
				call := bedrock.Burst(fmt.Sprintf("user-%d", user), 1)[0]
				call.RequestID = fmt.Sprintf("request-%d-%d", user, calls)
				call.Account = fmt.Sprintf("%012d", 111122223333+user%7)
				call.Time = edge.Add(offset)
				if rng.IntN(5) == 0 {
					call.Guardrail, call.Intervened = "gr1", rng.IntN(2) == 0
				}
				due := call.Time.Add(time.Duration(rng.Int64N(int64(lag))))
				arrivals = append(arrivals, arrival{call, due})
				if rng.IntN(100) < repeats {
					arrivals = append(arrivals, arrival{call, due.Add(time.Duration(rng.Int64N(int64(20 * time.Minute))))})
				}
			}
		}
	}
	slices.SortStableFunc(arrivals, func(a, b arrival) int { return a.due.Compare(b.due) })

	l := load{rules: crashRules}
	for len(arrivals) > 0 {
		n := min(1+rng.IntN(perBatch), len(arrivals))
		var batch []bedrock.Call
		for _, a := range arrivals[:n] {
			batch = append(batch, a.call)
		}
		l.batches = append(l.batches, batch)
		l.arrived = append(l.arrived, arrivals[n-1].due)
		arrivals = arrivals[n:]
	}
	return l
}

// crashScenes return when a user calls, relative to the edge of a window.
var crashScenes = []func(*rand.Rand) []time.Duration{
	// On both sides of the edge, within a span that is as long as a window, or a nanosecond shorter or longer.
	func(rng *rand.Rand) []time.Duration {
		span := crashSize + time.Duration(rng.IntN(3)-1)
		first := -time.Duration(rng.Int64N(int64(crashSize)))
		times := []time.Duration{first, first + span}
		for range crashThreshold - 1 {
			times = append(times, first+time.Duration(rng.Int64N(int64(span))))
		}
		return times
	},
	// As many as the threshold allows, and one exactly a window earlier.
	func(rng *rand.Rand) []time.Duration {
		end := time.Duration(rng.Int64N(int64(crashSize)))
		return append(slices.Repeat([]time.Duration{end}, crashThreshold), end-crashSize)
	},
	// All at once, on the edge or just before it.
	func(rng *rand.Rand) []time.Duration {
		return slices.Repeat([]time.Duration{-time.Duration(rng.IntN(2))}, crashThreshold+rng.IntN(2))
	},
	// At the highest rate that does not alert, or a little faster.
	func(rng *rand.Rand) []time.Duration {
		step := crashSize/crashThreshold - time.Duration(rng.IntN(2))
		times := make([]time.Duration, 3*crashThreshold)
		for i := range times {
			times[i] = time.Duration(i) * step
		}
		return times
	},
	// Scattered over many windows.
	func(rng *rand.Rand) []time.Duration {
		times := make([]time.Duration, crashThreshold)
		for i := range times {
			times[i] = time.Duration(rng.Int64N(int64(10 * crashSize)))
		}
		return times
	},
	// Far more than the threshold, over a few windows.
	func(rng *rand.Rand) []time.Duration {
		times := make([]time.Duration, 30)
		for i := range times {
			times[i] = time.Duration(rng.Int64N(int64(3 * crashSize)))
		}
		return times
	},
}

// window identifies an alerting window.
type window struct {
	rule, group string
	start       time.Time
}

// due returns the windows that must alert, according to the oracle.
func (l load) due() map[window]bool {
	due := map[window]bool{}
	for name, rule := range l.rules {
		for _, alert := range oracle.Alerts(l.events(), rule) {
			due[window{name, alert.Group, time.Unix(0, alert.Start).UTC()}] = true
		}
	}
	return due
}

// events returns the unguarded calls, and those that a guardrail stopped, as the oracle takes them.
func (l load) events() (events []oracle.Event) {
	for _, call := range slices.Concat(l.batches...) {
		if call.Guardrail == "" || call.Intervened {
			events = append(events, oracle.Event{
				Time: call.Time.UnixNano(), ID: call.RequestID, Group: groupOf(call.User, call.Account),
				Intervened: call.Intervened, Uncounted: call.Intervened,
			})
		}
	}
	return events
}

// whole returns the windows under the start that they have when every call is known. A session is reported under the first call known
// at that time, and two reported sessions become one when a call between them arrives.
func (l load) whole(windows []window) map[window]bool {
	runs := map[string][]oracle.Run{} // by rule
	for name, rule := range l.rules {
		if rule.Type == oracle.Session {
			runs[name] = oracle.Runs(l.events(), rule)
		}
	}
	whole := map[window]bool{}
	for _, w := range windows {
		holds := func(run oracle.Run) bool { return run.Holds(w.group, w.start.UnixNano()) }
		if i := slices.IndexFunc(runs[w.rule], holds); i >= 0 {
			w.start = time.Unix(0, runs[w.rule][i].First).UTC()
		}
		whole[w] = true
	}
	return whole
}

func groupOf(user, account string) string { return user + " in " + account }

func (w window) compare(other window) int {
	return cmp.Or(cmp.Compare(w.rule, other.rule), cmp.Compare(w.group, other.group), w.start.Compare(other.start))
}

func (w window) String() string {
	return fmt.Sprintf("%s, %s, %s", w.rule, w.group, w.start.Format(time.RFC3339))
}
