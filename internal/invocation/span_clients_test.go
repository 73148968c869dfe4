// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package invocation_test

import (
	"encoding/json"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"example.com/otelcol-guardrail/internal/invocation"
	"example.com/otelcol-guardrail/internal/testing/inputs"
)

const spansFolder = "../../testdata/clients/spans"

// spanDefaults returns settings like the defaults for spans.
func spanDefaults() invocation.Options {
	options := benchOptions
	options.GuardrailKeys = invocation.GuardrailKeys()
	options.UserKeys = invocation.SpanUserKeys()
	options.SilentScopes = invocation.SpanSilentScopes()
	return options
}

// spanCases returns the cases of clients' spans.
func spanCases(t testing.TB) []*inputs.Case {
	cases, err := inputs.Load(func(text []byte) (any, error) {
		retrieved, err := confmap.NewRetrievedFromYAML(text)
		if err != nil {
			return nil, err
		}
		return retrieved.AsRaw()
	}, spansFolder)
	require.NoError(t, err)
	return cases
}

// spanOptions returns the defaults with the settings of a case.
func spanOptions(t testing.TB, c *inputs.Case) invocation.Options {
	options := spanDefaults()
	if len(c.Settings) > 0 {
		var settings struct {
			SilentScopes       *[]string `json:"silent_scopes"`
			ApprovedGuardrails []string  `json:"approved_guardrails"`
		}
		require.NoError(t, json.Unmarshal(c.Settings, &settings))
		if settings.SilentScopes != nil {
			options.SilentScopes = *settings.SilentScopes
		}
		options.ApprovedGuardrails = settings.ApprovedGuardrails
	}
	return options
}

// forEachSpan calls f with every span and its surroundings.
func forEachSpan(traces ptrace.Traces, f func(pcommon.Resource, pcommon.InstrumentationScope, ptrace.Span)) {
	for _, resource := range traces.ResourceSpans().All() {
		for _, scope := range resource.ScopeSpans().All() {
			for _, span := range scope.Spans().All() {
				f(resource.Resource(), scope.Scope(), span)
			}
		}
	}
}

// Somebody's guarded calls would raise alerts, or their unguarded ones would not.
func TestSpansOfClients(t *testing.T) {
	for _, c := range spanCases(t) {
		t.Run(c.Name, func(t *testing.T) {
			reader := invocation.NewReader(spanOptions(t, c))
			var inv invocation.Invocation
			counts, ids := map[string]int{}, map[string]bool{}
			forEachSpan(c.Traces, func(resource pcommon.Resource, scope pcommon.InstrumentationScope, span ptrace.Span) {
				reader.Enter(resource, scope, &inv)
				if !reader.ReadSpan(span, &inv) {
					return
				}
				reader.DescribeSpan(span, &inv)
				counts[inv.Kind.String()]++
				assert.NotEmpty(t, inv.User)
				assert.Equal(t, int64(span.EndTimestamp()), inv.Time)
				id := inv.RequestID
				if id == "" {
					id = inv.ContentID(invocation.Source{Resource: resource, Scope: scope, Span: span})
				}
				assert.False(t, ids[id], "%s is taken for a repeat", span.Name())
				ids[id] = true
			})
			assert.Equal(t, c.Verdicts, counts, c.Why)
		})
	}
}

// A client whose file is in no case would not be tested.
func TestEveryFileOfSpansIsInACase(t *testing.T) {
	used := map[string]bool{}
	for _, c := range spanCases(t) {
		used[c.File] = true
	}
	files, err := filepath.Glob(filepath.Join(spansFolder, "*.json"))
	require.NoError(t, err)
	for _, file := range files {
		assert.True(t, used[filepath.Base(file)], file)
	}
}
