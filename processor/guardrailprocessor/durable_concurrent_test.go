// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package guardrailprocessor

import (
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/otelcol-guardrail/internal/state/storagetest"
)

// Another call's commit must not write that an alert was raised before it writes the alert: killed in between, nobody would tell it.
func TestAnotherCallsCommitTearsNoAlertFromItsInvocations(t *testing.T) {
	disk := storagetest.NewDisk()
	before := newRig(t, `{storage: file_storage}`)
	before.startOn(t, disk)
	before.outbox.mu.Lock() // where the call that raises the alert stops
	var calls sync.WaitGroup
	calls.Go(func() { _ = before.ConsumeLogs(t.Context(), bedrockLogs(burst("alice", 6)...)) })
	for before.rules[0].detector.Stats().Groups == 0 {
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
	before.outbox.mu.Unlock()
	calls.Wait()

	after := newRig(t, `{storage: file_storage}`)
	after.startOn(t, disk)
	after.consume(t, bedrockLogs(burst("alice", 6)...))
	require.Len(t, after.next.opened(), 1)
	assert.Equal(t, "alice", told(after.next.opened()[0], "user.id"))
}
