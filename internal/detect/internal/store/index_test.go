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
				idx.add(tags[n], n)
			},
			"remove": func(t *rapid.T) {
				removed := rapid.Uint32Range(0, n).Draw(t, "number")
				if tag, ok := tags[removed]; ok {
					idx.remove(tag, removed)
					delete(tags, removed)
				}
			},
			"shrink": func(*rapid.T) { idx.shrink() },
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
