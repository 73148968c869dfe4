// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
)

// Somebody who maps alerts to another system maps what docs/alert.md shows.
func TestAlertsOnTheAlertPageAreThoseOfTheSampleLogs(t *testing.T) {
	t.Parallel()
	output, err := shell(t, "dist/guardrail-backtest --format otlp-json --config config/quickstart.yaml testdata/quickstart")
	require.NoError(t, err, output)
	var shown []string
	for line := range strings.Lines(output) {
		logs, err := (&plog.JSONUnmarshaler{}).UnmarshalLogs([]byte(line))
		require.NoError(t, err, line)
		for _, record := range recordsIn(logs) {
			shown = append(shown, legible(record))
		}
	}
	found := 0
	for _, block := range readDocument(t, "docs/alert.md").blocks {
		if strings.HasPrefix(block.text, "EventName:") {
			found++
			assert.True(t, slices.Contains(shown, block.text), "%s is none of the alerts\n%s", block, strings.Join(shown, "\n"))
		}
	}
	assert.GreaterOrEqual(t, found, 2)
}

// legible returns a record in the form in which the page shows it.
func legible(record plog.LogRecord) string {
	var b strings.Builder
	fmt.Fprintf(&b, "EventName:  %s\n", record.EventName())
	fmt.Fprintf(&b, "Timestamp:  %s\n", record.Timestamp().AsTime().Format(time.RFC3339))
	fmt.Fprintf(&b, "Severity:   %s (%d)\n", record.SeverityText(), record.SeverityNumber())
	fmt.Fprintf(&b, "Body:       %s\nAttributes:\n", record.Body().Str())
	for key, value := range record.Attributes().All() {
		text := value.AsString()
		if value.Type() == pcommon.ValueTypeSlice {
			text = "[" + strings.Trim(strings.ReplaceAll(strings.ReplaceAll(text, `","`, ", "), `"`, ""), "[]") + "]"
		}
		fmt.Fprintf(&b, "  %s: %s\n", key, text)
	}
	return b.String()
}
