// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package engine_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/otelcol-guardrail/internal/testing/oracle"
)

var (
	everyCrash = flag.Bool("every-crash", false, "kill the processor at every moment of every scenario, not only at some")
	onlySeed   = flag.Uint64("seed", 0, "the only crash scenario, from 1")
	onlyCrash  = flag.String("crash", "", "the only moments to kill the processor at, with commas between; with -seed")
)

const crashScenarios = 50

// crashTally is what there was in all runs.
type crashTally struct {
	scenarios, buckets, moments, kills, repeats, missed, extra atomic.Int64
}

// Whenever the collector is killed, every alert that is due is delivered, and no other.
func TestCrashAtEveryMoment(t *testing.T) {
	eachCrashScenario(t, func(s crashScenario, moments int) (crashes [][]int) {
		// The others come with other seeds.
		stride := 24
		if *everyCrash {
			stride = 1
		}
		for moment := 2 + int(s.seed)%stride; moment < moments; moment += stride {
			crashes = append(crashes, []int{moment})
		}
		return crashes
	})
}

// A second crash must not damage what the first one left in the storage.
func TestCrashTwice(t *testing.T) {
	eachCrashScenario(t, func(s crashScenario, moments int) (crashes [][]int) {
		rng := rand.New(rand.NewPCG(s.seed, 12))
		pairs := 1
		if *everyCrash {
			pairs = 50
		}
		for range pairs {
			first := 2 + rng.IntN(moments)
			// Often while the next one starts.
			crashes = append(crashes, []int{first, first + 1 + rng.IntN([]int{12, moments}[rng.IntN(2)])})
		}
		return crashes
	})
}

// eachCrashScenario plays each scenario without a crash, and then with each choice of
// crashes among its moments.
func eachCrashScenario(t *testing.T, choose func(s crashScenario, moments int) [][]int) {
	t.Helper()
	var tally crashTally
	for seed := uint64(1); seed <= crashScenarios; seed++ {
		if *onlySeed != 0 && *onlySeed != seed {
			continue
		}
		t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) {
			t.Parallel()
			s := newCrashScenario(seed)
			if !faceOf(t).observes {
				s.date()
			}
			tally.scenarios.Add(1)
			tally.buckets.Add(int64(len(s.due())))
			moments := s.check(t, &tally)
			choices := choose(s, moments)
			if *onlyCrash != "" {
				choices = [][]int{parseCrashes(t, *onlyCrash)}
			}
			for _, crashes := range choices {
				if t.Failed() {
					break
				}
				tally.moments.Add(1)
				s.check(t, &tally, crashes...)
			}
		})
	}
	t.Cleanup(func() {
		t.Logf("%d scenarios with %d buckets that alert, %d runs with %d crashes: %d missed, %d extra, %d alerts repeated",
			tally.scenarios.Load(), tally.buckets.Load(), tally.moments.Load(), tally.kills.Load(),
			tally.missed.Load(), tally.extra.Load(), tally.repeats.Load())
	})
}

func parseCrashes(t *testing.T, text string) (crashes []int) {
	t.Helper()
	for part := range strings.SplitSeq(text, ",") {
		n, err := strconv.Atoi(part)
		require.NoError(t, err)
		crashes = append(crashes, n)
	}
	return crashes
}

// check plays the scenario and judges it. It returns the number of moments.
func (s *crashScenario) check(t *testing.T, tally *crashTally, crashes ...int) (moments int) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := s.play(t, crashes...)
		moments = 2*w.calls + 2
		faults := w.judge(tally)
		if len(faults) > 0 {
			how := ""
			if len(crashes) > 0 {
				how = " -crash=" + strings.Trim(strings.ReplaceAll(fmt.Sprint(crashes), " ", ","), "[]")
			}
			name, _, _ := strings.Cut(t.Name(), "/")
			t.Errorf("%s\n\tgo test ./internal/engine -run '^%s$' -seed=%d%s",
				strings.Join(faults, "\n"), name, s.seed, how)
		}
	})
	return moments
}

// judge returns the faults that it found.
func (w *world) judge(tally *crashTally) (faults []string) {
	fault := func(format string, args ...any) { faults = append(faults, fmt.Sprintf(format, args...)) }
	tally.kills.Add(int64(w.killed))

	due := map[oracle.Alert]bool{}
	for _, bucket := range w.scenario.due() {
		due[bucket] = true
		if !w.reported(bucket) {
			tally.missed.Add(1)
			fault("missed: %s, %s", bucket.Group, time.Unix(0, bucket.Start).UTC())
		}
	}
	times, acks := map[string]int{}, map[string]int{}
	fresh := -1 // the life in which an alert was last delivered for the first time
	for _, record := range w.delivered {
		if stateOfRecord(record) != "open" {
			continue
		}
		bucket := oracle.Alert{Group: attr(record.LogRecord, "user.id"), Start: timeOf(record, "gen_ai_guardrail.window.start")}
		if !due[bucket] {
			tally.extra.Add(1)
			fault("extra: %s, %s", bucket.Group, time.Unix(0, bucket.Start).UTC())
		}
		id := attr(record.LogRecord, "gen_ai_guardrail.alert.id")
		times[id]++
		switch {
		case times[id] == 1:
			fresh = record.life
		case times[id] > 1+w.killed:
			fault("delivered %d times with %d crashes: %s", times[id], w.killed, id)
		case record.batch > 1 || record.life == fresh && w.scenario.refuses == 0: // what was refused before the crash is older
			fault("repeated, but not before anything else: %s", id)
		case acks[id] < record.begun && w.scenario.refuses == 0:
			fault("repeated, although the call that delivered it was acknowledged: %s", id)
		}
		acks[id] = record.acks
		if times[id] > 1 {
			tally.repeats.Add(1)
		}
	}
	for _, wrong := range w.confused() {
		fault("%s", wrong)
	}
	for key, acknowledged := range w.acknowledged {
		if !acknowledged || w.life.face.forwards && !w.forwarded[key] {
			fault("record %q: acknowledged %t, forwarded %t", key, acknowledged, w.forwarded[key])
		}
	}
	return faults
}

// confused returns the records that a backend would take for another, or for another twice, if it knows them by
// their own id.
func (w *world) confused() (wrong []string) {
	contents, ids := map[string]string{}, map[string]string{}
	for _, record := range w.delivered {
		id := attr(record.LogRecord, "log.record.uid")
		content := attr(record.LogRecord, "gen_ai_guardrail.alert.id") + " " + stateOfRecord(record) + ": " + record.Body().Str()
		if known, ok := contents[id]; ok && known != content {
			wrong = append(wrong, fmt.Sprintf("%s is the id of %q and of %q", id, known, content))
		}
		if known, ok := ids[content]; ok && known != id {
			wrong = append(wrong, fmt.Sprintf("%q has the ids %s and %s", content, known, id))
		}
		contents[id], ids[content] = content, id
	}
	return wrong
}

// reported reports whether an alerting bucket was reported: by an alert of its own or,
// when alerts are kept alive, by one that covers it.
func (w *world) reported(bucket oracle.Alert) bool {
	for _, record := range w.delivered {
		if attr(record.LogRecord, "user.id") != bucket.Group {
			continue
		}
		switch {
		case w.scenario.keepAlive == 0 && stateOfRecord(record) == "open":
			if timeOf(record, "gen_ai_guardrail.window.start") == bucket.Start {
				return true
			}
		case w.scenario.keepAlive > 0 && stateOfRecord(record) == "closed":
			end := bucket.Start + int64(w.scenario.rule.Size)
			if timeOf(record, "event.start") < end && bucket.Start <= timeOf(record, "event.end") {
				return true
			}
		}
	}
	return false
}

func stateOfRecord(record deliveredRecord) string {
	return attr(record.LogRecord, "gen_ai_guardrail.alert.state")
}

// timeOf returns the time in an attribute, in Unix nanoseconds.
func timeOf(record deliveredRecord, key string) int64 {
	at, err := time.Parse(time.RFC3339Nano, attr(record.LogRecord, key))
	if err != nil {
		panic(err)
	}
	return at.UnixNano()
}
