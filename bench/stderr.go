// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"regexp"
	"sync"
)

// listening matches the line in which the collector logs the address on which it
// receives OTLP over gRPC.
var listening = regexp.MustCompile(`Starting GRPC server.*"endpoint": "([^"]+)"`)

// stderr keeps what a collector writes to its standard error, and looks for the
// address on which it listens.
type stderr struct {
	endpoint chan string // gets the address once

	mu    sync.Mutex // guards the fields below
	text  bytes.Buffer
	found bool
}

func newStderr() *stderr { return &stderr{endpoint: make(chan string, 1)} }

// Write implements io.Writer.
func (s *stderr) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n, err := s.text.Write(p)
	if match := listening.FindSubmatch(s.text.Bytes()); !s.found && match != nil {
		s.found = true
		s.endpoint <- string(match[1])
	}
	return n, err
}

func (s *stderr) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}
