// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package engine_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
)

// Timers work on the same alerts as deliveries: none is emitted twice or lost, and each closes once.
func TestTicksAndDeliveriesShareAlerts(t *testing.T) {
	const sources, rounds = 6, 40
	r := newRig(t, `{rules: [{alert: {limit: 100000}}, {id: few, alert: {limit: 10}}, {id: sessions, window: {type: session}, alert: {limit: 100000}}]}`)
	var seconds atomic.Int64
	r.SetClock(func() time.Time { return noon.Add(time.Duration(seconds.Load()) * time.Second) })
	done := make(chan struct{})
	var ticks, deliveries sync.WaitGroup
	tick := func() { r.RunTimers(t.Context()) }
	ticks.Go(func() {
		for {
			select {
			case <-done:
				return
			default:
				tick()
				if seconds.Load() < 50*60 { // past that, calls may be forgotten before the other source brings them
					seconds.Add(1)
				}
			}
		}
	})
	for source := range sources {
		deliveries.Go(func() {
			for round := range rounds {
				user := fmt.Sprint("user ", source%3, "-", round) // each user through two sources
				calls := burst(user, 12)
				half := calls[:7]
				if source >= 3 {
					half = calls[5:]
				}
				assert.NoError(t, r.ConsumeLogs(t.Context(), bedrockLogs(half...)))
			}
		})
	}
	deliveries.Wait()
	close(done)
	ticks.Wait()
	for _, hours := range []int64{0, 3, 3, 3} { // everything is emitted, closed, and forgotten
		seconds.Add(1 + hours*60*60)
		tick()
	}

	const users = sources / 2 * rounds
	opened, seen, last := map[string]int{}, map[string]bool{}, map[string]string{}
	for _, record := range r.next.alerts() {
		rule := attr(record, "gen_ai_guardrail.rule.id")
		switch id := attr(record, "gen_ai_guardrail.alert.id"); attr(record, "gen_ai_guardrail.alert.state") {
		case "open":
			opened[rule]++
			assert.False(t, seen[id], "opened twice")
			seen[id] = true
		case "closed":
			last[id] = attr(record, "gen_ai_guardrail.count")
		}
	}
	assert.Equal(t, users, opened[builtIn])
	assert.Equal(t, users, opened["sessions"])
	assert.GreaterOrEqual(t, opened["few"], 10)
	assert.Len(t, last, len(seen), "each is closed")
	for id, count := range last {
		assert.True(t, seen[id], "closed, but never opened")
		assert.Equal(t, "12", count, "the last word on %s", id)
	}
	r.groups(t, point(0, "rule", builtIn), point(0, "rule", "few"), point(0, "rule", "sessions"))
}

// A backend that hangs on an alert delays the call that raised it, and no other.
func TestHangingAlertHoldsUpNoOtherRecords(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, `{rules: [{}, {id: all, group_by: [cloud.account.id], threshold: 4000}]}`)
		r.start(t)
		release := make(chan struct{})
		r.next.refusing(func(_ context.Context, logs plog.Logs) error {
			if isAlerts(logs) {
				<-release
			}
			return nil
		})
		var hanging sync.WaitGroup
		hanging.Go(func() { assert.NoError(t, r.ConsumeLogs(t.Context(), bedrockLogs(burst("alice", 6)...))) })
		synctest.Wait()
		r.forwarded(t, 6)

		// Every shard is used, that of alice with the same user, and the timer goes on meanwhile.
		var calls []call
		for user := range 500 {
			calls = append(calls, burst(fmt.Sprint("user ", user), 2)...)
		}
		r.consume(t, bedrockLogs(calls...))
		r.consume(t, bedrockLogs(call{user: "alice", id: "one more", at: noon}))
		time.Sleep(5 * time.Second)
		r.groups(t, point(501, "rule", builtIn), point(1, "rule", "all"))
		r.forwarded(t, 6+1000+1)
		assert.Empty(t, r.next.alerts())

		close(release)
		hanging.Wait()
		assert.Equal(t, []string{"alice"}, attrsOf(r.next.alerts(), "user.id"))
	})
}

// A backend that hangs on a closed alert does not delay new ones.
func TestHangingTickHoldsUpNoRecordsAndNoAlerts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, `{}`)
		r.start(t)
		r.consume(t, bedrockLogs(burst("alice", 6)...))
		r.next.refusing(func(ctx context.Context, logs plog.Logs) error {
			if isAlerts(logs) && stateOf(records(logs))[0] == "closed" {
				<-ctx.Done()
				return ctx.Err()
			}
			return nil
		})
		time.Sleep(11 * time.Minute)
		synctest.Wait()
		r.consume(t, bedrockLogs(burst("bob", 6)...))
		assert.Equal(t, []string{"alice", "bob"}, attrsOf(r.next.alerts(), "user.id"))

		r.next.refusing(nil)
		require.NoError(t, r.Shutdown(t.Context()))
		assert.Equal(t, []string{"open", "open", "closed"}, stateOf(r.next.alerts()), "the hanging delivery is repeated when the collector stops")
	})
}

// epoch is when a bubble's clock begins.
var epoch = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// A backend takes the first record that it receives for the beginning of the alert.
func TestClosedIsNotDeliveredBeforeOpen(t *testing.T) {
	for name, slow := range map[string]bool{"the records are slow": true, "the alert is refused": false} {
		refuse := func(_ context.Context, logs plog.Logs) error {
			switch {
			case slow && !isAlerts(logs):
				time.Sleep(11 * time.Minute)
			case !slow && slices.Contains(stateOf(records(logs)), "open") && time.Now().Before(epoch.Add(11*time.Minute)):
				return errDown
			}
			return nil
		}
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, `{}`)
				r.start(t)
				r.next.refusing(refuse)
				r.consume(t, bedrockLogs(burst("alice", 6)...))
				time.Sleep(30 * time.Minute)
				synctest.Wait()
				assert.Equal(t, []string{"open", "closed"}, stateOf(r.next.alerts()))
			})
		})
	}
}

// Other alerts close in time although the delivery of one hangs.
func TestHangingTickDoesNotStopTheClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, `{retention: 10m}`)
		r.start(t)
		r.consume(t, bedrockLogs(burst("alice", 6)...))
		release := make(chan struct{})
		r.next.refusing(func(_ context.Context, logs plog.Logs) error {
			if isAlerts(logs) && attr(records(logs)[0], "user.id") == "alice" {
				<-release
			}
			return nil
		})
		time.Sleep(5 * time.Minute)
		r.consume(t, bedrockLogs(burst("bob", 6)...))
		time.Sleep(time.Hour)
		synctest.Wait()
		assert.Equal(t, []string{"open", "open", "closed"}, stateOf(r.next.alerts()), "bob's")
		close(release)
		time.Sleep(2 * time.Second)
		synctest.Wait()
	})
}

// After Shutdown nothing of the processor runs; goleak, in TestMain, checks it.
func TestTimersStopAtShutdown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // which does not end while a goroutine or a timer goes on
		r := newRig(t, `{}`)
		r.start(t)
		r.next.refusing(refuseAlerts)
		r.consume(t, bedrockLogs(burst("alice", 6)...))
		require.NoError(t, r.Shutdown(t.Context()))
		delivered := len(r.next.batches())
		time.Sleep(24 * time.Hour)
		synctest.Wait()
		assert.Len(t, r.next.batches(), delivered)
	})
}
