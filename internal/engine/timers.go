// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"context"
	"time"
)

// emitSuppressed queues the overflow records of suppressed alerts and evicted groups,
// which would otherwise be lost. With a storage it is not needed: they are kept for the
// next start.
func (e *Engine) emitSuppressed(ctx context.Context, now time.Time) {
	var due []dueAlert
	for i, r := range e.rules {
		due = appendDue(due, i, r.detector.Flush(e.runningTime(now)))
	}
	e.outbox.postpone(e.outbox.prepare(ctx, due, now))
}

// stopGrace is how long background work may take beyond inFlightGrace to end, which is
// enough for any that respects its context.
const stopGrace = time.Second

// waitForBackground waits for the background work to end, but not forever: the next
// component or the storage may ignore that its context was canceled.
func (e *Engine) waitForBackground() {
	done := make(chan struct{})
	go func() {
		e.background.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-time.After(inFlightGrace + stopGrace):
		e.logger.Error("Timed out waiting for alert delivery or the storage during shutdown; only alerts that are already in a storage are kept")
	}
}

// tickInterval is the time between two runs of the timers, and so the longest delay of
// a closed alert.
const tickInterval = time.Second

// tick checks coverage and runs the timers periodically until ctx ends.
func (e *Engine) tick(ctx context.Context) {
	ticker := time.NewTicker(tickInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			now := e.now()
			e.coverage.check(now, e.logger)
			// In a goroutine of its own: the storage and the next component may be slow.
			if alerts := e.runTimers(ctx, now); len(alerts) > 0 {
				e.background.Go(func() { e.outbox.commitAndDeliver(ctx, alerts) })
			}
		}
	}
}

// runTimers advances detection to now: it closes alerts and forgets old invocations.
// It returns the alerts to deliver.
func (e *Engine) runTimers(ctx context.Context, now time.Time) []pendingAlert {
	e.store.BeginChange()
	defer e.store.EndChange()
	running := e.runningTime(now)
	var due []dueAlert
	for i, r := range e.rules {
		due = appendDue(due, i, r.detector.Tick(running))
	}
	e.store.Advance(running)
	return e.outbox.prepare(ctx, due, now)
}
