// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package engine_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/connector"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/processor"

	"example.com/otelcol-guardrail/connector/guardrailconnector"
	"example.com/otelcol-guardrail/internal/invocation"
	"example.com/otelcol-guardrail/internal/settings"
	"example.com/otelcol-guardrail/processor/guardrailprocessor"
)

// detector is a processor or a connector, both of which embed an engine.
type detector interface {
	component.Component
	consumer.Logs

	AwaitState(context.Context) error
	SetClock(now func() time.Time)
	CountAsRead(ctx context.Context, guarded int, unknown map[invocation.Evidence]int)
	DueNow() int
	Evicted() int
	Forget()
	Groups() int
	HoldAlerts() (resume func())
	PooledInvocation() invocation.Invocation
	RunTimers(context.Context)
	Seen() (records, invocations, unknown int64)
}

// face is a kind of component that embeds an engine.
type face struct {
	kind     string // of the component: "processor" or "connector"
	forwards bool   // what it receives, not only alerts
	defaults func() *settings.Config
	create   func(t testing.TB, set *componentSettings, config *settings.Config, next consumer.Logs) detector
}

// componentSettings are what all kinds of components are created with.
type componentSettings struct {
	id        component.ID
	telemetry component.TelemetrySettings
	build     component.BuildInfo
}

func (f *face) scope() string {
	return "example.com/otelcol-guardrail/" + f.kind + "/guardrail" + f.kind
}
func (f *face) prefix() string { return "otelcol_" + f.kind + "_gen_ai_guardrail_" }

var throughProcessor = face{
	kind:     "processor",
	forwards: true,
	defaults: settings.Default,
	create: func(t testing.TB, set *componentSettings, config *settings.Config, next consumer.Logs) detector {
		p, err := guardrailprocessor.NewFactory().CreateLogs(t.Context(),
			processor.Settings{ID: set.id, TelemetrySettings: set.telemetry, BuildInfo: set.build}, config, next)
		require.NoError(t, err)
		return p.(detector)
	},
}

var throughLogsConnector = face{
	kind:     "connector",
	defaults: settings.ConnectorDefault,
	create: func(t testing.TB, set *componentSettings, config *settings.Config, next consumer.Logs) detector {
		c, err := guardrailconnector.NewFactory().CreateLogsToLogs(t.Context(),
			connector.Settings{ID: set.id, TelemetrySettings: set.telemetry, BuildInfo: set.build}, config, next)
		require.NoError(t, err)
		return c.(detector)
	},
}

// The names of the tests that run others through a connector, see [faceOf].
const (
	logsConnectorTest   = "TestThroughTheLogsConnector"
	tracesConnectorTest = "TestThroughTheTracesConnector"
)

// faceOf returns the face that a test runs through: the processor's, unless it is run by one of the tests that run
// others through a connector.
func faceOf(t testing.TB) *face {
	switch name, _, _ := strings.Cut(t.Name(), "/"); name {
	case logsConnectorTest:
		return &throughLogsConnector
	default:
		return &throughProcessor
	}
}
