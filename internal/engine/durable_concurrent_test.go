// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package engine_test

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/extension/xextension/storage"

	"example.com/otelcol-guardrail/internal/state/storagetest"
)

// Another call's commit must not write that an alert was raised before it writes the alert: if the collector is killed in between, the alert is lost.
func TestAnotherCallsCommitTearsNoAlertFromItsInvocations(t *testing.T) {
	disk := storagetest.NewDisk()
	before := newRig(t, `{storage: file_storage}`)
	before.startOn(t, disk)
	resume := before.HoldAlerts() // where the call that raises the alert stops
	var calls sync.WaitGroup
	calls.Go(func() { _ = before.ConsumeLogs(t.Context(), bedrockLogs(burst("alice", 6)...)) })
	for before.Groups() == 0 {
		runtime.Gosched()
	}
	committed := make(chan struct{})
	calls.Go(func() {
		defer close(committed)
		_ = before.ConsumeLogs(t.Context(), bedrockLogs(burst("bob", 1)...))
	})
	select {
	case <-committed: // which must not be
	case <-time.After(100 * time.Millisecond):
	}
	disk = before.crash(disk)
	resume()
	calls.Wait()

	after := newRig(t, `{storage: file_storage}`)
	after.startOn(t, disk)
	after.consume(t, bedrockLogs(burst("alice", 6)...))
	require.Len(t, after.next.opened(), 1)
	assert.Equal(t, "alice", attr(after.next.opened()[0], "user.id"))
}

// Many senders at once share commits; each call is in the storage before it is acknowledged.
func TestManyCallsAtOnceAreKept(t *testing.T) {
	const senders, users = 8, 30
	disk := storagetest.NewDisk()
	r := startDurable(t, disk)
	var all sync.WaitGroup
	for sender := range senders {
		all.Go(func() { // each call comes from two of them
			for user := range users {
				calls := burst(fmt.Sprint("user ", user), 8)
				assert.NoError(t, r.ConsumeLogs(t.Context(), bedrockLogs(calls[sender/2*2:sender/2*2+2]...)))
			}
		})
	}
	all.Wait()
	assert.LessOrEqual(t, disk.Calls(), 2+senders*users+users, "no more commits than calls")
	opened := r.next.opened()
	assert.Len(t, opened, users)
	r.forwarded(t, senders*users*2)
	r.excluded(t, point(senders*users, "rule", builtIn, "reason", "duplicate"))
	r.statuses(t)

	after := startDurable(t, r.kill())
	for user := range users {
		after.consume(t, bedrockLogs(burst(fmt.Sprint("user ", user), 8)...))
	}
	assert.Empty(t, after.next.alerts(), "all of it is known")
	after.excluded(t, point(8*users, "rule", builtIn, "reason", "duplicate"))
}

// Senders that go away, a storage that fails now and then and a shutdown, all at once: nothing hangs, races or leaks.
func TestManyCallsAtOnceWhileThingsFail(t *testing.T) {
	disk := storagetest.NewDisk()
	r := startDurable(t, disk)
	disk.Faulty(func(call int, _ []*storage.Operation) error {
		if call%7 == 0 {
			return errDisk
		}
		return nil
	})
	r.next.refusing(refuseAlerts)
	var all sync.WaitGroup
	for sender := range 8 {
		all.Go(func() {
			for i := range 20 {
				ctx, cancel := context.WithCancel(t.Context())
				if i%3 == 0 {
					cancel()
				}
				_ = r.ConsumeLogs(ctx, bedrockLogs(burst(fmt.Sprint(sender, "-", i), 6)...))
				cancel()
			}
		})
	}
	all.Go(func() { _ = r.Shutdown(t.Context()) })
	all.Wait()
	r.dead = true
}

// A sender that goes away while it waits for the commit gets an error; what it sends again counts once, and its alert is delivered.
func TestSenderThatGoesDuringTheCommit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		disk := storagetest.NewDisk()
		r := startDurable(t, disk)
		disk.Faulty(func(int, []*storage.Operation) error {
			time.Sleep(2 * time.Second)
			return nil
		})
		calls := bedrockLogs(burst("alice", 6)...)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		require.ErrorIs(t, r.ConsumeLogs(ctx, calls), context.DeadlineExceeded)
		assert.Empty(t, r.next.batches(), "neither forwarded nor reported before it is stored")

		r.consume(t, calls)
		r.forwarded(t, 6)
		r.excluded(t, point(6, "rule", builtIn, "reason", "duplicate"))
		time.Sleep(time.Minute)
		synctest.Wait()
		assert.Equal(t, []string{"6"}, attrsOf(r.next.opened(), "gen_ai_guardrail.count"))
		assert.Empty(t, waiting(disk))
	})
}
