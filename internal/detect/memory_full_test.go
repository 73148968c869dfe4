// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package detect

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/otelcol-guardrail/internal/detect/internal/store"
)

// nearby is the most events near each other that a sparse list holds.
const nearby = 16

// fullShard is a detector one shard of which is sent more than it can hold.
type fullShard struct {
	*Detector
	t     *testing.T
	now   time.Time
	users int
	calls int

	latest []byte // user
}

// user makes a user of the shard.
func (f *fullShard) user() []byte {
	for {
		f.users++
		if key := AppendKey(nil, "user "+strconv.Itoa(f.users)); shardOf(f.hasher.group(key)) == 0 {
			return key
		}
	}
}

// call has a user make a call so much after noon.
func (f *fullShard) call(user []byte, after time.Duration) Result {
	return f.observe(user, after, false)
}

// block has a guardrail intervene in a call of a user.
func (f *fullShard) block(user []byte, after time.Duration) Result {
	return f.observe(user, after, true)
}

func (f *fullShard) observe(user []byte, after time.Duration, blocked bool) Result {
	f.calls++
	before := f.shards[0].evicted
	result := f.Observe([]Event{{
		Time: noon.Add(after).UnixNano(), Key: user, ID: fmt.Sprintf("%08x-0000-4000-8000-000000000000", f.calls),
		Intervened: blocked, Uncounted: blocked, GuardrailID: "guardrail",
	}}, f.now)
	// To free a page, as many groups may have to be evicted as have the shortest blocks.
	require.LessOrEqual(f.t, f.shards[0].evicted-before, 5*int(store.PageBytes/store.EventBytes), "groups evicted for one call")
	// The growth of lists is not foreseen, nor that an index doubles when a group is indexed.
	require.LessOrEqual(f.t, f.shards[0].windowBytes(), f.shards[0].budget()/8*7)
	return result
}

// Where the memory is full, no more is evicted than needed, so that a
// burst next to a flood is noticed.
func TestBurstIsNoticedWhereMemoryIsFull(t *testing.T) {
	for name, flood := range map[string]struct {
		calls int                          // of each user
		after func(call int) time.Duration // since noon
	}{
		"of users who call once":       {1, func(int) time.Duration { return 0 }},
		"of users who call twice":      {2, func(i int) time.Duration { return time.Duration(i%2) * time.Second }},
		"of users in many windows":     {150, func(i int) time.Duration { return time.Duration(i%150) * time.Minute }},
		"of a user who makes up times": {60_000, func(i int) time.Duration { return time.Duration(i*7919%(1<<24)) * time.Minute }},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFullShard(t)
			s := &f.shards[0]
			heavy, wide, burst := f.user(), f.user(), f.user()
			for i := range 1000 { // more than a page
				f.call(heavy, time.Duration(i)*time.Millisecond)
			}
			for minute := range 200 {
				f.call(wide, time.Duration(minute)*time.Minute)
			}
			noticed, most, least := 0, 0, 0
			var user []byte
			for i := range 60_000 {
				if i%flood.calls == 0 {
					user = f.user()
				}
				f.call(user, flood.after(i))
				if calls := 2 * (i - 30_000) / 10; i%10 == 0 && 0 <= calls && calls < 60 {
					for range 2 {
						for _, a := range opened(f.call(burst, time.Duration(i)*time.Millisecond).Alerts) {
							assert.Equal(t, SplitKey(string(burst)), a.Group)
							noticed++
						}
					}
				}
				if most = max(most, s.store.Len()); s.evicted == 0 {
					least = most
				}
				least = min(least, s.store.Len())
			}
			require.NoError(t, f.Consistent())
			t.Logf("%d evicted; %d to %d groups; %d of %d bytes", s.evicted, least, most, s.bytes(), s.budget())
			require.Positive(t, s.evicted)
			assert.Equal(t, 1, noticed, "alerts of the burst")
			assert.NotZero(t, s.store.FindGroup(f.hasher.group(heavy)), "the user who called most")
			if most > 100 {
				assert.Greater(t, least, most*3/4, "groups")
			}
			assert.LessOrEqual(t, s.bytes(), s.budget())
		})
	}
}

// fill makes users who make a call at each of some times, until the memory is full.
func (f *fullShard) fill(after ...time.Duration) (users [][]byte) {
	for f.shards[0].evicted == 0 {
		users = append(users, f.user())
		for _, after := range after {
			f.call(users[len(users)-1], after)
		}
	}
	return users
}

func newFullShard(t *testing.T) *fullShard {
	return newFullShardOf(t, Rule{Threshold: 50, MaxBytes: 16 << 20})
}

func newFullShardOf(t *testing.T, rule Rule) *fullShard {
	rule.Size, rule.Retention = time.Minute, time.Hour
	rule.KeepAlive, rule.MaxDuration = 10*time.Minute, time.Hour
	return &fullShard{t: t, now: noon, Detector: New(rule)}
}

// knows reports whether a user is remembered.
func (f *fullShard) knows(user []byte) bool {
	return f.shards[0].store.FindGroup(f.hasher.group(user)) != 0
}

// again makes some of the users who are remembered call again. It returns these
// users, and how many groups were evicted for it.
func (f *fullShard) again(users [][]byte, most, calls int) (called [][]byte, evicted int) {
	before := f.shards[0].evicted
	for _, user := range users {
		if len(called) < most && f.knows(user) {
			for range calls {
				f.call(user, time.Duration(f.calls)*time.Microsecond)
			}
			called = append(called, user)
		}
	}
	return called, f.shards[0].evicted - before
}

// Where the memory is full of users who called once, one of these is evicted for each call of
// another. What is reserved for those who call more often serves them without that; once
// it is used up, calls that fit into their blocks still need no more.
func TestCallsFindRoomWhereMemoryIsFull(t *testing.T) {
	f := newFullShard(t)
	users := f.fill(0)
	s := &f.shards[0]
	assert.GreaterOrEqual(t, s.available(), s.blockReserve()+s.store.FirstChunk(), "what is reserved")
	busy, evicted := f.again(users, 150, nearby-1)
	assert.InDelta(t, 150*(nearby-1), evicted, 100)
	require.Positive(t, s.store.FirstChunk(), "no buckets yet")
	_, evicted = f.again(busy, 56, 1)
	assert.Zero(t, evicted)
	assert.LessOrEqual(t, s.store.BlockBytes(), s.blockReserve()+store.PageBytes)
	_, evicted = f.again(busy[56:], len(busy), 1)
	assert.Positive(t, evicted)
	for before := s.evicted; s.evicted == before; {
		f.call(f.user(), 0)
	}
	_, evicted = f.again(busy, len(busy), 32-nearby-1)
	assert.Zero(t, evicted)
	require.NoError(t, f.Consistent())
	assert.LessOrEqual(t, s.bytes(), s.budget())
}

// A user is not evicted for their own call, however quiet: others who take the
// same kind of memory are.
func TestBurstGrowsWhereMemoryIsFull(t *testing.T) {
	for range 10 { // since groups are looked at by chance
		f := newFullShard(t)
		f.fill(0)
		s := &f.shards[0]
		for range 60 { // so many that some go for others
			user := f.user()
			for i := range 45 {
				f.call(user, time.Duration(i)*time.Millisecond)
			}
		}
		for range 10 {
			evicted := s.evicted
			burst := f.user()
			var emitted []Alert
			for i := range 51 {
				emitted = append(emitted, opened(f.call(burst, time.Duration(i)*time.Millisecond).Alerts)...)
			}
			assert.Len(t, emitted, 1)
			assert.Less(t, s.evicted-evicted, 2*nearby+20)
		}
		assert.NoError(t, f.Consistent())
	}
}

// A user is never evicted for their own call, not even as the quietest.
func TestCallerIsNotForgotten(t *testing.T) {
	f := newFullShard(t)
	s := &f.shards[0]
	number := func(user []byte) store.GroupID { return s.store.FindGroup(f.hasher.group(user)) }
	quiet, loud := f.user(), f.user()
	for i := range 40 {
		if i < nearby+1 {
			f.call(quiet, time.Duration(i)*time.Millisecond)
		}
		f.call(loud, time.Duration(i)*time.Millisecond)
	}
	for range 100 {
		assert.Equal(t, number(loud), s.store.Quietest(number(quiet), false))
		if victim := s.store.Quietest(number(quiet), true); victim != 0 {
			assert.Equal(t, number(loud), victim)
		}
	}
}

// A user whose calls are few, but near each other, is not evicted for others who make
// more calls that lie far from each other.
func TestBurstOutlivesScatteredCalls(t *testing.T) {
	f := newFullShard(t)
	minutes := make([]time.Duration, 20)
	for i := range minutes {
		minutes[i] = time.Duration(i) * time.Minute
	}
	f.fill(minutes...)
	burst := f.user()
	for i := range 5 {
		f.call(burst, time.Duration(i)*time.Second)
	}
	for range 1_000 {
		user := f.user()
		for _, after := range minutes {
			f.call(user, after)
		}
	}
	assert.True(t, f.knows(burst))
}

// Nor is a user with several calls evicted for one who makes very many, and whose
// block must grow again and again.
func TestUserAtFullSpeedMakesRoomAlone(t *testing.T) {
	f := newFullShardOf(t, Rule{Threshold: 50, MaxBytes: 8 << 20})
	quiet, loud := f.user(), f.user()
	for i := range nearby + 4 {
		f.call(quiet, time.Duration(i)*time.Second)
	}
	for i := range 20_000 {
		f.call(loud, time.Duration(i)*time.Millisecond)
		f.call(f.user(), 0)
		require.True(t, f.knows(quiet), i)
	}
	assert.True(t, f.knows(loud))
}

// Nor is a user with a few calls evicted for one who raises alert after alert, at times of their own making and under
// however long a name.
func TestUserWithManyAlertsMakesRoomAlone(t *testing.T) {
	for _, length := range []int{0, 50_000} {
		f := newFullShardOf(t, Rule{Threshold: 1, MaxBytes: 16 << 20})
		var quiet [][]byte
		for range 200 {
			quiet = append(quiet, f.user())
			f.call(quiet[len(quiet)-1], 0)
		}
		loud := AppendKey(f.user(), strings.Repeat("n", length))
		for shardOf(f.hasher.group(loud)) != 0 {
			loud = append(loud, AppendKey(nil, "n")...)
		}
		for hour := range 5_000 {
			f.call(loud, time.Duration(hour)*time.Hour)
			f.call(loud, time.Duration(hour)*time.Hour)
			require.LessOrEqual(t, f.shards[0].bytes(), f.shards[0].budget())
		}
		for _, user := range quiet {
			require.True(t, f.knows(user))
		}
		require.NoError(t, f.Consistent())
	}
}

// Of alerts that take too much memory, those go first that take the most for the fewest calls.
func TestCostliestAlertsAreFound(t *testing.T) {
	f := newFullShardOf(t, Rule{Threshold: 1, MaxBytes: 16 << 20})
	s := &f.shards[0]
	long := func() []byte {
		key := AppendKey(f.user(), strings.Repeat("n", 10_000))
		for shardOf(f.hasher.group(key)) != 0 {
			key = AppendKey(key, "n")
		}
		return key
	}
	assert.Zero(t, s.costliest(0), "there is none")
	users := [][]byte{long(), long(), f.user()}
	for i, calls := range []int{2, 40, 100} {
		for call := range calls {
			f.call(users[i], time.Duration(call)*time.Second)
		}
	}
	groupOf := func(user []byte) store.GroupID { return s.store.FindGroup(f.hasher.group(user)) }
	assert.Equal(t, groupOf(users[0]), s.costliest(0))
	assert.Equal(t, groupOf(users[1]), s.costliest(groupOf(users[0])), "of the others")
	for _, user := range users[1:] {
		(&groupUpdate{shard: s}).evict(groupOf(user))
	}
	assert.Zero(t, s.costliest(groupOf(users[0])), "there is no other")
}

// Memory that a flood has taken serves users after it who make several calls in a
// window, although some of it is in use: what lies there is still known.
func TestMemoryOfAFloodIsTakenForBlocks(t *testing.T) {
	t.Run("of users who call once", func(t *testing.T) {
		f := newFullShard(t)
		f.takeForBlocks(120, f.fill(0))
	})
	t.Run("of users in many windows", func(t *testing.T) {
		f := newFullShard(t)
		flood := make([][]byte, 700)
		for i := range flood {
			flood[i] = f.user()
			f.call(flood[i], 30*time.Minute)
		}
		f.now = noon.Add(16 * time.Minute) // in the next generation, so that late calls are in buckets
		users := 0
		for ; f.shards[0].evicted == 0; users++ {
			for minute := range 12 {
				f.call(flood[users], time.Duration(minute)*time.Minute)
			}
		}
		f.takeForBlocks(150, flood[:users])
	})
}

func (f *fullShard) takeForBlocks(users int, flood [][]byte) {
	t, s := f.t, &f.shards[0]
	f.now = noon.Add(time.Hour)
	var staying []Event
	stay := func(user []byte, after time.Duration) {
		staying = append(staying, Event{Key: user, Time: f.now.Add(after).UnixNano(), ID: "staying " + strconv.Itoa(len(staying))})
		f.Observe(staying[len(staying)-1:], f.now)
	}
	for i := 0; i < len(flood); i += 50 {
		for minute := range 3 {
			stay(flood[i], time.Duration(minute)*time.Minute)
		}
	}
	wide := f.user()
	for minute := range 200 {
		stay(wide, time.Duration(minute)*time.Minute)
	}
	for _, calls := range []int{300, 100, 20} {
		heavy := f.user()
		for i := range calls {
			stay(heavy, time.Duration(i)*time.Millisecond)
		}
	}
	f.now = noon.Add(95 * time.Minute)
	f.Tick(f.now)
	require.Less(t, s.store.Len(), len(flood)/10)
	free, blocks, evicted := s.available(), s.store.BlockBytes(), s.evicted
	for range users {
		user := f.user()
		for i := range nearby + 4 {
			f.call(user, 95*time.Minute+time.Duration(i)*time.Second)
		}
	}
	assert.Equal(t, evicted, s.evicted)
	assert.Greater(t, s.store.BlockBytes()-blocks, free, "more than was free before")
	require.NoError(t, f.Consistent())
	assert.LessOrEqual(t, s.bytes(), s.budget())
	assert.Equal(t, len(staying), f.Observe(staying, f.now).Repeats)
}

// A full detector stays consistent and within its bound, whatever arrives.
func TestFullMemoryStaysConsistent(t *testing.T) {
	for _, rule := range []Rule{
		{Window: Sliding},
		{Window: Tumbling},
		{Window: Session},
		{Window: Sliding, AfterIntervention: 5 * time.Minute},
		{Window: Session, AfterIntervention: time.Hour},
	} {
		rule.Threshold, rule.MaxBytes = 8, 8<<20
		f := newFullShardOf(t, rule)
		s, rng := &f.shards[0], rand.New(rand.NewPCG(1, uint64(rule.Window)))
		var users [][]byte
		for range 60 {
			kind := rng.IntN(4)
			for range 1_000 {
				user := f.user()
				if known := len(users); known > 0 && kind > 0 {
					user = users[rng.IntN(min(known, 1<<(4*kind)))]
				}
				users = append(users, user)
				// In one window, in some, anywhere in an hour, or in weeks.
				after := time.Duration(rng.Int64N([...]int64{1e9, 3e11, 36e11, 1e15}[rng.IntN(4)]))
				f.observe(user, after, rule.AfterIntervention > 0 && rng.IntN(3) == 0)
			}
			require.NoError(t, f.Consistent())
			require.LessOrEqual(t, s.bytes(), s.budget()*11/10)
			f.now = f.now.Add(time.Duration(rng.Int64N(int64(20 * time.Minute))))
			f.Tick(f.now)
		}
		require.Positive(t, s.evicted)
	}
}
