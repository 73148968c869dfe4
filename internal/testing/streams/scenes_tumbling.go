// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package streams

// split fills the buckets on both sides of an edge just as far as they may be:
// too much for one bucket, though not for two.
func (s *stage) split() {
	near := pick(s.rng, 1, s.size, 1+s.rng.Int64N(s.size))
	for side := range int64(2) {
		for range max(s.threshold-s.rng.IntN(2), 0) {
			into := s.rng.Int64N(near)
			s.add(s.edge + side*into - (1-side)*(1+into))
		}
	}
	if !s.quiet {
		s.add(s.edge - s.rng.Int64N(2))
	}
}

// brim fills one bucket, and puts events on the very first instant after it and
// the last in front of it.
func (s *stage) brim() {
	n := s.burst() // before anything else is drawn
	for i := range n {
		s.add(s.edge + pick(s.rng, 0, s.size-1, int64(i)%s.size, s.rng.Int64N(s.size)))
	}
	for range 1 + s.rng.IntN(3) {
		if outside := pick(s.rng, s.edge+s.size, s.edge-1); !s.quiet || s.threshold > 2 {
			s.add(outside)
		}
	}
}
