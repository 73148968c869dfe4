// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package suggest

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"example.com/otelcol-guardrail/cmd/guardrail-backtest/internal/analysis"
	"example.com/otelcol-guardrail/cmd/guardrail-backtest/internal/expect"
)

func group(key string, alerts int, counted int64, principals ...string) *analysis.GroupReport {
	return &analysis.GroupReport{Key: key, Alerts: alerts, Counted: counted, Principals: principals}
}

func sample() *analysis.Report {
	alert := func(key string) *analysis.Alert {
		return &analysis.Alert{Rule: "burst", Key: key, Group: map[string]string{"user.id": key}}
	}
	return &analysis.Report{
		Rules: []*analysis.RuleReport{{ID: "burst", Groups: []*analysis.GroupReport{
			group("otter/1", 3, 30, "otter"), group("otter/2", 1, 10, "otter"), group("heron", 2, 90, "heron"), group("both", 9, 9, "otter", "owl"),
			group("quiet", 0, 4, "quiet"), group("star", 1, 7, "role/*"), group("hidden", 1, 7, "a\u202eb"),
		}}},
		Alerts: []*analysis.Alert{alert("otter/1"), alert("heron")},
	}
}

func TestTheNoisiestComeFirstWithWhatTheyWouldSilence(t *testing.T) {
	all := Exemptions(sample(), nil)
	require.Len(t, all, 4, "nobody who alerts only together with others, and nobody quiet")
	assert.Equal(t, &Exemption{Rule: "burst", Principal: "otter", Alerts: 4, Groups: 2, Calls: 40, Shared: 1}, all[0])
	assert.Equal(t, &Exemption{Rule: "burst", Principal: "heron", Alerts: 2, Groups: 1, Calls: 90}, all[1])
}

// An exemption must not silence what a team relies on, nor more people than the one it is meant for.
func TestWhatWouldSilenceAnExpectedAlertIsRefused(t *testing.T) {
	expected := &expect.Expectations{Must: []*expect.Expected{{Name: "the heron", Group: map[string]string{"user.id": "heron"}}}}
	for _, e := range Exemptions(sample(), expected) {
		switch e.Principal {
		case "heron":
			assert.Contains(t, e.Refused, "the heron")
		case "otter":
			assert.Empty(t, e.Refused)
		default:
			assert.NotEmpty(t, e.Refused)
		}
	}
}

func TestProposalsCanBePastedIntoTheSettings(t *testing.T) {
	var text strings.Builder
	require.NoError(t, Text(&text, Exemptions(sample(), nil)))
	_, pasted, ok := strings.Cut(text.String(), "EXEMPTIONS\n")
	require.True(t, ok)
	var settings struct{ Exempt []map[string]string }
	require.NoError(t, yaml.Unmarshal([]byte(pasted), &settings))
	assert.Equal(t, []map[string]string{
		{"principal": "otter", "until": "", "reason": ""},
		{"principal": "heron", "until": "", "reason": ""},
	}, settings.Exempt)
	text.Reset()
	require.NoError(t, Text(&text, nil))
	assert.Contains(t, text.String(), "nobody alerts")
}
