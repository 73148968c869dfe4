// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"context"
	"time"

	"example.com/otelcol-guardrail/internal/invocation"
	"example.com/otelcol-guardrail/internal/lastguarded"
)

// What the tests of the components that embed an engine need of its inside.

const (
	DeliveryTimeout = deliveryTimeout
	InFlightGrace   = inFlightGrace
	InputsPage      = inputsPage
	MaxPending      = maxPending
)

// BlindSpotAnchors returns the section of the page on inputs that explains each blind spot, by its name in the metrics.
func BlindSpotAnchors() map[string]string {
	anchors := map[string]string{}
	for _, spot := range blindSpots {
		anchors[spot.name()] = spot.anchor
	}
	return anchors
}

// SetClock replaces the clock.
func (e *Engine) SetClock(now func() time.Time) { e.now = now }

// AwaitState waits until the state has been loaded.
func (e *Engine) AwaitState(ctx context.Context) error { return e.awaitState(ctx) }

// DueNow advances detection to the present and returns how many alert records that makes due. They are lost.
func (e *Engine) DueNow() (due int) {
	for _, r := range e.rules {
		due += len(r.detector.Tick(e.runningTime(e.now())))
	}
	return due
}

// RunTimers advances detection to the present and delivers what is due, and what waits for an earlier record of its alert.
func (e *Engine) RunTimers(ctx context.Context) {
	e.outbox.deliver(ctx, e.runTimers(ctx, e.now()))
	e.outbox.retry(ctx)
}

// Forget makes detection forget everything.
func (e *Engine) Forget() {
	for i, r := range e.rules {
		r.detector = newRule(&e.config.Rules[i], e.config).detector
	}
}

// HoldAlerts lets no alert be prepared or delivered until the function that it returns is called.
func (e *Engine) HoldAlerts() (resume func()) {
	e.outbox.mu.Lock()
	return e.outbox.mu.Unlock
}

// Groups returns how many groups the first rule remembers.
func (e *Engine) Groups() int { return e.rules[0].detector.Stats().Groups }

// Evicted returns how many groups the first rule has forgotten for lack of memory.
func (e *Engine) Evicted() int { return e.rules[0].detector.Stats().Evicted }

// PooledInvocation returns the memory that the last batch has left.
func (e *Engine) PooledInvocation() invocation.Invocation {
	return e.batches.Get().(*batch).invocation
}

// Seen returns how many records and invocations coverage has counted, and how many of these are unknown.
func (e *Engine) Seen() (records, invocations, unknown int64) {
	seen := e.coverage.tally.read()
	return seen.records, seen.invocations, seen.unknown()
}

// CountAsRead counts a batch as if its records had been read as that: n unknown ones of each kind of evidence, with
// none for those without a group, and guarded ones.
func (e *Engine) CountAsRead(ctx context.Context, guarded int, unknown map[invocation.Evidence]int) {
	b := newBatch(len(e.rules), len(e.guarded))
	b.kinds[invocation.Guarded][invocation.Applied] = int64(guarded)
	b.records = int64(guarded)
	for evidence, n := range unknown {
		b.records += int64(n)
		if evidence == invocation.NoEvidence {
			b.kinds[invocation.Unguarded][invocation.Absent] = int64(n)
			b.rules[0].excluded[excludedNoGroup] = int64(n)
			continue
		}
		b.kinds[invocation.Unknown][evidence] = int64(n)
	}
	e.recordMetrics(ctx, b)
}

// TakeSlots has other groups make guarded calls at a time, in every slot of every table.
func (e *Engine) TakeSlots(at time.Time) {
	var batch lastguarded.Batch
	for _, g := range e.guarded {
		for n := range 1 << 22 { // hashes spread over all of the slots
			batch.Add(g.table, lastguarded.Hash(n)<<42|1, at.UnixNano())
		}
		g.table.Enter(&batch)
	}
}

// GuardedTables returns how many tables remember when groups last made a guarded call.
func (e *Engine) GuardedTables() int { return len(e.guarded) }
