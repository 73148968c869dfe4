// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"bytes"
	"cmp"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	"go.yaml.in/yaml/v3"

	"example.com/otelcol-guardrail/e2e/internal/collector"
	"example.com/otelcol-guardrail/e2e/internal/sink"
	"example.com/otelcol-guardrail/internal/testing/inputs"
)

// The names of the connector's counters.
const (
	connectorInvocations = "otelcol_connector_gen_ai_guardrail_invocations"
	connectorExcluded    = "otelcol_connector_gen_ai_guardrail_invocations_excluded"
)

// Every case of testdata/clients/spans goes as OTLP in JSON to the built distribution, each to a collector of its own: clients have users in
// common.
func TestSpansOfEveryKnownClientAreJudged(t *testing.T) {
	t.Parallel()
	cases, err := inputs.Load(func(text []byte) (tree any, err error) {
		err = yaml.Unmarshal(text, &tree)
		return tree, err
	}, "../testdata/clients/spans")
	require.NoError(t, err)
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			s := sink.Start(t)
			p := pipeline{sink: s, Collector: collector.Start(t, collector.Settings{
				Configs: []string{"e2e/testdata/spans.yaml", metricsConfig, "yaml:connectors::gen_ai_guardrail: " + cmp.Or(string(c.Settings), "{}")},
				Env:     []string{"E2E_OUT=" + s.Address},
			})}
			p.trace(t, c)
		})
	}
}

// trace sends the spans of a case, and checks what they come to.
func (p pipeline) trace(t *testing.T, c *inputs.Case) {
	t.Helper()
	var groups []string
	for range c.Requests() {
		p.postTraces(t, c.Traces)
		for _, request := range p.sink.Take() {
			for _, a := range alertsIn(request.Logs) {
				if a.state() == "open" {
					groups = append(groups, a.text("gen_ai_guardrail.group"))
				}
			}
		}
	}
	assert.Equal(t, c.Verdicts, p.counts(connectorInvocations, "verdict", "evidence"), "%s: %s", c.Name, c.Why)
	assert.Equal(t, c.Excluded, p.counts(connectorExcluded, "reason"), "%s: %s", c.Name, c.Why)
	assert.Len(t, groups, c.Alerts, "%s: %s", c.Name, c.Why)
	if c.Group != "" {
		assert.Equal(t, []string{c.Group}, groups, c.Name)
	}
}

// postTraces sends spans over HTTP as JSON.
func (p pipeline) postTraces(t *testing.T, traces ptrace.Traces) {
	t.Helper()
	text, err := ptraceotlp.NewExportRequestFromTraces(traces).MarshalJSON()
	require.NoError(t, err)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://collector/v1/traces", bytes.NewReader(text))
	require.NoError(t, err)
	request.Header.Set("Content-Type", "application/json")
	response, err := collector.HTTPClient(p.In).Do(request)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	require.Equal(t, http.StatusOK, response.StatusCode)
}
