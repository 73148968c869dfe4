// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/otelcol-guardrail/e2e/internal/bedrock"
	"example.com/otelcol-guardrail/e2e/internal/collector"
	"example.com/otelcol-guardrail/e2e/internal/sink"
)

// line connects senders to the collector that currently runs.
type line struct {
	mu      sync.Mutex // guards the fields below
	client  *collector.Client
	changed chan struct{} // closed when there is another client
}

func newLine() *line { return &line{changed: make(chan struct{})} }

// connect makes the senders use another collector from now on.
func (l *line) connect(client collector.Client) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.client != nil {
		l.client.Close()
	}
	l.client = &client
	close(l.changed)
	l.changed = make(chan struct{})
}

// current returns the client to use, nil when there is none yet, and a channel that is closed when it changes.
func (l *line) current() (*collector.Client, <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.client, l.changed
}

// resend is how long a sender waits before it repeats a request that was not accepted.
const resend = 20 * time.Millisecond

// deliver sends one batch, unchanged, until it is accepted, as a client with a queue does. It returns false when ctx ends first.
func (l *line) deliver(ctx context.Context, batch []bedrock.Call) bool {
	logs := bedrock.Logs(batch...)
	for ctx.Err() == nil {
		client, changed := l.current()
		if client != nil && client.Send(ctx, logs) == nil {
			return true
		}
		select {
		case <-ctx.Done():
		case <-changed:
		case <-time.After(resend):
		}
	}
	return false
}

// progress is a counter that can be waited on.
type progress struct {
	mu      sync.Mutex // guards the fields below
	done    int
	changed chan struct{} // closed by the next step
}

func newProgress() *progress { return &progress{changed: make(chan struct{})} }

func (p *progress) step() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done++
	close(p.changed)
	p.changed = make(chan struct{})
}

// reach waits until the count is at least n. It returns false when stop is closed first.
func (p *progress) reach(n int, stop <-chan struct{}) bool {
	for {
		p.mu.Lock()
		done, changed := p.done, p.changed
		p.mu.Unlock()
		if done >= n {
			return true
		}
		select {
		case <-changed:
		case <-stop:
			return false
		}
	}
}

// await waits until the count is at least n, for at most collector.Patience.
func (p *progress) await(t *testing.T, n int) {
	t.Helper()
	stop := make(chan struct{})
	defer time.AfterFunc(collector.Patience, func() { close(stop) }).Stop()
	require.True(t, p.reach(n, stop), "timed out waiting for %d batches", n)
}

// overOTLP delivers the batches by several senders concurrently. done counts the accepted ones.
func overOTLP(t *testing.T, batches [][]bedrock.Call, _ *sink.Sink) (connect func(*collector.Collector), done *progress) {
	t.Helper()
	const senders = 4
	l, accepted := newLine(), newProgress()
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	t.Cleanup(func() {
		cancel()
		wg.Wait()
	})
	for sender := range senders {
		wg.Go(func() {
			for i := sender; i < len(batches) && l.deliver(ctx, batches[i]); i += senders {
				accepted.step()
			}
		})
	}
	return func(c *collector.Collector) { l.connect(c.Dial(t)) }, accepted
}
