// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package engine_test

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"go.opentelemetry.io/collector/pdata/plog"

	"example.com/otelcol-guardrail/internal/testing/oracle"
)

// crashScenario is what a sender delivers while the collector may be killed.
type crashScenario struct {
	seed        uint64
	rule        oracle.Rule
	keepAlive   time.Duration // 0: every bucket that alerts is an alert
	maxDuration time.Duration
	refuses     int // the next component refuses one call of so many; 0: none
	deliveries  []delivery
}

// delivery is a batch with the time that passes before it.
type delivery struct {
	pause time.Duration
	calls []crashCall
}

// crashCall is a call, with the form in which its record states the user and the time.
type crashCall struct {
	call
	observed bool // no time but that at which it was observed
}

const crashRetention = 2 * time.Minute

func newCrashScenario(seed uint64) crashScenario {
	rng := rand.New(rand.NewPCG(seed, 11))
	s := crashScenario{
		seed: seed,
		rule: oracle.Rule{
			Type:      oracle.Type(seed % 3),
			Size:      []time.Duration{5 * time.Second, 20 * time.Second, time.Minute}[rng.IntN(3)],
			Threshold: []int{0, 1, 2, 3, 5}[rng.IntN(5)],
		},
		maxDuration: time.Hour,
	}
	if seed%4 == 3 { // a share has alerts that go on
		s.keepAlive = s.rule.Size * time.Duration(1+rng.IntN(3))
		s.maxDuration = s.keepAlive * time.Duration(1+rng.IntN(4))
	}
	if rng.IntN(3) == 0 {
		s.refuses = 3 + rng.IntN(5)
	}
	for act := range 1 + rng.IntN(2) {
		pause := time.Duration(0)
		if act > 0 { // until what was before is forgotten
			pause = 2 * (s.rule.Size + crashRetention)
		}
		s.deliveries = append(s.deliveries, s.act(rng, act, pause)...)
	}
	return s
}

// date gives all calls a time of their own.
func (s *crashScenario) date() {
	for _, d := range s.deliveries {
		for i := range d.calls {
			d.calls[i].observed = false
		}
	}
}

// act is some minutes in the lives of some users.
func (s *crashScenario) act(rng *rand.Rand, act int, pause time.Duration) (deliveries []delivery) {
	var calls []crashCall
	edge := noon.Truncate(s.rule.Size).Add(time.Duration(1000*act) * s.rule.Size)
	for user := range 1 + rng.IntN(3) {
		for scene := range 1 + rng.IntN(2) {
			at := edge.Add(time.Duration(scene*(1+rng.IntN(6))) * s.rule.Size)
			for i, t := range s.scene(rng, at) {
				c := crashCall{call: call{user: fmt.Sprint("user ", user), at: t, id: fmt.Sprintf("%d-%d-%d-%d", act, user, scene, i)}}
				switch rng.IntN(5) {
				case 0: // known by a UUID
					c.id = fmt.Sprintf("0d4c2b1a-0000-4000-8000-%02d%02d%02d%06d", act, user, scene, i)
				case 1: // known by its content
					c.id = ""
				case 2: // known by its id alone
					c.observed = true
				}
				calls = append(calls, c)
			}
		}
	}
	slices.SortStableFunc(calls, func(a, b crashCall) int { return a.at.Compare(b.at) })
	if s.rule.Type != oracle.Session && rng.IntN(3) == 0 { // a session has its name from the first event that comes
		rng.Shuffle(len(calls), func(i, j int) { calls[i], calls[j] = calls[j], calls[i] })
	}
	for rng.IntN(3) > 0 { // delivered for the second time
		again := rng.IntN(len(calls))
		calls = slices.Insert(calls, again+1+rng.IntN(len(calls)-again), calls[again])
	}
	left := s.rule.Size + crashRetention
	for len(calls) > 0 {
		n := min(1+rng.IntN(1+len(calls)/2), len(calls))
		deliveries = append(deliveries, delivery{pause, calls[:n:n]})
		calls = calls[n:]
		pause = []time.Duration{0, 0, time.Second, left / 4}[rng.IntN(4)]
		left -= pause
	}
	return deliveries
}

// scene returns the times of a burst near the edge of a bucket that is about as large as it takes.
func (s *crashScenario) scene(rng *rand.Rand, edge time.Time) (times []time.Time) {
	n := max(1, s.rule.Threshold+[]int{0, 1, 1, 1, 2}[rng.IntN(5)])
	size := s.rule.Size
	for i := range n {
		switch at := edge; {
		case n == 2 && i == 1, n > 2 && i == n-1: // exactly as far from the first as is too far, or not quite
			times = append(times, times[0].Add(size-time.Duration(rng.IntN(2))))
		case i == 0:
			times = append(times, at.Add(-time.Duration(rng.Int64N(int64(size)))))
		default:
			times = append(times, times[0].Add(time.Duration(rng.Int64N(int64(size)))))
		}
	}
	slices.SortFunc(times, time.Time.Compare)
	return slices.Compact(times)
}

// settings are the processor's, in YAML.
func (s *crashScenario) settings() string {
	return fmt.Sprintf(`
storage: file_storage
retention: %s
rules:
  - threshold: %d
    window: {type: %s, size: %s}
    alert: {keep_alive: %s, max_duration: %s, limit: 1000}
`, crashRetention, s.rule.Threshold, []string{"sliding", "tumbling", "session"}[s.rule.Type], s.rule.Size, s.keepAlive, s.maxDuration)
}

// due returns the buckets that alert.
func (s *crashScenario) due() []oracle.Alert {
	var events []oracle.Event
	for _, d := range s.deliveries {
		for _, c := range d.calls {
			events = append(events, oracle.Event{Time: c.at.UnixNano(), ID: c.id, Group: c.user, IDOnly: c.observed && c.id != ""})
		}
	}
	return oracle.Alerts(events, s.rule)
}

// logs has a record for each call.
func (d delivery) logs() plog.Logs {
	logs, list := emptyLogs()
	for _, c := range d.calls {
		record := list.AppendEmpty()
		c.put(record)
		record.Attributes().PutStr(crashKey, c.key())
	}
	return logs
}

// crashKey is the attribute by which the tests know a record again.
const crashKey = "test.record"

func (c crashCall) key() string { return cmp.Or(c.id, fmt.Sprint(c.user, " ", c.at.UnixNano())) }

func (c crashCall) put(record plog.LogRecord) {
	switch {
	case c.observed:
		at := c.at
		c.at = time.Time{}
		c.event(record)
		record.SetObservedTimestamp(stampOf(at))
	case len(c.id)%2 == 0:
		c.event(record)
	default:
		record.Body().SetStr(c.bedrock())
	}
}
