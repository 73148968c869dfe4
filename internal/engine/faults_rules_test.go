// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package engine_test

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"example.com/otelcol-guardrail/internal/state/storagetest"
)

// A rule whose counting has changed starts empty, with one warning; the other keeps its state. Other changes have no effect
// on the state.
func TestRuleChangedBetweenStarts(t *testing.T) {
	for name, test := range map[string]struct {
		change string // of the second rule
		empty  bool
	}{
		"nothing":        {"", false},
		"count":          {"count: [unguarded]", true},
		"count, order":   {"count: [unapproved, unguarded]", false},
		"exempt":         {"exempt: [{user: somebody}]", true},
		"group_by":       {"group_by: [user.id]", true},
		"threshold":      {"threshold: 4", true},
		"window type":    {"window: {type: tumbling}", true},
		"window size":    {"window: {size: 61s}", true},
		"severity":       {"severity: critical", false},
		"risk score":     {"risk_score: 99", false},
		"name":           {"name: another", false},
		"description":    {"description: another", false},
		"version":        {`version: "7"`, false},
		"tags":           {"tags: [one]", false},
		"references":     {`references: ["https://example.com/"]`, false},
		"dry run":        {"dry_run: true", false},
		"keep alive":     {"alert: {keep_alive: 20m}", false},
		"max duration":   {"alert: {max_duration: 2h}", false},
		"limit":          {"alert: {limit: 7}", false},
		"none of it set": {"{}", false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				disk := storagetest.NewDisk()
				calls := burst("alice", 6)
				before := startDurableOf(t, disk, `{storage: file_storage, rules: [{}, {id: second}]}`)
				before.consume(t, bedrockLogs(calls[:4]...))
				disk = before.kill()

				change := test.change
				if change == "{}" {
					change = ""
				}
				settings := "storage: file_storage\nrules:\n  - id: second\n"
				if change != "" {
					settings += "    " + change + "\n"
				}
				r := startDurableOf(t, disk, settings+"  - {}\n")
				warnings := r.logged.FilterLevelExact(zap.WarnLevel).All()
				if test.empty {
					require.Len(t, warnings, 1)
					assert.Equal(t, "second", warnings[0].ContextMap()["rule"])
				} else {
					assert.Empty(t, warnings)
				}
				r.consume(t, bedrockLogs(calls[4:]...))
				want := []string{"second", builtIn}
				if test.empty {
					want = []string{builtIn}
				}
				assert.ElementsMatch(t, want, attrsOf(r.next.opened(), "gen_ai_guardrail.rule.id"))
				r.statuses(t)
				r.stateErrors(t, 0)

				// Said once, and what the old one knew does not stay for ever.
				after := startDurableOf(t, r.kill(), settings+"  - {}\n")
				assert.Empty(t, after.logged.FilterLevelExact(zap.WarnLevel).All())
				if test.empty {
					for _, key := range after.disk.Keys() {
						assert.NotContains(t, key, "1/2/", "the old rule's pages")
					}
				}
			})
		})
	}
}

// A pending alert is delivered even if its rule no longer exists.
func TestRuleGoneBetweenStarts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		disk := storagetest.NewDisk()
		before := startDurableOf(t, disk, `{storage: file_storage, rules: [{id: gone}]}`)
		before.next.refusing(refuseAlerts)
		before.consume(t, bedrockLogs(burst("alice", 6)...))
		r := startDurable(t, before.kill())
		assert.Equal(t, []string{"gone"}, attrsOf(r.next.opened(), "gen_ai_guardrail.rule.id"))
		assert.Empty(t, waiting(r.disk))
	})
}

// stepped is a present after somebody has set the clock: the wall shows another time, and no more has passed.
func stepped(t *testing.T, now time.Time, step time.Duration) time.Time {
	t.Helper()
	other := now
	const secondsShift = 30 // in the first word of a time that also holds the elapsed time, above the nanoseconds
	word := (*uint64)(unsafe.Pointer(&other))
	*word += uint64(int64(step/time.Second)) << secondsShift
	require.Equal(t, now.Unix()+int64(step/time.Second), other.Unix())
	require.Zero(t, other.Sub(now))
	return other
}

// Setting the clock by hours neither raises an alert nor prevents one.
func TestFaultClockStep(t *testing.T) {
	for name, step := range map[string]time.Duration{"forward": 5 * time.Hour, "backward": -5 * time.Hour} {
		t.Run(name, func(t *testing.T) {
			for _, settings := range []string{`{}`, durableSettings} {
				r := newDurableRig(t, storagetest.NewDisk(), settings)
				begun := time.Now()
				var clock atomic.Pointer[time.Time] // which the timer reads meanwhile
				clock.Store(&begun)
				r.SetClock(func() time.Time { return *clock.Load() })
				require.NoError(t, r.Start(t.Context(), r.host))
				calls := burst("alice", 6)
				r.consume(t, bedrockLogs(calls[:5]...))
				later := stepped(t, begun, step)
				clock.Store(&later)
				assert.Zero(t, r.DueNow())
				r.consume(t, bedrockLogs(calls[5]))
				require.Equal(t, []string{"6"}, attrsOf(r.next.opened(), "gen_ai_guardrail.count"), "it remembers")
				assert.Zero(t, r.DueNow(), "the alert is still open")
				if settings == durableSettings { // and over a restart
					after := startDurable(t, r.kill())
					after.consume(t, bedrockLogs(append(calls, call{user: "alice", id: "one more", at: calls[5].at})...))
					assert.Empty(t, after.next.opened(), "the alert goes on")
				}
			}
		})
	}
}

// A clock that is wrong by hours when the collector starts costs nothing either: retention is measured in running time.
func TestFaultClockStepOverARestart(t *testing.T) {
	for name, step := range map[string]time.Duration{"forward": 50 * time.Hour, "backward": -50 * time.Hour} {
		t.Run(name, func(t *testing.T) {
			calls := burst("alice", 6)
			before := startDurable(t, storagetest.NewDisk())
			before.consume(t, bedrockLogs(calls[:5]...))
			disk := before.kill()
			r := newDurableRig(t, disk, durableSettings)
			r.at(time.Now().Add(step))
			require.NoError(t, r.Start(t.Context(), r.host))
			require.NoError(t, r.AwaitState(t.Context()))
			r.consume(t, bedrockLogs(calls[5]))
			assert.Equal(t, []string{"6"}, attrsOf(r.next.opened(), "gen_ai_guardrail.count"))
		})
	}
}
