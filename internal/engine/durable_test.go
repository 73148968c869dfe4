// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package engine_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/pdata/plog"

	"example.com/otelcol-guardrail/internal/state/storagetest"
)

// storageHost is a host with a storage extension under the id file_storage.
type storageHost struct{ disk *storagetest.Disk }

func (h storageHost) GetExtensions() map[component.ID]component.Component {
	return map[component.ID]component.Component{component.MustNewID("file_storage"): h.disk}
}

// startOn starts the processor with its state on a disk, and waits until it is read.
func (r *rig) startOn(t *testing.T, disk *storagetest.Disk) {
	t.Helper()
	require.NoError(t, r.Start(t.Context(), storageHost{disk}))
	require.NoError(t, r.AwaitState(t.Context()))
}

// crash ends the processor as kill -9 would, and returns the disk as it is then.
func (r *rig) crash(disk *storagetest.Disk) *storagetest.Disk {
	r.dead = true
	r.next.refusing(func(context.Context, plog.Logs) error { return errDown })
	return disk.Crash()
}

// A burst that a restart cuts in two is still one burst.
func TestBurstAcrossARestartAlerts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		disk := storagetest.NewDisk()
		calls := burst("alice", 6)
		before := newRig(t, `{storage: file_storage}`)
		before.startOn(t, disk)
		before.consume(t, bedrockLogs(calls[:4]...))
		disk = before.crash(disk)

		after := newRig(t, `{storage: file_storage}`)
		after.startOn(t, disk)
		after.consume(t, bedrockLogs(calls[2:]...)) // two of them for the second time
		alerts := after.next.alerts()
		require.Len(t, alerts, 1)
		assert.Equal(t, "6", attr(alerts[0], "gen_ai_guardrail.count"))
		require.NoError(t, after.Shutdown(context.Background()))

		// An alert goes on, and ends, over a restart.
		last := newRig(t, `{storage: file_storage}`)
		last.startOn(t, disk)
		last.consume(t, bedrockLogs(calls...))
		assert.Empty(t, last.next.alerts())
		time.Sleep(11 * time.Minute)
		synctest.Wait()
		require.Len(t, last.next.alerts(), 1)
		assert.Equal(t, "closed", attr(last.next.alerts()[0], "gen_ai_guardrail.alert.state"))
		assert.Equal(t, attr(alerts[0], "gen_ai_guardrail.alert.id"), attr(last.next.alerts()[0], "gen_ai_guardrail.alert.id"))
	})
}

// A restart is no way around the limit of alerts, nor around what it says in ten minutes, even where alerts are soon forgotten.
func TestLimitHoldsOverARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const settings = `{storage: file_storage, retention: 1s, rules: [{alert: {limit: 1, keep_alive: 1s}}]}`
		r := startDurableOf(t, storagetest.NewDisk(), settings)
		r.consume(t, bedrockLogs(burst("alice", 6)...))
		time.Sleep(7 * time.Minute)
		synctest.Wait()
		require.Equal(t, []string{"open", "closed"}, stateOf(r.next.alerts()))
		r.groups(t, point(0, "rule", builtIn))

		r = startDurableOf(t, r.kill(), settings)
		r.consume(t, bedrockLogs(burst("bob", 6)...))
		assert.Empty(t, r.next.alerts())
		time.Sleep(4 * time.Minute)
		r.consume(t, bedrockLogs(burst("carol", 6)...))
		assert.Equal(t, []string{"carol"}, attrsOf(r.next.opened(), "user.id"))
	})
}
