// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package guardrailprocessor

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"example.com/otelcol-guardrail/processor/guardrailprocessor/internal/metadatatest"
)

// Two pipelines that name one processor split its counts: the operator must be warned, every time.
func TestSharedConfigurationCausesAWarning(t *testing.T) {
	config := configure(t, `{}`)
	create := func() (shutdown func(), warnings int) {
		core, logged := observer.New(zap.WarnLevel)
		set := metadatatest.NewSettings(componenttest.NewTelemetry())
		set.Logger = zap.New(core)
		p, err := NewFactory().CreateLogs(t.Context(), set, config, new(downstream))
		require.NoError(t, err)
		return func() { require.NoError(t, p.Shutdown(t.Context())) }, logged.Len()
	}
	for range 2 { // what ended leaves no trace
		first, warnings := create()
		assert.Zero(t, warnings)
		second, warnings := create()
		assert.Equal(t, 1, warnings)
		third, warnings := create()
		assert.Equal(t, 1, warnings)

		second()
		second() // more than once is no more than once
		third()
		fourth, warnings := create()
		assert.Equal(t, 1, warnings, "the first is still there")
		first()
		fourth()
	}
	assert.NotContains(t, claims.instances, config)

	other := rigOf(t, configure(t, `{}`))
	assert.Empty(t, other.logged.All(), "another configuration of the same content is another processor")
}
