// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package guardrailprocessor

import (
	"go.opentelemetry.io/collector/component"

	"example.com/otelcol-guardrail/internal/engine"
	"example.com/otelcol-guardrail/processor/guardrailprocessor/internal/metadata"
)

// instruments returns the processor's metrics.
func instruments(set component.TelemetrySettings) (engine.Instruments, error) {
	b, err := metadata.NewTelemetryBuilder(set)
	if err != nil {
		return engine.Instruments{}, err
	}
	return engine.Instruments{
		Invocations:         b.ProcessorGenAiGuardrailInvocations,
		InvocationsExcluded: b.ProcessorGenAiGuardrailInvocationsExcluded,
		ArrivalDelay:        b.ProcessorGenAiGuardrailArrivalDelay,
		Alerts:              b.ProcessorGenAiGuardrailAlerts,
		AlertsDropped:       b.ProcessorGenAiGuardrailAlertsDropped,
		StateErrors:         b.ProcessorGenAiGuardrailStateErrors,
		StateReplayDuration: b.ProcessorGenAiGuardrailStateReplayDuration,

		ObserveAlertsLimited:   b.RegisterProcessorGenAiGuardrailAlertsLimitedCallback,
		ObserveAlertsPending:   b.RegisterProcessorGenAiGuardrailAlertsPendingCallback,
		ObserveGroups:          b.RegisterProcessorGenAiGuardrailGroupsCallback,
		ObserveGroupsEvicted:   b.RegisterProcessorGenAiGuardrailGroupsEvictedCallback,
		ObserveStateBytes:      b.RegisterProcessorGenAiGuardrailStateBytesCallback,
		ObserveStateLimitBytes: b.RegisterProcessorGenAiGuardrailStateLimitBytesCallback,

		Unregister: b.Shutdown,
	}, nil
}
