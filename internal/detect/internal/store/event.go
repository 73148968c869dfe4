// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"cmp"
	"sort"
)

// Event is a counted invocation as it is remembered.
type Event struct {
	Time       int64 // Unix nanoseconds
	ID         EventID
	Text       uint32 // where the request ID is kept if it is not ID itself; 0: nowhere
	Profile    uint16 // what it has in common with other events
	Generation uint8  // in which it arrived, modulo 256
	Flags      EventFlags
}

// EventID stands for an event's ID, with [EventUUID].
type EventID struct{ High, Low uint64 }

// EventFlags describe an [Event].
type EventFlags uint8

// The flags of an event.
const (
	EventPresumed EventFlags = 1 << iota // counted by presumption
	EventUUID                            // ID holds a UUID, and no hash
)

// compare orders events by time, and at one time by identity. Two that are equal are the
// same event.
func (e *Event) compare(other *Event) int {
	if e.Time < other.Time {
		return -1
	}
	if e.Time > other.Time {
		return 1
	}
	return e.compareIdentity(other)
}

func (e *Event) compareIdentity(other *Event) int {
	return cmp.Or(
		cmp.Compare(e.Flags&EventUUID, other.Flags&EventUUID),
		cmp.Compare(e.ID.High, other.ID.High),
		cmp.Compare(e.ID.Low, other.ID.Low),
	)
}

// search returns where an event belongs among sorted ones, and whether it is there already.
func search(events []Event, e *Event) (at int, found bool) {
	at = sort.Search(len(events), func(i int) bool { return events[i].compare(e) >= 0 })
	return at, at < len(events) && events[at].compare(e) == 0
}

// CountUpTo returns how many of a bucket's events are not later than t.
func CountUpTo(events []Event, t int64) int {
	return sort.Search(len(events), func(i int) bool { return events[i].Time > t })
}

// CountBefore returns how many of a bucket's events are earlier than t.
func CountBefore(events []Event, t int64) int {
	n := CountUpTo(events, t)
	for n > 0 && events[n-1].Time == t {
		n--
	}
	return n
}

// age returns how many generations ago an event of a generation arrived.
func (s *Store) age(generation uint8) uint8 { return uint8(s.generation) - generation }

// distance returns how far two times lie apart, in nanoseconds.
func distance(a, b int64) uint64 {
	if a < b {
		a, b = b, a
	}
	return uint64(a) - uint64(b)
}
