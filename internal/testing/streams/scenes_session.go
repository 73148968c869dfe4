// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package streams

// step is a gap that a session just bears, or an ordinary one.
func (s *stage) step() int64 {
	return pick(s.rng, s.size, s.size, s.size-1, 0, 1+s.rng.Int64N(s.size))
}

// run adds events of one session and returns when the last of them happens.
func (s *stage) run(start int64, n int) int64 {
	for i := range n {
		if i > 0 {
			start += s.step()
		}
		s.add(start)
	}
	return start
}

// around is a time near the edge.
func (s *stage) around() int64 { return s.edge - pick(s.rng, 0, 1, s.rng.Int64N(s.size)) }

// chain is a session of about as many events as it takes.
func (s *stage) chain() { s.run(s.around(), s.burst()) }

// separate has sessions with a gap between them that is a nanosecond too long:
// neither has enough, though both together would.
func (s *stage) separate() {
	time := s.around()
	for range 2 + s.rng.IntN(2) {
		time = s.run(time, max(s.threshold-s.rng.IntN(2), 1)) + s.size + 1
		if s.threshold == 0 {
			return
		}
	}
}

// bridge has two sessions and an event between them that makes them one.
func (s *stage) bridge() {
	most := max(s.threshold, 1)
	if s.quiet {
		most = (s.threshold - 1) / 2
	}
	if most < 1 {
		return
	}
	s.bridged(1+s.rng.IntN(most), 1+s.rng.IntN(most))
}

// twoFull has two sessions that alert each by itself, before the bridge or after.
func (s *stage) twoFull() {
	if s.quiet {
		return
	}
	s.bridged(s.threshold+1+s.rng.IntN(3), s.threshold+1+s.rng.IntN(3))
}

func (s *stage) bridged(before, after int) {
	last := s.run(s.around(), before)
	gap := pick(s.rng, s.size+1, 2*s.size, s.size+1+s.rng.Int64N(s.size))
	s.run(last+gap, after)
	s.add(last + gap - s.size + s.rng.Int64N(2*s.size-gap+1))
}
