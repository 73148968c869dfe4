// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/otelcol-guardrail/e2e/internal/bedrock"
)

// moves are how three detectors become four.
var moves = map[string]func(*testing.T) (before, meanwhile, after way){
	"ranges": func(t *testing.T) (before, meanwhile, after way) {
		laidOver := func(numbers ...string) way { return way{configs: []string{ranges(t, numbers...)}} }
		return laidOver("3"), laidOver("4", "3"), laidOver("4")
	},
	"ring": func(*testing.T) (before, meanwhile, after way) {
		both := byRing.with("config/scale-out/load-balancing-move.yaml")
		return byRing, both, both.with("yaml:service::pipelines::logs/detectors::exporters: [load_balancing/new]")
	},
}

const (
	moveLag = 5 * time.Minute // the delay of the source
	// A session, which lasts longest, alerts with the first calls over the threshold, each within its gap.
	moveTime = moveLag + (crashThreshold+1)*crashSize/2
)

// With old and new shares side by side for long enough, some detector sees each window whole.
func TestMovingSharesByTheRecipeMissesNoAlert(t *testing.T) {
	t.Parallel()
	for name, move := range moves {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newMoved(t, cmp.Or(*seed, rand.Uint64()), move, moveTime)
			assert.Empty(t, m.missing)
			assert.Empty(t, m.unexpected)
		})
	}
}

// The test above can fail: at once, the windows that are open at that moment are torn apart.
func TestMovingSharesAtOnceMissesAlerts(t *testing.T) {
	t.Parallel()
	for name, move := range moves {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for seed := range uint64(5) { // by chance, the ring may move nobody whose window is open
				m := newMoved(t, seed+1, move, 0)
				assert.Empty(t, m.unexpected)
				if len(m.missing) > 0 {
					return
				}
			}
			t.Error("no alert is missing")
		})
	}
}

// moved is what came of a stream during which shares were moved.
type moved struct {
	missing, unexpected []string
}

// newMoved has three detectors become four in the middle of a load. Old and new shares are used side by side for a time of the load's clock.
func newMoved(t *testing.T, seed uint64, move func(*testing.T) (before, meanwhile, after way), meanwhile time.Duration) moved {
	t.Helper()
	l := newLaggingLoad(rand.New(rand.NewPCG(seed, 0)), 300, 5, 12*time.Minute, moveLag) // dense, so that many windows are open at any moment
	batchAt := func(after time.Duration) int {
		return slices.IndexFunc(l.arrived, func(at time.Time) bool { return !at.Before(l.arrived[0].Add(after)) })
	}
	before := 5 * time.Minute
	if meanwhile == 0 { // when most windows are open
		before = 9 * time.Minute
	}
	begin, end := batchAt(before), batchAt(before+meanwhile)
	require.Positive(t, end, "the load is over before the move is")
	old, both, after := move(t)
	f := newFleet(t, 3, 2, old)
	part := func(batches [][]bedrock.Call) {
		f.send(batches).wait()
	}
	part(l.batches[:begin])
	f.addDetectors(1)
	if meanwhile > 0 {
		f.configure(both)
		part(l.batches[begin:end])
	}
	f.configure(after)
	part(l.batches[end:])
	f.drain()
	f.stop()

	r := receive(t, f.out.Take())
	reported := map[window][]string{} // ids
	for _, s := range r.opened {
		reported[s.window] = append(reported[s.window], s.id)
	}
	due, opened := l.due(), l.whole(r.windows())
	var twice, two int
	for _, ids := range reported {
		if len(ids) > 1 {
			twice++
		}
		slices.Sort(ids)
		if len(slices.Compact(ids)) > 1 {
			two++
		}
	}
	count := func(one, other map[window]bool) (n int) {
		for w := range one {
			if !other[w] {
				n++
			}
		}
		return n
	}
	t.Logf("seed %d: side by side from batch %d to %d of %d: %d alerts due, %d missed, %d reported by two detectors, of which %d under two ids",
		seed, begin, end, len(l.batches), len(due), count(due, opened), twice, two)
	return moved{differences("alerts are missing", due, opened), differences("alerts are unexpected", opened, due)}
}
