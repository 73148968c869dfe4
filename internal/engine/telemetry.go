// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"context"
	"errors"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"example.com/otelcol-guardrail/internal/alert"
	"example.com/otelcol-guardrail/internal/detect"
	"example.com/otelcol-guardrail/internal/invocation"
	"example.com/otelcol-guardrail/internal/settings"
)

// Reasons for which a rule excludes an invocation whose verdict it counts.
const (
	excludedTooOld = iota
	excludedNoGroup
	excludedNoTime
	excludedDuplicate
	excludedExempt
	excludedCount

	included = -1 // for no reason
)

// noPartition is the reason for which an edge cannot assign an invocation to a partition. It concerns no single rule:
// the rules are those of the detectors.
const noPartition = "no_partition"

var excludedNames = [excludedCount]string{"too_old", "no_group", "no_time", "duplicate", "exempt"}

// telemetry records the metrics, once per batch. Attribute sets are created in advance,
// because creating one costs more than recording a value.
type telemetry struct {
	Instruments
	kinds       []kindTelemetry
	perRules    []ruleTelemetry
	noPartition metric.MeasurementOption
}

// kindTelemetry is a kind of invocation and the attributes of its count.
type kindTelemetry struct {
	invocation.Kind
	option metric.MeasurementOption
}

type ruleTelemetry struct {
	rule     metric.MeasurementOption
	excluded [excludedCount]metric.MeasurementOption
	states   map[detect.State]metric.MeasurementOption
}

func newTelemetry(instruments Instruments) *telemetry {
	t := &telemetry{
		Instruments: instruments,
		noPartition: metric.WithAttributeSet(attribute.NewSet(attribute.String("reason", noPartition))),
	}
	for _, kind := range invocation.Kinds() {
		t.kinds = append(t.kinds, kindTelemetry{kind, metric.WithAttributeSet(attribute.NewSet(
			attribute.String("verdict", kind.Verdict.String()), attribute.String("evidence", kind.Evidence.String())))})
	}
	return t
}

// registerCallbacks registers the metrics that are observed at collection time.
func (t *telemetry) registerCallbacks(config *settings.Config, rules []*rule, o *outbox) error {
	for _, r := range rules {
		t.perRules = append(t.perRules, newRuleTelemetry(r.alert.ID))
	}
	stat := func(value func(detect.Stats) int) metric.Int64Callback {
		return func(_ context.Context, observer metric.Int64Observer) error {
			for i, r := range rules {
				observer.Observe(int64(value(r.detector.Stats())), t.perRules[i].rule)
			}
			return nil
		}
	}
	return errors.Join(
		t.ObserveGroups(stat(func(s detect.Stats) int { return s.Groups })),
		t.ObserveGroupsEvicted(stat(func(s detect.Stats) int { return s.Evicted })),
		t.ObserveAlertsLimited(stat(func(s detect.Stats) int { return s.Limited })),
		t.ObserveStateBytes(func(_ context.Context, observer metric.Int64Observer) error {
			var bytes int64
			for _, r := range rules {
				bytes += r.detector.Stats().Bytes
			}
			observer.Observe(bytes)
			return nil
		}),
		t.ObserveStateLimitBytes(func(_ context.Context, observer metric.Int64Observer) error {
			observer.Observe(config.MaxBytes())
			return nil
		}),
		t.ObserveAlertsPending(func(_ context.Context, observer metric.Int64Observer) error {
			for i, n := range o.pendingByRule() {
				observer.Observe(n, t.perRules[i].rule)
			}
			return nil
		}),
	)
}

func newRuleTelemetry(id string) ruleTelemetry {
	rule := attribute.String("rule", id)
	rt := ruleTelemetry{
		rule:   metric.WithAttributeSet(attribute.NewSet(rule)),
		states: map[detect.State]metric.MeasurementOption{},
	}
	for reason, name := range excludedNames {
		rt.excluded[reason] = metric.WithAttributeSet(attribute.NewSet(rule, attribute.String("reason", name)))
	}
	for state, name := range alert.States() {
		rt.states[detect.State(state)] = metric.WithAttributeSet(attribute.NewSet(rule, attribute.String("state", name)))
	}
	return rt
}

// recordMetrics records the outcome of a batch.
func (e *Engine) recordMetrics(ctx context.Context, b *batch) {
	t := e.telemetry
	var total, noGroup int64
	for _, kind := range t.kinds {
		n := b.kinds[kind.Verdict][kind.Evidence]
		if n == 0 {
			continue
		}
		t.Invocations.Add(ctx, n, kind.option)
		total += n
	}
	for i := range b.rules {
		for reason, n := range b.rules[i].excluded {
			if n > 0 {
				t.InvocationsExcluded.Add(ctx, n, t.perRules[i].excluded[reason])
			}
		}
		noGroup = max(noGroup, b.rules[i].excluded[excludedNoGroup])
	}
	if b.noPartition > 0 {
		t.InvocationsExcluded.Add(ctx, b.noPartition, t.noPartition)
	}
	for _, delay := range b.delays {
		t.ArrivalDelay.Record(ctx, delay)
	}
	e.coverage.tally.add(b, total, noGroup, e.logger)
}

// emitted counts an alert record of a rule, given by its index.
func (t *telemetry) emitted(ctx context.Context, rule int, state detect.State) {
	t.Alerts.Add(ctx, 1, t.perRules[rule].states[state])
}

// dropped counts an alert record that was not delivered and is lost.
func (t *telemetry) dropped(ctx context.Context, rule int) {
	t.AlertsDropped.Add(ctx, 1, t.perRules[rule].rule)
}
