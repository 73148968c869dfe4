// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package streams

import (
	"math/rand/v2"
	"strconv"
	"time"

	"example.com/otelcol-guardrail/internal/testing/oracle"
)

// stage is where invocations happen, scene by scene, in no order yet.
type stage struct {
	rng       *rand.Rand
	window    oracle.Type
	threshold int
	size      int64
	groups    int
	quiet     bool // nothing is meant to alert, though much comes close
	anchors   []int64

	scene    int
	edge     int64 // the edge of a bucket that the scene plays around
	group    int
	nextID   int
	happened []Event
}

func newStage(rng *rand.Rand, stream Stream) *stage {
	return &stage{
		rng:       rng,
		window:    stream.Window,
		threshold: stream.Threshold,
		size:      int64(stream.Size),
		groups:    len(stream.Groups),
		quiet:     stream.Threshold > 0 && chance(rng, 25),
		anchors:   anchors(rng),
	}
}

// anchors are the times around which all happens.
func anchors(rng *rand.Rand) []int64 {
	year := func(year int) int64 { return time.Date(year, 5, 17, 11, 3, 0, 0, time.UTC).UnixNano() }
	all := []int64{year(2026), 0, year(1969), year(1700), year(2240)}
	switch {
	case chance(rng, 70):
		return all[:1]
	case chance(rng, 80):
		return []int64{pick(rng, all...)}
	}
	return all
}

// play fills the stage.
func (s *stage) play() []Event {
	scenes := s.scenes()
	wanted := s.events()
	for len(s.happened) < wanted {
		s.move(wanted)
		pick(s.rng, scenes...)()
	}
	return s.happened
}

// scenes are what is hard on the kind of window, among what is hard on any.
func (s *stage) scenes() []func() {
	all := []func(){
		s.overEdge, s.overEdge, s.oneInstant, s.wholeSeconds, s.edgeToEdge, s.noise, s.flood, s.oneID, s.elsewhere, s.observed,
	}
	switch s.window {
	case oracle.Session:
		return append(all, s.chain, s.chain, s.separate, s.separate, s.bridge, s.twoFull)
	case oracle.Tumbling:
		return append(all, s.exactGap, s.brim, s.brim, s.split, s.split, s.steady)
	case oracle.Sliding:
		return append(all, s.exactGap, s.exactGap, s.steady)
	}
	return all
}

func (s *stage) events() int {
	switch {
	case chance(s.rng, 15):
		return 1 + s.rng.IntN(60)
	case chance(s.rng, 85):
		return 150 + s.rng.IntN(350)
	}
	return 500 + s.rng.IntN(700)
}

// quietBuckets is the distance between quiet scenes: further than any of them reaches.
const quietBuckets = 100

// move goes to another place, now and then so near that scenes run into each
// other, which never happens on a quiet stage.
func (s *stage) move(wanted int) {
	if s.quiet {
		s.group = s.rng.IntN(s.groups)
		s.scene++
		s.edge = pick(s.rng, s.anchors...)
		s.edge += s.size*int64(quietBuckets*s.scene) - s.edge%s.size
		return
	}
	if s.edge != 0 && chance(s.rng, 25) {
		s.edge += pick(s.rng, 0, s.size, -s.size, 2*s.size)
		return
	}
	anchor := pick(s.rng, s.anchors...)
	s.group = s.rng.IntN(s.groups)
	s.edge = anchor - anchor%s.size + s.size*int64(s.rng.IntN(wanted+2)-wanted/2)
}

// burst is how many events a burst has: about as many as it takes.
func (s *stage) burst() int {
	n := s.threshold + pick(s.rng, -1, 0, 0, 1, 1, 1, 2, 5)
	if s.quiet {
		n = s.threshold - s.rng.IntN(2)
	}
	return max(n, 0)
}

// near is a span about as long as the window.
func (s *stage) near() int64 {
	return pick(s.rng, s.size-1, s.size, s.size+1, 1+s.rng.Int64N(s.size))
}

func (s *stage) add(time int64) *Event {
	s.nextID++
	s.happened = append(s.happened, Event{
		Time:     time,
		Group:    s.group,
		ID:       "id-" + strconv.Itoa(s.nextID),
		Presumed: chance(s.rng, 20),
		Model:    "model-" + strconv.Itoa(s.rng.IntN(15)),
	})
	return &s.happened[len(s.happened)-1]
}

// overEdge is a burst on both sides of an edge.
func (s *stage) overEdge() {
	span := s.near()
	first := s.edge - 1 - s.rng.Int64N(span)
	n := s.burst()
	for i := range n {
		switch i {
		case 0:
			s.add(first)
		case 1:
			s.add(first + span)
		default:
			s.add(first + s.rng.Int64N(span+1))
		}
	}
}

// exactGap has one window that is full or overfull, and events just outside it.
func (s *stage) exactGap() {
	end := s.edge + pick(s.rng, 0, -1, 1, s.rng.Int64N(s.size))
	within, outside := s.size, 1+s.rng.IntN(3)
	if s.quiet {
		within, outside = 1, s.burst() // or windows that end earlier would be overfull
	}
	for range s.burst() - 1 {
		s.add(end - s.rng.Int64N(within))
	}
	s.add(end)
	for range outside {
		s.add(end - s.size)
	}
}

func (s *stage) oneInstant() {
	instant := s.edge + pick(s.rng, 0, -1, s.rng.Int64N(s.size))
	for range s.burst() {
		s.add(instant)
	}
}

// wholeSeconds is what a source writes that knows no fractions.
func (s *stage) wholeSeconds() {
	start := s.edge - s.rng.Int64N(s.size)
	for range s.burst() {
		time := start + s.rng.Int64N(s.size+1)
		s.add(time - time%1e9)
	}
}

// edgeToEdge fills one bucket from its first instant to its last.
func (s *stage) edgeToEdge() {
	for i := range s.burst() {
		s.add(s.edge + pick(s.rng, int64(i%2)*(s.size-1), s.rng.Int64N(s.size)))
	}
}

// steady keeps every window as full as it may be, or one fuller.
func (s *stage) steady() {
	step := s.size / int64(max(s.threshold, 1))
	if !s.quiet {
		step += pick(s.rng, 0, 0, 1, -1, -step/8)
	} else if step*int64(s.threshold) < s.size {
		step++
	}
	time := s.edge + pick(s.rng, 0, s.rng.Int64N(s.size))
	for range min(3*s.threshold+2, 60) {
		s.add(time)
		time += step
	}
}

func (s *stage) noise() {
	if s.quiet {
		return
	}
	for range 1 + s.rng.IntN(10) {
		s.add(s.edge + s.rng.Int64N(40*s.size) - 20*s.size)
	}
}

func (s *stage) flood() {
	if s.quiet {
		return
	}
	span := s.size * (1 + s.rng.Int64N(4))
	for range (s.threshold + 1) * (2 + s.rng.IntN(4)) {
		s.add(s.edge + s.rng.Int64N(span))
	}
}

// oneID is a client that numbers all its calls alike.
func (s *stage) oneID() {
	id := "same-" + strconv.Itoa(s.rng.IntN(3))
	for range s.burst() {
		s.add(s.edge + s.rng.Int64N(s.size) - s.size/2).ID = id
	}
}

// elsewhere lets what happened happen to another group as well.
func (s *stage) elsewhere() {
	if len(s.happened) == 0 || s.quiet {
		return
	}
	from := s.rng.IntN(len(s.happened))
	for _, event := range s.happened[from:min(from+1+s.rng.IntN(30), len(s.happened))] {
		event.Group = (event.Group + 1) % s.groups
		s.happened = append(s.happened, event)
	}
}

// observed are records without a time of their own.
func (s *stage) observed() {
	start := s.edge - s.rng.Int64N(s.size)
	for range s.burst() {
		event := s.add(start + s.rng.Int64N(s.size))
		event.ID, event.IDOnly = "observed-"+event.ID, true
	}
}
