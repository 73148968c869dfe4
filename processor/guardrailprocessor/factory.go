// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package guardrailprocessor

import (
	"context"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/processor"

	"example.com/otelcol-guardrail/internal/settings"
	"example.com/otelcol-guardrail/processor/guardrailprocessor/internal/metadata"
)

// NewFactory returns the factory of the gen_ai_guardrail processor.
func NewFactory() processor.Factory {
	return processor.NewFactory(
		metadata.Type,
		createDefaultConfig,
		processor.WithLogs(createLogs, metadata.LogsStability),
	)
}

func createDefaultConfig() component.Config { return settings.Default() }

func createLogs(_ context.Context, set processor.Settings, config component.Config, next consumer.Logs) (processor.Logs, error) {
	return newProcessor(set, config.(*Config), next)
}
