// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"cmp"
	"math/rand/v2"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/otelcol-guardrail/e2e/internal/bedrock"
	"example.com/otelcol-guardrail/e2e/internal/sink"
)

// scaleLoad returns a load for a fleet.
func scaleLoad(t *testing.T, batches int) load {
	t.Helper()
	drawn := cmp.Or(*seed, rand.Uint64())
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("to repeat: -seed=%d", drawn)
		}
	})
	return newLoad(rand.New(rand.NewPCG(drawn, 0)), batches, 5)
}

// However a user's calls are spread over the edges, one detector sees all of them.
func TestDetectorsRaiseTheAlertsOfOneInstance(t *testing.T) {
	t.Parallel()
	for name, w := range map[string]way{
		"ranges":                     byRanges,
		"ranges, only what counts":   byRanges.with("config/scale-out/counted-only.yaml"),
		"ranges, with whole records": byRanges.with("yaml:processors::transform/strip::log_statements: []"),
		"ring":                       byRing,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := scaleLoad(t, 60)
			f := newFleet(t, 3, 2, w)
			f.send(l.batches).wait()
			assert.Empty(t, f.faults(l, 0))
		})
	}
}

// What a detector misses while it is down waits at the edges; what an edge has accepted survives it.
func TestEndsOfDetectorsAndEdgesChangeNoAlert(t *testing.T) {
	t.Parallel()
	for name, w := range ways {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := scaleLoad(t, 120)
			f := newFleet(t, 3, 2, w)
			sent := f.send(l.batches)
			sent.await(t, 30)
			f.detectors[1].Stop(syscall.SIGKILL)
			sent.await(t, 50)
			f.detectors[1].start()
			sent.await(t, 80)
			f.edges[0].Stop(syscall.SIGKILL)
			f.edges[0].start()
			sent.wait()
			assert.Empty(t, f.faults(l, 2))
		})
	}
}

// Calls without a user belong to no detector. They are counted by account at the edge; other records are sent to the backend alone.
func TestCallsOfNobodyAreCountedAtTheEdge(t *testing.T) {
	t.Parallel()
	const calls = 51 // over the shipped rule's threshold
	f := newFleet(t, 3, 1, byRanges)
	burst := bedrock.Burst("", calls)
	for i := range burst {
		burst[i].User = ""
	}
	logs := bedrock.Logs(burst...)
	logs.ResourceLogs().At(0).Resource().Attributes().Clear() // the service would stand for the user
	logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().AppendEmpty().Body().SetStr("GET /index.html 200")
	edge := f.edges[0]
	require.NoError(t, edge.Dial(t).Send(t.Context(), logs))
	raised := alertsIn(f.out.Await(t, func(r sink.Request) bool { return len(alertsIn(r.Logs)) > 0 }).Logs) // among records: the queue batches
	require.Len(t, raised, 1)
	assert.Equal(t, "unguarded_nobody", raised[0].rule())
	assert.Equal(t, bedrock.Account, raised[0].account())
	assert.Equal(t, calls, raised[0].count())
	assert.InDelta(t, calls, edge.Sample(excluded+`{reason="no_partition"}`), 0)
	f.drain()
	for _, d := range f.detectors {
		assert.Zero(t, d.Sample(invocations), d.name)
	}
	f.stop()
}
