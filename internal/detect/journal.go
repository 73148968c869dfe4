// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package detect

import (
	"bytes"
	"sync"
	"time"

	"example.com/otelcol-guardrail/internal/detect/internal/journal"
	"example.com/otelcol-guardrail/internal/detect/internal/store"
)

// Journal collects, in order, what a detector needs after a restart to continue where it
// was: the events that were no repeats, and its alerts as they stand after every change. It writes them
// into pages, each readable by itself. Its owner stores the pages; docs/state-format.md
// describes their bytes.
//
// What belongs together is recorded under the lock of its shard. So whatever has been drained
// is a prefix of what happened to each group: no count of an alert is ahead of its events.
type Journal struct {
	rule *Rule

	mu      sync.Mutex     // guards what follows
	number  uint64         // of the open page
	page    journal.Writer // the open page
	started int64          // running time of its first entry, in nanoseconds
	drained int            // how many bytes of it were drained
	sealed  []Page         // full pages that were not drained
	lost    int            // pages dropped since Drain, because too many were sealed
}

// Page is a page of a journal as far as it has been written.
type Page = journal.Page

// CorruptError reports that a page does not hold what a [Journal] writes.
type CorruptError = journal.CorruptError

const (
	// drainedPageSize is the size from which on a page that was drained is not added to any
	// more: to rewrite it would take longer than to begin another.
	drainedPageSize = 2 << 10
	// maxPageSize is the size at which a page is full even though nobody drains it.
	maxPageSize = 256 << 10
	// maxSealed is how many such pages wait to be drained.
	maxSealed = 64
)

// record writes what of a batch was new to a shard, which is locked, and what changed in its
// alerts.
func (j *Journal) record(s *shard, l *limiter, events []Event, added []addition, now time.Time) {
	if j == nil || len(added) == 0 && len(s.unsaved) == 0 {
		return
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.begin(now)
	j.page.Arrive(runningTime(now))
	for _, a := range added {
		j.recordEvent(&events[a.event], a.as)
		j.seal(maxPageSize, now)
	}
	for _, a := range s.unsaved {
		j.page.Alert(&a.Alert)
		if a.unsaved = false; a.Dropped {
			a.Key = ""
		}
		j.seal(maxPageSize, now)
	}
	if len(s.unsaved) > 0 {
		state := l.snapshot()
		j.page.Limiter(&state)
	}
	clear(s.unsaved)
	s.unsaved = s.unsaved[:0]
}

func (j *Journal) recordEvent(e *Event, as addedAs) {
	entry := journal.Event{Time: e.Time, Text: e.ID, Kind: e.Kind, Model: e.Model, Operation: e.Operation, Region: e.Region}
	if e.Presumed {
		entry.Flags |= journal.Presumed
	}
	if e.IDOnly {
		entry.Flags |= journal.IDOnly
	}
	if id, ok := parseUUID(e.ID); ok {
		entry.UUID, entry.Flags = uuidBytes(id), entry.Flags|journal.IsUUID
	}
	if e.RequestID != "" { // then it is the ID
		entry.Flags |= journal.IsRequestID
	}
	group := j.page.Group(e.Key)
	if as&addedIntervention != 0 {
		entry.GuardrailID = e.GuardrailID
		j.page.Intervention(group, &entry)
	}
	switch {
	case as&addedCounted != 0:
		j.page.Event(group, &entry)
	case as&addedWaiting != 0:
		j.page.Waiting(group, &entry)
	}
}

// recordAlerting writes which of a group's buckets alert.
func (j *Journal) recordAlerting(key string, buckets []int64, now time.Time) {
	if len(buckets) == 0 {
		return
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.begin(now)
	j.page.Arrive(runningTime(now))
	j.page.Alerting(&journal.Alerting{Key: key, Buckets: buckets})
	j.seal(maxPageSize, now)
}

// recordLimiter writes how far the limit of alerts is used.
func (j *Journal) recordLimiter(l *limiter, now time.Time) {
	state := l.snapshot()
	j.mu.Lock()
	defer j.mu.Unlock()
	j.begin(now)
	j.page.Limiter(&state)
	j.seal(maxPageSize, now)
}

// begin prepares the open page for entries that are made now. A page belongs to one
// generation of arrival, so that it can be deleted as a whole.
func (j *Journal) begin(now time.Time) {
	running := runningTime(now)
	if j.page.Len() > 0 && j.rule.generationOf(running) > j.rule.generationOf(j.started) {
		j.seal(0, now)
	}
	if j.page.Len() == 0 {
		j.started = running
		j.page.Reset(running)
	}
}

// seal ends the open page if it has reached a size, and begins another.
func (j *Journal) seal(size int, now time.Time) {
	if j.page.Len() < size {
		return
	}
	if j.drained < j.page.Len() {
		if len(j.sealed) == maxSealed {
			j.sealed = append(j.sealed[:0], j.sealed[1:]...)
			j.lost++
		}
		j.sealed = append(j.sealed, Page{Number: j.number, Arrived: j.started, Body: j.page.TakeBody()})
	}
	j.next(runningTime(now))
}

// next begins another page.
func (j *Journal) next(started int64) {
	j.number++
	j.started, j.drained = started, 0
	j.page.Reset(started)
}

// Drain appends the pages that have been written to since it was last called, each from its
// beginning, and returns how many were lost because it was not called for too long. A page may
// come again, longer.
func (j *Journal) Drain(pages []Page) (_ []Page, lost int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	pages = append(pages, j.sealed...)
	clear(j.sealed)
	j.sealed = j.sealed[:0]
	lost, j.lost = j.lost, 0
	open := Page{Number: j.number, Arrived: j.started}
	switch size := j.page.Len(); {
	case size == j.drained:
	case size >= drainedPageSize: // nothing is added to it any more
		open.Body = j.page.TakeBody()
		pages = append(pages, open)
		j.next(j.started)
	default:
		open.Body = bytes.Clone(j.page.Body())
		pages = append(pages, open)
		j.drained = size
	}
	return pages, lost
}

// Generation returns the generation of what arrives at a running time, in nanoseconds. What is
// [Generations] older than the present one is forgotten.
func (j *Journal) Generation(running int64) uint32 { return j.rule.generationOf(running) }

// runningTime returns the present of a detector that has a journal, in nanoseconds.
func runningTime(now time.Time) int64 { return now.UnixNano() }

// storedEvent returns an event of a journal as it is remembered.
func (s *shard) storedEvent(e *journal.Event) store.Event {
	stored := store.Event{Time: e.Time}
	if e.Flags&journal.IsUUID != 0 {
		stored.ID, stored.Flags = uuidID(e.UUID), store.EventUUID
	} else {
		stored.ID = s.hasher.text(e.Text)
	}
	if e.Flags&journal.Presumed != 0 {
		stored.Flags |= store.EventPresumed
	}
	return stored
}
