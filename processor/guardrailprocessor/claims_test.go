// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package guardrailprocessor

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"example.com/otelcol-guardrail/internal/settings"
	"example.com/otelcol-guardrail/processor/guardrailprocessor/internal/metadatatest"
)

// create makes one more processor of a configuration.
func create(t *testing.T, config *Config) (shutdown func(), warnings []string, err error) {
	t.Helper()
	core, logged := observer.New(zap.WarnLevel)
	set := metadatatest.NewSettings(componenttest.NewTelemetry())
	set.Logger = zap.New(core)
	p, err := NewFactory().CreateLogs(t.Context(), set, config, consumertest.NewNop())
	if err != nil {
		return nil, nil, err
	}
	for _, entry := range logged.All() {
		warnings = append(warnings, entry.Message)
	}
	return func() { require.NoError(t, p.Shutdown(t.Context())) }, warnings, nil
}

// Two pipelines that name one processor split its counts: the operator must be warned, every time.
func TestSharedConfigurationCausesAWarning(t *testing.T) {
	config := settings.Default()
	created := func() (shutdown func(), warnings int) {
		shutdown, logged, err := create(t, config)
		require.NoError(t, err)
		return shutdown, len(logged)
	}
	for range 2 { // what ended leaves no trace
		first, warnings := created()
		assert.Zero(t, warnings)
		second, warnings := created()
		assert.Equal(t, 1, warnings)
		third, warnings := created()
		assert.Equal(t, 1, warnings)

		second()
		second() // more than once is no more than once
		third()
		fourth, warnings := created()
		assert.Equal(t, 1, warnings, "the first is still there")
		first()
		fourth()
	}
	assert.NotContains(t, claims.instances, config)

	shutdown, warnings, err := create(t, settings.Default())
	require.NoError(t, err)
	assert.Empty(t, warnings, "another configuration of the same content is another processor")
	shutdown()
}

// One instance for two pipelines: with storage refused with what to write instead, without one a warning.
func TestFaultOneIDInTwoPipelines(t *testing.T) {
	config := settings.Default()
	first, _, err := create(t, config)
	require.NoError(t, err)
	defer first()
	second, warnings, err := create(t, config)
	require.NoError(t, err)
	defer second()
	require.Len(t, warnings, 1)
	assert.Contains(t, warnings[0], "Two pipelines use this processor under one id")

	durable := settings.Default()
	id := component.MustNewID("file_storage")
	durable.Storage = &id
	only, _, err := create(t, durable)
	require.NoError(t, err)
	defer only()
	_, _, err = create(t, durable)
	require.ErrorContains(t, err, "storage: two pipelines use")
	require.ErrorContains(t, err, "gen_ai_guardrail/a, gen_ai_guardrail/b")
}
