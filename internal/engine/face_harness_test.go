// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package engine_test

import (
	"context"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/connector"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/processor"

	"example.com/otelcol-guardrail/connector/guardrailconnector"
	"example.com/otelcol-guardrail/internal/invocation"
	"example.com/otelcol-guardrail/internal/settings"
	"example.com/otelcol-guardrail/processor/guardrailprocessor"
)

// detector is a processor or a connector, both of which embed an engine.
type detector interface {
	inside
	consumer.Logs
}

// inside is what tests need of the engine in a component.
type inside interface {
	component.Component

	AwaitState(context.Context) error
	SetClock(now func() time.Time)
	CountAsRead(ctx context.Context, guarded int, unknown map[invocation.Evidence]int)
	DueNow() int
	Evicted() int
	Forget()
	Groups() int
	GuardedTables() int
	HoldAlerts() (resume func())
	PooledInvocation() invocation.Invocation
	RunTimers(context.Context)
	TakeSlots(at time.Time)
	Seen() (records, invocations, unknown int64)
}

// face is a kind of component that embeds an engine.
type face struct {
	kind     string // of the component: "processor" or "connector"
	forwards bool   // what it receives, not only alerts
	observes bool   // what it receives has the time at which it was observed
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
	observes: true,
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
	observes: true,
	defaults: settings.ConnectorDefault,
	create: func(t testing.TB, set *componentSettings, config *settings.Config, next consumer.Logs) detector {
		c, err := guardrailconnector.NewFactory().CreateLogsToLogs(t.Context(),
			connector.Settings{ID: set.id, TelemetrySettings: set.telemetry, BuildInfo: set.build}, config, next)
		require.NoError(t, err)
		return c.(detector)
	},
}

var throughTracesConnector = face{
	kind:     "connector",
	defaults: settings.ConnectorDefault,
	create: func(t testing.TB, set *componentSettings, config *settings.Config, next consumer.Logs) detector {
		c, err := guardrailconnector.NewFactory().CreateTracesToLogs(t.Context(),
			connector.Settings{ID: set.id, TelemetrySettings: set.telemetry, BuildInfo: set.build}, config, next)
		require.NoError(t, err)
		return spanDetector{c.(traceDetector)}
	},
}

// traceDetector is a detector that consumes traces in place of logs.
type traceDetector interface {
	inside
	consumer.Traces
}

// spanDetector sends records on as spans.
type spanDetector struct{ traceDetector }

func (d spanDetector) ConsumeLogs(ctx context.Context, logs plog.Logs) error {
	return d.ConsumeTraces(ctx, asSpans(logs))
}

// asSpans returns, for each record, a span that says the same about a call, or nothing about one. Records of Bedrock are
// recorded as by an instrumentation that mentions guardrails.
func asSpans(logs plog.Logs) ptrace.Traces {
	traces := ptrace.NewTraces()
	for _, resourceLogs := range logs.ResourceLogs().All() {
		resourceSpans := traces.ResourceSpans().AppendEmpty()
		resourceLogs.Resource().CopyTo(resourceSpans.Resource())
		for _, scopeLogs := range resourceLogs.ScopeLogs().All() {
			scopeSpans := resourceSpans.ScopeSpans().AppendEmpty()
			scopeLogs.Scope().CopyTo(scopeSpans.Scope())
			for _, record := range scopeLogs.LogRecords().All() {
				span := scopeSpans.Spans().AppendEmpty()
				span.SetSpanID(idOf(record))
				span.SetEndTimestamp(record.Timestamp())
				record.Attributes().CopyTo(span.Attributes())
				fromBedrock(span, record.Body().AsString())
			}
		}
	}
	return traces
}

// idOf returns the id of a record's span: a record that is sent again becomes the same span.
func idOf(record plog.LogRecord) pcommon.SpanID {
	hash := fnv.New64a()
	_, _ = fmt.Fprint(hash, record.Body().AsString(), record.Attributes().AsRaw(), record.Timestamp())
	return pcommon.SpanID(hash.Sum(nil))
}

// fromBedrock sets what a Bedrock record says about a call.
func fromBedrock(span ptrace.Span, body string) {
	var record struct {
		Timestamp                             time.Time
		AccountID, Region, ModelID, RequestID string
		Operation                             string
		Identity                              struct{ ARN string }
		Output                                struct {
			OutputBodyJSON struct {
				Action string `json:"amazon-bedrock-guardrailAction"`
			} `json:"outputBodyJson"`
		}
	}
	if json.Unmarshal([]byte(body), &record) != nil || record.ModelID == "" {
		return
	}
	if !record.Timestamp.IsZero() {
		span.SetEndTimestamp(pcommon.NewTimestampFromTime(record.Timestamp))
	}
	for key, value := range map[string]string{
		"rpc.service":          "BedrockRuntime",
		"rpc.method":           record.Operation,
		"gen_ai.request.model": record.ModelID,
		"aws.request_id":       record.RequestID,
		"user.id":              record.Identity.ARN,
		"cloud.account.id":     record.AccountID,
		"cloud.region":         record.Region,
	} {
		if value != "" {
			span.Attributes().PutStr(key, value)
		}
	}
	if record.Output.OutputBodyJSON.Action != "" {
		span.Attributes().PutStr("aws.bedrock.guardrail.id", "gr1")
	}
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
	case tracesConnectorTest, "TestSpansOfClients":
		return &throughTracesConnector
	default:
		return &throughProcessor
	}
}
