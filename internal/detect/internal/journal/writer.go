// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package journal

import (
	"encoding/binary"
	"strings"
	"time"

	"example.com/otelcol-guardrail/internal/wire"
)

// Writer writes the entries of one page. A string is written once and referred to by its
// number after that; times are written as differences. The zero value writes a page that
// arrived at running time 0.
type Writer struct {
	body     []byte
	texts    map[string]uint64
	lastTime int64 // the time that was written last
	arrived  int64 // running time at which what is written arrived
}

// Reset begins a new page, at a running time in nanoseconds.
func (w *Writer) Reset(arrived int64) {
	w.body = w.body[:0]
	clear(w.texts)
	w.lastTime, w.arrived = 0, arrived
}

// Len returns the size of the page so far, in bytes.
func (w *Writer) Len() int { return len(w.body) }

// Body returns the page so far. It is valid until the next entry is written.
func (w *Writer) Body() []byte { return w.body }

// TakeBody returns the page, and leaves it to the caller: the Writer must be reset.
func (w *Writer) TakeBody() []byte {
	body := w.body
	w.body = nil
	return body
}

// Arrive says at which running time, in nanoseconds, what follows arrived.
func (w *Writer) Arrive(running int64) {
	if running != w.arrived {
		w.kind(kindArrival)
		w.varint(running - w.arrived)
		w.arrived = running
	}
}

// Group returns the number under which the page knows a group's key, for [Writer.Event].
func (w *Writer) Group(key []byte) uint64 {
	if n, ok := w.texts[string(key)]; ok { // the conversion copies nothing
		return n
	}
	return w.text(string(key))
}

// Event writes an event of a group that was counted. Its Key is not looked at.
func (w *Writer) Event(group uint64, e *Event) { w.call(kindEventOfKind, group, e) }

// Waiting writes an event of a group that waits for an intervention. Its Key is not looked at.
func (w *Writer) Waiting(group uint64, e *Event) { w.call(KindWaiting, group, e) }

// Intervention writes an intervention of a group. Its Key is not looked at.
func (w *Writer) Intervention(group uint64, e *Event) {
	guardrail := w.name(e.GuardrailID)
	w.event(KindIntervention, group, e)
	w.uvarint(guardrail)
}

func (w *Writer) call(kind Kind, group uint64, e *Event) {
	counted, model, operation, region := w.name(e.Kind), w.name(e.Model), w.name(e.Operation), w.name(e.Region)
	w.event(kind, group, e)
	w.uvarint(model)
	w.uvarint(operation)
	w.uvarint(region)
	w.uvarint(counted)
}

// event writes what all kinds of events begin with.
func (w *Writer) event(kind Kind, group uint64, e *Event) {
	w.kind(kind)
	w.body = append(w.body, byte(e.Flags))
	w.uvarint(group)
	w.time(e.Time)
	if e.Flags&IsUUID != 0 {
		w.body = append(w.body, e.UUID[:]...)
	} else {
		w.body = wire.AppendString(w.body, e.Text)
	}
}

// Alert writes the state of an alert.
func (w *Writer) Alert(a *Alert) {
	group := w.text(a.Key)
	kind, requestID, guardrail := kindCountedAlert, uint64(0), uint64(0)
	if i := a.Intervention; i != nil {
		kind, requestID, guardrail = kindFollowedAlert, w.name(i.RequestID), w.name(i.GuardrailID)
	}
	var flags byte
	for bit, flag := range a.flags() {
		if *flag {
			flags |= 1 << bit
		}
	}
	w.kind(kind)
	w.body = append(w.body, flags)
	w.uvarint(group)
	w.time(a.Opened)
	w.time(a.FirstTime)
	w.time(a.LastTime)
	w.varint(a.FirstBucket)
	w.uvarint(uint64(a.LastBucket - a.FirstBucket))
	w.uvarint(uint64(a.Count))
	w.uvarint(uint64(a.Presumed))
	w.uvarint(uint64(a.Escalations))
	w.varint(a.Changed.UnixNano())
	w.uvarint(uint64(a.Records))
	if i := a.Intervention; i != nil {
		w.time(i.Time)
		w.uvarint(requestID)
		w.uvarint(guardrail)
	}
}

// Alerting writes which buckets of a group alert.
func (w *Writer) Alerting(a *Alerting) {
	group := w.text(a.Key)
	w.kind(KindAlerting)
	w.uvarint(group)
	w.uvarint(uint64(len(a.Buckets)))
	previous := int64(0)
	for _, index := range a.Buckets {
		w.varint(index - previous)
		previous = index
	}
}

// Limiter writes how far the limit of alerts is used.
func (w *Writer) Limiter(l *Limiter) {
	w.kind(KindLimiter)
	for _, t := range [...]time.Time{l.Start, l.SuppressedSince, l.LastOverflow} {
		if t.IsZero() {
			w.body = append(w.body, 0)
		} else {
			w.body = append(w.body, 1)
			w.varint(t.UnixNano())
		}
	}
	w.uvarint(uint64(l.Opened))
	w.uvarint(uint64(l.Unreported))
}

func (w *Writer) kind(k Kind) { w.body = append(w.body, byte(k)) }

func (w *Writer) uvarint(n uint64) { w.body = binary.AppendUvarint(w.body, n) }

func (w *Writer) varint(n int64) { w.body = binary.AppendVarint(w.body, n) }

// time writes a time as the difference to the previous one. The difference of two int64
// may overflow; so does the sum that reads it.
func (w *Writer) time(t int64) {
	w.varint(t - w.lastTime)
	w.lastTime = t
}

// name returns the number of a name that is cut to its greatest length.
func (w *Writer) name(s string) uint64 { return w.text(s[:min(len(s), MaxName)]) }

// text returns the number under which the page knows a string, and writes the string if
// it is new. The empty string has the number 0.
func (w *Writer) text(s string) uint64 {
	if s == "" {
		return 0
	}
	if n, ok := w.texts[s]; ok {
		return n
	}
	if w.texts == nil {
		w.texts = map[string]uint64{}
	}
	w.kind(kindText)
	w.body = wire.AppendString(w.body, s)
	n := uint64(len(w.texts)) + 1
	w.texts[strings.Clone(s)] = n // the caller may reuse the memory of s
	return n
}
