// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"example.com/otelcol-guardrail/e2e/internal/collector"
)

// An operator who mistypes settings reads which ones are wrong and what is allowed, for all mistakes at once. The cases are those of
// the processor's own tests; this test checks what a person sees.
func TestWrongSettingsAreRefusedByName(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../internal/settings/testdata/config_mistakes.yaml")
	require.NoError(t, err)
	var cases map[string]struct {
		Config   yaml.Node
		Mistakes []string
	}
	require.NoError(t, yaml.Unmarshal(text, &cases))
	require.NotEmpty(t, cases)
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			config := filepath.Join(t.TempDir(), "config.yaml")
			require.NoError(t, os.WriteFile(config, []byte(processorConfig(t, &c.Config)), 0o600))

			for _, command := range [][]string{{"validate"}, nil} { // for validate, and for a run
				result := collector.Run(t, otlpEnv, append(command, "--config", "e2e/testdata/otlp.yaml", "--config", config)...)
				assert.Equal(t, 1, result.Code)
				assert.Empty(t, result.Stdout)
				for _, mistake := range c.Mistakes { // several of one part of the configuration are a list under its path
					path, item, _ := strings.Cut(mistake, ": ")
					listed := strings.Contains(result.Stderr, path+": \n") && strings.Contains(result.Stderr, "  - "+item)
					assert.True(t, listed || strings.Contains(result.Stderr, mistake), "%s\nin\n%s", mistake, result.Stderr)
				}
				assert.Contains(t, result.Stderr, "gen_ai_guardrail")
				assert.NotContains(t, result.Stderr, "panic")
			}
		})
	}
}

// processorConfig returns a configuration with settings of the processor exactly as they were written.
func processorConfig(t *testing.T, settings *yaml.Node) string {
	t.Helper()
	config, err := yaml.Marshal(map[string]any{"processors": map[string]any{"gen_ai_guardrail": settings}})
	require.NoError(t, err)
	return string(config)
}

// otlpEnv completes testdata/otlp.yaml for a collector that neither receives nor sends.
var otlpEnv = []string{"E2E_IN=/nowhere/socket", "E2E_OUT=127.0.0.1:1"}

func TestMistakesNameTheInstanceThatHasThem(t *testing.T) {
	t.Parallel()
	result := collector.Run(t, otlpEnv, "validate", "--config", "e2e/testdata/otlp.yaml",
		"--config", "yaml:processors::gen_ai_guardrail/one: {retention: 0s}",
		"--config", "yaml:processors::gen_ai_guardrail/two: {max_age: -1s}")
	assert.Equal(t, 1, result.Code)
	assert.Contains(t, result.Stderr, "processors::gen_ai_guardrail/one: retention: 0s")
	assert.Contains(t, result.Stderr, "processors::gen_ai_guardrail/two: max_age: -1s")
}

// Every setting that the processor documents must be accepted.
func TestEverySettingIsAccepted(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../internal/settings/testdata/config_full.yaml")
	require.NoError(t, err)
	var document yaml.Node
	require.NoError(t, yaml.Unmarshal(text, &document))
	start(t, "yaml:"+processorConfig(t, document.Content[0]))
}

func TestAPortInUseIsNamed(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer taken.Close()
	result := collector.Run(t, []string{"E2E_IN=" + taken.Addr().String(), "E2E_OUT=127.0.0.1:1"}, "--config", "e2e/testdata/otlp.yaml",
		"--config", "yaml:receivers::otlp::protocols::grpc::transport: tcp")
	assert.Equal(t, 1, result.Code)
	assert.Contains(t, result.Stderr, taken.Addr().String()+": bind: address already in use")
}

func TestAMissingConfigurationIsNamed(t *testing.T) {
	t.Parallel()
	result := collector.Run(t, nil, "--config", "config/there-is-none.yaml")
	assert.Equal(t, 1, result.Code)
	assert.Contains(t, result.Stderr, "config/there-is-none.yaml: no such file or directory")
}

func TestOneProcessorInTwoPipelinesCausesAWarning(t *testing.T) {
	t.Parallel()
	p := start(t, "yaml:service::pipelines::logs/second: {receivers: [otlp], processors: [gen_ai_guardrail], exporters: [otlp_grpc]}")
	result := p.Stop(os.Interrupt)
	assert.True(t, result.Clean())
	assert.Contains(t, result.Stderr, "Two pipelines use this processor under one id")
}
