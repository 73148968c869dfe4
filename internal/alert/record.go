// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package alert

import (
	"strings"
	"time"

	"github.com/google/uuid"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"example.com/otelcol-guardrail/internal/detect"
)

// EventName is the event name of every alert record.
const EventName = "gen_ai_guardrail.alert"

// stateNames are the states as a record tells them.
var stateNames = [...]string{
	detect.Open:      "open",
	detect.Escalated: "escalated",
	detect.Closed:    "closed",
	detect.Overflow:  "overflow",
}

// IDKey is the attribute that holds an alert's id.
const IDKey = "gen_ai_guardrail.alert.id"

// RuleKey is the attribute that holds the id of an alert's rule.
const RuleKey = "gen_ai_guardrail.rule.id"

// States lists the states as records tell them.
func States() []string { return stateNames[:] }

// StateName gives a state as a record tells it.
func StateName(state detect.State) string { return stateNames[state] }

// MITRE ATLAS: LLM prompt injection and LLM jailbreak, which calls without a
// guardrail are open to.
const threatFramework = "MITRE ATLAS"

var threatTechniques = []string{"AML.T0051", "AML.T0054"}

// Rule is what all alerts of a rule have in common.
type Rule struct {
	Identity
	GroupBy    []string // the keys of a group's values
	Counted    string   // what the rule counts, to stand behind "invocations" in a sentence
	WindowType string
	WindowSize time.Duration
	Threshold  int
	Limit      int  // alerts opened in ten minutes
	DryRun     bool // alerts are marked as plain events, which backends do not promote
}

// AppendTo writes what is to be told of an alert, at now, as a record of its own.
func (r *Rule) AppendTo(records plog.LogRecordSlice, a *detect.Alert, now time.Time) {
	record := records.AppendEmpty()
	record.SetEventName(EventName)
	record.SetTimestamp(pcommon.NewTimestampFromTime(now))
	record.SetObservedTimestamp(pcommon.NewTimestampFromTime(now))
	record.SetSeverityNumber(r.Severity.Number())
	record.SetSeverityText(string(r.Severity))
	record.Body().SetStr(r.sentence(a))

	attrs := record.Attributes()
	attrs.EnsureCapacity(32 + len(r.GroupBy))
	kind := "alert"
	if r.DryRun || a.State == detect.Closed {
		kind = "event"
	}
	attrs.PutStr("event.kind", kind)
	attrs.PutInt("event.severity", r.Severity.Code())
	attrs.PutInt("event.risk_score", r.RiskScore)
	attrs.PutStr("gen_ai_guardrail.alert.state", StateName(a.State))
	attrs.PutStr(RuleKey, r.ID)
	putStrings(attrs, "gen_ai_guardrail.rule.tags", r.Tags)
	attrs.PutInt("gen_ai_guardrail.threshold", int64(r.Threshold))
	attrs.PutStr("gen_ai_guardrail.window.type", r.WindowType)
	if a.State == detect.Overflow {
		r.putOverflow(attrs, a)
	} else {
		r.putGroup(attrs, a)
	}
	r.putRule(attrs)
}

// putGroup writes what an alert of one group tells.
func (r *Rule) putGroup(attrs pcommon.Map, a *detect.Alert) {
	group := r.group(a.Group)
	attrs.PutStr(IDKey, r.alertID(group, a.Opened))
	if a.Merged {
		attrs.PutStr("gen_ai_guardrail.alert.merged_into", r.alertID(group, a.MergedInto))
	}
	attrs.PutStr("event.start", timestamp(a.First))
	attrs.PutStr("event.end", timestamp(a.Last))
	attrs.PutStr("gen_ai_guardrail.group", strings.ToValidUTF8(group, replacement))
	for i, key := range r.GroupBy {
		attrs.PutStr(key, strings.ToValidUTF8(a.Group[i], replacement))
	}
	attrs.PutStr("gen_ai_guardrail.window.start", timestamp(a.WindowStart))
	attrs.PutStr("gen_ai_guardrail.window.end", timestamp(a.WindowEnd))
	attrs.PutInt("gen_ai_guardrail.count", int64(a.Count))
	attrs.PutInt("gen_ai_guardrail.count_presumed", int64(a.Presumed))
	attrs.PutBool("gen_ai_guardrail.count_exact", a.Exact)
	putStrings(attrs, "gen_ai_guardrail.request_ids", a.RequestIDs)
	putStrings(attrs, "gen_ai_guardrail.models", a.Models)
	putStrings(attrs, "gen_ai_guardrail.operations", a.Operations)
	putStrings(attrs, "gen_ai_guardrail.regions", a.Regions)
}

// putRule writes who raises the alert.
func (r *Rule) putRule(attrs pcommon.Map) {
	attrs.PutStr("security_rule.name", r.Name)
	attrs.PutStr("security_rule.uuid", r.UUID)
	attrs.PutStr("security_rule.version", r.Version)
	attrs.PutStr("security_rule.category", "llm")
	if r.Description != "" {
		attrs.PutStr("security_rule.description", r.Description)
	}
	if len(r.References) > 0 {
		attrs.PutStr("security_rule.reference", r.References[0])
	}
	attrs.PutStr("threat.framework", threatFramework)
	putStrings(attrs, "threat.technique.id", threatTechniques)
}

// replacement stands for bytes that are not UTF-8, which exporters may refuse.
const replacement = "\ufffd"

// putStrings writes a list; an empty one is left out.
func putStrings(attrs pcommon.Map, key string, values []string) {
	if len(values) == 0 {
		return
	}
	list := attrs.PutEmptySlice(key)
	list.EnsureCapacity(len(values))
	for _, value := range values {
		list.AppendEmpty().SetStr(strings.ToValidUTF8(value, replacement))
	}
}

// timestamp writes an instant of Unix nanoseconds as RFC 3339 with fraction, all
// of one length, so that they sort as text.
func timestamp(ns int64) string {
	return time.Unix(0, ns).UTC().Format("2006-01-02T15:04:05.000000000Z07:00")
}

var groupEscaper = strings.NewReplacer("%", "%25", ",", "%2C", "=", "%3D")

// group gives the canonical form of a group: key=value,key=value.
func (r *Rule) group(values []string) string {
	var b strings.Builder
	for i, key := range r.GroupBy {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(key)
		b.WriteByte('=')
		_, _ = groupEscaper.WriteString(&b, values[i]) // a Builder never fails
	}
	return b.String()
}

// alertID derives the id of an alert from what it is about and the start of the
// bucket that opened it, so that every record of it has the same.
func (r *Rule) alertID(group string, opened int64) string {
	namespace, err := uuid.Parse(r.UUID)
	if err != nil { // not a valid rule; any namespace is as good
		namespace = ruleNamespace
	}
	name := strings.Join([]string{r.ID, r.WindowType, r.WindowSize.String(), group, timestamp(opened)}, "\x00")
	return uuid.NewSHA1(namespace, []byte(name)).String()
}
