// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package detect

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/otelcol-guardrail/internal/detect/internal/store"
)

func newFullShardAfter(t *testing.T, after time.Duration) *fullShard {
	return newFullShardOf(t, Rule{Threshold: 50, MaxBytes: 8 << 20, AfterIntervention: after})
}

// heldOf returns how many calls of a user wait, and how many interventions are known.
func (f *fullShard) heldOf(user []byte) (calls, interventions int) {
	held := f.shards[0].held
	g := held.Find(f.hasher.group(user))
	if g == 0 {
		return 0, 0
	}
	return held.Events(g, store.HeldCall), held.Events(g, store.HeldIntervention)
}

// Where the memory is full of calls that wait, a user who goes on after being blocked is noticed.
func TestBurstAfterAnInterventionIsNoticedWhereMemoryIsFull(t *testing.T) {
	for name, flood := range map[string]func(f *fullShard, i int){
		"of users who call once":         func(f *fullShard, _ int) { f.call(f.user(), 0) },
		"of users who call ten times":    func(f *fullShard, i int) { f.call(f.everyTenth(i), time.Duration(i%10)*time.Second) },
		"of users who are blocked, too":  func(f *fullShard, i int) { f.observe(f.everyTenth(i), time.Duration(i%10)*time.Second, i%10 == 0) },
		"of calls that one user makes":   func(f *fullShard, i int) { f.call(f.first(), time.Duration(i)*time.Millisecond) },
		"of blocked calls and of others": func(f *fullShard, i int) { f.observe(f.first(), time.Duration(i)*time.Millisecond, i%2 == 0) },
	} {
		t.Run(name, func(t *testing.T) {
			f := newFullShardAfter(t, time.Minute)
			s := &f.shards[0]
			mallory := f.user()
			noticed := 0
			for i := range 30_000 {
				if flood(f, i); i == 15_000 {
					f.block(mallory, 0)
				}
				if i > 15_000 && i%3 == 0 && i < 15_000+600 {
					noticed += len(opened(f.call(mallory, time.Duration(i)*time.Microsecond).Alerts))
				}
			}
			require.NoError(t, f.Consistent())
			t.Logf("%d evicted; %d groups held, %d in windows; %d of %d bytes", s.evicted, s.held.Len(), s.store.Len(), s.bytes(), s.budget())
			assert.Equal(t, 1, noticed, "alerts of the burst")
			assert.LessOrEqual(t, s.bytes(), s.budget())
		})
	}
}

// everyTenth makes a user for each ten numbers.
func (f *fullShard) everyTenth(i int) []byte {
	if i%10 == 0 || f.latest == nil {
		f.latest = f.user()
	}
	return f.latest
}

// first returns the same user each time.
func (f *fullShard) first() []byte {
	if f.latest == nil {
		f.latest = f.user()
	}
	return f.latest
}

// A user who makes very many calls loses those that happened first, and no other user any: what
// they did last is still counted when an intervention arrives late. That it happened is counted.
func TestUserWithManyWaitingCallsMakesRoomAlone(t *testing.T) {
	f := newFullShardAfter(t, time.Hour)
	s := &f.shards[0]
	quiet, loud := f.user(), f.user()
	f.call(quiet, 0)
	f.block(quiet, time.Hour)
	const calls = 30_000
	for i := range calls {
		f.call(loud, time.Duration(i)*time.Millisecond)
	}
	require.Positive(t, f.Stats().Evicted)
	require.Less(t, f.Stats().Evicted, 100, "each time it forgets many")
	waiting, _ := f.heldOf(loud)
	t.Logf("%d calls wait, %d evicted", waiting, s.evicted)
	assert.Greater(t, waiting, 200)
	calls1, interventions1 := f.heldOf(quiet)
	assert.Equal(t, []int{1, 1}, []int{calls1, interventions1})
	assert.Len(t, f.block(loud, (calls-52)*time.Millisecond).Alerts, 1)
	require.NoError(t, f.Consistent())
}

// A user who is blocked at full speed takes hardly any memory for that, and every call after it
// counts.
func TestManyInterventionsOfOneUserFit(t *testing.T) {
	f := newFullShardAfter(t, time.Second)
	user := f.user()
	for i := range 30_000 {
		f.block(user, time.Duration(i)*time.Millisecond)
	}
	assert.Zero(t, f.Stats().Evicted)
	_, interventions := f.heldOf(user)
	assert.Less(t, interventions, 30_000/10)
	require.NoError(t, f.Consistent())
	emitted := 0
	for i := range 51 {
		f.call(user, -time.Duration(i)) // before
		emitted += len(opened(f.call(user, 30*time.Second+time.Duration(i)).Alerts))
		f.call(user, 31*time.Second+time.Duration(i)) // too late
	}
	assert.Equal(t, 1, emitted)
	waiting, _ := f.heldOf(user)
	assert.Equal(t, 51+51, waiting)
}

// Where the memory is full of calls that wait, one user is forgotten for each that is new, and no
// more: what is left of the others is as much as fits.
func TestOneUserIsForgottenForAnotherThatWaits(t *testing.T) {
	f := newFullShardAfter(t, time.Hour)
	s := &f.shards[0]
	f.fill(0)
	for range 1_000 {
		before := s.evicted
		f.call(f.user(), 0)
		require.LessOrEqual(t, s.evicted-before, 1)
	}
	require.NoError(t, f.Consistent())
}

// Calls that wait make room for those that count, as long as they take more: users who go on
// after being blocked are known to the windows even if all memory was taken before.
func TestWaitingCallsMakeRoomForThoseThatCount(t *testing.T) {
	f := newFullShardAfter(t, time.Hour)
	f.fill(0)
	var users [][]byte
	for range 100 {
		users = append(users, f.user())
		for i := range 12 {
			f.observe(users[len(users)-1], time.Duration(i)*time.Minute, i == 0)
		}
	}
	known := 0
	for _, user := range users {
		if f.knows(user) {
			known++
		}
	}
	assert.Greater(t, known, 90)
	require.NoError(t, f.Consistent())
}

// Of what is held, that of the quietest user is evicted first, and last what decides whether later calls count.
func TestHeldOfTheQuietestIsEvictedFirst(t *testing.T) {
	calls := func(n int) func(*fullShard, []byte) {
		return func(f *fullShard, user []byte) {
			for i := range n {
				f.call(user, time.Duration(i)*time.Second)
			}
		}
	}
	for name, test := range map[string]struct{ goes, stays func(*fullShard, []byte) }{
		"of fewer calls":          {calls(1), calls(2)},
		"without an intervention": {calls(50), func(f *fullShard, user []byte) { f.block(user, 0) }},
	} {
		t.Run(name, func(t *testing.T) {
			const times = 50
			first := 0
			for range times {
				f := newFullShardAfter(t, time.Second)
				quiet, loud := f.user(), f.user()
				test.goes(f, quiet)
				test.stays(f, loud)
				require.True(t, f.shards[0].evictHeld(0))
				require.Equal(t, 1, f.shards[0].held.Len())
				if f.shards[0].held.Find(f.hasher.group(loud)) != 0 {
					first++
				}
			}
			// Eight are drawn at random: one time in ten, the quiet user is not among them.
			assert.Greater(t, first, times*7/10)
		})
	}
}

// What is held, and forgotten in its time, gives its memory back.
func TestMemoryOfHeldCallsIsGivenBack(t *testing.T) {
	f := newFullShardOf(t, Rule{Threshold: 5, MaxBytes: 8 << 20, AfterIntervention: time.Hour})
	s := &f.shards[0]
	empty := s.bytes()
	for range 2 {
		for s.evicted = 0; s.evicted == 0; {
			f.call(f.user(), 0)
		}
		require.Greater(t, s.bytes(), s.budget()/3)
		f.now = f.now.Add(2 * f.rule.remembered())
		f.Tick(f.now)
		require.NoError(t, f.Consistent())
		assert.Zero(t, s.held.Len())
		assert.LessOrEqual(t, s.bytes(), empty+1<<12)
	}
}
