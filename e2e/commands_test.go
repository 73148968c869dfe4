// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"example.com/otelcol-guardrail/e2e/internal/collector"
	"example.com/otelcol-guardrail/internal/version"
)

func TestEveryShippedConfigurationIsValid(t *testing.T) {
	t.Parallel()
	root := collector.Root(t)
	configs, err := filepath.Glob(filepath.Join(root, "config", "*.yaml"))
	require.NoError(t, err)
	require.NotEmpty(t, configs)
	for _, config := range configs {
		switch filepath.Base(config) {
		case "alertmanager.yaml", "prometheus.yaml": // see TestConfigurationForAlertmanagerIsValid and TestPrometheusFilesAreValid
			continue
		}
		result := collector.Run(t, nil, "validate", "--config", config)
		assert.Zero(t, result.Code, config)
		assert.Empty(t, result.Stdout+result.Stderr, config)
	}
}

func TestConfigurationForAlertmanagerIsValid(t *testing.T) {
	t.Parallel()
	result := collector.RunGateway(t, "validate", "--config", "config/durable.yaml", "--config", "config/alertmanager.yaml")
	assert.Zero(t, result.Code)
	assert.Empty(t, result.Stdout+result.Stderr)
}

func TestEveryShippedConfigurationForSeveralMachinesIsValid(t *testing.T) {
	t.Parallel()
	const folder = "config/scale-out/"
	used := map[string]bool{}
	for _, configs := range [][]string{
		{"edge.yaml", "ranges.yaml"},
		{"edge.yaml", "ranges.yaml", "counted-only.yaml"},
		{"edge.yaml", "load-balancing.yaml"},
		{"edge.yaml", "load-balancing.yaml", "load-balancing-move.yaml"},
		{"edge.yaml", "kafka-edge.yaml"},
		{"detector.yaml"},
		{"detector.yaml", "kafka-detector.yaml"},
	} {
		args := []string{"validate"}
		for _, config := range configs {
			used[config] = true
			args = append(args, "--config", folder+config)
		}
		result := collector.RunGateway(t, args...)
		assert.Zero(t, result.Code, configs)
		assert.Empty(t, result.Stdout+result.Stderr, configs)
	}
	files, err := filepath.Glob(filepath.Join(collector.Root(t), folder, "*.yaml"))
	require.NoError(t, err)
	for _, file := range files {
		assert.True(t, used[filepath.Base(file)], "no test validates %s", file)
	}
}

func TestComponentsThatConfigurationsNeedAreBuiltIn(t *testing.T) {
	t.Parallel()
	result := collector.Run(t, nil, "components")
	require.Zero(t, result.Code)
	require.Empty(t, result.Stderr)
	type component struct {
		Name, Module string
		Stability    map[string]string
	}
	var list struct{ Receivers, Processors, Exporters, Connectors, Extensions []component }
	require.NoError(t, yaml.Unmarshal([]byte(result.Stdout), &list))

	find := func(among []component, name string) component {
		for _, c := range among {
			if c.Name == name {
				return c
			}
		}
		t.Errorf("there is no %s", name)
		return component{}
	}
	own := find(list.Processors, "gen_ai_guardrail")
	assert.Contains(t, own.Module, "example.com/otelcol-guardrail v")
	assert.Equal(t, "Alpha", own.Stability["logs"])
	for name, among := range map[string][]component{
		"otlp": list.Receivers, "file_log": list.Receivers,
		"memory_limiter": list.Processors, "transform": list.Processors, "filter": list.Processors,
		"forward":   list.Connectors,
		"otlp_grpc": list.Exporters, "otlp_http": list.Exporters, "file": list.Exporters, "debug": list.Exporters,
		"file_storage": list.Extensions, "health_check": list.Extensions,
	} {
		find(among, name)
	}
}

// Whoever needs several machines must not have to do without anything else.
func TestGatewayHasEverythingThatTheDefaultDistributionHas(t *testing.T) {
	t.Parallel()
	components := func(manifest string) map[string]bool {
		text, err := os.ReadFile(filepath.Join(collector.Root(t), manifest))
		require.NoError(t, err)
		var kinds struct {
			Receivers, Processors, Connectors, Exporters, Extensions, Providers []struct{ Gomod, Import string }
		}
		require.NoError(t, yaml.Unmarshal(text, &kinds))
		all := map[string]bool{}
		for _, kind := range [][]struct{ Gomod, Import string }{
			kinds.Receivers, kinds.Processors, kinds.Connectors, kinds.Exporters, kinds.Extensions, kinds.Providers,
		} {
			for _, c := range kind {
				all[c.Gomod+" "+c.Import] = true
			}
		}
		return all
	}
	gateway := components("builder-config-gateway.yaml")
	for component := range components("builder-config.yaml") {
		assert.True(t, gateway[component], component)
	}
}

// Whoever reports a problem is asked for the version, and finds it in the output, in alerts (see the golden file) or in metrics.
func TestVersionIsThatOfTheRelease(t *testing.T) {
	t.Parallel()
	for name, result := range map[string]collector.Result{
		"otelcol-guardrail":         collector.Run(t, nil, "--version"),
		"otelcol-guardrail-gateway": collector.RunGateway(t, "--version"),
	} {
		assert.Zero(t, result.Code)
		assert.Equal(t, name+" version "+version.Version+"\n", result.Stdout)
	}
	assert.Regexp(t, `(?m)^target_info\{.*service_version="`+regexp.QuoteMeta(version.Version)+`"`, start(t, metricsConfig).Scrape())
}
