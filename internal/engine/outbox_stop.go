// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"context"
	"slices"
	"time"
)

// inFlightGrace is how long a delivery that has begun may continue after its context
// ends, because the sender is gone or the collector stops. The backend may already
// have received the alert; canceling at once would deliver it twice.
const inFlightGrace = 2 * time.Second

// withGrace returns a context that ends inFlightGrace after ctx.
func withGrace(ctx context.Context) (context.Context, context.CancelFunc) {
	longer, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		select {
		case <-time.After(inFlightGrace):
			cancel()
		case <-longer.Done():
		}
	})
	return longer, func() {
		stop()
		cancel()
	}
}

// deliveryTimeout limits how long records at startup, and the collector at shutdown,
// wait for a delivery, since an exporter may retry forever. A delivery in flight then
// has inFlightGrace more.
const deliveryTimeout = 3 * time.Second

// flush retries once more, at shutdown. Alerts that are refused again stay in the
// storage; without one they are dropped.
func (o *outbox) flush(ctx context.Context) {
	if o.pendingCount() > 0 {
		o.giveTime(ctx, o.retry)
	}
	o.mu.Lock()
	rest := slices.Concat(o.retrying, o.pending)
	o.pending, o.retrying = nil, nil
	o.mu.Unlock()
	if o.store != nil {
		return
	}
	o.drop(ctx, rest, "the collector is shutting down and no storage is configured", nil)
}

// giveTime runs a delivery for as long as records at startup, or the collector at shutdown,
// wait for it. It returns in time even if the next component ignores that its context was
// canceled; the delivery then goes on in the background.
func (o *outbox) giveTime(ctx context.Context, deliver func(context.Context)) {
	try, cancel := context.WithTimeout(ctx, deliveryTimeout)
	defer cancel()
	done := make(chan struct{})
	go func() {
		deliver(try)
		close(done)
	}()
	select {
	case <-done:
		return
	case <-try.Done():
	}
	select {
	case <-done:
	case <-time.After(inFlightGrace + stopGrace):
		o.logger.Error("Timed out waiting for alert delivery: the next component does not return")
	}
}
