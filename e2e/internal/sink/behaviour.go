// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package sink

import (
	"context"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/plog"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// Behaviour returns the answer to a request, possibly after some time.
type Behaviour func(ctx context.Context, logs plog.Logs) error

// Accept accepts every request.
func Accept(context.Context, plog.Logs) error { return nil }

// Refuse refuses every request with an error that asks to retry.
func Refuse(context.Context, plog.Logs) error { return ErrBusy }

// Reject refuses every request for good.
func Reject(context.Context, plog.Logs) error { return ErrInvalid }

// The errors of a sink, which the collector passes on.
var (
	ErrBusy    = status.Error(codes.Unavailable, "the sink is busy")
	ErrInvalid = status.Error(codes.InvalidArgument, "the sink rejects this")
)

// To returns a behaviour that applies behave to requests of one kind and accepts all others.
func To(kind func(plog.Logs) bool, behave Behaviour) Behaviour {
	return func(ctx context.Context, logs plog.Logs) error {
		if kind(logs) {
			return behave(ctx, logs)
		}
		return nil
	}
}

// Barrier holds requests until it is opened or the collector cancels them.
type Barrier struct {
	held, opened chan struct{}
}

// NewBarrier returns a closed barrier.
func NewBarrier() Barrier {
	return Barrier{make(chan struct{}, 1), make(chan struct{})}
}

// Hold is the Behaviour of the barrier.
func (b Barrier) Hold(ctx context.Context, _ plog.Logs) error {
	select {
	case b.held <- struct{}{}:
	default: // one is enough
	}
	select {
	case <-b.opened:
		return nil
	case <-ctx.Done():
		return status.FromContextError(ctx.Err()).Err()
	}
}

// AwaitHeld waits until the barrier holds a request.
func (b Barrier) AwaitHeld(t *testing.T) {
	t.Helper()
	select {
	case <-b.held:
	case <-time.After(patience):
		t.Fatal("timed out waiting for a request")
	}
}

// Open lets all requests pass, those that are held and later ones.
func (b Barrier) Open() { close(b.opened) }
