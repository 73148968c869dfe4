// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package detect

import (
	"math"
	"time"

	"example.com/otelcol-guardrail/internal/detect/internal/store"
)

// WindowType is how windows lie in event time.
type WindowType uint8

// The window types.
const (
	Sliding  WindowType = iota // every stretch of the size that ends with an event
	Tumbling                   // the buckets themselves
	Session                    // runs of events at most the size apart
)

// Rule decides when a group alerts.
type Rule struct {
	Window      WindowType
	Size        time.Duration // of a window and of a bucket; session: the longest gap within one
	Threshold   int           // alert when one window holds more than this many distinct events
	KeepAlive   time.Duration // how long after an alerting bucket another still belongs to its alert; 0: each its own
	MaxDuration time.Duration // the most event time that one alert spans
	Limit       int           // alerts opened in ten minutes, the rest are summed up; 0: no limit
	Retention   time.Duration // how long beyond Size and AfterIntervention an event is remembered after it arrived
	MaxBytes    int64         // bound on the memory taken; 0: none

	// AfterIntervention is how long after an intervention of the same group an event still
	// counts: one at t does when an intervention lies in [t - AfterIntervention, t). 0: all do.
	AfterIntervention time.Duration
}

// Generations is how many spans of arrival the memory of an event is divided into.
const Generations = store.Generations

// remembered returns for how long at least an event is remembered after it arrived. Even twice
// that can be expressed.
func (r *Rule) remembered() time.Duration {
	const longest = math.MaxInt64 / 4
	return min(r.Size+r.Retention+min(r.AfterIntervention, longest), longest)
}

// generationLength returns how long a generation lasts, in nanoseconds.
func (r *Rule) generationLength() int64 { return int64(r.remembered())/(Generations-1) + 1 }

// generationOf returns the generation of what arrives at a running time, in nanoseconds.
func (r *Rule) generationOf(running int64) uint32 {
	return uint32(max(0, running) / r.generationLength())
}

// continues reports whether a bucket begins at most the keep-alive after the end of an
// earlier one.
func (r *Rule) continues(earlier, later int64) bool {
	return later-earlier-1 <= int64(r.KeepAlive/r.Size)
}

// allows reports whether an alert may span these buckets.
func (r *Rule) allows(first, last int64) bool {
	return last-first < int64(r.MaxDuration/r.Size)
}

// quiet returns how long nothing must change an alert for it to be closed. A session
// continues for as long as its gap may be.
func (r *Rule) quiet() time.Duration {
	if r.Window == Session {
		return max(r.KeepAlive, r.Size)
	}
	return r.KeepAlive
}
