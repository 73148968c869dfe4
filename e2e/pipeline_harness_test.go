// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"

	"example.com/otelcol-guardrail/e2e/internal/collector"
	"example.com/otelcol-guardrail/e2e/internal/sink"
)

// pipeline is a collector between a sender and a sink.
type pipeline struct {
	*collector.Collector
	collector.Client
	sink *sink.Sink
}

// start runs a collector from testdata/otlp.yaml, which the given configurations extend.
func start(t *testing.T, configs ...string) pipeline {
	t.Helper()
	s := sink.Start(t)
	c := collector.Start(t, collector.Settings{
		Configs: append([]string{"e2e/testdata/otlp.yaml"}, configs...),
		Env:     []string{"E2E_OUT=" + s.Address},
	})
	return pipeline{c, c.Dial(t), s}
}

// processor returns a configuration with settings of the processor, given as one line of YAML.
func processor(settings string) string {
	return "yaml:processors::gen_ai_guardrail: {" + settings + "}"
}

// send sends records to a pipeline whose sink accepts everything. It returns them as they were forwarded, and the alerts that they
// raised.
//
// It checks what holds for every exchange: the records are forwarded in one request without alerts, and all their alerts follow in a
// second request.
func (p pipeline) send(t *testing.T, logs plog.Logs) (forwarded plog.Logs, raised []alert) {
	t.Helper()
	require.NoError(t, p.Send(t.Context(), logs))
	return p.taken(t, logs)
}

// taken returns, as send does, the outcome of records that have just been sent.
func (p pipeline) taken(t *testing.T, logs plog.Logs) (forwarded plog.Logs, raised []alert) {
	t.Helper()
	requests := p.sink.Take()
	require.NotEmpty(t, requests, "nothing was forwarded")
	require.LessOrEqual(t, len(requests), 2)
	forwarded = requests[0].Logs
	require.Empty(t, alertsIn(forwarded), "an alert among the records")
	require.Equal(t, logs.LogRecordCount(), forwarded.LogRecordCount())
	for _, request := range requests[1:] {
		raised = alertsIn(request.Logs)
		require.NotEmpty(t, raised, "an empty request")
		require.Len(t, raised, request.Logs.LogRecordCount(), "records among the alerts")
	}
	return forwarded, raised
}

// pass sends records that must be forwarded unchanged, and returns the alerts that they raised.
func (p pipeline) pass(t *testing.T, logs plog.Logs) []alert {
	t.Helper()
	forwarded, raised := p.send(t, logs)
	requireSame(t, logs, forwarded)
	return raised
}

// requireSame checks that records are equal in everything that OTLP carries.
func requireSame(t *testing.T, want, got plog.Logs) {
	t.Helper()
	if string(encoded(t, want)) != string(encoded(t, got)) {
		require.Equal(t, asJSON(t, want), asJSON(t, got))
		t.Fatal("the records differ in something that JSON does not show")
	}
}

func encoded(t *testing.T, logs plog.Logs) []byte {
	t.Helper()
	bytes, err := (&plog.ProtoMarshaler{}).MarshalLogs(logs)
	require.NoError(t, err)
	return bytes
}
