// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"cmp"
	"math/rand/v2"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
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
