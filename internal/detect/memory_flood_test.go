// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package detect_test

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/otelcol-guardrail/internal/detect"
)

// flood is what an attacker sends to fill the memory.
type flood struct {
	events int
	user   func(i int) string
	time   func(i int) time.Duration // since noon
	id     func(i int) string
	// observed: the events have no time of their own.
	observed bool
	// blocked: a guardrail intervenes in each of them.
	blocked bool
	// fits: all of it fits into memory.
	fits bool
	// busy: the flood is not made longer in long runs, since its users would be busier than the burst and push it out.
	busy bool
	// slack is how far the bound may be exceeded: 0 stands for a tenth, and the minimum of every shard.
	slack int64
}

func oneUser(int) string               { return "one" }
func everyUser(i int) string           { return "user " + strconv.Itoa(i) }
func someUsers(i int) string           { return "user " + strconv.Itoa(i%1000) }
func moreUsers(i int) string           { return "user " + strconv.Itoa(i%2000) }
func now(i int) time.Duration          { return time.Duration(i) * time.Microsecond }
func anyMinute(i int) time.Duration    { return time.Duration(i*7919%(1<<24)) * time.Minute }
func uuidOf(i int) string              { return fmt.Sprintf("%08x-0000-4000-8000-000000000000", i) }
func longID(i int) string              { return fmt.Sprintf("%0200d", i) }
func megabyteName(i int) string        { return strings.Repeat("n", 1<<20) + strconv.Itoa(i/2) }
func longName(int) string              { return strings.Repeat("n", 50_000) }
func eachHour(i int) time.Duration     { return time.Duration(i/6) * time.Hour }
func eachSixTimes(i int) string        { return "user " + strconv.Itoa(i/6) }
func minuteOfMany(i int) time.Duration { return time.Duration(i/5000) * time.Minute }

var floods = map[string]flood{
	"users who call once":                    {events: 160_000, user: everyUser, time: now, id: uuidOf},
	"users who each raise an alert":          {events: 160_000, user: eachSixTimes, time: now, id: uuidOf},
	"a user who makes up times":              {events: 80_000, user: oneUser, time: anyMinute, id: uuidOf},
	"many users who make up times":           {busy: true, events: 200_000, user: moreUsers, time: anyMinute, id: uuidOf},
	"a user at full speed":                   {events: 80_000, user: oneUser, time: now, id: uuidOf, fits: true},
	"a user at full speed for an hour":       {events: 80_000, user: oneUser, time: minuteOfMany, id: uuidOf, fits: true},
	"request ids that are long and no UUIDs": {events: 280_000, user: someUsers, time: now, id: longID},
	"times that are only when observed":      {events: 160_000, user: everyUser, time: now, id: uuidOf, observed: true},
	"observed calls of one user":             {events: 80_000, user: oneUser, time: now, id: longID, observed: true, fits: true},
	"users with long names among others": {
		events: 2000*(1+2+4+6+18) + 2400, user: longNames, time: now, id: uuidOf, slack: 32<<18 + 2<<20,
	},
	"a long name that raises alerts at made-up times": {events: 12_000, user: longName, time: eachHour, id: uuidOf},
	// One such name has to be remembered in each of the 32 shards, whatever its share.
	"users with names of a megabyte": {events: 200, user: megabyteName, time: now, id: uuidOf, slack: 32<<20 + 1<<20},
}

// longNames first has ordinary users in every kind of place, and then such with
// names of a quarter of a megabyte.
func longNames(i int) string {
	for _, calls := range []int{1, 2, 4, 6, 18} {
		if i < 2000*calls {
			return fmt.Sprint("user ", calls, i/calls)
		}
		i -= 2000 * calls
	}
	return strings.Repeat("n", 1<<18) + strconv.Itoa(i/6)
}

// Memory stays bounded whatever arrives; evictions are reported;
// and a user who makes more calls than the rest is still found.
func TestMemoryHoldsInFloods(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long")
	}
	for name, f := range floods {
		t.Run(name, func(t *testing.T) {
			rule := floodRule()
			if strings.Contains(name, "megabyte") {
				rule.Threshold = 1
			}
			f.check(t, rule)
		})
	}
}

func floodRule() detect.Rule {
	return detect.Rule{
		Threshold: 5, Size: time.Minute, KeepAlive: 10 * time.Minute, MaxDuration: time.Hour, Retention: time.Hour,
		Limit: 0, MaxBytes: 16 << 20,
	}
}

// So it does for a rule that counts only what follows an intervention, where what does not is
// held: the flood must not make it forget who was blocked before a burst.
func TestMemoryHoldsInFloodsOfWaitingCalls(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long")
	}
	more := map[string]flood{
		"users who are each blocked once":         {events: 160_000, user: everyUser, time: now, id: uuidOf, blocked: true},
		"a user who is blocked at full speed":     {events: 80_000, user: oneUser, time: now, id: uuidOf, blocked: true, fits: true},
		"a user who makes up times of being so":   {events: 80_000, user: oneUser, time: anyMinute, id: uuidOf, blocked: true},
		"blocked calls with long ids of one user": {events: 80_000, user: oneUser, time: now, id: longID, blocked: true, fits: true},
	}
	for name, f := range floods {
		f.fits = false
		if name == "users who each raise an alert" { // here they do not, and fit
			f.events, f.fits = 100_000, true
		}
		if f.slack == 0 { // the others are no different
			more[name] = f
		}
	}
	for name, f := range more {
		t.Run(name, func(t *testing.T) {
			rule := floodRule()
			rule.AfterIntervention = 2 * time.Minute
			f.check(t, rule)
		})
	}
}

func (f flood) check(t *testing.T, rule detect.Rule) {
	bound, slack := rule.MaxBytes, f.slack
	if slack == 0 {
		slack = bound/10 + 1<<20
	}
	before := heap()
	detector := detect.New(rule)
	rng := rand.New(rand.NewPCG(1, 1))
	var most int64
	found, blocked := false, false
	total := f.events
	if !f.busy {
		total *= int(shareOfStreams(1000))
	}
	for i := range total {
		event := detect.Event{
			Time: noon.Add(f.time(i)).UnixNano(), Key: detect.AppendKey(nil, f.user(i)),
			ID: f.id(i), RequestID: f.id(i), IDOnly: f.observed, Intervened: f.blocked, GuardrailID: "guardrail",
		}
		found = foundIn(detector.Observe([]detect.Event{event}, noon), "mallory") || found
		if since := i - total/2 + f.events/2; 0 <= since && since < f.events && since%(f.events/60) == f.events/120 { // a real burst among it, sixty calls long
			call := detect.Event{
				Time: noon.Add(time.Duration(rng.IntN(50)) * time.Second).UnixNano(),
				Key:  detect.AppendKey(nil, "mallory"), ID: "m" + strconv.Itoa(i),
			}
			if rule.AfterIntervention > 0 && !blocked { // in her first call
				blocked = true
				call.Time, call.Intervened = noon.Add(-time.Second).UnixNano(), true
			}
			found = foundIn(detector.Observe([]detect.Event{call}, noon), "mallory") || found
		}
		if i%(total/10) == total/10-1 {
			most = max(most, heap()-before)
		}
	}
	stats := detector.Stats()
	t.Logf("%.1f MiB of heap at most, %.1f by its own account; %d groups evicted", float64(most)/(1<<20), float64(stats.Bytes)/(1<<20), stats.Evicted)
	assert.LessOrEqual(t, most, bound+slack)
	assert.LessOrEqual(t, stats.Bytes, bound+slack)
	assert.True(t, found, "the burst is lost in it")
	require.NoError(t, detector.Consistent())
	assert.Equal(t, !f.fits, stats.Evicted > 0, "%d evicted", stats.Evicted)
	var emitted int
	for _, a := range detector.Tick(noon.Add(time.Second)) {
		if a.State == detect.Overflow {
			emitted = a.Overflow.Evicted
		}
	}
	assert.Equal(t, stats.Evicted, emitted, "evictions that an alert reports")
	runtime.KeepAlive(detector)
}

// foundIn reports whether an alert of a user was opened.
func foundIn(result detect.Result, user string) bool {
	for _, a := range result.Alerts {
		if a.State == detect.Open && a.Group[0] == user {
			return true
		}
	}
	return false
}

// A window that was truncated in a flood still makes the next one alert.
func TestWindowsAlertNextToAFlood(t *testing.T) {
	detector := detect.New(detect.Rule{Threshold: 5, Size: time.Minute, MaxDuration: time.Hour, Retention: time.Hour, MaxBytes: 8 << 20})
	observe := func(at time.Time, id string) []detect.Alert {
		return detector.Observe([]detect.Event{{Time: at.UnixNano(), Key: detect.AppendKey(nil, "alice"), ID: id}}, noon).Alerts
	}
	for minute := 0; minute < 10; minute += 2 {
		for i := range 3000 {
			observe(noon.Add(time.Duration(minute)*time.Minute+time.Duration(i)*20*time.Millisecond), fmt.Sprint(minute, i))
		}
	}
	require.Zero(t, detector.Stats().Evicted)
	for minute := 1; minute < 8; minute += 2 {
		next := noon.Add(time.Duration(minute) * time.Minute)
		emitted := observe(next, fmt.Sprint("next", minute))
		if assert.Len(t, emitted, 1, "minute %d", minute) {
			assert.Equal(t, next.UnixNano(), emitted[0].Opened)
			assert.False(t, emitted[0].Exact)
		}
	}
}
