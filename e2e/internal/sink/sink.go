// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

// Package sink is a stand-in for the backend of a collector: it receives OTLP, answers as configured and keeps every request.
package sink

import (
	"context"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	"google.golang.org/grpc"
	_ "google.golang.org/grpc/encoding/gzip" // as exporters send
)

// patience bounds every wait.
const patience = time.Minute

// Request is a request that was received, with the answer that it got.
type Request struct {
	Logs plog.Logs
	Err  error
}

// Sink receives what a collector exports.
type Sink struct {
	plogotlp.UnimplementedGRPCServer

	Address string

	mu       sync.Mutex // guards the fields below
	behave   Behaviour
	requests []Request
	traces   []ptrace.Traces
	arrived  chan struct{} // closed by the next request
}

// Start returns a sink that accepts everything, until the end of the test. Its listener is open from the start, so that no other
// process can take its port.
func Start(t *testing.T) *Sink {
	t.Helper()
	return StartOn(t, "tcp", "127.0.0.1:0")
}

// StartOn returns a sink that accepts everything, on an address of a test's choice.
func StartOn(t *testing.T, network, address string) *Sink {
	t.Helper()
	listener, err := net.Listen(network, address)
	require.NoError(t, err)
	s := &Sink{Address: listener.Addr().String(), behave: Accept, arrived: make(chan struct{})}
	server := grpc.NewServer()
	plogotlp.RegisterGRPCServer(server, s)
	ptraceotlp.RegisterGRPCServer(server, &traceServer{sink: s})
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(listener)
	}()
	t.Cleanup(func() {
		server.Stop()
		<-done
	})
	return s
}

// Become sets how the sink behaves from now on.
func (s *Sink) Become(behaviour Behaviour) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.behave = behaviour
}

// Export implements plogotlp.GRPCServer.
func (s *Sink) Export(ctx context.Context, request plogotlp.ExportRequest) (plogotlp.ExportResponse, error) {
	s.mu.Lock()
	behave := s.behave
	s.mu.Unlock()
	err := behave(ctx, request.Logs())
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests = append(s.requests, Request{request.Logs(), err})
	close(s.arrived)
	s.arrived = make(chan struct{})
	return plogotlp.NewExportResponse(), err
}

// Take removes and returns the requests that were answered so far. A collector without a queue exports everything that is due before
// it answers its sender, so nothing is missing then.
func (s *Sink) Take() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	taken := s.requests
	s.requests = nil
	return taken
}

// Await waits until wanted holds for an answered request. It removes that request and all before it, and returns it.
func (s *Sink) Await(t *testing.T, wanted func(Request) bool) Request {
	t.Helper()
	deadline := time.After(patience)
	for {
		s.mu.Lock()
		arrived := s.arrived
		for i, request := range s.requests {
			if wanted(request) {
				s.requests = s.requests[i+1:]
				s.mu.Unlock()
				return request
			}
		}
		s.mu.Unlock()
		select {
		case <-arrived:
		case <-deadline:
			t.Fatal("timed out waiting for a request")
		}
	}
}

// traceServer accepts all traces.
type traceServer struct {
	ptraceotlp.UnimplementedGRPCServer

	sink *Sink
}

// Export implements ptraceotlp.GRPCServer.
func (s *traceServer) Export(_ context.Context, request ptraceotlp.ExportRequest) (ptraceotlp.ExportResponse, error) {
	s.sink.mu.Lock()
	defer s.sink.mu.Unlock()
	s.sink.traces = append(s.sink.traces, request.Traces())
	return ptraceotlp.NewExportResponse(), nil
}

// TakeTraces removes and returns the traces that were received so far.
func (s *Sink) TakeTraces() []ptrace.Traces {
	s.mu.Lock()
	defer s.mu.Unlock()
	taken := s.traces
	s.traces = nil
	return taken
}
