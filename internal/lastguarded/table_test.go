// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package lastguarded

import (
	"encoding/binary"
	"flag"
	"math"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// numbered returns the hash of the group with a number.
func numbered(t *Table, n int) Hash {
	var name [8]byte
	binary.LittleEndian.PutUint64(name[:], uint64(n))
	return t.Hash(string(name[:]))
}

var groups = flag.Int("groups", 1_000_000, "how many groups make calls")

// enter enters one call.
func (t *Table) enter(group Hash, at int64) {
	var b Batch
	b.Add(t, group, at)
	t.Enter(&b)
}

// However many groups there are, no answer about any of them is wrong: neither a time that is not its latest, nor that it
// made no guarded call although it did.
func TestMillionsOfGroupsGetNoWrongAnswer(t *testing.T) {
	groups := *groups
	rng := rand.New(rand.NewPCG(1, 2))
	table := New()
	latest := make([]int64, groups) // of each group; 0: none
	var batch Batch
	enter := func(n int, at int64) {
		batch.Add(table, numbered(table, n), at)
		latest[n] = max(latest[n], at)
	}
	check := func() (found [3]int, missed int) {
		table.Enter(&batch)
		for n := range groups {
			at, knowledge := table.Last(numbered(table, n))
			found[knowledge]++
			if latest[n] != 0 && knowledge != Known {
				missed++
			}
			if knowledge == Known && at != latest[n] || knowledge == Never && latest[n] != 0 {
				t.Fatalf("of group %d, whose latest call was at %d: %d, %d", n, latest[n], knowledge, at)
			}
		}
		t.Logf("%d known, %d never, %d unknown", found[Known], found[Never], found[Unknown])
		return found, missed
	}
	for range slotCount / 10 {
		enter(rng.IntN(groups), 1+rng.Int64N(1_000_000))
	}
	found, missed := check()
	assert.Greater(t, found[Never], groups*85/100, "about a tenth of them share their slot with another")
	assert.Less(t, missed, slotCount/100)
	for i := range groups { // out of order, by up to a million
		enter(rng.IntN(groups), int64(i)+rng.Int64N(1_000_000))
	}
	check()
}

// A table is given memory once, and its slots no more than the page on memory says.
func TestMemoryIsFixed(t *testing.T) {
	require.EqualValues(t, Bytes, unsafe.Sizeof(Table{}.slots))
	table := New()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for n := range 1_000_000 {
		table.enter(numbered(table, n), int64(n))
		table.Last(numbered(table, n))
	}
	runtime.ReadMemStats(&after)
	assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(1<<20))
}

// Calls of many goroutines into the same slots, and answers meanwhile: each is a time at which that group, and no
// other, made a call, and no earlier one than any call that was complete before the question.
func TestConcurrentCallsGetNoWrongAnswer(t *testing.T) {
	const (
		groups  = 4
		writers = 4
		slots   = 2 // few, so that groups take them from each other all the time
	)
	const calls = 20_000
	table := New()
	hashes := [groups]Hash{}
	for g := range hashes {
		hashes[g] = Hash(g%slots)<<(64-slotBits) | Hash(rand.Uint64()>>slotBits)
	}
	var complete [groups]atomic.Int64 // time of the latest call whose entry is complete
	var next atomic.Int64
	var entering, asking sync.WaitGroup
	done := make(chan struct{})
	var asked atomic.Int64
	for range writers {
		entering.Go(func() {
			var b Batch
			for n := 0; n < calls || asked.Load() < calls && !t.Failed(); n++ {
				at := next.Add(1)
				g := int(at*2654435761>>7) % groups // a time shows whose it is
				at -= at % 3                        // some go back, some are at one time
				at = at*groups + int64(g)
				b.Add(table, hashes[g], at)
				b.Add(table, hashes[g], at-groups) // of no account
				table.Enter(&b)
				for known := complete[g].Load(); known < at; known = complete[g].Load() {
					complete[g].CompareAndSwap(known, at)
				}
			}
		})
	}
	var answers [3]atomic.Int64
	for range 2 {
		asking.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-done:
					return
				default:
				}
				g := i % groups
				atLeast := complete[g].Load()
				at, knowledge := table.Last(hashes[g])
				answers[knowledge].Add(1)
				if atLeast > 0 { // before the first call there is nothing to know
					asked.Add(1)
				}
				switch {
				case knowledge == Known && int(at%groups) != g:
					t.Errorf("%d is a time of group %d, not of %d", at, at%groups, g)
				case knowledge == Known && at < atLeast:
					t.Errorf("group %d: %d, though it made a call at %d", g, at, atLeast)
				case knowledge == Never && atLeast != 0:
					t.Errorf("group %d: none, though it made a call at %d", g, atLeast)
				default:
					continue
				}
				return
			}
		})
	}
	entering.Wait()
	close(done)
	asking.Wait()
	t.Logf("%d known, %d unknown", answers[Known].Load(), answers[Unknown].Load())
	assert.Positive(t, answers[Known].Load())
	for slot := range slots { // at rest, the latest call of all in a slot is known
		latest, known := int64(0), false
		for g := slot; g < groups; g += slots {
			latest = max(latest, complete[g].Load())
		}
		for g := slot; g < groups; g += slots {
			at, knowledge := table.Last(hashes[g])
			known = known || knowledge == Known && at == latest
		}
		assert.True(t, known, "slot %d", slot)
	}
}

func TestTimesOfAllKindsAreKnown(t *testing.T) {
	for _, at := range []int64{math.MinInt64 + 2, -1, 0, 1, 1_800_000_000_000_000_000, math.MaxInt64} {
		table := New()
		group := table.Hash("alice").And(table.Hash("111122223333"))
		_, knowledge := table.Last(group)
		assert.Equal(t, Never, knowledge)
		table.enter(group, Untimed)
		_, knowledge = table.Last(group)
		assert.Equal(t, Unknown, knowledge, "it made one, but nobody knows when")
		table.enter(group, at)
		table.enter(group, at-1)
		got, knowledge := table.Last(group)
		assert.Equal(t, Known, knowledge)
		assert.Equal(t, at, got)
	}
}

// Groups of the same texts in other places are other groups.
func TestOrderOfValuesMatters(t *testing.T) {
	table := New()
	seen := map[Hash][]string{}
	for _, values := range [][]string{
		{"a", "", ""},
		{"a", "a", ""},
		{"a", "", "a"},
		{"a", "a", "a"},
		{"a", "b", ""},
		{"b", "a", ""},
		{"a", "", "b"},
		{"b", "", "a"},
		{"ab", "", ""},
		{"ab", "c", ""},
		{"a", "bc", ""},
		{"a", "b", "c"},
		{"b", "a", "c"},
		{"c", "b", "a"},
		{"", "a", "b"},
		{"", "", ""},
	} {
		var group Hash
		for _, value := range values {
			group = group.And(table.Hash(value))
		}
		assert.Empty(t, seen[group], values)
		seen[group] = values
	}
}

// BenchmarkEnter is what a guarded call of one of ten thousand groups costs, in batches of a hundred, where all cores
// enter theirs.
func BenchmarkEnter(b *testing.B) {
	for name, step := range map[string]int64{"later": 1, "known": 0} {
		b.Run(name, func(b *testing.B) {
			table := New()
			var groups [10_000]Hash
			for n := range groups {
				groups[n] = numbered(table, n)
				table.enter(groups[n], 1)
			}
			var cores atomic.Int64
			b.RunParallel(func(pb *testing.PB) {
				at := int64(1)
				n := int(cores.Add(1)) * 5_000
				var batch Batch
				for i := 0; pb.Next(); i++ {
					n += 7
					batch.Add(table, groups[n%len(groups)], at)
					if i%100 == 99 {
						table.Enter(&batch)
						at += step
					}
				}
			})
		})
	}
}
