// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.yaml.in/yaml/v3"

	"example.com/otelcol-guardrail/e2e/internal/bedrock"
	"example.com/otelcol-guardrail/e2e/internal/collector"
	"example.com/otelcol-guardrail/e2e/internal/sink"
)

// The elasticsearch exporter stores an alert under the names that docs/mappings/ecs.yaml promises, in a data stream of its own, and
// under its id: what is delivered again is the same document.
func TestElasticGetsAlertsByTheNamesOfItsSchema(t *testing.T) {
	t.Parallel()
	mapping := ecsMapping(t)
	plain, got := alertsThrough(t, "config/elastic.yaml", "GUARDRAIL_ELASTIC", "otlp_grpc/elastic")
	require.Len(t, got, 2)
	assert.Equal(t, encoded(t, got[0]), encoded(t, got[1]), "refused, and sent again")

	scope := got[1].ResourceLogs().At(0).ScopeLogs().At(0)
	mode, _ := scope.Scope().Attributes().Get("elastic.mapping.mode")
	assert.Equal(t, "ecs", mode.AsString())
	record := scope.LogRecords().At(0)
	assert.Equal(t, plog.SeverityNumberUnspecified, record.SeverityNumber(), "the exporter would write it over event.severity")
	assert.Equal(t, plain.body, record.Body().Str())
	attributes := record.Attributes().AsRaw()
	assert.Equal(t, plain.text("log.record.uid"), attributes["elasticsearch.document_id"])
	delete(attributes, "elasticsearch.document_id")

	want := map[string]any{}
	for _, f := range mapping.Fields {
		switch value, ok := plain.attributes[f.From]; {
		case f.By == "exporter":
			if ok { // such as event.name
				want[f.From] = value
			}
		case f.From == "":
			want[f.To] = f.Value
		case ok && f.As == "list":
			want[f.To] = []any{value}
		case ok:
			want[f.To] = value
		}
	}
	for _, name := range mapping.Kept {
		if value, ok := plain.attributes[name]; ok {
			want[name] = value
		}
	}
	assert.Equal(t, want, attributes)
}

// ecsMapping returns the table of docs/mappings/ecs.yaml.
func ecsMapping(t *testing.T) (mapping struct {
	Fields []struct {
		To, From, As, By string
		Value            any
	}
	Kept []string
},
) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(collector.Root(t), "docs", "mappings", "ecs.yaml"))
	require.NoError(t, err)
	require.NoError(t, yaml.Unmarshal(text, &mapping))
	return mapping
}

// alertsThrough returns one alert as the processor emits it, and the requests in which it leaves a shipped configuration whose backend
// refuses the first one.
func alertsThrough(t *testing.T, config, variable, exporter string) (plain alert, requests []plog.Logs) {
	t.Helper()
	calls := bedrock.Logs(bedrock.Burst("alice", 6)...)
	_, raised := start(t).send(t, calls)
	require.Len(t, raised, 1)

	s := sink.Start(t)
	s.Become(sink.Refuse)
	c := collector.Start(t, asShipped(t, config, []string{variable + "=" + s.Address, variable + "_INSECURE=true"},
		"yaml:exporters::"+exporter+"::retry_on_failure::initial_interval: 10ms"))
	require.NoError(t, c.Dial(t).Send(t.Context(), calls))
	refused := s.Await(t, func(r sink.Request) bool { return r.Err != nil })
	s.Become(sink.Accept)
	accepted := s.Await(t, func(r sink.Request) bool { return r.Err == nil })
	c.Stop(os.Interrupt) // the log has the refusal
	assert.Empty(t, s.Take())
	return raised[0], []plog.Logs{refused.Logs, accepted.Logs}
}
