// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package guardrailconnector

import (
	"context"

	"go.opentelemetry.io/collector/connector"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// tracesConnector passes spans to the engine, and alerts on.
type tracesConnector struct{ *instance }

// logsConnector passes log records to the engine, and alerts on.
type logsConnector struct{ *instance }

var (
	_ connector.Traces = (*tracesConnector)(nil)
	_ connector.Logs   = (*logsConnector)(nil)
)

// ConsumeTraces emits the alerts that the spans raise. The error is the reason for which the sender should retry: a
// refused alert is not one, since it is retried in the background.
func (c *tracesConnector) ConsumeTraces(ctx context.Context, traces ptrace.Traces) error {
	alerts, err := c.DetectTraces(ctx, traces)
	if err != nil {
		return err
	}
	c.Deliver(ctx, alerts)
	return nil
}

// ConsumeLogs emits the alerts that the records raise. The error is as with ConsumeTraces.
func (c *logsConnector) ConsumeLogs(ctx context.Context, logs plog.Logs) error {
	alerts, err := c.DetectLogs(ctx, logs)
	if err != nil {
		return err
	}
	c.Deliver(ctx, alerts)
	return nil
}
