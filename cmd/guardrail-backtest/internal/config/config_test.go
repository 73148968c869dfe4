// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/otelcol-guardrail/internal/settings"
)

func load(t *testing.T, text, id string) (*settings.Config, error) {
	file := filepath.Join(t.TempDir(), "config.yaml")
	require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	return Load(t.Context(), file, id)
}

func TestSettingsAreFoundWhereverTheyStand(t *testing.T) {
	t.Setenv("LIMIT", "7")
	for name, c := range map[string]struct {
		text, id string
		want     int
	}{
		"in a collector":       {"processors:\n  batch:\n  gen_ai_guardrail:\n    rules: [{threshold: 7}]\nservice: {}\n", "", 7},
		"in a connector":       {"connectors:\n  gen_ai_guardrail/x:\n    rules: [{threshold: 7}]\n", "", 7},
		"without settings":     {"processors:\n  gen_ai_guardrail:\n", "", 5},
		"in a named connector": {"connectors:\n  gen_ai_guardrail/x:\n    rules: [{threshold: 7}]\n", "gen_ai_guardrail/x", 7},
		"a connector of both":  {"processors:\n  gen_ai_guardrail:\nconnectors:\n  gen_ai_guardrail:\n    rules: [{threshold: 7}]\n", "connectors/gen_ai_guardrail", 7},
		"the part alone":       {"rules: [{threshold: 7}]\n", "", 7},
		"under its name":       {"gen_ai_guardrail:\n  rules: [{threshold: 7}]\n", "", 7},
		"empty":                {"{}", "", 5},
		"chosen":               {"processors:\n  gen_ai_guardrail/a:\n  gen_ai_guardrail/b:\n    rules: [{threshold: 7}]\n", "gen_ai_guardrail/b", 7},
		"from an environment":  {"rules: [{threshold: \"${env:LIMIT}\"}]\n", "", 7},
	} {
		t.Run(name, func(t *testing.T) {
			config, err := load(t, c.text, c.id)
			require.NoError(t, err)
			assert.Equal(t, c.want, config.Rules[0].Threshold)
		})
	}
}

func TestTheShippedConfigurationsCanBeTried(t *testing.T) {
	files, err := filepath.Glob("../../../../config/*.yaml")
	require.NoError(t, err)
	tried := 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		if !bytes.Contains(text, []byte("\nservice:")) { // not a collector's
			continue
		}
		_, err = Load(t.Context(), file, "")
		require.NoError(t, err, file)
		tried++
	}
	assert.Greater(t, tried, 5)
}

func TestMistakesAreNamed(t *testing.T) {
	for name, c := range map[string]struct{ text, id, want string }{
		"unknown setting": {"treshold: 5\n", "", "treshold"},
		"wrong value":     {"rules: [{threshold: -1}]\n", "", "threshold"},
		"both kinds":      {"processors:\n  gen_ai_guardrail:\nconnectors:\n  gen_ai_guardrail:\n", "", "connectors/gen_ai_guardrail, gen_ai_guardrail"},
		"several":         {"processors:\n  gen_ai_guardrail/a:\n  gen_ai_guardrail/b:\n", "", "--component: gen_ai_guardrail/a, gen_ai_guardrail/b"},
		"another":         {"processors:\n  gen_ai_guardrail/a:\n", "gen_ai_guardrail/c", `no component "gen_ai_guardrail/c"; there is gen_ai_guardrail/a`},
		"none":            {"processors:\n  batch:\n", "", "no gen_ai_guardrail"},
		"no settings":     {"processors:\n  gen_ai_guardrail: 5\n", "", "holds no settings"},
		"no YAML":         {"a: [", "", "yaml"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := load(t, c.text, c.id)
			assert.ErrorContains(t, err, c.want)
		})
	}
	_, err := Load(t.Context(), "/missing.yaml", "")
	assert.ErrorContains(t, err, "/missing.yaml")
}
