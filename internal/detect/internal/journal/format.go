// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package journal

import (
	"fmt"
	"time"
)

// Page is a page as far as it has been written.
type Page struct {
	Number  uint64 // counted from 1, without gaps
	Arrived int64  // running time at which its first entry was made, in nanoseconds
	Body    []byte
}

// CorruptError reports that a page does not hold what a [Writer] writes.
type CorruptError struct {
	Offset int // in bytes, of the entry that cannot be read; those before it can
	Fault  string
}

// Error says what is wrong and where.
func (e *CorruptError) Error() string {
	return fmt.Sprintf("byte %d of a journal page: %s", e.Offset, e.Fault)
}

// Kind is the first byte of an entry. A number is never reused for another kind.
type Kind byte

// The kinds of entries that [Reader.Next] returns, and End after the last one.
const (
	End          Kind = 0
	kindText     Kind = 1
	KindEvent    Kind = 2
	KindAlert    Kind = 3
	KindLimiter  Kind = 4
	kindArrival  Kind = 5
	KindAlerting Kind = 6

	KindWaiting       Kind = 7
	KindIntervention  Kind = 8
	kindFollowedAlert Kind = 9 // an alert with its Intervention, read as KindAlert

	// These are written since events have a kind and the records of alerts are counted. They
	// are read as KindAlert and KindEvent.
	kindCountedAlert Kind = 10
	kindEventOfKind  Kind = 11
)

// Event is an invocation that was counted, that waits for an intervention, or in which a
// guardrail intervened.
type Event struct {
	Key   string // of its group
	Time  int64  // Unix nanoseconds
	Flags EventFlags
	UUID  [16]byte // its ID, with IsUUID
	Text  string   // its ID otherwise

	// At most [MaxName] bytes of each are written.
	Kind, Model, Operation, Region string // not of an intervention
	GuardrailID                    string // of an intervention
}

// EventFlags describe an [Event].
type EventFlags byte

// The flags of an event.
const (
	Presumed    EventFlags = 1 << iota // counted by presumption
	IDOnly                             // a repeat is recognised by the ID alone
	IsUUID                             // the ID is a UUID
	IsRequestID                        // the ID is the request ID
)

// MaxName is the most bytes of a kind, a model, an operation or a region that are written.
const MaxName = 256

// Alert is the state of an alert that outlives a restart.
type Alert struct {
	Key                     string // of its group
	Opened                  int64  // start of the bucket that opened it (session: of its first event then); never changes
	FirstBucket, LastBucket int64  // indexes of its outermost buckets
	FirstTime, LastTime     int64  // event times of the first and the last event counted
	Count, Presumed         int    // events counted, and of those by presumption
	Escalations             int    // how many have been reported
	Records                 int    // how many have been emitted; 0 in an entry of an earlier version
	Changed                 time.Time

	Inexact    bool // some events could not be counted any more
	Incomplete bool // events near it were forgotten before it reached them
	Closed     bool
	Corrected  bool // by an event since it was closed
	Suppressed bool // over the limit: never reported by itself
	Summarized bool // reported by an overflow
	Dropped    bool // the detector does not know it any more

	Intervention *Intervention // that it follows; nil: none
}

// Intervention is an invocation in which a guardrail intervened.
type Intervention struct {
	Time                   int64  // Unix nanoseconds
	RequestID, GuardrailID string // empty where unknown; at most [MaxName] bytes of each are written
}

// MaxEscalations is the most escalations that one alert reports.
const MaxEscalations = 12

// flags returns the flags of an alert, in the order of their bits: a byte holds them all.
func (a *Alert) flags() [7]*bool {
	return [...]*bool{&a.Inexact, &a.Incomplete, &a.Closed, &a.Corrected, &a.Suppressed, &a.Summarized, &a.Dropped}
}

// Limiter is how far the limit of alerts is used. A zero time was never reached.
type Limiter struct {
	Start           time.Time // of the present period
	SuppressedSince time.Time // when the first alert was suppressed that no overflow has reported
	LastOverflow    time.Time
	Opened          int // alerts opened in the present period
	Unreported      int // alerts suppressed that no overflow has reported
}

// Alerting lists the alerting buckets of a group, whether or not their events are still
// remembered.
type Alerting struct {
	Key     string
	Buckets []int64 // indexes
}
