// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

// Package streams makes streams of invocations that are hard on a detector:
// bursts over the edge of a bucket, events exactly one window apart, ties,
// disorder, repeats, replays, outages that drain, backfill. The same seed always
// makes the same stream. What is hard differs by the kind of window; that is all
// it knows of the detector it is to test.
package streams

import (
	"math/rand/v2"
	"time"

	"example.com/otelcol-guardrail/internal/testing/oracle"
)

// Stream is what arrives, and the rule that watches it.
type Stream struct {
	Seed      uint64
	Window    oracle.Type
	Threshold int
	Size      time.Duration
	Retention time.Duration
	Groups    [][]string // the values of each group; Event.Group is an index
	Batches   []Batch    // all within Size+Retention of each other

	AfterIntervention time.Duration // not 0: only what follows an intervention within this counts
}

// Batch is what arrives in one call.
type Batch struct {
	Now    time.Time
	Events []Event
}

// Event is one invocation.
type Event struct {
	Time     int64 // event time, Unix nanoseconds
	Group    int
	ID       string
	IDOnly   bool // a repeat may have another time
	Presumed bool
	Model    string

	Intervened bool   // a guardrail intervened in it
	Uncounted  bool   // it is only an intervention
	Guardrail  string // that intervened
}

// Identity is what is the same in all repeats of an event.
func (e Event) Identity() Event {
	identity := Event{Group: e.Group, ID: e.ID, IDOnly: e.IDOnly}
	if !e.IDOnly {
		identity.Time = e.Time
	}
	return identity
}

// Rule is the stream's rule in the oracle's words.
func (s Stream) Rule() oracle.Rule {
	return oracle.Rule{Type: s.Window, Size: s.Size, Threshold: s.Threshold, After: s.AfterIntervention}
}

// New makes the stream of a seed for a kind of window.
func New(seed uint64, window oracle.Type) Stream {
	rng := rand.New(rand.NewPCG(seed, 0))
	stream := Stream{
		Seed:      seed,
		Window:    window,
		Threshold: threshold(rng),
		Size:      size(rng),
		Retention: pick(rng, 0, time.Minute, 10*time.Minute, time.Hour, 24*time.Hour),
		Groups:    groups(rng),
	}
	events := newStage(rng, stream).play()
	events = arrive(rng, int64(stream.Size), events)
	events = repeat(rng, int64(stream.Size), events)
	stream.Batches = pack(rng, events)
	wind(rng, stream)
	return stream
}

// Events returns all events in order of arrival.
func (s Stream) Events() []Event {
	var events []Event
	for _, batch := range s.Batches {
		events = append(events, batch.Events...)
	}
	return events
}

func threshold(rng *rand.Rand) int {
	if chance(rng, 30) {
		return 5 // what most people will run
	}
	return rng.IntN(21)
}

func size(rng *rand.Rand) time.Duration {
	if chance(rng, 10) {
		return time.Second + time.Duration(rng.Int64N(int64(time.Hour-time.Second)))
	}
	return pick(rng, time.Second, 2*time.Second, 7*time.Second, 30*time.Second, time.Minute, time.Minute,
		61*time.Second, 90*time.Second, 10*time.Minute, time.Hour)
}

// groups are chosen so that values which run into each other would be noticed.
func groups(rng *rand.Rand) [][]string {
	all := [][]string{
		{"alice", "111122223333"},
		{"alic", "e111122223333"},
		{"alice", ""},
		{"", "alice"},
		{"alice"},
		{"alice", "111122223333", ""},
		{"", ""},
		{"\x00", ""},
		{"", "\x00"},
		{"a,b=c%", "\xff\xfe"},
		{"arn:aws:sts::111122223333:assumed-role/research/session", "111122223333"},
	}
	rng.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all[:1+rng.IntN(6)]
}

func chance(rng *rand.Rand, percent int) bool { return rng.IntN(100) < percent }

func pick[T any](rng *rand.Rand, from ...T) T { return from[rng.IntN(len(from))] }
