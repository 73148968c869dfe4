// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package mappings

import (
	"time"

	"go.opentelemetry.io/collector/pdata/plog"

	"example.com/otelcol-guardrail/internal/alert"
	"example.com/otelcol-guardrail/internal/detect"
)

const (
	account = "222233334444"
	caller  = "arn:aws:iam::" + account + ":user/report-writer"
)

// alerts returns alert records as the collector writes them, by the name of their example. Together they have every attribute that
// an alert record can have.
func alerts() map[string]plog.Logs {
	began := time.Date(2026, 5, 19, 14, 3, 0, 0, time.UTC)
	rule := alert.Rule{
		Identity:   alert.BuiltIn(),
		GroupBy:    []string{"user.id", "cloud.account.id"},
		Counted:    "without a guardrail",
		WindowType: "sliding",
		WindowSize: time.Minute,
		Threshold:  5,
		Limit:      100,
	}
	open := detect.Alert{
		State:       detect.Open,
		Group:       []string{caller, account},
		Opened:      began.UnixNano(),
		WindowStart: began.UnixNano(),
		WindowEnd:   began.Add(time.Minute).UnixNano(),
		First:       began.Add(2 * time.Second).UnixNano(),
		Last:        began.Add(31*time.Second + 250*time.Millisecond).UnixNano(),
		Count:       6,
		Presumed:    2,
		Exact:       true,
		RequestIDs:  []string{"7c1f-01", "7c1f-02", "7c1f-03", "7c1f-04", "7c1f-05", "7c1f-06"},
		Models:      []string{"amazon.nova-lite-v1:0", "mistral.mistral-large-2407-v1:0"},
		Operations:  []string{"Converse", "InvokeModel"},
		Regions:     []string{"eu-central-1"},
		Kinds:       []string{"unguarded/absent", "unguarded/presumed"},
	}
	closed := open
	closed.State, closed.Earlier = detect.Closed, 1
	closed.Count, closed.Last = 9, began.Add(52*time.Second).UnixNano()
	closed.Merged, closed.MergedInto = true, began.Add(-10*time.Minute).UnixNano()
	closed.Intervention = &detect.Intervention{Time: began.Add(-time.Minute).UnixNano(), RequestID: "7c1f-00", GuardrailID: "b4k9z2m7q1xw"}
	overflow := detect.Alert{State: detect.Overflow, Opened: began.UnixNano(), Overflow: &detect.Summary{
		Groups:      []detect.SummaryGroup{{Group: []string{caller, account}, Count: 12}},
		Invocations: 12,
		Evicted:     3,
	}}

	records := map[string]plog.Logs{}
	for name, a := range map[string]detect.Alert{"open": open, "closed": closed, "overflow": overflow} {
		logs := plog.NewLogs()
		resourceLogs := logs.ResourceLogs().AppendEmpty()
		resource := resourceLogs.Resource().Attributes()
		resource.PutStr("service.name", "otelcol-guardrail")
		resource.PutStr("service.instance.id", "0d7d6f0e-5a36-4a86-8c0f-6b8b0a3f5a11")
		resource.PutStr("service.version", "0.1.0")
		emitted := began.Add(32 * time.Second)
		if a.State == detect.Closed {
			emitted = began.Add(11 * time.Minute)
		}
		guarded := alert.Guarded{Last: began.Add(-3 * time.Hour)}
		rule.AppendTo(resourceLogs.ScopeLogs().AppendEmpty().LogRecords(), &a, guarded, emitted)
		records[name] = logs
	}
	return records
}

// value returns what a mapping's "from" names in an alert record.
func value(logs plog.Logs, from string) (any, bool) {
	record := logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0)
	switch from {
	case "record.timestamp":
		return record.Timestamp().AsTime(), true
	case "record.body":
		return record.Body().Str(), true
	case "record.severity_text":
		return record.SeverityText(), true
	}
	attributes := record.Attributes()
	if name, ok := cutResource(from); ok {
		from, attributes = name, logs.ResourceLogs().At(0).Resource().Attributes()
	}
	v, ok := attributes.Get(from)
	if !ok {
		return nil, false
	}
	return v.AsRaw(), true
}
