// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"bytes"
	"cmp"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"

	"example.com/otelcol-guardrail/e2e/internal/collector"
	"example.com/otelcol-guardrail/internal/testing/inputs"
)

// TestRecordsOfEveryKnownShapeAreJudged sends every case of testdata/inputs and testdata/clients as OTLP in JSON to the built
// distribution. Cases with the same settings share a collector: no two cases use the same group at the same time.
func TestRecordsOfEveryKnownShapeAreJudged(t *testing.T) {
	t.Parallel()
	bySettings := map[string][]*inputs.Case{}
	for _, c := range inputCases(t) {
		settings := cmp.Or(string(c.Settings), "{}")
		bySettings[settings] = append(bySettings[settings], c)
	}
	for _, settings := range slices.Sorted(maps.Keys(bySettings)) {
		t.Run(settings, func(t *testing.T) {
			t.Parallel()
			p := start(t, metricsConfig, "yaml:processors::gen_ai_guardrail: "+settings,
				"yaml:receivers: {otlp/http: {protocols: {http: {endpoint: '${env:E2E_IN}', transport: unix}}}}",
				"yaml:service::pipelines::logs::receivers: [otlp/http]",
				"yaml:service::telemetry::logs::level: error") // so many odd records cause warnings
			for _, c := range bySettings[settings] {
				p.play(t, c)
			}
		})
	}
}

func (p pipeline) play(t *testing.T, c *inputs.Case) {
	t.Helper()
	verdicts, reasons := p.verdicts(), p.reasons()
	var groups []string
	for range c.Requests() {
		p.post(t, c.Logs)
		forwarded, raised := p.taken(t, c.Logs)
		for _, a := range raised {
			if a.state() == "open" {
				groups = append(groups, a.text("gen_ai_guardrail.group"))
			}
		}
		for key, want := range c.Annotated {
			for _, record := range recordsIn(forwarded) {
				value, ok := record.Attributes().Get(key)
				got := ""
				if ok {
					got = value.AsString()
				}
				assert.Equal(t, want, got, "%s: %s", c.Name, key)
			}
		}
	}
	assert.Equal(t, c.Verdicts, increase(verdicts, p.verdicts()), "%s: %s", c.Name, c.Why)
	assert.Equal(t, c.Excluded, increase(reasons, p.reasons()), "%s: %s", c.Name, c.Why)
	assert.Len(t, groups, c.Alerts, "%s: %s", c.Name, c.Why)
	if c.Group != "" {
		assert.Equal(t, []string{c.Group}, groups, c.Name)
	}
}

// post sends records over HTTP as JSON.
func (p pipeline) post(t *testing.T, logs plog.Logs) {
	t.Helper()
	text, err := plogotlp.NewExportRequestFromLogs(logs).MarshalJSON()
	require.NoError(t, err)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://collector/v1/logs", bytes.NewReader(text))
	require.NoError(t, err)
	request.Header.Set("Content-Type", "application/json")
	response, err := collector.HTTPClient(p.In).Do(request)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	require.Equal(t, http.StatusOK, response.StatusCode)
}

// verdicts returns the number of invocations so far by "verdict/evidence".
func (p pipeline) verdicts() map[string]int { return p.counts(invocations, "verdict", "evidence") }

// reasons returns the number of invocations so far that a rule did not count, by reason.
func (p pipeline) reasons() map[string]int { return p.counts(excluded, "reason") }

// counts returns the values of a counter by the values of its attributes, joined with slashes.
func (p pipeline) counts(name string, attributes ...string) map[string]int {
	counts := map[string]int{}
	for sample, value := range collector.Samples(p.Scrape()) {
		if !strings.HasPrefix(sample, name+"{") {
			continue
		}
		values := make([]string, len(attributes))
		for i, attribute := range attributes {
			_, rest, _ := strings.Cut(sample, attribute+`="`)
			values[i], _, _ = strings.Cut(rest, `"`)
		}
		counts[strings.Join(values, "/")] += int(value)
	}
	return counts
}

// increase returns by how much each count has grown, without those that have not.
func increase(before, after map[string]int) map[string]int {
	grown := map[string]int{}
	for name, count := range after {
		if more := count - before[name]; more > 0 {
			grown[name] = more
		}
	}
	return grown
}
