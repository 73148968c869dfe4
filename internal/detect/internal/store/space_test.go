// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"
)

// needed returns the memory of what a store holds, as [Store.Need] divides it: without what its
// lists may grow into, and without the first chunk of buckets, which is reserved.
func needed(s *Store) Need {
	buckets := max(chunksOf(&s.buckets.slab), s.buckets.chunkBytes())
	return Need{
		Bytes: chunksOf(&s.groups) + s.index.bytes() + chunksOf(&s.sparse.slab) + buckets,
		Block: int64(s.blocks.pages)*PageBytes + s.blocks.largeBytes + s.bucketIndex.bytes(),
	}
}

// chunksOf returns the memory of a slab's values.
func chunksOf[T any](s *slab[T]) int64 { return int64(len(s.chunks)) * s.chunkBytes() }

func (n Need) minus(other Need) Need { return Need{n.Bytes - other.Bytes, n.Block - other.Block} }

// What an insert takes is known before, and the limit of memory is checked against it.
func TestInsertTakesWhatItNeeds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := drawStore(t)
		groups := rapid.SampledFrom([]uint64{1, 3, 300}).Draw(t, "groups")
		span := rapid.SampledFrom([]int64{30, 500, 50_000}).Draw(t, "span")
		draw := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		var once, each int64 // of MaxGrowth
		var before Need
		for i := range 2000 {
			if i%ChunkLen == 0 {
				once, each = s.MaxGrowth()
				before = needed(&s)
			}
			p := Prepared{
				Event: Event{Time: draw.Int64N(span), ID: EventID{Low: draw.Uint64N(5000)}},
				Hash:  GroupHash(draw.Uint64N(groups)+1) << 54,
			}
			at := s.Locate(&p)
			had, need := needed(&s), s.Need(at, &p)
			g, n, added := s.Insert(at, &p)
			if at.kind == inNewBucket || at.kind == inBucketsWithOthers {
				s.Find(g, s.IndexOf(p.Time)-1) // for which the group may be indexed
			}
			took := needed(&s).minus(had)
			if took.Bytes > need.Bytes || took.Block > need.Block {
				t.Fatalf("insert %d took %+v, not %+v: %+v", i, took, need, at)
			}
			large := at.kind == inBucket && classFor(s.Bucket(at.bucket).Len()) > pageClass
			mayBeIndexed := at.kind == inNewBucket && s.group(g).flags&groupIndexed == 0
			switch {
			case !added || large || mayBeIndexed || at.kind == inBucketsWithOthers:
				// It may take less than it needs for a while.
			case took.Bytes != need.Bytes || max(0, took.Block) != need.Block:
				t.Fatalf("insert %d into bucket %d took %+v, but needs %+v: %+v", i, n, took, need, at)
			}
			all := needed(&s).minus(before)
			if most := once + int64(i%ChunkLen+1)*each; all.Bytes+all.Block > most {
				t.Fatalf("%d inserts took %+v, more than %d", i%ChunkLen+1, all, most)
			}
		}
		if has := needed(&s); s.Bytes() < has.Bytes+has.Block-s.FirstChunk() {
			t.Fatalf("%d bytes, which is less than %+v", s.Bytes(), has)
		}
	})
}

// What it takes to hold an event is known before, too.
func TestHeldTakesWhatItNeeds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := new(Held)
		needed := func() int64 { return chunksOf(&h.nodes.slab) + chunksOf(&h.groups) + h.index.bytes() }
		groups := rapid.SampledFrom([]uint64{1, 3, 300}).Draw(t, "groups")
		draw := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		var most, before int64
		for i := range 1000 {
			if i%ChunkLen == 0 {
				most, before = h.MaxGrowth(), needed()
			}
			hash := GroupHash(draw.Uint64N(groups)+1) << 54
			had, need := needed(), h.Growth(hash)
			h.Add(hash, HeldKind(draw.IntN(2)), &Event{ID: EventID{Low: uint64(i)}})
			if took := needed() - had; took != need {
				t.Fatalf("event %d took %d bytes, but needs %d", i, took, need)
			}
			if took := needed() - before; took > most {
				t.Fatalf("%d events took %d bytes, more than %d", i%ChunkLen+1, took, most)
			}
		}
		if h.Bytes() < needed() {
			t.Fatalf("%d bytes, which is less than %d", h.Bytes(), needed())
		}
	})
}

// A flood leaves no memory behind but what is still in use, and a few numbers that are free.
func TestChunksAreReleased(t *testing.T) {
	s := New(Config{Size: 60, Threshold: 1})
	insert := func(user, time, id int) GroupID {
		return insertEvent(&s, user, Event{Time: int64(time), ID: EventID{Low: uint64(id)}})
	}
	var users []GroupID
	for user := range 20 * ChunkLen {
		users = append(users, insert(user, 0, 0))
		if user%2 == 0 { // these go to buckets, of which one has a single event
			insert(user, 1, 0)
			insert(user, 100, 0)
		}
	}
	for user, g := range users {
		if user%20 > 1 {
			s.Evict(g)
			continue
		}
		for id := range []int{0, 3, pageLen - 10, pageLen + 10}[user/20%4] {
			insert(user, 2, id)
		}
	}
	buckets, sparse, before := len(s.buckets.chunks), len(s.sparse.chunks), s.Bytes()
	released := 0
	for ; s.ReleaseChunk(); released++ {
		if err := s.Check(); err != nil {
			t.Fatal(err)
		}
	}
	if len(s.buckets.chunks) > 6 || len(s.sparse.chunks) > 3 || released != buckets+sparse-len(s.buckets.chunks)-len(s.sparse.chunks) {
		t.Errorf("%d chunks released: %d of %d and %d of %d are left", released, len(s.buckets.chunks), buckets, len(s.sparse.chunks), sparse)
	}
	if s.Bytes() >= before {
		t.Errorf("%d bytes, not less than %d", s.Bytes(), before)
	}
}
