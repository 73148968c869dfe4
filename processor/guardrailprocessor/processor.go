// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package guardrailprocessor

import (
	"context"
	"fmt"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/processor"

	"example.com/otelcol-guardrail/internal/engine"
	"example.com/otelcol-guardrail/processor/guardrailprocessor/internal/metadata"
)

// guardrailProcessor forwards the records that an engine has read, and after them the alerts.
type guardrailProcessor struct {
	*engine.Engine
	config  *Config
	next    consumer.Logs
	release func() // releases the claim on the configuration
}

var _ processor.Logs = (*guardrailProcessor)(nil)

func newProcessor(set processor.Settings, config *Config, next consumer.Logs) (*guardrailProcessor, error) {
	shared, release := claim(config)
	if shared && config.Storage != nil {
		release()
		return nil, fmt.Errorf("storage: two pipelines use the processor %q, but they cannot share its state. Use a separate instance in each "+
			"pipeline (%[2]s/a, %[2]s/b), or join the pipelines before it with the forward connector", set.ID, metadata.Type)
	}
	metrics, err := instruments(set.TelemetrySettings)
	if err != nil {
		return nil, fmt.Errorf("create metrics: %w", err)
	}
	e, err := engine.New(&engine.Component{
		ID:          set.ID,
		Kind:        component.KindProcessor,
		Telemetry:   set.TelemetrySettings,
		BuildInfo:   set.BuildInfo,
		ScopeName:   metadata.ScopeName,
		Instruments: metrics,
	}, config, next)
	if err != nil {
		return nil, err
	}
	if shared {
		set.Logger.Warn("Two pipelines use this processor under one id: each counts separately, so the count of a user whose " +
			"invocations pass through both is split. Use a separate instance in each pipeline " +
			"(gen_ai_guardrail/a, gen_ai_guardrail/b), or join the pipelines before it with the forward connector")
	}
	return &guardrailProcessor{Engine: e, config: config, next: next, release: release}, nil
}

// Capabilities reports that records are modified only when they are annotated.
func (p *guardrailProcessor) Capabilities() consumer.Capabilities {
	return consumer.Capabilities{MutatesData: p.config.Annotate}
}

// ConsumeLogs forwards the records after they have been read and the outcome has been committed, then the
// alerts. The error is that of forwarding the records; a refused alert is retried in the background.
func (p *guardrailProcessor) ConsumeLogs(ctx context.Context, logs plog.Logs) error {
	alerts, err := p.DetectLogs(ctx, logs)
	if err != nil {
		return err
	}
	defer p.Deliver(ctx, alerts) // even if the next component panics, since a receiver may recover
	if !p.config.PassThrough {
		return nil
	}
	return p.next.ConsumeLogs(ctx, logs)
}

// Shutdown shuts the engine down. It may be called twice, and without Start.
func (p *guardrailProcessor) Shutdown(ctx context.Context) error {
	defer p.release()
	return p.Engine.Shutdown(ctx)
}
