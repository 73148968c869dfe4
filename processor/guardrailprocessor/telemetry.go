// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package guardrailprocessor

import (
	"context"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"example.com/otelcol-guardrail/internal/alert"
	"example.com/otelcol-guardrail/internal/invocation"
	"example.com/otelcol-guardrail/processor/guardrailprocessor/internal/metadata"
)

// Why an invocation that a rule counts by its verdict is left out.
const (
	excludedTooOld = iota
	excludedNoGroup
	excludedNoTime
	excludedDuplicate
	excludedExempt
	excludedCount
)

var excludedNames = [excludedCount]string{"too_old", "no_group", "no_time", "duplicate", "exempt"}

// telemetry writes the processor's metrics, once a batch. Attribute sets are
// made beforehand, since making one costs more than the count.
type telemetry struct {
	builder  *metadata.TelemetryBuilder
	kinds    kindTable[metric.MeasurementOption]
	perRules []ruleTelemetry
}

type ruleTelemetry struct {
	excluded [excludedCount]metric.MeasurementOption
}

func newTelemetry(settings component.TelemetrySettings) (*telemetry, error) {
	builder, err := metadata.NewTelemetryBuilder(settings)
	if err != nil {
		return nil, err
	}
	t := &telemetry{builder: builder}
	for _, kind := range invocation.Kinds() {
		t.kinds[kind.Verdict][kind.Evidence] = metric.WithAttributeSet(attribute.NewSet(
			attribute.String("verdict", kind.Verdict.String()), attribute.String("evidence", kind.Evidence.String())))
	}
	return t, nil
}

// observe registers what is asked for rather than told.
func (t *telemetry) observe(rules []*rule, o *outbox) error {
	byRule := make([]metric.MeasurementOption, len(rules))
	for i, r := range rules {
		id := attribute.String("rule", r.alert.ID)
		byRule[i] = metric.WithAttributeSet(attribute.NewSet(id))
		var rt ruleTelemetry
		for reason, name := range excludedNames {
			rt.excluded[reason] = metric.WithAttributeSet(attribute.NewSet(id, attribute.String("reason", name)))
		}
		t.perRules = append(t.perRules, rt)
	}
	if err := t.builder.RegisterProcessorGenAiGuardrailGroupsCallback(func(_ context.Context, observer metric.Int64Observer) error {
		for i, r := range rules {
			observer.Observe(int64(r.detector.Groups()), byRule[i])
		}
		return nil
	}); err != nil {
		return err
	}
	return t.builder.RegisterProcessorGenAiGuardrailAlertsPendingCallback(func(_ context.Context, observer metric.Int64Observer) error {
		for i, n := range o.waitingOf() {
			observer.Observe(n, byRule[i])
		}
		return nil
	})
}

// report writes what a batch came to.
func (p *guardrailProcessor) report(ctx context.Context, b *batch, now time.Time) {
	t := p.telemetry
	var total, unknown, noGroup int64
	for verdict := range b.kinds {
		for evidence, n := range b.kinds[verdict] {
			if n == 0 {
				continue
			}
			t.builder.ProcessorGenAiGuardrailInvocations.Add(ctx, n, t.kinds[verdict][evidence])
			total += n
			if invocation.Verdict(verdict) == invocation.Unknown {
				unknown += n
			}
		}
	}
	for i := range b.rules {
		for reason, n := range b.rules[i].excluded {
			if n > 0 {
				t.builder.ProcessorGenAiGuardrailInvocationsExcluded.Add(ctx, n, t.perRules[i].excluded[reason])
			}
		}
		noGroup = max(noGroup, b.rules[i].excluded[excludedNoGroup])
	}
	for _, delay := range b.delays {
		t.builder.ProcessorGenAiGuardrailArrivalDelay.Record(ctx, delay)
	}
	if total > 0 {
		p.coverage.note(now, total, unknown, noGroup, p.logger)
	}
}

func (t *telemetry) opened(ctx context.Context, r *rule) {
	t.builder.ProcessorGenAiGuardrailAlerts.Add(ctx, 1,
		metric.WithAttributes(attribute.String("rule", r.alert.ID), attribute.String("state", alert.StateOpen)))
}

func (t *telemetry) dropped(ctx context.Context, r *rule) {
	t.builder.ProcessorGenAiGuardrailAlertsDropped.Add(ctx, 1, metric.WithAttributes(attribute.String("rule", r.alert.ID)))
}
