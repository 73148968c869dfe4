// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/plog"

	"example.com/otelcol-guardrail/e2e/internal/bedrock"
	"example.com/otelcol-guardrail/e2e/internal/collector"
)

// traffic sends invocations to a collector, five times a second, until the end of the test. It does not care for the answers.
type traffic struct {
	mu  sync.Mutex // guards mix
	mix func(calls *callMaker) plog.Logs
}

// sendTraffic starts with no traffic.
func sendTraffic(t *testing.T, client collector.Client, name string) *traffic {
	t.Helper()
	tr, calls := &traffic{}, &callMaker{name: name}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for tick := time.NewTicker(200 * time.Millisecond); ; {
			select {
			case <-t.Context().Done():
				tick.Stop()
				return
			case <-tick.C:
			}
			tr.mu.Lock()
			mix := tr.mix
			tr.mu.Unlock()
			if mix != nil {
				_ = client.Send(t.Context(), mix(calls))
			}
		}
	}()
	t.Cleanup(func() { <-done })
	return tr
}

// become sets what is sent from now on; nil stops it.
func (tr *traffic) become(mix func(calls *callMaker) plog.Logs) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	tr.mix = mix
}

// callMaker makes calls that have just been made, each with an id of its own.
type callMaker struct {
	name string
	made int
}

// make returns calls of one user in an account, with or without a guardrail.
func (m *callMaker) make(n int, account, guardrail string) (calls []bedrock.Call) {
	for range n {
		m.made++
		calls = append(calls, bedrock.Call{
			User: "arn:aws:iam::" + account + ":user/" + m.name, Account: account, Region: "us-east-1",
			Model: "anthropic.claude-3-haiku-20240307-v1:0", RequestID: fmt.Sprintf("%s-%d", m.name, m.made),
			Time: time.Now().UTC(), Guardrail: guardrail,
		})
	}
	return calls
}

// nobody returns calls whose records do not say who made them.
func nobody(calls []bedrock.Call) []bedrock.Call {
	for i := range calls {
		calls[i].User = ""
	}
	return calls
}

// late returns calls that were made two hours ago.
func late(calls []bedrock.Call) []bedrock.Call {
	for i := range calls {
		calls[i].Time = calls[i].Time.Add(-2 * time.Hour)
	}
	return calls
}

// anonymous returns one request with the records of the calls, which nothing else says anything about.
func anonymous(calls ...[]bedrock.Call) plog.Logs {
	logs := plog.NewLogs()
	records := logs.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords()
	for _, some := range calls {
		for _, call := range some {
			records.AppendEmpty().Body().SetStr(call.Body())
		}
	}
	return logs
}
