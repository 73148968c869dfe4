// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"testing"

	"pgregory.net/rapid"
)

// What was inserted is known until its generation has expired, and nothing else: a repeat must
// not be counted, nor a call be taken for one.
func TestStoreKnowsWhatWasInserted(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := New(Config{
			Size:      60,
			Threshold: rapid.SampledFrom([]int{0, 1, 5, 50}).Draw(t, "threshold"),
			Session:   rapid.Bool().Draw(t, "session"),
		})
		generation := uint32(0)
		known := map[GroupHash]map[Event]uint32{} // generations by group and event
		hashes := rapid.Map(rapid.Uint64Range(1, 4), func(n uint64) GroupHash { return GroupHash(n << 61) })
		times := rapid.OneOf(rapid.SampledFrom([]int64{-60, 0, 1, 59, 60}), rapid.Int64Range(-200, 200), rapid.Int64Range(-1e6, 1e6))
		insert := func(t *rapid.T, times *rapid.Generator[int64]) {
			hash := hashes.Draw(t, "group")
			e := Event{Time: times.Draw(t, "time"), ID: EventID{Low: rapid.Uint64Range(0, 2).Draw(t, "id")}}
			p := Prepared{Event: e, Hash: hash}
			key := e
			p.Generation = uint8(generation)
			_, _, added := s.Insert(s.Locate(&p), &p)
			if _, repeat := known[hash][key]; added == repeat {
				t.Fatalf("%+v: added %t, repeat %t", key, added, repeat)
			}
			if known[hash] == nil {
				known[hash] = map[Event]uint32{}
			}
			if added {
				known[hash][key] = generation
			}
		}
		now := int64(0)
		t.Repeat(map[string]func(*rapid.T){
			"insert in order": func(t *rapid.T) {
				now += rapid.SampledFrom([]int64{0, 1, 30, 60, 1000}).Draw(t, "step")
				insert(t, rapid.Just(now))
			},
			"insert": func(t *rapid.T) { insert(t, times) },
			"advance": func(*rapid.T) {
				generation++
				s.Advance(generation, func(GroupID, int64) {})
				for _, events := range known {
					for e, inserted := range events {
						if inserted+Generations <= generation {
							delete(events, e)
						}
					}
				}
			},
			"": func(t *rapid.T) {
				if err := s.Check(); err != nil {
					t.Fatal(err)
				}
				groups := 0
				for hash, events := range known {
					g := s.FindGroup(hash)
					if (g != 0) != (len(events) > 0) {
						t.Fatalf("group %x with %d events has the number %d", hash, len(events), g)
					}
					if g == 0 {
						continue
					}
					groups++
					if s.Events(g) != len(events) {
						t.Fatalf("group %x has %d events, not %d", hash, s.Events(g), len(events))
					}
					for e := range events {
						if !s.Contains(g, &e) {
							t.Fatalf("%+v is not known", e)
						}
					}
				}
				if s.Len() != groups {
					t.Fatalf("%d groups, not %d", s.Len(), groups)
				}
			},
		})
	})
}

// Memory that is released while it is looked through for what is too old is not looked at.
func TestExpiryEndsWithTheLastSparseEvent(t *testing.T) {
	s := New(Config{Size: 60, Threshold: 1})
	insert := func(user, time int) {
		p := Prepared{Event: Event{Time: int64(time)}, Hash: GroupHash(user) << 40}
		s.Insert(s.Locate(&p), &p)
	}
	for user := range minPrefetched + 300 {
		insert(user, 0)
	}
	for user := 100; user < minPrefetched+300; user++ { // these go to buckets: their numbers are free
		insert(user, 1)
	}
	s.Advance(Generations, func(GroupID, int64) {})
	if err := s.Check(); err != nil || s.Len() != 0 {
		t.Fatalf("%d groups are left: %v", s.Len(), err)
	}
}

// A sparse list holds a thousand calls that are far from each other, and no more. What the next
// call takes, for which they are all moved into buckets, is known before.
func TestSparseListIsBounded(t *testing.T) {
	for name, test := range map[string]struct{ step, last int64 }{
		"later":              {60, maxSparse * 60},
		"between":            {60, maxSparse*60 - 90},
		"first":              {60, -60},
		"later than pairs":   {30, maxSparse * 30},
		"between two pairs":  {30, maxSparse*30 - 31},
		"first before pairs": {30, -60},
	} {
		t.Run(name, func(t *testing.T) {
			s := New(Config{Size: 60, Threshold: 5})
			other := Prepared{Hash: 2 << 40} // keeps the memory of sparse events from being released
			s.Insert(s.Locate(&other), &other)
			insert := func(time int64) (g GroupID) {
				p := Prepared{Event: Event{Time: time}, Hash: 1 << 40}
				g, _, _ = s.Insert(s.Locate(&p), &p)
				if err := s.Check(); err != nil {
					t.Fatalf("after %d: %v", time, err)
				}
				return g
			}
			for i := range int64(maxSparse) {
				if g := insert(i * test.step); s.group(g).first != 0 {
					t.Fatalf("in buckets after %d events", i+1)
				}
			}
			had := needed(&s)
			once, each := s.MaxGrowth()
			if g := insert(test.last); s.group(g).first == 0 || s.Events(g) != maxSparse+1 {
				t.Errorf("%d events, bucket %d", s.Events(g), s.group(g).first)
			}
			has := needed(&s)
			if took := has.Bytes + has.Block - had.Bytes - had.Block; took > once+each {
				t.Errorf("took %d bytes, more than %d and %d", took, once, each)
			}
		})
	}
}
