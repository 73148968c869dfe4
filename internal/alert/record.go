// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package alert

import (
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"example.com/otelcol-guardrail/internal/detect"
)

// EventName is the event name of every alert record.
const EventName = "gen_ai_guardrail.alert"

// stateNames are the names of the states in records.
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

// States returns the names of all states.
func States() []string { return stateNames[:] }

// StateName returns the name of a state in records.
func StateName(state detect.State) string { return stateNames[state] }

// The attacks to which calls without a guardrail are open, in MITRE ATLAS: LLM prompt
// injection and LLM jailbreak.
const threatFramework = "MITRE ATLAS"

var threatTechniques = []string{"AML.T0051", "AML.T0054"}

// techniques returns the ids of the techniques that the rule's alerts are about: those among its
// tags, or the usual ones.
func (r *Rule) techniques() (ids []string) {
	for _, tag := range r.Tags {
		if strings.HasPrefix(tag, "AML.T") {
			ids = append(ids, tag)
		}
	}
	if len(ids) == 0 {
		return threatTechniques
	}
	return ids
}

// Rule holds what all alerts of a rule have in common.
type Rule struct {
	Identity
	GroupBy    []string // keys of the values of a group
	Counted    string   // what the rule counts, as it reads after "invocations" in a sentence
	WindowType string
	WindowSize time.Duration
	Threshold  int
	Limit      int  // how many alerts may open in ten minutes
	DryRun     bool // marks alerts as plain events, which backends do not promote
}

// AppendTo appends a record of an alert that is emitted at now.
func (r *Rule) AppendTo(records plog.LogRecordSlice, a *detect.Alert, guarded Guarded, now time.Time) {
	record := records.AppendEmpty()
	record.SetEventName(EventName)
	record.SetTimestamp(pcommon.NewTimestampFromTime(now))
	record.SetObservedTimestamp(pcommon.NewTimestampFromTime(now))
	record.SetSeverityNumber(r.Severity.Number())
	record.SetSeverityText(string(r.Severity))
	record.Body().SetStr(r.sentence(a, guarded))

	attrs := record.Attributes()
	attrs.EnsureCapacity(36 + len(r.GroupBy))
	kind := "alert"
	if r.DryRun || a.State == detect.Closed {
		kind = "event"
	}
	attrs.PutStr("event.kind", kind)
	attrs.PutStr("event.name", EventName)
	attrs.PutInt("event.severity", r.Severity.Code())
	attrs.PutInt("event.risk_score", r.RiskScore)
	attrs.PutStr("gen_ai_guardrail.alert.state", StateName(a.State))
	attrs.PutStr(RuleKey, r.ID)
	putStrings(attrs, "gen_ai_guardrail.rule.tags", r.Tags)
	attrs.PutInt("gen_ai_guardrail.threshold", int64(r.Threshold))
	attrs.PutStr("gen_ai_guardrail.window.type", r.WindowType)
	group := overflowGroup
	if a.State != detect.Overflow {
		group = r.group(a.Group)
	}
	id := r.alertID(group, a.Opened)
	attrs.PutStr(IDKey, id.String())
	attrs.PutStr("log.record.uid", recordID(id, a))
	if a.State == detect.Overflow {
		r.putOverflow(attrs, a)
	} else {
		r.putGroup(attrs, a, group)
		if !guarded.Last.IsZero() {
			attrs.PutStr("gen_ai_guardrail.last_guarded", timestamp(guarded.Last.UnixNano()))
		}
	}
	r.putRule(attrs)
}

// putGroup writes the attributes of an alert of one group.
func (r *Rule) putGroup(attrs pcommon.Map, a *detect.Alert, group string) {
	if a.Merged {
		attrs.PutStr("gen_ai_guardrail.alert.merged_into", r.alertID(group, a.MergedInto).String())
	}
	attrs.PutStr("event.start", timestamp(a.First))
	attrs.PutStr("event.end", timestamp(a.Last))
	attrs.PutStr("gen_ai_guardrail.group", strings.ToValidUTF8(group, replacement))
	for i, key := range r.GroupBy {
		attrs.PutStr(key, strings.ToValidUTF8(a.Group[i], replacement))
	}
	if credential := r.credential(a.Group); credential != "" {
		attrs.PutStr("gen_ai_guardrail.credential", credential)
	}
	attrs.PutStr("gen_ai_guardrail.window.start", timestamp(a.WindowStart))
	attrs.PutStr("gen_ai_guardrail.window.end", timestamp(a.WindowEnd))
	attrs.PutInt("gen_ai_guardrail.count", int64(a.Count))
	attrs.PutInt("gen_ai_guardrail.count_presumed", int64(a.Presumed))
	attrs.PutBool("gen_ai_guardrail.count_exact", a.Exact)
	putStrings(attrs, "gen_ai_guardrail.evidence", a.Kinds)
	putIntervention(attrs, a.Intervention)
	putStrings(attrs, "gen_ai_guardrail.request_ids", a.RequestIDs)
	putStrings(attrs, "gen_ai_guardrail.models", a.Models)
	putStrings(attrs, "gen_ai_guardrail.operations", a.Operations)
	putStrings(attrs, "gen_ai_guardrail.regions", a.Regions)
}

// putIntervention writes the attributes of the intervention that the invocations follow, if
// they must follow one.
func putIntervention(attrs pcommon.Map, i *detect.Intervention) {
	if i == nil {
		return
	}
	attrs.PutStr("gen_ai_guardrail.intervention.time", timestamp(i.Time))
	if i.RequestID != "" {
		attrs.PutStr("gen_ai_guardrail.intervention.request_id", strings.ToValidUTF8(i.RequestID, replacement))
	}
	if i.GuardrailID != "" {
		attrs.PutStr("gen_ai_guardrail.intervention.guardrail_id", strings.ToValidUTF8(i.GuardrailID, replacement))
	}
}

// putRule writes the attributes that identify the rule.
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
	putStrings(attrs, "threat.technique.id", r.techniques())
}

// replacement replaces bytes that are not UTF-8, which exporters may refuse.
const replacement = "\ufffd"

// putStrings writes a list, unless it is empty.
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

// timestamp returns a time in Unix nanoseconds as RFC 3339 with nine digits of a second's
// fraction. All timestamps have the same length, so that they sort as text.
func timestamp(ns int64) string {
	return time.Unix(0, ns).UTC().Format("2006-01-02T15:04:05.000000000Z07:00")
}

var groupEscaper = strings.NewReplacer("%", "%25", ",", "%2C", "=", "%3D")

// group returns the canonical form of a group: key=value,key=value.
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

// alertID returns the id of an alert: a UUIDv5 of the rule, its window, the group and the
// start of the bucket that opened the alert, in Unix nanoseconds. All records of an alert
// share it.
func (r *Rule) alertID(group string, opened int64) uuid.UUID {
	namespace, err := uuid.Parse(r.UUID)
	if err != nil { // the rule is not valid, and any namespace will do
		namespace = ruleNamespace
	}
	name := strings.Join([]string{r.ID, r.WindowType, r.WindowSize.String(), group, timestamp(opened)}, "\x00")
	return uuid.NewSHA1(namespace, []byte(name))
}

// recordID returns the id of a record of an alert: a UUIDv5 of the alert's id, the state and how
// many records of the alert came before. It is the same however often the record is delivered or,
// after a crash, written.
func recordID(alert uuid.UUID, a *detect.Alert) string {
	return uuid.NewSHA1(alert, []byte(StateName(a.State)+"\x00"+strconv.Itoa(a.Earlier))).String()
}
