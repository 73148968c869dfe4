// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package detect

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// A table finds what was added and not removed, however many tags are alike.
func TestTableFindsWhatIsInIt(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var table table
		tags := map[uint32]uint32{} // by number
		tag := rapid.OneOf(rapid.Uint32(), rapid.Uint32Range(0, 3), rapid.Uint32Range(1<<32-3, 1<<32-1))
		n := uint32(0)
		t.Repeat(map[string]func(*rapid.T){
			"add": func(t *rapid.T) {
				n++
				tags[n] = tag.Draw(t, "tag")
				table.add(tags[n], n)
			},
			"remove": func(t *rapid.T) {
				gone := rapid.Uint32Range(0, n).Draw(t, "number")
				if tag, ok := tags[gone]; ok {
					table.remove(tag, gone)
					delete(tags, gone)
				}
			},
			"shrink": func(*rapid.T) { table.shrink() },
			"": func(t *rapid.T) {
				if table.used != len(tags) {
					t.Fatalf("%d in it, not %d", table.used, len(tags))
				}
				for number := range n + 1 {
					tag, want := tags[number]
					if found := slices.Contains(slices.Collect(table.under(tag)), number); found != want {
						t.Fatalf("%d: found: %t, in it: %t", number, found, want)
					}
				}
			},
		})
	})
}
