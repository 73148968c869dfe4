// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package guardrailconnector

import (
	"go.opentelemetry.io/collector/component"

	"example.com/otelcol-guardrail/connector/guardrailconnector/internal/metadata"
	"example.com/otelcol-guardrail/internal/engine"
)

// instruments returns the connector's metrics.
func instruments(set component.TelemetrySettings) (engine.Instruments, error) {
	b, err := metadata.NewTelemetryBuilder(set)
	if err != nil {
		return engine.Instruments{}, err
	}
	return engine.Instruments{
		Invocations:         b.ConnectorGenAiGuardrailInvocations,
		InvocationsExcluded: b.ConnectorGenAiGuardrailInvocationsExcluded,
		ArrivalDelay:        b.ConnectorGenAiGuardrailArrivalDelay,
		Alerts:              b.ConnectorGenAiGuardrailAlerts,
		AlertsDropped:       b.ConnectorGenAiGuardrailAlertsDropped,
		StateErrors:         b.ConnectorGenAiGuardrailStateErrors,
		StateReplayDuration: b.ConnectorGenAiGuardrailStateReplayDuration,

		ObserveAlertsLimited:   b.RegisterConnectorGenAiGuardrailAlertsLimitedCallback,
		ObserveAlertsPending:   b.RegisterConnectorGenAiGuardrailAlertsPendingCallback,
		ObserveGroups:          b.RegisterConnectorGenAiGuardrailGroupsCallback,
		ObserveGroupsEvicted:   b.RegisterConnectorGenAiGuardrailGroupsEvictedCallback,
		ObserveStateBytes:      b.RegisterConnectorGenAiGuardrailStateBytesCallback,
		ObserveStateLimitBytes: b.RegisterConnectorGenAiGuardrailStateLimitBytesCallback,

		Unregister: b.Shutdown,
	}, nil
}
