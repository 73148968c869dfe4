// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package backtest

import (
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"example.com/otelcol-guardrail/internal/engine"
	"example.com/otelcol-guardrail/internal/version"
)

// scopeName is that of the processor: an alert looks the same, wherever it comes from.
const scopeName = "example.com/otelcol-guardrail/processor/guardrailprocessor"

// template returns logs for an alert record, as the processor makes them.
func template() (plog.Logs, plog.LogRecordSlice) {
	resource := pcommon.NewResource()
	resource.Attributes().PutStr("service.name", "guardrail-backtest")
	resource.Attributes().PutStr("service.version", version.Version)
	return engine.AlertTemplate(&engine.Component{
		ScopeName: scopeName,
		BuildInfo: component.BuildInfo{Version: version.Version},
		Telemetry: component.TelemetrySettings{Resource: resource},
	})
}
