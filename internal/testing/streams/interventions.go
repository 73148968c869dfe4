// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package streams

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"time"

	"example.com/otelcol-guardrail/internal/testing/oracle"
)

// NewAfter makes the stream of a seed for a rule that counts only what follows an
// intervention: that of New, with interventions near its calls that arrive before
// them, after them, or last of all.
func NewAfter(seed uint64, window oracle.Type) Stream {
	stream := New(seed, window)
	c := newCast(&stream)
	more := make([][]Event, len(stream.Batches))
	for from := range stream.Batches {
		for _, call := range c.calls(stream.Batches[from].Events) {
			for _, i := range c.interventions(call) {
				c.deliver(more, i, from)
			}
		}
	}
	for at := range stream.Batches {
		c.mix(&stream.Batches[at], more[at])
	}
	return stream
}

// LiveAfter is Live for such a rule. An intervention is late by no more than any call
// may be.
func LiveAfter(seed uint64, window oracle.Type) Stream {
	stream := Live(seed, window)
	c := newCast(&stream)
	stream.AfterIntervention = min(stream.AfterIntervention, 30*stream.Size) // much less than the stream lasts
	c.after = int64(stream.AfterIntervention)
	late := stream.Retention
	if window == oracle.Session {
		late -= 2 * time.Duration(stream.Threshold+1) * stream.Size
	}
	var more []Batch
	for i := range stream.Batches {
		for _, call := range c.calls(stream.Batches[i].Events) {
			for _, i := range c.interventions(call) {
				arrival := time.Unix(0, i.Time).Add(pick(c.rng, 0, late, time.Duration(c.rng.Int64N(int64(late)+1))))
				more = append(more, Batch{Now: arrival, Events: []Event{i}})
				if chance(c.rng, 10) {
					more = append(more, Batch{Now: arrival.Add(stream.Size / 3), Events: []Event{i}})
				}
			}
		}
	}
	stream.Batches = append(stream.Batches, more...)
	slices.SortStableFunc(stream.Batches, func(a, b Batch) int { return a.Now.Compare(b.Now) })
	return stream
}

// cast decides in which calls guardrails intervene.
type cast struct {
	rng    *rand.Rand
	size   int64
	after  int64
	groups int
	often  int // percent of calls that are made to follow an intervention
	misses int // percent of those that just do not
	both   int // percent of calls that are interventions, too
	late   int // percent of interventions that arrive after their calls
	nextID int
	known  map[Event]Event // calls by identity
}

func newCast(stream *Stream) *cast {
	rng := rand.New(rand.NewPCG(stream.Seed, 5))
	size := stream.Size
	stream.AfterIntervention = pick(rng, 1, 2, size/2, size, size, size, 3*size, 20*size,
		1+time.Duration(rng.Int64N(int64(30*size))), math.MaxInt64)
	return &cast{
		rng:    rng,
		size:   int64(size),
		after:  int64(stream.AfterIntervention),
		groups: len(stream.Groups),
		often:  pick(rng, 30, 80, 100, 100),
		misses: pick(rng, 0, 5, 10, 30),
		both:   pick(rng, 0, 0, 5, 30),
		late:   pick(rng, 0, 20, 50, 100),
		known:  map[Event]Event{},
	}
}

// calls decides which events are interventions as well, or only that, and returns those
// that are there for the first time.
func (c *cast) calls(events []Event) (first []Event) {
	for i, event := range events {
		known, repeat := c.known[event.Identity()]
		switch {
		case repeat:
			known.Time = event.Time
			events[i] = known
			continue
		case event.Guardrail != "": // made for an earlier call
			continue
		case chance(c.rng, c.both):
			events[i].Intervened = true
			events[i].Uncounted = chance(c.rng, 20)
			events[i].Guardrail = c.guardrail()
		}
		c.known[event.Identity()] = events[i]
		first = append(first, events[i])
	}
	return first
}

func (c *cast) guardrail() string { return "guardrail-" + strconv.Itoa(c.rng.IntN(3)) }

// interventions makes some that a call follows, or just does not.
func (c *cast) interventions(call Event) (made []Event) {
	if !chance(c.rng, c.often) {
		return nil
	}
	for range pick(c.rng, 1, 1, 1, 2) {
		time := sub(call.Time, pick(c.rng, c.after, c.after, 1, 1+c.rng.Int64N(c.after)))
		group := call.Group
		if chance(c.rng, c.misses) {
			switch c.rng.IntN(5) {
			case 0:
				time = call.Time
			case 1:
				time = sub(call.Time, -1)
			case 2, 3:
				time = sub(sub(call.Time, c.after), 1)
			case 4:
				group = c.rng.IntN(c.groups)
			}
		}
		c.nextID++
		i := Event{
			Time: time, Group: group, ID: "intervention-" + strconv.Itoa(c.nextID), Model: call.Model,
			Intervened: true, Uncounted: true, Guardrail: c.guardrail(),
		}
		if chance(c.rng, 5) {
			i.ID, i.IDOnly = "observed-"+i.ID, true
		}
		made = append(made, i)
	}
	return made
}

// sub subtracts from a time, as far as there is time.
func sub(t, d int64) int64 {
	if difference := t - d; (d < 0) == (difference > t) {
		return difference
	}
	if d < 0 {
		return math.MaxInt64
	}
	return math.MinInt64
}

// deliver puts an intervention that has to do with an event of one batch into any batch
// before it or after it, and now and then into a later one again.
func (c *cast) deliver(more [][]Event, i Event, from int) {
	rng, last := c.rng, len(more)-1
	at := rng.IntN(from + 1)
	if chance(rng, c.late) {
		at = pick(rng, from, last, from+rng.IntN(last-from+1))
	} else if chance(rng, 50) {
		at = from
	}
	more[at] = append(more[at], i)
	if chance(rng, 15) {
		if i.IDOnly {
			i.Time += rng.Int64N(2*c.size) - c.size // observed a second time
		}
		at += rng.IntN(last - at + 1)
		more[at] = append(more[at], i)
	}
}

// mix puts more events anywhere into a batch.
func (c *cast) mix(batch *Batch, more []Event) {
	places := make([]float64, 0, len(batch.Events)+len(more))
	for i := range batch.Events {
		places = append(places, float64(i))
	}
	for range more {
		places = append(places, c.rng.Float64()*float64(len(batch.Events))-0.5)
	}
	all := slices.Concat(batch.Events, more)
	indexes := make([]int, len(all))
	for i := range indexes {
		indexes[i] = i
	}
	slices.SortStableFunc(indexes, func(a, b int) int { return cmp.Compare(places[a], places[b]) })
	batch.Events = make([]Event, len(all))
	for i, from := range indexes {
		batch.Events[i] = all[from]
	}
}
