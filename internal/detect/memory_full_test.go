// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package detect

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// fullShard is a detector one shard of which is sent more than it can hold.
type fullShard struct {
	*Detector
	t     *testing.T
	now   time.Time
	users int
	calls int
}

// user makes a user of the shard.
func (f *fullShard) user() []byte {
	for {
		f.users++
		if key := AppendKey(nil, "user "+strconv.Itoa(f.users)); f.hasher.group(key).shard() == 0 {
			return key
		}
	}
}

// call has a user make a call so much after noon.
func (f *fullShard) call(user []byte, after time.Duration) Result {
	f.calls++
	before := f.shards[0].evicted
	result := f.Observe([]Event{{
		Time: noon.Add(after).UnixNano(), Key: user, ID: fmt.Sprintf("%08x-0000-4000-8000-000000000000", f.calls),
	}}, f.now)
	// To have a page, so many groups may have to go whose blocks are the shortest.
	require.LessOrEqual(f.t, f.shards[0].evicted-before, 5*pageLen, "groups evicted for one call")
	return result
}

// Where the memory is full, no more is forgotten than what makes room, so that a
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
				if most = max(most, s.index.used); s.evicted == 0 {
					least = most
				}
				least = min(least, s.index.used)
			}
			require.NoError(t, f.Consistent())
			t.Logf("%d evicted; %d to %d groups; %d of %d bytes", s.evicted, least, most, s.bytes(), s.budget())
			require.Positive(t, s.evicted)
			assert.Equal(t, 1, noticed, "alerts of the burst")
			assert.NotZero(t, s.findGroup(f.hasher.group(heavy)), "whoever called most")
			if most > 100 {
				assert.Greater(t, least, most*3/4, "groups")
			}
			assert.LessOrEqual(t, s.bytes(), s.budget())
		})
	}
}

// fill makes users who call once each until the memory is full.
func (f *fullShard) fill() (users [][]byte) {
	for f.shards[0].evicted == 0 {
		users = append(users, f.user())
		f.call(users[len(users)-1], 0)
	}
	return users
}

func newFullShard(t *testing.T) *fullShard { return newFullShardOf(t, 16<<20) }

func newFullShardOf(t *testing.T, bytes int64) *fullShard {
	return &fullShard{t: t, now: noon, Detector: New(Rule{
		Threshold: 50, Size: time.Minute, KeepAlive: 10 * time.Minute, MaxDuration: time.Hour, Retention: time.Hour, MaxBytes: bytes,
	})}
}

// knows reports whether a user is remembered.
func (f *fullShard) knows(user []byte) bool { return f.shards[0].findGroup(f.hasher.group(user)) != 0 }

// again has those users who are remembered call, as many as may, and tells how many
// groups were evicted for it.
func (f *fullShard) again(users [][]byte, most int, after time.Duration) (evicted int) {
	before := f.shards[0].evicted
	for _, user := range users {
		if most > 0 && f.knows(user) {
			f.call(user, after)
			most--
		}
	}
	return f.shards[0].evicted - before
}

// Where the memory is full of users who called once, some may still call again; when
// they have filled what is kept for that, calls for which there is room need no more.
func TestSecondCallsFindRoomWhereMemoryIsFull(t *testing.T) {
	f := newFullShard(t)
	users := f.fill()
	assert.Zero(t, f.again(users, 440, time.Second))
	assert.Positive(t, f.again(users[440:], len(users), time.Second))
	assert.Greater(t, f.shards[0].runs.blocks(), 1_180, "of 1,216, in nineteen pages")
	assert.Zero(t, f.again(users, 200, 2*time.Second))
}

// Whoever calls now is not forgotten for it, however quiet: others who take the
// same kind of memory are.
func TestBurstGrowsWhereMemoryIsFull(t *testing.T) {
	for range 10 { // since it is by chance who is looked at
		f := newFullShard(t)
		f.fill()
		for range 8 {
			user := f.user()
			for i := range 200 {
				f.call(user, time.Duration(i)*time.Millisecond)
			}
		}
		evicted := f.shards[0].evicted
		burst := f.user()
		var told []Alert
		for i := range 51 {
			told = append(told, opened(f.call(burst, time.Duration(i)*time.Millisecond).Alerts)...)
		}
		assert.Len(t, told, 1)
		assert.Less(t, f.shards[0].evicted-evicted, 20)
		assert.NoError(t, f.Consistent())
	}
}

// Nor is a user in several calls forgotten for one who makes very many, and whose
// blocks want an ever longer one.
func TestUserAtFullSpeedMakesRoomAlone(t *testing.T) {
	f := newFullShardOf(t, 8<<20)
	quiet, loud := f.user(), f.user()
	for i := range 10 {
		f.call(quiet, time.Duration(i)*time.Second)
	}
	for i := range 20_000 {
		f.call(loud, time.Duration(i)*time.Millisecond)
		f.call(f.user(), 0)
		require.True(t, f.knows(quiet), i)
	}
	assert.True(t, f.knows(loud))
}

// What a flood of users who call once has taken is of use afterwards for users who
// call more often, although some of it is not free: that is known as before.
func TestMemoryOfAFloodIsTakenForBlocks(t *testing.T) {
	f := newFullShard(t)
	flood := f.fill()
	s := &f.shards[0]
	f.now = noon.Add(time.Hour)
	var staying []Event
	stay := func(user []byte, after time.Duration) {
		staying = append(staying, Event{Key: user, Time: f.now.Add(after).UnixNano(), ID: "staying " + strconv.Itoa(len(staying))})
		f.Observe(staying[len(staying)-1:], f.now)
	}
	for i := 0; i < len(flood); i += 50 {
		stay(flood[i], 0)
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
	f.now = noon.Add(3 * time.Hour / 2)
	f.Tick(f.now)
	require.Less(t, s.index.used, len(flood)/10)
	places, evicted := s.buckets.next, s.evicted
	for range 700 {
		user := f.user()
		for i := range 4 {
			f.call(user, 3*time.Hour/2+time.Duration(i)*time.Second)
		}
	}
	assert.Equal(t, evicted, s.evicted)
	assert.Less(t, s.buckets.next, places*3/4)
	require.NoError(t, f.Consistent())
	assert.LessOrEqual(t, s.bytes(), s.budget())
	assert.Equal(t, len(staying), f.Observe(staying, f.now).Repeats)
}

// Whatever comes, a full detector contradicts itself nowhere and stays within its bound.
func TestFullMemoryStaysConsistent(t *testing.T) {
	for _, window := range []WindowType{Sliding, Tumbling, Session} {
		f := newFullShardOf(t, 8<<20)
		f.rule.Window, f.rule.Threshold = window, 8
		s, rng := &f.shards[0], rand.New(rand.NewPCG(1, uint64(window)))
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
				f.call(user, time.Duration(rng.Int64N([...]int64{1e9, 3e11, 36e11, 1e15}[rng.IntN(4)])))
			}
			require.NoError(t, f.Consistent())
			require.LessOrEqual(t, s.bytes(), s.budget()*11/10)
			f.now = f.now.Add(time.Duration(rng.Int64N(int64(20 * time.Minute))))
			f.Tick(f.now)
		}
		require.Positive(t, s.evicted)
	}
}
