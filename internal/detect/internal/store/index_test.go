// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// An index finds what was added and not removed, however many tags are equal.
func TestIndexFindsWhatIsInIt(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var idx index
		tags := map[uint32]uint32{} // by number
		tag := rapid.OneOf(rapid.Uint32(), rapid.Uint32Range(0, 3), rapid.Uint32Range(1<<32-3, 1<<32-1))
		n := uint32(0)
		t.Repeat(map[string]func(*rapid.T){
			"add": func(t *rapid.T) {
				n++
				tags[n] = tag.Draw(t, "tag")
				before, growth := idx.bytes(), idx.growth(1)
				if idx.add(tags[n], n); idx.bytes() != before+growth {
					t.Fatalf("%d bytes after %d, not %d more", idx.bytes(), before, growth)
				}
			},
			"add many": func(t *rapid.T) {
				before, growth := idx.bytes(), idx.growth(100)
				for range 100 {
					n++
					tags[n] = n << 20
					idx.add(tags[n], n)
				}
				if idx.bytes() != before+growth {
					t.Fatalf("%d bytes after %d, not %d more", idx.bytes(), before, growth)
				}
			},
			"remove": func(t *rapid.T) {
				removed := rapid.Uint32Range(0, n).Draw(t, "number")
				if tag, ok := tags[removed]; ok {
					idx.remove(tag, removed)
					delete(tags, removed)
				}
			},
			"remove many": func(t *rapid.T) {
				keep := rapid.IntRange(0, 20).Draw(t, "keep")
				for number, tag := range tags {
					if len(tags) <= keep {
						break
					}
					idx.remove(tag, number)
					delete(tags, number)
				}
			},
			"shrink": func(t *rapid.T) {
				if idx.shrink(); len(idx.slots) > minSlots && len(idx.slots) >= 8*(len(tags)+1) {
					t.Fatalf("%d slots for %d", len(idx.slots), len(tags))
				}
			},
			"": func(t *rapid.T) {
				if idx.used != len(tags) {
					t.Fatalf("%d in it, not %d", idx.used, len(tags))
				}
				for number := range n + 1 {
					tag, want := tags[number]
					if found := slices.Contains(slices.Collect(idx.all(tag)), number); found != want {
						t.Fatalf("%d: found: %t, in it: %t", number, found, want)
					}
				}
			},
		})
	})
}
