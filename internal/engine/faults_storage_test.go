// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package engine_test

import (
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.uber.org/zap"

	"example.com/otelcol-guardrail/internal/state/storagetest"
)

// A slow storage delays the call that waits for it, and everything is kept.
func TestFaultSlowStorage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		disk := storagetest.NewDisk()
		r := startDurable(t, disk)
		disk.Faulty(func(int, []*storage.Operation) error {
			time.Sleep(2 * time.Second)
			return nil
		})
		calls := burst("alice", 6)
		assert.Equal(t, 2*time.Second, took(func() { r.consume(t, bedrockLogs(calls[:5]...)) }))
		before := disk.Calls()
		var all sync.WaitGroup
		for i := range 100 {
			all.Go(func() { r.consume(t, bedrockLogs(burst(fmt.Sprint("user ", i), 1)...)) })
		}
		assert.LessOrEqual(t, took(all.Wait), 4*time.Second)
		assert.LessOrEqual(t, disk.Calls()-before, 2, "calls at the same time share a commit")
		r.statuses(t)
		r.stateErrors(t, 0)
		assert.Empty(t, r.errorLines())
		remembers(t, r.kill(), calls)
	})
}

// A storage that hangs delays one call until its timeout, and no later one.
func TestFaultHangingStorage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		disk := storagetest.NewDisk()
		r := startDurable(t, disk)
		disk.Faulty(func(int, []*storage.Operation) error {
			time.Sleep(time.Hour)
			return nil
		})
		calls := burst("alice", 6)
		assert.Equal(t, 5*time.Second, took(func() { r.consume(t, bedrockLogs(calls[:5]...)) }))
		assert.Zero(t, took(func() { r.consume(t, bedrockLogs(burst("bob", 6)...)) }))
		assert.Len(t, r.next.opened(), 1, "an alert does not wait for the storage")
		r.statuses(t, statusTrouble)
		r.stateErrors(t, 1)
		assert.Len(t, r.errorLines(), 1)

		disk.Faulty(nil)
		time.Sleep(time.Hour)
		synctest.Wait()
		r.statuses(t, statusTrouble, statusOK)
		remembers(t, r.kill(), calls)
	})
}

// A storage failure loses no record and no alert; pending changes are written once it works again.
func TestFaultFailingStorage(t *testing.T) {
	for name, fault := range map[string]error{"failing": errDisk, "full": storage.ErrStorageFull} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				disk := storagetest.NewDisk()
				r := startDurable(t, disk)
				disk.Faulty(func(int, []*storage.Operation) error { return fault })
				calls := burst("alice", 6)
				assert.Zero(t, took(func() { r.consume(t, bedrockLogs(calls[:5]...)) }))
				r.consume(t, bedrockLogs(burst("bob", 6)...))
				assert.Len(t, r.next.opened(), 1)
				r.forwarded(t, 11)
				r.statuses(t, statusTrouble)
				assert.Equal(t, fault, r.host.events[0].Err())
				r.stateErrors(t, 1)

				disk.Faulty(nil)
				time.Sleep(time.Minute)
				synctest.Wait()
				r.statuses(t, statusTrouble, statusOK)
				r.stateErrors(t, 1)
				assert.Len(t, r.logged.FilterMessageSnippet("The storage works").All(), 1)
				remembers(t, r.kill(), calls)
			})
		})
	}
}

// A storage that fails for an hour does not fill the log, whatever the traffic.
func TestFaultyStorageIsLoggedSparsely(t *testing.T) {
	for name, fault := range map[string]func(int) error{
		"always":       func(int) error { return errDisk },
		"now and then": func(call int) error { return map[bool]error{true: errDisk}[call%2 == 0] },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				disk := storagetest.NewDisk()
				r := startDurable(t, disk)
				disk.Faulty(func(call int, _ []*storage.Operation) error { return fault(call) })
				const pause = 250 * time.Millisecond
				for i := range int(time.Hour / pause) {
					r.consume(t, eventLogs(call{user: strconv.Itoa(i), id: "1", at: noon}))
					time.Sleep(pause)
				}
				errs := r.logged.FilterLevelExact(zap.ErrorLevel).All()
				assert.NotEmpty(t, errs)
				for i := 1; i < len(errs); i++ {
					assert.GreaterOrEqual(t, errs[i].Time.Sub(errs[i-1].Time), time.Minute, errs[i].Message)
				}
				assert.LessOrEqual(t, r.logged.Len(), 2*len(errs)+1, "an error, and that it is over; and once what the first records were")
				disk.Faulty(nil)
			})
		})
	}
}

// A storage that cannot be read at startup prevents the collector from starting: its content must not be overwritten.
func TestFaultUnreadableStorageAtStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		disk := storagetest.NewDisk()
		calls := burst("alice", 6)
		before := startDurable(t, disk)
		before.consume(t, bedrockLogs(calls[:5]...))
		disk = before.kill()
		disk.Faulty(failing)
		r := newDurableRig(t, disk, durableSettings)
		err := r.Start(t.Context(), r.host)
		require.ErrorIs(t, err, errDisk)
		require.ErrorContains(t, err, "storage: ")
		disk.Faulty(nil)
		remembers(t, disk, calls)
	})
}

// A storage that cannot be written to at startup is handled like one that fails later, even by the next start.
func TestFaultUnwritableStorageAtStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		disk := storagetest.NewDisk()
		disk.Faulty(failingToWrite)
		r := startDurable(t, disk)
		calls := burst("alice", 6)
		r.consume(t, bedrockLogs(calls[:5]...))
		r.consume(t, bedrockLogs(burst("bob", 6)...))
		assert.Len(t, r.next.opened(), 1)
		assert.Contains(t, r.host.statuses(), statusTrouble)
		assert.NotContains(t, r.host.statuses(), statusOK)
		disk.Faulty(nil)
		time.Sleep(time.Minute)
		synctest.Wait()
		assert.Equal(t, statusOK, r.host.statuses()[len(r.host.statuses())-1])
		remembers(t, r.kill(), calls)
	})
}

// Records wait once for a storage that returns nothing, not for each part of the state.
func TestFaultStorageIsWaitedForOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		disk := diskOf(t)
		disk.Faulty(failingToRead) // neither pages nor alerts
		r := newDurableRig(t, disk, durableSettings)
		require.NoError(t, r.Start(t.Context(), r.host))
		waited := took(func() { require.NoError(t, r.AwaitState(t.Context())) })
		assert.Greater(t, waited, 10*time.Second)
		assert.Less(t, waited, 20*time.Second)
	})
}

// Stored alerts that cannot be read at startup delay nothing, and are delivered once they can be read, in this run or the next.
func TestFaultStorageThatDoesNotReturnAlerts(t *testing.T) {
	withholding := func(_ int, ops []*storage.Operation) error {
		if ops[0].Type == storage.Get && strings.HasPrefix(ops[0].Key, "1/o/") {
			return errDisk
		}
		return nil
	}
	for name, again := range map[string]bool{"while it runs": false, "after a restart": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				disk := diskOf(t)
				require.Len(t, waiting(disk), 1)
				disk.Faulty(withholding)
				r := startDurable(t, disk)
				r.consume(t, bedrockLogs(burst("erin", 6)...))
				assert.Equal(t, []string{"erin"}, attrsOf(r.next.opened(), "user.id"))
				assert.Len(t, waiting(disk), 1, "its number was not assigned to another")
				assert.Len(t, r.errorLines(), 2, "that the storage fails, and what waits for it")
				if again {
					require.NoError(t, r.Shutdown(t.Context()))
					r = startDurable(t, disk)
				}
				time.Sleep(2 * time.Minute)
				r.consume(t, bedrockLogs(burst("frank", 5)...))
				disk.Faulty(nil)
				time.Sleep(2 * time.Minute)
				synctest.Wait()
				assert.Contains(t, attrsOf(r.next.opened(), "user.id"), "waiting")
				assert.Empty(t, waiting(disk))
				r.silent(t, "alerts_dropped")
				remembers(t, r.kill(), burst("frank", 6))
			})
		})
	}
}

// Reading pages is retried for a while, during which records wait; pages that still cannot be read are skipped.
func TestFaultStorageThatFailsWhileTheStateIsRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		disk := storagetest.NewDisk()
		calls := burst("alice", 6)
		before := startDurable(t, disk)
		before.consume(t, bedrockLogs(calls[:5]...))
		disk = before.kill()

		disk.Faulty(failingToRead)
		r := newDurableRig(t, disk, durableSettings)
		require.NoError(t, r.Start(t.Context(), r.host))
		waited := took(func() { r.consume(t, bedrockLogs(calls[5])) })
		assert.Greater(t, waited, 10*time.Second)
		assert.Less(t, waited, time.Minute)
		assert.Empty(t, r.next.alerts(), "the five are not known")
		assert.Contains(t, r.host.statuses(), statusTrouble)
		r.consume(t, bedrockLogs(burst("bob", 6)...))
		assert.Len(t, r.next.opened(), 1)

		disk.Faulty(nil) // the pages are still there, and with the sixth call due
		after := startDurable(t, r.kill())
		assert.Equal(t, []string{"alice"}, attrsOf(after.next.opened(), "user.id"))
	})
}
