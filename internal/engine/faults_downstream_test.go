// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package engine_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/pdata/plog"

	"example.com/otelcol-guardrail/internal/state/storagetest"
)

// waiting returns the keys of the undelivered alerts in the storage.
func waiting(disk *storagetest.Disk) (keys []string) {
	for _, key := range disk.Keys() {
		if len(key) > 4 && key[1:4] == "/o/" {
			keys = append(keys, key)
		}
	}
	return keys
}

// A next component that is slow, or blocks for minutes, delays the call that delivers to it and nothing else.
func TestFaultBlockingDownstream(t *testing.T) {
	for name, pause := range map[string]time.Duration{"slow": time.Second, "blocking for minutes": 9 * time.Minute} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				disk := storagetest.NewDisk()
				r := startDurable(t, disk)
				r.next.refusing(func(_ context.Context, logs plog.Logs) error {
					if !isAlerts(logs) {
						time.Sleep(pause)
					}
					return nil
				})
				begun, done := time.Now(), make(chan time.Duration, 1)
				go func() {
					assert.NoError(t, r.ConsumeLogs(t.Context(), bedrockLogs(burst("alice", 6)...)))
					done <- time.Since(begun)
				}()
				synctest.Wait()
				assert.NotEmpty(t, waiting(disk), "kept before the records are forwarded")
				r.next.refusing(nil)
				assert.Zero(t, took(func() { r.consume(t, bedrockLogs(burst("bob", 6)...)) }))
				assert.Equal(t, []string{"bob"}, attrsOf(r.next.opened(), "user.id"))
				assert.Equal(t, pause, <-done)
				assert.Equal(t, []string{"bob", "alice"}, attrsOf(r.next.opened(), "user.id"))
				assert.Empty(t, waiting(disk))
				r.statuses(t)
			})
		})
	}
}

// HTTP servers recover from a panic of a component after a receiver. The alert of the call is delivered all the same.
func TestFaultPanickingDownstream(t *testing.T) {
	r := newRig(t, `{}`)
	r.next.refusing(func(_ context.Context, logs plog.Logs) error {
		if !isAlerts(logs) {
			panic("of the next component")
		}
		return nil
	})
	calls := bedrockLogs(burst("alice", 100)...)
	assert.PanicsWithValue(t, "of the next component", func() { _ = r.ConsumeLogs(t.Context(), calls) })
	r.next.refusing(nil)
	assert.Equal(t, []string{"open", "escalated"}, stateOf(r.next.alerts()))
	r.consume(t, bedrockLogs(burst("alice", 600)...))
	assert.Equal(t, []string{"open", "escalated", "escalated"}, stateOf(r.next.alerts()))
}

// Refused records are left to the sender to send again, and count once; their alert is delivered.
func TestFaultRefusingDownstream(t *testing.T) {
	for name, refusal := range map[string]error{"for now": errDown, "for good": consumererror.NewPermanent(errDown)} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				disk := storagetest.NewDisk()
				r := startDurable(t, disk)
				r.next.refusing(func(_ context.Context, logs plog.Logs) error {
					if isAlerts(logs) {
						return nil
					}
					return refusal
				})
				calls := bedrockLogs(burst("alice", 6)...)
				for range 3 {
					assert.Equal(t, refusal, r.ConsumeLogs(t.Context(), calls), "as it came")
				}
				assert.Equal(t, []string{"6"}, attrsOf(r.next.opened(), "gen_ai_guardrail.count"))
				r.excluded(t, point(12, "rule", builtIn, "reason", "duplicate"))

				after := startDurable(t, r.kill())
				after.consume(t, calls)
				assert.Empty(t, after.next.opened(), "delivered and counted before the restart")
				after.forwarded(t, 6)
			})
		})
	}
}

// Refused alerts stay in the storage across restarts; one that is refused permanently is in the log.
func TestFaultRefusedAlerts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		disk := storagetest.NewDisk()
		r := startDurable(t, disk)
		r.next.refusing(refuseAlerts)
		r.consume(t, bedrockLogs(append(burst("alice", 6), burst("poison", 6)...)...))
		r.pending(t, point(2, "rule", builtIn))
		assert.Len(t, waiting(disk), 2)
		disk = r.kill()

		still := startDurableRefusing(t, disk, refuseAlerts)
		still.pending(t, point(2, "rule", builtIn))
		still.consume(t, bedrockLogs(burst("bob", 6)...)) // must not replace another alert
		assert.Len(t, waiting(disk), 3)
		disk = still.kill()

		after := startDurableRefusing(t, disk, refuseUser("poison"))
		assert.Equal(t, []string{"alice", "bob"}, attrsOf(after.next.opened(), "user.id"), "before any record")
		after.pending(t, point(0, "rule", builtIn))
		after.dropped(t, point(1, "rule", builtIn))
		assert.Len(t, after.errorLines(), 1)
		assert.Empty(t, waiting(disk))
		assert.Empty(t, after.host.statuses(), "the storage is well")
	})
}

// Whoever watches the collector's health sees alerts that nobody receives, until they are delivered.
func TestFaultRefusedAlertsShowInTheStatus(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := startDurable(t, storagetest.NewDisk())
		r.next.refusing(refuseAlerts)
		r.consume(t, bedrockLogs(burst("alice", 6)...))
		r.statuses(t, statusTrouble)
		require.ErrorIs(t, r.host.events[0].Err(), errDown)
		r.consume(t, bedrockLogs(burst("bob", 1)...))
		time.Sleep(5 * time.Second) // refused again
		synctest.Wait()
		r.statuses(t, statusTrouble)

		r.disk.Faulty(failing)
		r.consume(t, bedrockLogs(burst("bob", 6)...))
		r.disk.Faulty(nil)
		time.Sleep(5 * time.Second) // the storage works again
		synctest.Wait()
		r.statuses(t, statusTrouble)

		r.next.refusing(nil)
		time.Sleep(time.Minute)
		synctest.Wait()
		assert.Len(t, r.next.opened(), 2)
		r.statuses(t, statusTrouble, statusOK)

		r.next.refusing(refuseAlerts)
		r.consume(t, bedrockLogs(burst("carol", 6)...))
		r.next.refusing(nil)
		require.NoError(t, r.Shutdown(t.Context()))
		r.statuses(t, statusTrouble, statusOK, statusTrouble) // a component that stops reports nothing
	})
}

// startDurableRefusing starts a processor whose next component refuses from the first moment on.
func startDurableRefusing(t *testing.T, disk *storagetest.Disk, refuse func(context.Context, plog.Logs) error) *durableRig {
	t.Helper()
	r := newDurableRig(t, disk, durableSettings)
	r.next.refusing(refuse)
	require.NoError(t, r.Start(t.Context(), r.host))
	require.NoError(t, r.AwaitState(t.Context()))
	return r
}

// limiter stands for a memory_limiter before the processor, which refuses.
type limiter struct {
	*rig
	refuses bool
}

func (l *limiter) ConsumeLogs(ctx context.Context, logs plog.Logs) error {
	if l.refuses {
		return errors.New("data refused due to high memory usage")
	}
	return l.rig.ConsumeLogs(ctx, logs)
}

// The processor does not see what is refused before it: the sender's retry counts, once.
func TestFaultRefusalInFront(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		disk := storagetest.NewDisk()
		r := startDurable(t, disk)
		front := &limiter{rig: r.rig, refuses: true}
		calls := bedrockLogs(burst("alice", 6)...)
		before := disk.Calls()
		for range 10 {
			require.Error(t, front.ConsumeLogs(t.Context(), calls))
		}
		assert.Equal(t, before, disk.Calls())
		r.silent(t, "invocations")
		front.refuses = false
		require.NoError(t, front.ConsumeLogs(t.Context(), calls))
		r.invocations(t, point(6, "verdict", "unguarded", "evidence", "absent"))
		r.silent(t, "invocations_excluded")
		assert.Equal(t, []string{"6"}, attrsOf(r.next.opened(), "gen_ai_guardrail.count"))
		r.forwarded(t, 6)
	})
}
