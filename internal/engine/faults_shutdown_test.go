// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package engine_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.opentelemetry.io/collector/pdata/plog"

	"example.com/otelcol-guardrail/internal/engine"
	"example.com/otelcol-guardrail/internal/state/storagetest"
)

// A shutdown while the state is being read ends quickly, releases waiting calls, and loses no state.
func TestFaultShutdownWhileTheStateIsRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		disk := storagetest.NewDisk()
		calls := burst("alice", 6)
		before := startDurable(t, disk)
		before.consume(t, bedrockLogs(calls[:5]...))
		disk = before.kill()

		disk.Faulty(failingToRead)
		r := newDurableRig(t, disk, durableSettings)
		require.NoError(t, r.Start(t.Context(), r.host))
		result := make(chan error, 1)
		go func() { result <- r.ConsumeLogs(context.Background(), bedrockLogs(calls[5])) }()
		synctest.Wait()
		require.NoError(t, r.Shutdown(t.Context()))
		require.Error(t, <-result, "the sender keeps what was not counted")
		assert.Empty(t, r.next.batches())
		require.NoError(t, r.Shutdown(t.Context()))

		disk.Faulty(nil)
		remembers(t, disk, calls)
	})
}

// A shutdown while an alert is being retried keeps it for the next start.
func TestFaultShutdownDuringARetry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		disk := storagetest.NewDisk()
		r := startDurable(t, disk)
		r.next.refusing(refuseAlerts)
		r.consume(t, bedrockLogs(burst("alice", 6)...))
		r.next.refusing(func(ctx context.Context, _ plog.Logs) error {
			<-ctx.Done()
			return ctx.Err()
		})
		time.Sleep(time.Second) // it is being tried
		synctest.Wait()
		assert.LessOrEqual(t, took(func() { require.NoError(t, r.Shutdown(t.Context())) }), engine.InFlightGrace+engine.DeliveryTimeout+engine.InFlightGrace)
		r.silent(t, "alerts_dropped")
		assert.Len(t, waiting(disk), 1)
		require.NoError(t, r.Shutdown(t.Context()))

		after := startDurable(t, disk)
		assert.Equal(t, []string{"alice"}, attrsOf(after.next.opened(), "user.id"))
	})
}

// A delivery in flight is waited for briefly when the sender goes away or the collector stops: the backend may already have the alert,
// and would receive it twice.
func TestShutdownWaitsForAnAlertUnderWay(t *testing.T) {
	alice := bedrockLogs(burst("alice", 6)...)
	type backend = func(context.Context, plog.Logs) error
	var call sync.WaitGroup
	ways := map[string]func(context.Context, *testing.T, *durableRig, backend) *durableRig{
		"by a call": func(ctx context.Context, _ *testing.T, r *durableRig, slow backend) *durableRig {
			r.next.refusing(func(ctx context.Context, logs plog.Logs) error {
				if isAlerts(logs) {
					return slow(ctx, logs)
				}
				return nil
			})
			call.Go(func() { _ = r.ConsumeLogs(ctx, alice) })
			return r
		},
		"at the start": func(_ context.Context, t *testing.T, r *durableRig, slow backend) *durableRig {
			r.next.refusing(refuseAlerts)
			r.consume(t, alice)
			after := newDurableRig(t, r.kill(), durableSettings)
			after.next.refusing(slow)
			require.NoError(t, after.Start(t.Context(), after.host))
			return after
		},
		"tried again": func(_ context.Context, t *testing.T, r *durableRig, slow backend) *durableRig {
			r.next.refusing(refuseAlerts)
			r.consume(t, alice)
			r.next.refusing(slow)
			return r
		},
		"by the timer": func(_ context.Context, t *testing.T, r *durableRig, slow backend) *durableRig {
			r.consume(t, alice)
			r.next.refusing(slow)
			return r
		},
	}
	for name, deliver := range ways {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				arrived := make(chan struct{}, 10)
				ctx, cancel := context.WithCancel(t.Context())
				r := deliver(ctx, t, startDurable(t, storagetest.NewDisk()), func(ctx context.Context, _ plog.Logs) error {
					arrived <- struct{}{}
					select {
					case <-time.After(engine.InFlightGrace - time.Millisecond):
						return nil
					case <-ctx.Done(): // it is taken all the same
						return ctx.Err()
					}
				})
				<-arrived
				cancel()
				call.Wait() // as receivers do
				require.NoError(t, r.Shutdown(t.Context()))
				assert.Empty(t, arrived, "delivered again")
				assert.Empty(t, waiting(r.disk))
				after := startDurable(t, r.disk)
				assert.Empty(t, after.next.alerts(), "delivered again")
			})
		})
	}
}

// That is so although the shutdown has no time at all: the alert is not dropped, and no error is logged.
func TestShutdownWithoutTimeWaitsForAnAlertUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := startDurable(t, storagetest.NewDisk())
		r.next.refusing(refuseAlerts)
		r.consume(t, bedrockLogs(burst("alice", 6)...))
		arrived := make(chan struct{})
		r.next.refusing(func(context.Context, plog.Logs) error {
			close(arrived)
			time.Sleep(engine.InFlightGrace - time.Millisecond)
			return nil
		})
		<-arrived
		expired, cancel := context.WithCancel(t.Context())
		cancel()
		_ = r.Shutdown(expired) // the state may have had no time
		assert.Len(t, r.next.opened(), 1)
		assert.Empty(t, r.errorLines())
	})
}

// A shutdown does not wait for a storage that hangs, and reports what is lost.
func TestFaultShutdownWithAHangingStorage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		disk := storagetest.NewDisk()
		r := startDurable(t, disk)
		disk.Faulty(func(int, []*storage.Operation) error {
			time.Sleep(time.Hour)
			return nil
		})
		r.consume(t, bedrockLogs(burst("alice", 5)...))
		var err error
		assert.LessOrEqual(t, took(func() { err = r.Shutdown(t.Context()) }), 15*time.Second)
		require.ErrorContains(t, err, "storage: could not write the remaining state")
		require.NoError(t, r.Shutdown(t.Context()))
		time.Sleep(2 * time.Hour) // nobody waits for it any more but the test
	})
}

// Records in flight while the processor stops are not delayed and cause no error.
func TestFaultShutdownDuringACommit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		disk := storagetest.NewDisk()
		r := startDurable(t, disk)
		disk.Faulty(func(int, []*storage.Operation) error {
			time.Sleep(time.Second)
			return nil
		})
		calls := burst("alice", 6)
		result := make(chan error, 2)
		for _, part := range [][]call{calls[:2], calls[2:5]} { // the second waits for the first's commit
			go func() { result <- r.ConsumeLogs(t.Context(), bedrockLogs(part...)) }()
			synctest.Wait()
		}
		assert.LessOrEqual(t, took(func() { require.NoError(t, r.Shutdown(t.Context())) }), 3*time.Second)
		assert.Less(t, took(func() {
			require.NoError(t, <-result)
			require.NoError(t, <-result)
		}), time.Second)
		r.statuses(t)
		r.stateErrors(t, 0)
		disk.Faulty(nil)
		remembers(t, disk, calls)
	})
}

// Without a start, and twice.
func TestFaultShutdownWithoutStart(t *testing.T) {
	r := newDurableRig(t, storagetest.NewDisk(), durableSettings)
	require.NoError(t, r.Shutdown(t.Context()))
	require.NoError(t, r.Shutdown(t.Context()))
	assert.Empty(t, r.disk.Keys())
	assert.Empty(t, r.logged.All())
}

// A shutdown is a checkpoint: what was counted, and which alerts are open, is known after it.
func TestShutdownIsACheckpoint(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		disk := storagetest.NewDisk()
		calls := burst("alice", 6)
		r := startDurable(t, disk)
		r.consume(t, bedrockLogs(calls[:5]...))
		r.consume(t, bedrockLogs(burst("bob", 6)...))
		time.Sleep(9 * time.Minute)
		require.NoError(t, r.Shutdown(t.Context()))
		assert.Equal(t, []string{"open"}, stateOf(r.next.alerts()))

		after := startDurable(t, disk)
		time.Sleep(61 * time.Second)
		synctest.Wait()
		assert.Equal(t, []string{"closed"}, stateOf(after.next.alerts()), "ten minutes of running time after the last call")
		require.NoError(t, after.Shutdown(t.Context()))
		remembers(t, disk, calls)
	})
}

// Suppressed alerts are in the state: the next run reports them when they are due, once, and not the one that stops.
func TestShutdownKeepsWhatTheLimitHeldBack(t *testing.T) {
	const settings = `{storage: file_storage, rules: [{alert: {limit: 1}}]}`
	ends := map[string]func(*testing.T, *durableRig) *storagetest.Disk{
		"shutdown": func(t *testing.T, r *durableRig) *storagetest.Disk {
			require.NoError(t, r.Shutdown(t.Context()))
			return r.disk
		},
		"kill": func(_ *testing.T, r *durableRig) *storagetest.Disk { return r.kill() },
	}
	for name, end := range ends {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := startDurableOf(t, storagetest.NewDisk(), settings)
				for _, user := range []string{"alice", "bob", "carol"} {
					r.consume(t, bedrockLogs(burst(user, 6)...))
				}
				time.Sleep(time.Minute)
				disk := end(t, r)
				assert.Equal(t, []string{"open"}, stateOf(r.next.alerts()))

				r = startDurableOf(t, disk, settings)
				time.Sleep(10*time.Minute + 2*time.Second)
				synctest.Wait()
				alerts := r.next.alerts()
				require.ElementsMatch(t, []string{"closed", "overflow"}, stateOf(alerts))
				overflow := alerts[slices.Index(stateOf(alerts), "overflow")]
				assert.Equal(t, "2", attr(overflow, "gen_ai_guardrail.overflow.groups"))
				disk = end(t, r)

				r = startDurableOf(t, disk, settings)
				time.Sleep(time.Hour)
				synctest.Wait()
				assert.Empty(t, r.next.alerts())
			})
		})
	}
}

// Nor does it wait for a storage that hangs while the state is read.
func TestFaultShutdownWhileTheStorageHangsAtTheStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		before := startDurable(t, storagetest.NewDisk())
		before.consume(t, bedrockLogs(burst("alice", 5)...))
		disk := before.kill()
		disk.Faulty(func(_ int, ops []*storage.Operation) error {
			if failingToRead(0, ops) != nil {
				time.Sleep(time.Hour)
			}
			return nil
		})
		r := newDurableRig(t, disk, durableSettings)
		require.NoError(t, r.Start(t.Context(), r.host))
		synctest.Wait()
		var err error
		assert.LessOrEqual(t, took(func() { err = r.Shutdown(context.Background()) }), 15*time.Second)
		require.ErrorContains(t, err, "storage")
		require.NoError(t, r.Shutdown(context.Background()))
		time.Sleep(2 * time.Hour)
	})
}

// A collector that crashes repeatedly, with nothing to count, closes its alerts and reports suppressed ones not much later than one that
// keeps running.
func TestCrashLoopClosesAlerts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const settings = `{storage: file_storage, rules: [{alert: {limit: 1}}]}`
		r := startDurableOf(t, storagetest.NewDisk(), settings)
		r.consume(t, bedrockLogs(append(burst("alice", 6), burst("bob", 6)...)...))
		var states []string
		lived := time.Duration(0)
		for ; len(states) < 3 && lived < time.Hour; lived += time.Minute {
			time.Sleep(time.Minute)
			synctest.Wait()
			states = append(states, stateOf(r.next.alerts())...)
			r = startDurableOf(t, r.kill(), settings)
		}
		assert.Equal(t, []string{"open", "closed", "overflow"}, states)
		assert.LessOrEqual(t, lived, 12*time.Minute, "each crash takes back ten seconds at most")

		time.Sleep(11 * time.Minute) // until the next overflow may be reported
		calls := r.disk.Calls()
		time.Sleep(10 * time.Minute)
		assert.LessOrEqual(t, r.disk.Calls(), calls+1, "nothing waits, but that a generation may begin")
	})
}
