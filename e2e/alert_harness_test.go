// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"

	"example.com/otelcol-guardrail/e2e/internal/bedrock"
)

// alert is an alert record. Its attributes are by name, with lists as []any.
type alert struct {
	body       string
	attributes map[string]any
}

func (a alert) id() string      { return a.text("gen_ai_guardrail.alert.id") }
func (a alert) state() string   { return a.text("gen_ai_guardrail.alert.state") }
func (a alert) user() string    { return a.text("user.id") }
func (a alert) account() string { return a.text("cloud.account.id") }
func (a alert) rule() string    { return a.text("gen_ai_guardrail.rule.id") }

func (a alert) text(key string) string {
	value, _ := a.attributes[key].(string)
	return value
}

func (a alert) count() int {
	value, _ := a.attributes["gen_ai_guardrail.count"].(int64)
	return int(value)
}

// alertsIn returns the alerts among the records.
func alertsIn(logs plog.Logs) (alerts []alert) {
	for _, record := range recordsIn(logs) {
		if isAlert(record) {
			alerts = append(alerts, alert{record.Body().Str(), record.Attributes().AsRaw()})
		}
	}
	return alerts
}

func isAlert(record plog.LogRecord) bool {
	_, ok := record.Attributes().Get("gen_ai_guardrail.alert.id")
	return record.EventName() == "gen_ai_guardrail.alert" && ok
}

// holdsAlerts reports whether a request of a collector holds alerts: it never mixes them with other records.
func holdsAlerts(logs plog.Logs) bool {
	records := recordsIn(logs)
	return len(records) > 0 && isAlert(records[0])
}

// holdsRecords reports whether a request of a collector holds forwarded records.
func holdsRecords(logs plog.Logs) bool { return !holdsAlerts(logs) }

func recordsIn(logs plog.Logs) (records []plog.LogRecord) {
	for _, resourceLogs := range logs.ResourceLogs().All() {
		for _, scopeLogs := range resourceLogs.ScopeLogs().All() {
			for _, record := range scopeLogs.LogRecords().All() {
				records = append(records, record)
			}
		}
	}
	return records
}

func asJSON(t *testing.T, logs plog.Logs) string {
	t.Helper()
	text, err := (&plog.JSONMarshaler{}).MarshalLogs(logs)
	require.NoError(t, err)
	var indented bytes.Buffer
	require.NoError(t, json.Indent(&indented, text, "", "  "))
	return indented.String()
}

// holdsAlertOf returns a predicate for requests with an alert about a user.
func holdsAlertOf(user string) func(plog.Logs) bool {
	return func(logs plog.Logs) bool {
		return slices.ContainsFunc(recordsIn(logs), func(record plog.LogRecord) bool {
			value, ok := record.Attributes().Get("user.id")
			return isAlert(record) && ok && value.Str() == user
		})
	}
}

// holdsCallOf returns a predicate for requests with a record of one of bedrock.Burst's callers.
func holdsCallOf(name string) func(plog.Logs) bool {
	return func(logs plog.Logs) bool {
		return slices.ContainsFunc(recordsIn(logs), func(record plog.LogRecord) bool {
			return !isAlert(record) && strings.Contains(record.Body().AsString(), bedrock.User(name))
		})
	}
}
