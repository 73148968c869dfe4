// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"go.opentelemetry.io/collector/pdata/plog"
)

// alertTemplate holds the resource and scope that all alert records share: those of the
// collector, not of the source of the invocations.
type alertTemplate struct{ empty plog.Logs }

func newAlertTemplate(c *Component) alertTemplate {
	logs := plog.NewLogs()
	resourceLogs := logs.ResourceLogs().AppendEmpty()
	for _, key := range [...]string{"service.name", "service.instance.id", "service.version"} {
		if value, ok := c.Telemetry.Resource.Attributes().Get(key); ok {
			value.CopyTo(resourceLogs.Resource().Attributes().PutEmpty(key))
		}
	}
	scope := resourceLogs.ScopeLogs().AppendEmpty().Scope()
	scope.SetName(c.ScopeName)
	scope.SetVersion(c.BuildInfo.Version)
	return alertTemplate{logs}
}

// logs returns new logs with the template's resource and scope, and their empty list of
// records.
func (t alertTemplate) logs() (plog.Logs, plog.LogRecordSlice) {
	logs := plog.NewLogs()
	t.empty.CopyTo(logs)
	return logs, logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords()
}
