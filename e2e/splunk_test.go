// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"maps"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The splunk_hec exporter finds source type, source and index on an alert, and Splunk the fields of its Alerts data model.
func TestSplunkGetsAlertsByTheFieldsOfItsDataModel(t *testing.T) {
	t.Parallel()
	plain, got := alertsThrough(t, "config/splunk.yaml", "GUARDRAIL_SPLUNK", "otlp_grpc/splunk")
	require.Len(t, got, 2)
	alerts := alertsIn(got[1])
	require.Len(t, alerts, 1)
	assert.Equal(t, plain.body, alerts[0].body, "the event's text")
	want := map[string]any{
		"com.splunk.sourcetype": "otel:gen_ai_guardrail:alert",
		"com.splunk.source":     "gen_ai_guardrail",
		"com.splunk.index":      "main",
		"app":                   "gen_ai_guardrail",
		"type":                  "alert",
		"id":                    plain.id(),
		"signature":             plain.attributes["security_rule.name"],
		"signature_id":          plain.attributes["security_rule.uuid"],
		"description":           plain.attributes["security_rule.description"],
		"severity":              "medium",
		"severity_id":           plain.attributes["event.severity"],
		"mitre_technique_id":    plain.attributes["threat.technique.id"],
		"user":                  plain.user(),
		"vendor_account":        plain.account(),
	}
	maps.Copy(want, plain.attributes)
	assert.Equal(t, want, alerts[0].attributes)
}
