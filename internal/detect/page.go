// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package detect

import (
	"encoding/binary"
	"fmt"
	"math"
	"time"
)

// CorruptError says that a page is not what a [Journal] writes.
type CorruptError struct {
	Offset int // in bytes, of the entry that could not be read; those before it were
	Fault  string
}

func (e *CorruptError) Error() string {
	return fmt.Sprintf("byte %d of a journal page: %s", e.Offset, e.Fault)
}

// eventEntry is an event as a page holds it.
type eventEntry struct {
	key                      string
	time                     int64
	flags                    byte
	id                       eventID // if it is a UUID, else:
	text                     string
	model, operation, region string
}

// alertEntry is an alert as a page holds it.
type alertEntry struct{ openAlert }

// limiterEntry is a limiter as a page holds it.
type limiterEntry struct {
	start, since, told time.Time
	opened, untold     int
}

// bucketsEntry is buckets that alert, as a page holds them.
type bucketsEntry struct {
	key     string
	indexes []int64
}

// entry holds the kind that was read last.
type entry struct {
	event   eventEntry
	alert   alertEntry
	limiter limiterEntry
	buckets bucketsEntry
}

// pageReader reads what a pageWriter wrote. Whatever the bytes are, it reads within
// them. After a fault it reads nothing more.
type pageReader struct {
	rest   []byte
	size   int // of the whole page, in bytes
	left   int // bytes left at the beginning of the entry that was read last
	texts  []string
	last   int64
	failed string // the first fault
	entry  entry

	present int64 // running time at which what was read last arrived
}

func readPage(page Page) *pageReader {
	return &pageReader{rest: page.Body, size: len(page.Body), present: page.Arrived}
}

// err tells the first fault, if there was one.
func (p *pageReader) err() error {
	if p.failed == "" {
		return nil
	}
	return &CorruptError{Offset: p.size - p.left, Fault: p.failed}
}

// next reads up to the end of an entry that tells of something that happened, or to
// the end.
func (p *pageReader) next() (kind byte, e *entry) {
	for len(p.rest) > 0 && p.failed == "" {
		p.left = len(p.rest)
		switch kind := p.byte(); kind {
		case entryText:
			if text := p.str(); p.failed == "" {
				p.texts = append(p.texts, text)
			}
		case entryEvent:
			p.event(&p.entry.event)
			return kind, &p.entry
		case entryAlert:
			p.alert(&p.entry.alert)
			return kind, &p.entry
		case entryNow:
			p.present += p.int()
		case entryBuckets:
			p.buckets(&p.entry.buckets)
			return kind, &p.entry
		case entryLimiter:
			p.limiter(&p.entry.limiter)
			return kind, &p.entry
		default:
			p.fail(fmt.Sprintf("an entry of unknown kind %d", kind))
		}
	}
	return 0, nil
}

func (p *pageReader) fail(fault string) {
	if p.failed == "" {
		p.failed = fault
	}
}

func (p *pageReader) byte() byte { return p.bytes(1)[0] }

var zeros [16]byte

// bytes reads up to 16 bytes or fails and gives zeros.
func (p *pageReader) bytes(n int) []byte {
	if p.failed != "" || len(p.rest) < n {
		p.fail("an entry is cut off")
		return zeros[:n]
	}
	b := p.rest[:n]
	p.rest = p.rest[n:]
	return b
}

func (p *pageReader) uint() uint64 {
	n, size := binary.Uvarint(p.rest)
	return number(p, n, size)
}

func (p *pageReader) int() int64 {
	n, size := binary.Varint(p.rest)
	return number(p, n, size)
}

func number[T int64 | uint64](p *pageReader, n T, size int) T {
	if p.failed != "" || size <= 0 {
		p.fail("a number is cut off or too long")
		return 0
	}
	p.rest = p.rest[size:]
	return n
}

// count reads a number of things.
func (p *pageReader) count() int {
	n := p.uint()
	if n > math.MaxInt {
		p.fail("a count is too large")
		return 0
	}
	return int(n)
}

func (p *pageReader) str() string {
	n := p.uint()
	if p.failed != "" || n > uint64(len(p.rest)) {
		p.fail("a text is cut off")
		return ""
	}
	s := string(p.rest[:n])
	p.rest = p.rest[n:]
	return s
}

func (p *pageReader) text() string {
	n := p.uint()
	if n > uint64(len(p.texts)) {
		p.fail("a text is referred to that was not defined")
		return ""
	}
	if n == 0 {
		return ""
	}
	return p.texts[n-1]
}

func (p *pageReader) time() int64 {
	p.last += p.int()
	return p.last
}

func (p *pageReader) event(e *eventEntry) {
	*e = eventEntry{flags: p.byte(), key: p.key(), time: p.time()}
	if e.flags&journalUUID != 0 {
		e.id = uuidAt(p.bytes(16))
	} else {
		e.text = p.str()
	}
	e.model, e.operation, e.region = p.text(), p.text(), p.text()
}

// key reads a reference to a group's key.
func (p *pageReader) key() string {
	key := p.text()
	if p.failed == "" && !validKey(key) {
		p.fail("a text is no group")
	}
	return key
}

func (p *pageReader) alert(a *alertEntry) {
	flags := p.byte()
	*a = alertEntry{openAlert{
		key:       p.key(),
		opened:    p.time(),
		from:      p.time(),
		to:        p.time(),
		first:     p.int(),
		inexact:   flags&journalInexact != 0,
		lossy:     flags&journalLossy != 0,
		closed:    flags&journalClosed != 0,
		corrected: flags&journalCorrected != 0,
		muted:     flags&journalMuted != 0,
		summed:    flags&journalSummed != 0,
		dropped:   flags&journalDropped != 0,
	}}
	a.last = a.first + int64(p.count())
	a.count, a.presumed, a.escalations = p.count(), p.count(), p.count()
	a.changed = time.Unix(0, p.int())
	if p.failed == "" && (a.last < a.first || a.to < a.from || a.escalations > maxEscalations) {
		p.fail("an alert cannot be so")
	}
}

func (p *pageReader) buckets(b *bucketsEntry) {
	*b = bucketsEntry{key: p.key()}
	n := p.count()
	if n > len(p.rest) { // each takes a byte at least
		p.fail("buckets are cut off")
		return
	}
	last := int64(0)
	for range n {
		last += p.int()
		b.indexes = append(b.indexes, last)
	}
}

func (p *pageReader) limiter(l *limiterEntry) {
	*l = limiterEntry{}
	for _, t := range [...]*time.Time{&l.start, &l.since, &l.told} {
		switch p.byte() {
		case 0:
		case 1:
			*t = time.Unix(0, p.int())
		default:
			p.fail("a limiter cannot be so")
		}
	}
	l.opened, l.untold = p.count(), p.count()
}
