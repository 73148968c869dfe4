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

// Behaviour decides the answer to a request; it may take its time.
type Behaviour func(ctx context.Context, logs plog.Logs) error

// Accept takes everything.
func Accept(context.Context, plog.Logs) error { return nil }

// Refuse asks to send again later.
func Refuse(context.Context, plog.Logs) error { return ErrBusy }

// Reject never takes anything.
func Reject(context.Context, plog.Logs) error { return ErrInvalid }

// What a sink refuses with, as the collector repeats it.
var (
	ErrBusy    = status.Error(codes.Unavailable, "the sink is busy")
	ErrInvalid = status.Error(codes.InvalidArgument, "the sink never takes this")
)

// To behaves as told towards requests of one kind, and accepts all others.
func To(kind func(plog.Logs) bool, behave Behaviour) Behaviour {
	return func(ctx context.Context, logs plog.Logs) error {
		if kind(logs) {
			return behave(ctx, logs)
		}
		return nil
	}
}

// Barrier holds up requests until it is opened, or until the collector gives up.
type Barrier struct {
	held, opened chan struct{}
}

// NewBarrier makes a closed one.
func NewBarrier() Barrier {
	return Barrier{make(chan struct{}, 1), make(chan struct{})}
}

// Hold is the behaviour.
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

// AwaitHeld waits until there is a request that it holds up.
func (b Barrier) AwaitHeld(t *testing.T) {
	t.Helper()
	select {
	case <-b.held:
	case <-time.After(patience):
		t.Fatal("waited in vain for a request")
	}
}

// Open lets all pass, those that it holds up and those to come.
func (b Barrier) Open() { close(b.opened) }
