// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package alert

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"pgregory.net/rapid"

	"example.com/otelcol-guardrail/internal/detect"
)

var raisedAt = time.Date(2026, 3, 14, 9, 12, 11, 250_000_000, time.UTC)

// bursts returns the built-in rule as the processor configures it.
func bursts() Rule {
	return Rule{
		Identity:   BuiltIn(),
		GroupBy:    []string{"user.id", "cloud.account.id"},
		Counted:    "without a guardrail",
		WindowType: "sliding",
		WindowSize: time.Minute,
		Threshold:  5,
		Limit:      100,
	}
}

// burst returns the alert for a user who made six calls in eleven seconds.
func burst() detect.Alert {
	bucket := time.Date(2026, 3, 14, 9, 12, 0, 0, time.UTC)
	return detect.Alert{
		Group:       []string{"arn:aws:iam::111122223333:user/alice", "111122223333"},
		Opened:      bucket.UnixNano(),
		WindowStart: bucket.UnixNano(),
		WindowEnd:   bucket.Add(time.Minute).UnixNano(),
		First:       bucket.UnixNano(),
		Last:        bucket.Add(10*time.Second + 500*time.Millisecond).UnixNano(),
		Count:       6,
		Presumed:    2,
		Exact:       true,
		RequestIDs:  []string{"r1", "r2", "r3", "r4", "r5", "r6"},
		Models:      []string{"anthropic.claude-sonnet-4-5-20250929-v1:0"},
		Operations:  []string{"Converse", "InvokeModel"},
		Regions:     []string{"us-east-1"},
		Kinds:       []string{"unguarded/absent", "unguarded/presumed"},
	}
}

// write returns the record of an alert.
func write(r Rule, a detect.Alert) plog.LogRecord {
	records := plog.NewLogRecordSlice()
	r.AppendTo(records, &a, Guarded{}, raisedAt)
	return records.At(0)
}

// attribute returns an attribute as text.
func attribute(t *testing.T, record plog.LogRecord, key string) string {
	t.Helper()
	value, ok := record.Attributes().Get(key)
	require.True(t, ok, key)
	return value.AsString()
}

// A backend that has indexed an attribute refuses records in which its type differs.
func TestEveryAttributeKeepsItsType(t *testing.T) {
	const text, number, truth, list = pcommon.ValueTypeStr, pcommon.ValueTypeInt, pcommon.ValueTypeBool, pcommon.ValueTypeSlice
	want := map[string]pcommon.ValueType{
		"event.kind":                      text,
		"event.name":                      text,
		"event.start":                     text,
		"event.end":                       text,
		"event.severity":                  number,
		"event.risk_score":                number,
		"log.record.uid":                  text,
		"gen_ai_guardrail.alert.id":       text,
		"gen_ai_guardrail.alert.state":    text,
		"gen_ai_guardrail.rule.id":        text,
		"gen_ai_guardrail.rule.tags":      list,
		"gen_ai_guardrail.group":          text,
		"user.id":                         text,
		"cloud.account.id":                text,
		"gen_ai_guardrail.credential":     text,
		"gen_ai_guardrail.window.type":    text,
		"gen_ai_guardrail.window.start":   text,
		"gen_ai_guardrail.window.end":     text,
		"gen_ai_guardrail.count":          number,
		"gen_ai_guardrail.count_presumed": number,
		"gen_ai_guardrail.count_exact":    truth,
		"gen_ai_guardrail.threshold":      number,
		"gen_ai_guardrail.evidence":       list,
		"gen_ai_guardrail.request_ids":    list,
		"gen_ai_guardrail.models":         list,
		"gen_ai_guardrail.operations":     list,
		"gen_ai_guardrail.regions":        list,
		"security_rule.name":              text,
		"security_rule.uuid":              text,
		"security_rule.description":       text,
		"security_rule.version":           text,
		"security_rule.category":          text,
		"security_rule.reference":         text,
		"threat.framework":                text,
		"threat.technique.id":             list,
	}
	got := map[string]pcommon.ValueType{}
	for key, value := range write(bursts(), burst()).Attributes().All() {
		got[key] = value.Type()
		if value.Type() == list {
			for _, element := range value.Slice().All() {
				assert.Equal(t, text, element.Type(), key)
			}
		}
	}
	assert.Equal(t, want, got)
}

// A backend finds alerts by when they were raised, not by when the calls were made.
func TestAlertTimestampIsWhenItIsRaised(t *testing.T) {
	record := write(bursts(), burst())
	assert.Equal(t, raisedAt, record.Timestamp().AsTime())
	assert.Equal(t, raisedAt, record.ObservedTimestamp().AsTime())
	assert.Equal(t, "2026-03-14T09:12:00.000000000Z", attribute(t, record, "event.start"))
	assert.Equal(t, "2026-03-14T09:12:10.500000000Z", attribute(t, record, "event.end"))
}

func TestSeverityReachesThePager(t *testing.T) {
	for severity, want := range map[Severity]plog.SeverityNumber{
		SeverityLow:      plog.SeverityNumberInfo,
		SeverityMedium:   plog.SeverityNumberWarn,
		SeverityHigh:     plog.SeverityNumberError,
		SeverityCritical: plog.SeverityNumberFatal,
	} {
		r := bursts()
		r.Severity, r.RiskScore = severity, 12
		record := write(r, burst())
		assert.Equal(t, want, record.SeverityNumber())
		assert.Equal(t, string(severity), record.SeverityText())
		value, _ := record.Attributes().Get("event.severity")
		assert.Equal(t, severity.Code(), value.Int())
		value, _ = record.Attributes().Get("event.risk_score")
		assert.EqualValues(t, 12, value.Int(), "the rule's own, whatever its severity")
	}
}

// Backends would index empty values and show them as blank fields.
func TestEmptyAttributesAreLeftOut(t *testing.T) {
	r, a := bursts(), burst()
	r.Description, r.References, r.Tags = "", nil, []string{}
	a.RequestIDs, a.Models, a.Operations, a.Regions, a.Kinds = nil, nil, []string{}, nil, nil
	a.Group = []string{"alice", "111122223333"}
	attrs := write(r, a).Attributes()
	for _, key := range []string{
		"security_rule.description", "security_rule.reference", "gen_ai_guardrail.rule.tags",
		"gen_ai_guardrail.request_ids", "gen_ai_guardrail.models", "gen_ai_guardrail.operations", "gen_ai_guardrail.regions",
		"gen_ai_guardrail.evidence", "gen_ai_guardrail.credential",
	} {
		_, present := attrs.Get(key)
		assert.False(t, present, key)
	}
	for key, value := range attrs.All() {
		assert.NotEmpty(t, value.AsString(), key)
	}
}

// A count that is only a lower bound must not look exact.
func TestLowerBoundIsMarked(t *testing.T) {
	a := burst()
	a.Exact, a.Count = false, 4096
	value, _ := write(bursts(), a).Attributes().Get("gen_ai_guardrail.count_exact")
	assert.False(t, value.Bool())
}

// Tools split the group into its keys and values, which may hold any character.
func TestGroupCanBeParsed(t *testing.T) {
	r, a := bursts(), burst()
	r.GroupBy = []string{"team", "user.id", "cloud.region"}
	for _, test := range []struct {
		values []string
		want   string
	}{
		{[]string{"blue", "alice", "eu-west-1"}, "team=blue,user.id=alice,cloud.region=eu-west-1"},
		{[]string{"blue", "", ""}, "team=blue,user.id=,cloud.region="},
		{[]string{"a,user.id=b", "c", "d"}, "team=a%2Cuser.id%3Db,user.id=c,cloud.region=d"},
		{[]string{"100%", "%2C", "%25"}, "team=100%25,user.id=%252C,cloud.region=%2525"},
	} {
		a.Group = test.values
		record := write(r, a)
		assert.Equal(t, test.want, attribute(t, record, "gen_ai_guardrail.group"))
		for i, key := range r.GroupBy {
			assert.Equal(t, test.values[i], attribute(t, record, key))
		}
	}
}

// If two groups shared a name, one user's alert would be taken for another's.
func TestNoTwoGroupsShareANameOrAnID(t *testing.T) {
	tricky := rapid.StringOf(rapid.RuneFrom([]rune("%,=25C3Dk\x00é")))
	rapid.Check(t, func(t *rapid.T) {
		r := bursts()
		one := rapid.SliceOfN(tricky, 2, 2).Draw(t, "one")
		other := rapid.SliceOfN(tricky, 2, 2).Draw(t, "other")
		same := one[0] == other[0] && one[1] == other[1]
		if (r.group(one) == r.group(other)) != same {
			t.Fatalf("%q and %q are both %q", one, other, r.group(one))
		}
		if (r.alertID(r.group(one), 0) == r.alertID(r.group(other), 0)) != same {
			t.Fatalf("%q and %q share an id", one, other)
		}
	})
}

// A backend drops the second delivery of an alert by its id.
func TestAlertIDIsTheSameOnEveryDelivery(t *testing.T) {
	want := attribute(t, write(bursts(), burst()), "gen_ai_guardrail.alert.id")
	parsed, err := uuid.Parse(want)
	require.NoError(t, err)
	assert.Equal(t, uuid.Version(5), parsed.Version())

	// These may differ between two instances, two attempts or two versions of a rule.
	r, a := bursts(), burst()
	r.Name, r.Version, r.Severity, r.Threshold, r.DryRun = "renamed", "2", SeverityLow, 7, true
	a.Count, a.First, a.Last, a.RequestIDs = 60, a.First+1, a.Last+1, []string{"other"}
	a.State, a.WindowStart, a.WindowEnd = detect.Closed, a.WindowStart+1, a.WindowEnd+1
	a.Merged, a.MergedInto = true, 1
	records := plog.NewLogRecordSlice()
	r.AppendTo(records, &a, Guarded{}, raisedAt.Add(time.Hour))
	assert.Equal(t, want, attribute(t, records.At(0), "gen_ai_guardrail.alert.id"))
}

// A backend that knows records by their own id must keep each record of an alert, a correction of its totals
// too, and drop only what is delivered twice.
func TestEachRecordHasAnIDOfItsOwn(t *testing.T) {
	ids := map[string]string{}
	for what, change := range map[string]func(*detect.Alert){
		"open":             func(*detect.Alert) {},
		"escalated":        func(a *detect.Alert) { a.State, a.Earlier = detect.Escalated, 1 },
		"escalated again":  func(a *detect.Alert) { a.State, a.Earlier = detect.Escalated, 2 },
		"closed":           func(a *detect.Alert) { a.State, a.Earlier = detect.Closed, 2 },
		"corrected":        func(a *detect.Alert) { a.State, a.Earlier = detect.Closed, 3 },
		"of another alert": func(a *detect.Alert) { a.Opened++ },
		"of another user":  func(a *detect.Alert) { a.Group = []string{"bob", a.Group[1]} },
		"overflow":         func(a *detect.Alert) { *a = overflowing(1, 0) },
		"later overflow":   func(a *detect.Alert) { *a = overflowing(1, 0); a.Opened++ },
	} {
		a := burst()
		change(&a)
		id := attribute(t, write(bursts(), a), "log.record.uid")
		assert.Empty(t, ids[id], "%s: the same id", what)
		ids[id] = what
		parsed, err := uuid.Parse(id)
		require.NoError(t, err)
		assert.Equal(t, uuid.Version(5), parsed.Version())

		// What may differ when it is written again after a crash.
		r := bursts()
		r.Name, r.Severity, r.Threshold = "renamed", SeverityLow, 7
		a.Count, a.Last, a.RequestIDs, a.Kinds = 60, a.Last+1, []string{"other"}, nil
		records := plog.NewLogRecordSlice()
		r.AppendTo(records, &a, Guarded{}, raisedAt.Add(time.Hour))
		assert.Equal(t, id, attribute(t, records.At(0), "log.record.uid"), what)
	}
}

// If two alerts shared an id, a backend would drop one of them.
func TestAlertIDDependsOnRuleWindowGroupAndBucket(t *testing.T) {
	ids := map[string]string{}
	for what, change := range map[string]func(*Rule, *detect.Alert){
		"unchanged":          func(*Rule, *detect.Alert) {},
		"rule's uuid":        func(r *Rule, _ *detect.Alert) { r.UUID = DerivedUUID("other") },
		"rule's id":          func(r *Rule, _ *detect.Alert) { r.ID = "other" },
		"window's type":      func(r *Rule, _ *detect.Alert) { r.WindowType = "tumbling" },
		"window's size":      func(r *Rule, _ *detect.Alert) { r.WindowSize++ },
		"user":               func(_ *Rule, a *detect.Alert) { a.Group = []string{"bob", a.Group[1]} },
		"account":            func(_ *Rule, a *detect.Alert) { a.Group = []string{a.Group[0], "444455556666"} },
		"key":                func(r *Rule, _ *detect.Alert) { r.GroupBy = []string{"user.id", "cloud.region"} },
		"bucket":             func(_ *Rule, a *detect.Alert) { a.Opened++ },
		"invalid uuid":       func(r *Rule, _ *detect.Alert) { r.UUID = "none" },
		"bucket before 1970": func(_ *Rule, a *detect.Alert) { a.Opened = -1 },
	} {
		r, a := bursts(), burst()
		change(&r, &a)
		id := attribute(t, write(r, a), "gen_ai_guardrail.alert.id")
		assert.Empty(t, ids[id], "%s: the same id", what)
		ids[id] = what
	}
}

// Exporters refuse text that is not UTF-8, and the whole batch with it.
func TestInvalidUTF8IsMadeValidEverywhere(t *testing.T) {
	const broken = "a\xff\xfeb\xc3"
	r, a := bursts(), burst()
	a.Group = []string{broken, broken}
	a.RequestIDs, a.Models, a.Operations, a.Regions, a.Kinds = []string{broken}, []string{broken}, []string{broken}, []string{broken}, []string{broken}
	record := write(r, a)
	assert.True(t, utf8.ValidString(record.Body().Str()))
	for key, value := range record.Attributes().All() {
		assert.True(t, utf8.ValidString(value.AsString()), key)
	}
	assert.Equal(t, "a\ufffdb\ufffd", attribute(t, record, "user.id"))

	// Groups that look alike because of the replacement still have different ids.
	other := a
	other.Group = []string{strings.Replace(broken, "\xff", "\xfd", 1), broken}
	assert.NotEqual(t, attribute(t, record, "gen_ai_guardrail.alert.id"), attribute(t, write(r, other), "gen_ai_guardrail.alert.id"))
}

// A backend that stores times as text must still sort and compare them correctly.
func TestTimestampsSortAsText(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		one := rapid.Int64().Draw(t, "one")
		other := rapid.OneOf(rapid.Int64(), rapid.Just(one), rapid.Int64Range(-2e9, 2e9)).Draw(t, "other")
		if (timestamp(one) < timestamp(other)) != (one < other) {
			t.Fatalf("%s and %s", timestamp(one), timestamp(other))
		}
		back, err := time.Parse(time.RFC3339Nano, timestamp(one))
		if err != nil || back.UnixNano() != one {
			t.Fatalf("%s is read as %v, %v", timestamp(one), back, err)
		}
	})
}
