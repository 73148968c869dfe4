// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package engine_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/metric/metricdata/metricdatatest"
)

type points = []metricdata.DataPoint[int64]

// point is a value with its attributes, keys and values in turn.
func point(value int64, attrs ...string) metricdata.DataPoint[int64] {
	set := make([]attribute.KeyValue, 0, len(attrs)/2)
	for i := 0; i < len(attrs); i += 2 {
		set = append(set, attribute.String(attrs[i], attrs[i+1]))
	}
	return metricdata.DataPoint[int64]{Value: value, Attributes: attribute.NewSet(set...)}
}

const builtIn = "unguarded_invocations"

// measured wants a metric, named without its prefix, to have exactly these points.
func (r *rig) measured(t *testing.T, name string, want any) {
	t.Helper()
	got, err := r.tel.GetMetric(r.face.prefix() + name)
	require.NoError(t, err)
	expected := got
	switch data := got.Data.(type) {
	case metricdata.Sum[int64]:
		data.DataPoints = want.(points)
		expected.Data = data
	case metricdata.Gauge[int64]:
		data.DataPoints = want.(points)
		expected.Data = data
	case metricdata.Histogram[float64]:
		data.DataPoints = want.([]metricdata.HistogramDataPoint[float64])
		expected.Data = data
	default:
		require.Fail(t, "no metric of this kind is expected", "%T", data)
	}
	metricdatatest.AssertEqual(t, expected, got, metricdatatest.IgnoreTimestamp())
}

func (r *rig) pending(t *testing.T, want ...metricdata.DataPoint[int64]) {
	t.Helper()
	r.measured(t, "alerts_pending", want)
}

func (r *rig) dropped(t *testing.T, want ...metricdata.DataPoint[int64]) {
	t.Helper()
	r.measured(t, "alerts_dropped", want)
}

func (r *rig) excluded(t *testing.T, want ...metricdata.DataPoint[int64]) {
	t.Helper()
	r.measured(t, "invocations_excluded", want)
}

func (r *rig) invocations(t *testing.T, want ...metricdata.DataPoint[int64]) {
	t.Helper()
	r.measured(t, "invocations", want)
}

func (r *rig) groups(t *testing.T, want ...metricdata.DataPoint[int64]) {
	t.Helper()
	r.measured(t, "groups", want)
}

// gaugeOf returns the only value of a metric.
func gaugeOf(t *testing.T, data metricdata.Aggregation) int64 {
	t.Helper()
	gauge, ok := data.(metricdata.Gauge[int64])
	require.True(t, ok)
	require.Len(t, gauge.DataPoints, 1)
	return gauge.DataPoints[0].Value
}

// silent wants a metric not to be there, which it is from its first value on.
func (r *rig) silent(t *testing.T, name string) {
	t.Helper()
	_, err := r.tel.GetMetric(r.face.prefix() + name)
	assert.Error(t, err, name)
}

// An operator sees from the verdicts whether detection sees anything at all.
func TestInvocationsAreCountedByVerdictAndEvidence(t *testing.T) {
	r := newRig(t, `{approved_guardrails: [gr1], assume_guarded: [{user: enforced}]}`)
	logs := bedrockLogs(
		call{user: "a", at: noon, guarded: true},
		call{user: "a", at: noon},
		call{user: "a", at: noon.Add(1)},
		call{user: "a", at: noon, converse: true},
		call{user: "a", at: noon, offload: true},
		call{user: "enforced", at: noon},
	)
	eventLogs(call{user: "a", at: noon, guarded: true}, call{user: "a", at: noon}).ResourceLogs().MoveAndAppendTo(logs.ResourceLogs())
	add := func(change func(attrs map[string]any)) {
		attrs := map[string]any{"gen_ai.operation.name": "chat", "gen_ai.request.model": "m1", "user.id": "a", "gen_ai.provider.name": "aws.bedrock"}
		change(attrs)
		logsOf := plog.NewLogs()
		record := logsOf.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
		require.NoError(t, record.Attributes().FromRaw(attrs))
		logsOf.ResourceLogs().MoveAndAppendTo(logs.ResourceLogs())
	}
	add(func(attrs map[string]any) { attrs["gen_ai.provider.name"] = "openai" })
	add(func(attrs map[string]any) { attrs["gen_ai.request.model"] = "amazon.titan-embed-text-v2:0" })
	add(func(attrs map[string]any) { attrs["error.type"] = "throttled" })
	add(func(attrs map[string]any) { attrs["gen_ai.guardrail.id"] = "gr2" })
	cut := bedrockLogs(call{user: "a", at: noon})
	record := records(cut)[0]
	record.Body().SetStr(record.Body().Str()[:len(record.Body().Str())-20])
	cut.ResourceLogs().MoveAndAppendTo(logs.ResourceLogs())
	mixed := plog.NewLogs() // no invocations: not counted
	mixed.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty().Body().SetStr("x")
	mixed.ResourceLogs().MoveAndAppendTo(logs.ResourceLogs())
	r.consume(t, logs)

	r.invocations(t,
		point(1, "verdict", "guarded", "evidence", "applied"),
		point(2, "verdict", "unguarded", "evidence", "absent"),
		point(2, "verdict", "unguarded", "evidence", "presumed"),
		point(1, "verdict", "unknown", "evidence", "no_body"),
		point(1, "verdict", "unknown", "evidence", "unreadable"),
		point(1, "verdict", "guarded", "evidence", "enforced"),
		point(1, "verdict", "guarded", "evidence", "claimed"),
		point(1, "verdict", "not_applicable", "evidence", "provider"),
		point(1, "verdict", "not_applicable", "evidence", "model"),
		point(1, "verdict", "failed", "evidence", "error"),
		point(1, "verdict", "unapproved", "evidence", "claimed"),
	)
}

// Whatever a rule excludes is counted, with the reason.
func TestExcludedInvocationsAreCountedByReason(t *testing.T) {
	r := newRig(t, `
max_age: 1h
rules:
  - exempt: [{user: exempt}]
  - {id: second, group_by: [cloud.region, user.id]}
`)
	r.at(noon.Add(time.Minute))
	r.consume(t, bedrockLogs(
		call{user: "a", id: "1", at: noon},
		call{user: "a", id: "1", at: noon},
		call{user: "a", id: "1", at: noon},
		call{user: "a", id: "2", at: noon.Add(-time.Hour)},
		call{user: "a", id: "3", at: noon.Add(time.Minute - time.Hour)}, // just young enough
		call{user: "a", id: "4"},
		call{user: "", id: "5", at: noon},
		call{user: "exempt", id: "6", at: noon},
		call{user: "a", id: "7", at: noon, guarded: true}, // not counted by its verdict: no exclusion
	))
	r.excluded(t,
		point(2, "rule", builtIn, "reason", "duplicate"),
		point(1, "rule", builtIn, "reason", "too_old"),
		point(1, "rule", builtIn, "reason", "no_time"),
		point(1, "rule", builtIn, "reason", "no_group"),
		point(1, "rule", builtIn, "reason", "exempt"),
		point(2, "rule", "second", "reason", "duplicate"),
		point(1, "rule", "second", "reason", "too_old"),
		point(1, "rule", "second", "reason", "no_time"),
	)
	r.groups(t, point(1, "rule", builtIn), point(3, "rule", "second"))
}

func TestAlertsAreCountedByRule(t *testing.T) {
	r := newRig(t, `{rules: [{}, {id: models, group_by: [gen_ai.request.model]}]}`)
	r.consume(t, bedrockLogs(append(burst("alice", 6), burst("bob", 6)...)...))
	r.measured(t, "alerts", points{
		point(2, "rule", builtIn, "state", "open"),
		point(1, "rule", "models", "state", "open"),
	})
	r.pending(t, point(0, "rule", builtIn), point(0, "rule", "models"))
	r.silent(t, "alerts_dropped")
}

// The delay of the source says what retention has to make up for.
func TestArrivalDelayIsMeasured(t *testing.T) {
	r := newRig(t, `{}`)
	r.at(noon)
	r.consume(t, bedrockLogs(
		call{user: "a", id: "1", at: noon.Add(-2 * time.Second)},
		call{user: "a", id: "2", at: noon.Add(-10 * time.Minute)},
		call{user: "a", id: "3", at: noon.Add(time.Hour)}, // a clock that is ahead: no delay
		call{user: "a", id: "4", at: noon.Add(-20 * time.Minute), guarded: true},
		call{user: "a", id: "5"},
	))
	buckets := make([]uint64, 17)
	buckets[0], buckets[1], buckets[7] = 1, 1, 1
	r.measured(t, "arrival_delay", []metricdata.HistogramDataPoint[float64]{{
		Count:        3,
		Bounds:       []float64{1, 5, 15, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14400, 43200, 86400, 604800},
		BucketCounts: buckets,
		Min:          metricdata.NewExtrema(0.0),
		Max:          metricdata.NewExtrema(600.0),
		Sum:          602,
	}})
}

// Records that are no invocations cost nothing and count nothing.
func TestOtherRecordsLeaveNoTrace(t *testing.T) {
	r := newRig(t, `{}`)
	logs := plog.NewLogs()
	list := logs.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords()
	list.AppendEmpty().Body().SetStr("an application's own line")
	list.AppendEmpty().SetEventName("gen_ai.user.message")
	list.AppendEmpty().SetEventName("gen_ai_guardrail.alert")
	r.consume(t, logs)
	for _, name := range []string{"invocations", "invocations_excluded", "alerts", "arrival_delay", "alerts_dropped"} {
		r.silent(t, name)
	}
	r.groups(t, point(0, "rule", builtIn))
	assert.Empty(t, r.logged.All())
}
