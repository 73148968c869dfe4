// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package journal

import (
	"encoding/binary"
	"fmt"
	"time"

	"example.com/otelcol-guardrail/internal/wire"
)

// Reader reads the entries of a page, which may hold any bytes.
type Reader struct {
	// Event, Alert, Limiter and Alerting hold the latest entry of each kind, Event also that of
	// a waiting call or an intervention. The next one overwrites it.
	Event    Event
	Alert    Alert
	Limiter  Limiter
	Alerting Alerting

	bytes    wire.Reader
	size     int // of the page, in bytes
	left     int // bytes from the beginning of the latest entry on
	texts    []string
	lastTime int64
	arrived  int64
}

// NewReader returns a Reader of a page.
func NewReader(page Page) *Reader {
	return &Reader{bytes: wire.NewReader(page.Body), size: len(page.Body), arrived: page.Arrived}
}

// Arrived returns the running time at which the latest entry arrived, in nanoseconds.
func (r *Reader) Arrived() int64 { return r.arrived }

// Next reads up to the end of the next entry and returns its kind, or [End] when there is
// none. The error is a [CorruptError]; nothing more can be read then.
func (r *Reader) Next() (Kind, error) {
	for {
		if len(r.bytes.Rest()) == 0 && r.bytes.Fault() == "" {
			return End, nil
		}
		kind := r.entry()
		if fault := r.bytes.Fault(); fault != "" {
			return End, &CorruptError{Offset: r.size - r.left, Fault: fault}
		}
		if kind != kindText && kind != kindArrival {
			return kind, nil
		}
	}
}

func (r *Reader) entry() Kind {
	b := &r.bytes
	if b.Fault() == "" {
		r.left = len(b.Rest())
	}
	kind := Kind(b.Byte())
	switch kind {
	case kindText:
		r.texts = append(r.texts, b.String())
	case kindArrival:
		r.arrived += b.Varint()
	case KindEvent:
		r.call()
	case kindEventOfKind:
		r.call()
		r.Event.Kind = r.text()
		return KindEvent
	case KindWaiting:
		r.call()
		r.Event.Kind = r.text()
	case KindIntervention:
		r.event()
		r.Event.GuardrailID = r.text()
	case KindAlert:
		r.alert()
	case kindCountedAlert:
		r.alert()
		r.Alert.Records = b.Int()
		return KindAlert
	case kindFollowedAlert:
		r.alert()
		r.Alert.Records = b.Int()
		r.Alert.Intervention = &Intervention{Time: r.time(), RequestID: r.text(), GuardrailID: r.text()}
		return KindAlert
	case KindAlerting:
		r.alerting()
	case KindLimiter:
		r.limiter()
	default:
		b.Fail(fmt.Sprintf("unknown kind of entry: %d", kind))
	}
	return kind
}

// text reads the number of a string.
func (r *Reader) text() string {
	n := r.bytes.Uvarint()
	if n > uint64(len(r.texts)) {
		r.bytes.Fail("an entry refers to a string that is not defined")
		return ""
	}
	if n == 0 {
		return ""
	}
	return r.texts[n-1]
}

// key reads the number of a group's key.
func (r *Reader) key() string {
	key := r.text()
	if !validKey(key) {
		r.bytes.Fail("a string is not the key of a group")
	}
	return key
}

// validKey reports whether a key is a sequence of values, each preceded by its length.
func validKey(key string) bool {
	for key != "" {
		n, size := binary.Uvarint([]byte(key[:min(len(key), binary.MaxVarintLen64)]))
		if size <= 0 || n > uint64(len(key)-size) {
			return false
		}
		key = key[uint64(size)+n:]
	}
	return true
}

func (r *Reader) time() int64 {
	r.lastTime += r.bytes.Varint()
	return r.lastTime
}

// event reads what all kinds of events begin with.
func (r *Reader) event() {
	e, b := &r.Event, &r.bytes
	*e = Event{Flags: EventFlags(b.Byte()), Key: r.key(), Time: r.time()}
	if e.Flags&IsUUID != 0 {
		e.UUID = [16]byte(b.Bytes(16))
	} else {
		e.Text = b.String()
	}
}

// call reads an event and what all but interventions have.
func (r *Reader) call() {
	r.event()
	r.Event.Model, r.Event.Operation, r.Event.Region = r.text(), r.text(), r.text()
}

func (r *Reader) alert() {
	a, b := &r.Alert, &r.bytes
	flags := b.Byte()
	*a = Alert{
		Key:         r.key(),
		Opened:      r.time(),
		FirstTime:   r.time(),
		LastTime:    r.time(),
		FirstBucket: b.Varint(),
	}
	for bit, flag := range a.flags() {
		*flag = flags&(1<<bit) != 0
	}
	a.LastBucket = a.FirstBucket + int64(b.Int())
	a.Count, a.Presumed, a.Escalations = b.Int(), b.Int(), b.Int()
	a.Changed = time.Unix(0, b.Varint())
	if a.LastBucket < a.FirstBucket || a.LastTime < a.FirstTime || a.Escalations > MaxEscalations {
		b.Fail("the values of an alert contradict each other")
	}
}

func (r *Reader) alerting() {
	a := &r.Alerting
	*a = Alerting{Key: r.key()}
	index := int64(0)
	for range r.bytes.Len() {
		index += r.bytes.Varint()
		a.Buckets = append(a.Buckets, index)
	}
}

func (r *Reader) limiter() {
	l, b := &r.Limiter, &r.bytes
	*l = Limiter{}
	for _, t := range [...]*time.Time{&l.Start, &l.SuppressedSince, &l.LastOverflow} {
		switch b.Byte() {
		case 0:
		case 1:
			*t = time.Unix(0, b.Varint())
		default:
			b.Fail("the limiter holds a time that is neither set nor unset")
		}
	}
	l.Opened, l.Unreported = b.Int(), b.Int()
}
