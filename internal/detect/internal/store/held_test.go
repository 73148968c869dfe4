// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// heldModel is what a [Held] must hold of a group.
type heldModel [heldKinds][]Event

// What is held is found in order of time until its generation has expired, and nothing else:
// a call that waits must neither be lost nor be counted for an intervention that it does not
// follow.
func TestHeldKnowsWhatWasAdded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := new(Held)
		generation := uint32(0)
		known := map[GroupHash]*heldModel{}
		hashes := rapid.Map(rapid.Uint64Range(1, 4), func(n uint64) GroupHash { return GroupHash(n << 61) })
		times := rapid.Int64Range(-30, 30)
		model := func(hash GroupHash) *heldModel {
			if known[hash] == nil {
				known[hash] = new(heldModel)
			}
			return known[hash]
		}
		add := func(hash GroupHash, kind HeldKind, e Event) {
			e.Generation = uint8(generation)
			events := &model(hash)[kind]
			at, found := slices.BinarySearchFunc(*events, e, func(a, b Event) int { return a.compare(&b) })
			if found != h.Contains(h.Find(hash), kind, &e) {
				t.Fatalf("%+v: known %t", e, found)
			}
			if !found {
				h.Add(hash, kind, &e)
				*events = slices.Insert(*events, at, e)
			}
		}
		t.Repeat(map[string]func(*rapid.T){
			"add": func(t *rapid.T) {
				add(hashes.Draw(t, "group"), HeldKind(rapid.IntRange(0, 1).Draw(t, "kind")),
					Event{Time: times.Draw(t, "time"), ID: EventID{Low: rapid.Uint64Range(0, 2).Draw(t, "id")}})
			},
			"add many": func(t *rapid.T) {
				hash, kind := hashes.Draw(t, "group"), HeldKind(rapid.IntRange(0, 1).Draw(t, "kind"))
				start, step := times.Draw(t, "time"), rapid.Int64Range(-1, 1).Draw(t, "step")
				for i := range int64(300) {
					add(hash, kind, Event{Time: start + i*step, ID: EventID{High: uint64(i), Low: uint64(generation)}})
				}
			},
			"take": func(t *rapid.T) {
				hash, after := hashes.Draw(t, "group"), times.Draw(t, "after")
				upTo := rapid.Int64Range(after, after+20).Draw(t, "up to")
				events := &model(hash)[HeldCall]
				some := make([]Event, 0, rapid.IntRange(1, 10).Draw(t, "at once"))
				for {
					is := func(e Event) bool { return after < e.Time && e.Time <= upTo }
					i, n := max(0, slices.IndexFunc(*events, is)), 0
					for n < cap(some) && i+n < len(*events) && is((*events)[i+n]) {
						n++
					}
					if some = h.Take(h.Find(hash), after, upTo, some); !slices.Equal(some, (*events)[i:i+n]) {
						t.Fatalf("took %+v of %+v, after %d up to %d", some, *events, after, upTo)
					}
					if n == 0 {
						break
					}
					*events = slices.Delete(*events, i, i+n)
					last := some[n-1].Time
					if left := slices.ContainsFunc(*events, func(e Event) bool { return e.Time == last }); left != h.HasCall(h.Find(hash), last) {
						t.Fatalf("more at %d: %t", last, left)
					}
				}
			},
			"look": func(t *rapid.T) {
				hash, before := hashes.Draw(t, "group"), times.Draw(t, "before")
				e := h.Before(h.Find(hash), before)
				for _, want := range slices.Backward(model(hash)[HeldIntervention]) {
					if want.Time >= before {
						continue
					}
					if e == nil || *e != want {
						t.Fatalf("%+v is before %d, not %+v", want, before, e)
					}
					e = h.Preceding(h.Find(hash), e)
				}
				if e != nil {
					t.Fatalf("%+v is not known", *e)
				}
			},
			"drop the earliest": func(t *rapid.T) {
				hash := hashes.Draw(t, "group")
				if events := &model(hash)[HeldCall]; len(*events) > 0 {
					n := rapid.IntRange(0, len(*events)).Draw(t, "calls")
					h.DropEarliest(h.Find(hash), n)
					*events = (*events)[n:]
				}
			},
			"evict": func(t *rapid.T) {
				hash := hashes.Draw(t, "group")
				if g := h.Find(hash); g != 0 {
					h.Evict(g)
				}
				delete(known, hash)
			},
			"release": func(*rapid.T) {
				for before := len(h.nodes.chunks); h.ReleaseChunk(); before-- {
					if len(h.nodes.chunks) != before-1 {
						t.Fatal("no chunk was released")
					}
				}
			},
			"advance": func(*rapid.T) {
				generation++
				h.Advance(generation)
				for _, m := range known {
					for kind := range m {
						m[kind] = slices.DeleteFunc(m[kind], func(e Event) bool { return e.Generation+Generations <= uint8(generation) })
					}
				}
			},
			"": func(t *rapid.T) {
				if err := h.Check(); err != nil {
					t.Fatal(err)
				}
				groups := 0
				for hash, m := range known {
					g := h.Find(hash)
					if (g != 0) != (len(m[HeldCall])+len(m[HeldIntervention]) > 0) {
						t.Fatalf("group %x with %d and %d events has the number %d", hash, len(m[0]), len(m[1]), g)
					}
					if g == 0 {
						continue
					}
					groups++
					if h.Events(g, HeldCall) != len(m[HeldCall]) || h.Events(g, HeldIntervention) != len(m[HeldIntervention]) {
						t.Fatalf("group %x: %d calls and %d interventions, not %d and %d", hash,
							h.Events(g, HeldCall), h.Events(g, HeldIntervention), len(m[HeldCall]), len(m[HeldIntervention]))
					}
				}
				if h.Len() != groups {
					t.Fatalf("%d groups, not %d", h.Len(), groups)
				}
			},
		})
	})
}

// Interventions that are dropped for lack of memory decide nothing: exactly the same times
// follow one, now and when others are forgotten.
func TestThinnedInterventionsDecideTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const within = 10
		h := new(Held)
		var all []Event
		for i, time := range rapid.SliceOfN(rapid.Int64Range(0, 100), 1, 60).Draw(t, "times") {
			e := Event{Time: time, ID: EventID{Low: uint64(i)}, Generation: uint8(rapid.IntRange(0, 2).Draw(t, "generation"))}
			all = append(all, e)
			h.Add(1, HeldIntervention, &e)
		}
		h.generation = 2
		h.Thin(h.Find(1), within)
		for generation := uint32(2); generation < 2+Generations; generation++ {
			h.Advance(generation)
			for at := int64(-1); at < 120; at++ {
				want := slices.ContainsFunc(all, func(e Event) bool {
					return h.age(e.Generation) < Generations && e.Time < at && at <= e.Time+within
				})
				e := h.Before(h.Find(1), at)
				if got := e != nil && at <= e.Time+within; got != want {
					t.Fatalf("%d in generation %d: %t, not %t", at, generation, got, want)
				}
			}
		}
	})
}

// A user whose every call is blocked needs hardly any memory for that.
func TestThinnedInterventionsAreFew(t *testing.T) {
	h := new(Held)
	for i := range int64(1000) {
		h.Add(1, HeldIntervention, &Event{Time: i})
	}
	if dropped := h.Thin(h.Find(1), 100); dropped != 1000-h.Events(h.Find(1), HeldIntervention) || dropped < 975 {
		t.Errorf("%d dropped", dropped)
	}
}

// However many calls of one caller wait, and in whatever order they came, one more takes little time.
func TestHeldTreesStayBalanced(t *testing.T) {
	for name, at := range map[string]func(i int64) (time int64, id uint64){
		"in order":    func(i int64) (int64, uint64) { return i, 0 },
		"reverse":     func(i int64) (int64, uint64) { return -i, 0 },
		"one instant": func(i int64) (int64, uint64) { return 0, uint64(i) },
	} {
		t.Run(name, func(t *testing.T) {
			h := new(Held)
			const calls = 100_000
			for i := range int64(calls) {
				time, id := at(i)
				h.Add(1, HeldCall, &Event{Time: time, ID: EventID{Low: id}})
			}
			if deep := h.depth(h.group(h.Find(1)).trees[HeldCall].root); deep > 80 { // of a perfect tree: 17
				t.Errorf("%d levels", deep)
			}
		})
	}
}

func (h *Held) depth(root uint32) int {
	if root == 0 {
		return 0
	}
	x := h.nodes.at(root)
	return 1 + max(h.depth(x.left), h.depth(x.right))
}
