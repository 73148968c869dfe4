// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package guardrailconnector

import (
	"context"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/connector"
	"go.opentelemetry.io/collector/consumer"

	"example.com/otelcol-guardrail/connector/guardrailconnector/internal/metadata"
	"example.com/otelcol-guardrail/internal/settings"
)

// NewFactory returns the factory of the gen_ai_guardrail connector.
func NewFactory() connector.Factory {
	return connector.NewFactory(
		metadata.Type,
		createDefaultConfig,
		connector.WithTracesToLogs(createTracesToLogs, metadata.TracesToLogsStability),
		connector.WithLogsToLogs(createLogsToLogs, metadata.LogsToLogsStability),
	)
}

func createDefaultConfig() component.Config { return settings.ConnectorDefault() }

func createTracesToLogs(_ context.Context, set connector.Settings, config component.Config, next consumer.Logs) (connector.Traces, error) {
	i, err := engines.join(set, config.(*Config), next)
	if err != nil {
		return nil, err
	}
	return &tracesConnector{i}, nil
}

func createLogsToLogs(_ context.Context, set connector.Settings, config component.Config, next consumer.Logs) (connector.Logs, error) {
	i, err := engines.join(set, config.(*Config), next)
	if err != nil {
		return nil, err
	}
	return &logsConnector{i}, nil
}
