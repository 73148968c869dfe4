// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package backtest

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"
	"go.yaml.in/yaml/v3"

	"example.com/otelcol-guardrail/cmd/guardrail-backtest/internal/config"
	"example.com/otelcol-guardrail/internal/settings"
)

// Every record that the project knows is judged as the processor's tests say, from a file, in whichever form it is.
func TestVerdictsAreThoseOfTheProcessor(t *testing.T) {
	const folder = "../../../../testdata/invocations/"
	text, err := os.ReadFile(folder + "expected.json")
	require.NoError(t, err)
	var records []struct {
		File, Verdict, Evidence string
		Options                 map[string]any
	}
	require.NoError(t, json.Unmarshal(text, &records))
	for _, record := range records {
		if len(record.Options) > 0 {
			continue
		}
		o, _ := options(t, settings.Default(), folder+record.File)
		result, err := Run(t.Context(), o)
		require.NoError(t, err)
		report := result.Report
		assert.Empty(t, report.Read.Faults)
		switch {
		case record.Verdict == "not_invocation" || record.Verdict == "":
			assert.Empty(t, report.Verdicts, record.File)
		case record.Evidence == "several": // which are split here
			assert.Positive(t, report.Read.Invocations, record.File)
			assert.Zero(t, report.Verdicts["unknown/several"], record.File)
		default:
			assert.Equal(t, map[string]int64{record.Verdict + "/" + record.Evidence: 1}, report.Verdicts, record.File)
		}
	}
}

// The log records and spans of each instrumentation come to the same from a file as through the processor.
func TestTelemetryOfClientsIsReadAsTheProcessorReadsIt(t *testing.T) {
	for _, folder := range []string{"../../../../testdata/clients/", "../../../../testdata/clients/spans/"} {
		readsAsTheProcessor(t, folder)
	}
}

func readsAsTheProcessor(t *testing.T, folder string) {
	t.Helper()
	text, err := os.ReadFile(folder + "cases.yaml")
	require.NoError(t, err)
	var cases struct {
		Cases []struct {
			Name, File string
			Settings   map[string]any
			Alerts     int
			Verdicts   map[string]int64
		}
	}
	require.NoError(t, yaml.Unmarshal(text, &cases))
	require.NotEmpty(t, cases.Cases)
	for _, c := range cases.Cases {
		t.Run(c.Name, func(t *testing.T) {
			set := config.Default()
			require.NoError(t, confmap.NewFromStringMap(c.Settings).Unmarshal(set))
			o, _ := options(t, set, filepath.Join(folder, c.File))
			result, err := Run(t.Context(), o)
			require.NoError(t, err)
			assert.Equal(t, c.Verdicts, result.Report.Verdicts)
			assert.Len(t, result.Report.Alerts, c.Alerts)
		})
	}
}
