// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package detect

import (
	"bytes"
	"encoding/binary"
	"strings"
	"sync"
	"time"
)

// Journal collects, in order, what a detector has to be told after a restart to
// stand where it stood: the events counted, and its alerts as they stand after
// every change. It writes them into pages, each readable by itself. What becomes of
// the pages is its owner's affair; docs/state-format.md describes their bytes.
//
// What belongs together is entered under the lock of the shard that it is about. So
// whatever has been taken out of the journal is a prefix of what happened to each
// group: no count of an alert is ahead of its events.
type Journal struct {
	rule *Rule

	mu     sync.Mutex // guards what follows
	number uint64     // of the open page
	page   pageWriter // the open page
	since  int64      // running time of its first entry, in nanoseconds
	taken  int        // how much of it was taken out
	sealed []Page     // full ones that were not taken out
	lost   int        // of those, how many were dropped since Take
}

// Page is a page of a journal as far as it is written.
type Page struct {
	Number  uint64 // counted from 1, without gaps
	Arrived int64  // running time at which its first entry was made, in nanoseconds
	Body    []byte
}

const (
	// pageFull is the size from which on a page that was taken out is not added to
	// any more: rewriting it would take longer than beginning another.
	pageFull = 2 << 10
	// pageMost is the size at which a page is full even though nobody takes it out.
	pageMost = 256 << 10
	// sealedMost is how many such pages wait for somebody to take them.
	sealedMost = 64
)

// Kinds of entries. A number is never used again for another.
const (
	entryText    = 1 // a string that later entries of the page refer to
	entryEvent   = 2
	entryAlert   = 3
	entryLimiter = 4
	entryNow     = 5 // when what follows arrived; at first it is when the page begins
	entryBuckets = 6 // that alert, whatever is still known of their events
)

// Flags of an event's entry.
const (
	journalPresumed  = 1 << iota // counted by presumption
	journalIDOnly                // repeats are told by the ID alone
	journalUUID                  // the ID is a UUID, in 16 bytes
	journalRequestID             // the ID is the request id
)

// Flags of an alert's entry.
const (
	journalInexact = 1 << iota
	journalLossy
	journalClosed
	journalCorrected
	journalMuted
	journalSummed
	journalDropped // nothing knows it any more
)

// enter writes what a shard, which is locked, has counted of a batch and what
// became of its alerts.
func (j *Journal) enter(s *shard, l *limiter, events []Event, counted []int32, now time.Time) {
	if j == nil || len(counted) == 0 && len(s.unsaved) == 0 {
		return
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.turn(now)
	j.page.arrive(runningTime(now))
	for _, n := range counted {
		j.page.event(&events[n])
		j.sealAt(pageMost, now)
	}
	for _, a := range s.unsaved {
		j.page.alert(a)
		if a.unsaved = false; a.dropped {
			a.key = ""
		}
		j.sealAt(pageMost, now)
	}
	if len(s.unsaved) > 0 {
		j.page.limiter(l)
	}
	clear(s.unsaved)
	s.unsaved = s.unsaved[:0]
}

// enterBuckets writes which of a group's buckets alert.
func (j *Journal) enterBuckets(key string, indexes []int64, now time.Time) {
	if len(indexes) == 0 {
		return
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.turn(now)
	j.page.arrive(runningTime(now))
	j.page.buckets(key, indexes)
	j.sealAt(pageMost, now)
}

// enterLimiter writes how far the limit of alerts is used.
func (j *Journal) enterLimiter(l *limiter, now time.Time) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.turn(now)
	j.page.limiter(l)
	j.sealAt(pageMost, now)
}

// turn begins another page when the generation of the open one is over, so that a
// page can be forgotten as a whole.
func (j *Journal) turn(now time.Time) {
	ns := runningTime(now)
	if len(j.page.body) > 0 && j.rule.generationOf(ns) > j.rule.generationOf(j.since) {
		j.sealAt(0, now)
	}
	if len(j.page.body) == 0 {
		j.since, j.page.present = ns, ns
	}
}

// sealAt ends the open page if it is so large.
func (j *Journal) sealAt(size int, now time.Time) {
	if len(j.page.body) < size {
		return
	}
	if j.taken < len(j.page.body) {
		if len(j.sealed) == sealedMost {
			j.sealed = append(j.sealed[:0], j.sealed[1:]...)
			j.lost++
		}
		j.sealed = append(j.sealed, Page{j.number, j.since, j.page.body})
		j.page.body = nil
	}
	j.begin(runningTime(now))
}

// begin begins another page.
func (j *Journal) begin(since int64) {
	j.number++
	j.page.reset()
	j.since, j.page.present, j.taken = since, since, 0
}

// Take appends the pages that have been written to since it was last called, each
// from its beginning, and tells how many are lost because it was not called for too
// long. A page may come again, longer.
func (j *Journal) Take(pages []Page) (_ []Page, lost int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	pages = append(pages, j.sealed...)
	clear(j.sealed)
	j.sealed = j.sealed[:0]
	lost, j.lost = j.lost, 0
	switch size := len(j.page.body); {
	case size == j.taken:
	case size >= pageFull: // nobody writes to it any more
		pages = append(pages, Page{j.number, j.since, j.page.body})
		j.page.body, j.taken = nil, size
		j.begin(j.since)
	default:
		pages = append(pages, Page{j.number, j.since, bytes.Clone(j.page.body)})
		j.taken = size
	}
	return pages, lost
}

// Generation gives the generation of what arrives at a running time, in
// nanoseconds. What is [Generations] older than the present one is forgotten.
func (j *Journal) Generation(running int64) uint32 { return j.rule.generationOf(running) }

// runningTime is a present of the detector in nanoseconds.
func runningTime(now time.Time) int64 { return now.UnixNano() }

// pageWriter writes the entries of one page. Strings come once and are referred to
// after that; times are differences to the one before.
type pageWriter struct {
	body  []byte
	texts map[string]uint64
	last  int64 // the time that was written last

	present int64 // running time at which what is written arrived
}

func (w *pageWriter) reset() {
	w.body = w.body[:0]
	clear(w.texts)
	w.last = 0
}

// text gives the number under which the page knows a string. The empty one is 0.
func (w *pageWriter) text(s string) uint64 {
	if s == "" {
		return 0
	}
	if n, ok := w.texts[s]; ok {
		return n
	}
	if w.texts == nil {
		w.texts = map[string]uint64{}
	}
	w.body = append(w.body, entryText)
	w.str(s)
	n := uint64(len(w.texts)) + 1
	w.texts[strings.Clone(s)] = n // the caller's memory is its own
	return n
}

func (w *pageWriter) str(s string) {
	w.uint(uint64(len(s)))
	w.body = append(w.body, s...)
}

func (w *pageWriter) uint(n uint64) { w.body = binary.AppendUvarint(w.body, n) }

func (w *pageWriter) int(n int64) { w.body = binary.AppendVarint(w.body, n) }

// time writes a time as the difference to the one before. The difference of two
// int64 may wrap around; so does the sum that reads it.
func (w *pageWriter) time(t int64) {
	w.int(t - w.last)
	w.last = t
}

// arrive says when what follows arrived.
func (w *pageWriter) arrive(running int64) {
	if running != w.present {
		w.body = append(w.body, entryNow)
		w.int(running - w.present)
		w.present = running
	}
}

func (w *pageWriter) event(e *Event) {
	group, ok := w.texts[string(e.Key)] // which copies nothing
	if !ok {
		group = w.text(string(e.Key))
	}
	entry := eventEntry{time: e.Time, text: e.ID, model: e.Model, operation: e.Operation, region: e.Region}
	if e.Presumed {
		entry.flags |= journalPresumed
	}
	if e.IDOnly {
		entry.flags |= journalIDOnly
	}
	if id, ok := parseUUID(e.ID); ok {
		entry.id, entry.flags = id, entry.flags|journalUUID
	}
	if e.RequestID != "" { // then it is the ID
		entry.flags |= journalRequestID
	}
	w.eventOf(group, &entry)
}

// eventOf writes an event of a group that the page knows.
func (w *pageWriter) eventOf(group uint64, e *eventEntry) {
	model, operation := w.text(short(e.model, maxProfileName)), w.text(short(e.operation, maxProfileName))
	region := w.text(short(e.region, maxProfileName))
	w.body = append(w.body, entryEvent, e.flags)
	w.uint(group)
	w.time(e.time)
	if e.flags&journalUUID != 0 {
		id := e.id.uuid()
		w.body = append(w.body, id[:]...)
	} else {
		w.str(e.text)
	}
	w.uint(model)
	w.uint(operation)
	w.uint(region)
}

func (w *pageWriter) alert(a *openAlert) {
	group := w.text(a.key)
	var flags byte
	for _, flag := range [...]struct {
		is  bool
		bit byte
	}{
		{a.inexact, journalInexact},
		{a.lossy, journalLossy},
		{a.closed, journalClosed},
		{a.corrected, journalCorrected},
		{a.muted, journalMuted},
		{a.summed, journalSummed},
		{a.dropped, journalDropped},
	} {
		if flag.is {
			flags |= flag.bit
		}
	}
	w.body = append(w.body, entryAlert, flags)
	w.uint(group)
	w.time(a.opened)
	w.time(a.from)
	w.time(a.to)
	w.int(a.first)
	w.uint(uint64(a.last - a.first))
	w.uint(uint64(a.count))
	w.uint(uint64(a.presumed))
	w.uint(uint64(a.escalations))
	w.int(runningTime(a.changed))
}

func (w *pageWriter) buckets(key string, indexes []int64) {
	group := w.text(key)
	w.body = append(w.body, entryBuckets)
	w.uint(group)
	w.uint(uint64(len(indexes)))
	last := int64(0)
	for _, index := range indexes {
		w.int(index - last)
		last = index
	}
}

func (w *pageWriter) limiter(l *limiter) {
	l.mu.Lock()
	defer l.mu.Unlock()
	w.body = append(w.body, entryLimiter)
	for _, t := range [...]time.Time{l.start, l.since, l.told} {
		if t.IsZero() {
			w.body = append(w.body, 0)
		} else {
			w.body = append(w.body, 1)
			w.int(runningTime(t))
		}
	}
	w.uint(uint64(l.opened))
	w.uint(uint64(l.untold))
}
