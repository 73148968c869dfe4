// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package engine_test

import (
	"fmt"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"

	"example.com/otelcol-guardrail/internal/alert"
)

// The rule as it comes is the one that is promised: more than five calls of a user in an account within a minute.
func TestBuiltInRuleDetectsWhatItPromises(t *testing.T) {
	r := newRig(t, `{}`)
	r.consume(t, bedrockLogs(burst("alice", 5)...))
	r.consume(t, bedrockLogs(call{user: "alice", id: "late", at: noon.Add(time.Minute)}))
	require.Empty(t, r.next.alerts(), "five within any minute")

	r.consume(t, bedrockLogs(call{user: "alice", id: "sixth", at: noon.Add(59*time.Second + 999*time.Millisecond)}))
	alerts := r.next.alerts()
	require.Len(t, alerts, 1)
	assert.Equal(t, "6", attr(alerts[0], "gen_ai_guardrail.count"))
	assert.Equal(t, "0", attr(alerts[0], "gen_ai_guardrail.count_presumed"))
	assert.Equal(t, "2026-03-14T12:00:00.000000000Z", attr(alerts[0], "event.start"))
	assert.Equal(t, "2026-03-14T12:00:59.999000000Z", attr(alerts[0], "event.end"))
	assert.Equal(t, alert.BuiltIn().UUID, attr(alerts[0], "security_rule.uuid"))
}

// The alert comes from the collector: a backend must not file it under the source of the calls.
func TestAlertsNameTheCollectorThatRaisedThem(t *testing.T) {
	r := newRig(t, `{}`)
	r.at(noon.Add(time.Hour))
	r.consume(t, bedrockLogs(burst("alice", 6)...))
	resource := r.next.alertBatches()[0].ResourceLogs().At(0)
	assert.Equal(t, map[string]any{
		"service.name": "otelcol-guardrail", "service.instance.id": "instance-1",
	}, resource.Resource().Attributes().AsRaw())
	scope := resource.ScopeLogs().At(0).Scope()
	assert.Equal(t, r.face.scope(), scope.Name())
	assert.Equal(t, "1.2.3", scope.Version())
	assert.Equal(t, noon.Add(time.Hour), r.next.alerts()[0].Timestamp().AsTime())
}

// Alerts that return through a loop of pipelines or a second processor raise no further alerts.
func TestAlertsRaiseNoAlerts(t *testing.T) {
	r := newRig(t, `{rules: [{threshold: 0}]}`)
	r.consume(t, bedrockLogs(burst("alice", 1)...))
	alerts := r.next.alertBatches()[0]
	for range 10 {
		r.consume(t, alerts)
	}
	r.invocations(t, point(1, "verdict", "unguarded", "evidence", "absent"))
	r.forwarded(t, 1)
}

// Each rule counts what it selects, by its own group, from one reading of the record.
func TestRulesCountOnTheirOwn(t *testing.T) {
	r := newRig(t, `
approved_guardrails: [gr9]
rules:
  - {}
  - {id: sustained, group_by: [user.id], window: {size: 61m}, threshold: 8, alert: {max_duration: 2h}, severity: low, dry_run: true}
  - {id: accounts, group_by: [cloud.account.id, cloud.region], threshold: 10}
  - {id: unapproved, count: [unapproved], group_by: [gen_ai.request.model], threshold: 2}
  - {id: sure, count: [unguarded/absent], threshold: 3}
  - {id: blind, count: [unknown], group_by: [cloud.account.id], threshold: 1}
`)
	calls := slices.Concat(
		burst("alice", 6), // all of them sure
		guarded(burst("bob", 3)),
		[]call{{user: "carol", id: "1", at: noon, offload: true}, {user: "carol", id: "2", at: noon, offload: true}},
	)
	for i := range 6 { // not more than five in any minute, and presumed
		calls = append(calls, call{user: "dave", id: strconv.Itoa(i), at: noon.Add(time.Duration(i) * 10 * time.Minute), converse: true})
	}
	for i := range 3 {
		calls = append(calls, call{user: "dave", id: fmt.Sprint("more ", i), at: noon.Add(time.Hour), converse: true})
	}
	r.consume(t, bedrockLogs(calls...))

	got := map[string][]string{}
	for _, record := range r.next.alerts() {
		rule := attr(record, "gen_ai_guardrail.rule.id")
		got[rule] = append(got[rule], attr(record, "gen_ai_guardrail.group")+" "+attr(record, "gen_ai_guardrail.count"))
	}
	assert.Equal(t, map[string][]string{
		builtIn:      {"user.id=alice,cloud.account.id=111122223333 6"},
		"sustained":  {"user.id=dave 9"},
		"unapproved": {"gen_ai.request.model=anthropic.claude-3-haiku-20240307-v1:0 3"},
		"sure":       {"user.id=alice,cloud.account.id=111122223333 4"},
		"blind":      {"cloud.account.id=111122223333 2"},
	}, got)

	for _, record := range r.next.alerts() {
		id := attr(record, "gen_ai_guardrail.rule.id")
		assert.Equal(t, map[bool]string{true: "event", false: "alert"}[id == "sustained"], attr(record, "event.kind"), id)
		if id != builtIn {
			assert.Equal(t, alert.DerivedUUID(id), attr(record, "security_rule.uuid"))
			assert.Empty(t, attr(record, "security_rule.description"))
		}
	}
	texts := map[string]string{}
	for _, record := range r.next.alerts() {
		texts[attr(record, "gen_ai_guardrail.rule.id")] = record.Body().Str()
	}
	assert.Contains(t, texts[builtIn], "invocations without an approved guardrail within 1m")
	assert.Contains(t, texts["unapproved"], "invocations with a guardrail that is not approved within 1m")
	assert.Contains(t, texts["blind"], "invocations judged unknown within 1m")
}

// With no rule at all the processor is an annotator: nothing is counted, nothing remembered.
func TestWithoutRulesNothingIsDetected(t *testing.T) {
	r := newRig(t, `{rules: [], annotate: true}`)
	r.consume(t, bedrockLogs(burst("alice", 100)...))
	r.forwarded(t, 100)
	assert.Empty(t, r.next.alerts())
	r.silent(t, "invocations_excluded")
	r.invocations(t, point(100, "verdict", "unguarded", "evidence", "absent"))
	r.silent(t, "groups")
}

// An announced exercise raises no alert until it is over.
func TestExemptionsEndWhenTheySay(t *testing.T) {
	r := newRig(t, `
rules:
  - threshold: 1
    exempt:
      - {principal: "arn:aws:iam::*:role/red-team", until: "2026-03-14T12:00:10Z", reason: exercise}
      - {user: "arn:aws:iam::111122223333:user/ci", account: "444455556666"}
`)
	const role = "arn:aws:sts::111122223333:assumed-role/red-team/"
	during, after := []call{}, []call{}
	for i := range 5 { // each with a session name of its own
		during = append(during, call{user: fmt.Sprint(role, "s"), id: strconv.Itoa(i), at: noon.Add(time.Duration(i) * time.Second)})
		after = append(after, call{user: fmt.Sprint(role, "s"), id: strconv.Itoa(i), at: noon.Add(time.Duration(10+i) * time.Second)})
	}
	r.consume(t, bedrockLogs(during...))
	assert.Empty(t, r.next.alerts())
	r.excluded(t, point(5, "rule", builtIn, "reason", "exempt"))
	r.consume(t, bedrockLogs(after...))
	require.Len(t, r.next.alerts(), 1)
	assert.Equal(t, "2", attr(r.next.alerts()[0], "gen_ai_guardrail.count"), "what was exempt stays uncounted")

	r.consume(t, bedrockLogs(burst("arn:aws:iam::111122223333:user/ci", 6)...))
	assert.Len(t, r.next.alerts(), 2, "all fields of an entry must match")
}

// Old records, such as a backfill of last year, can be passed on without an alert.
func TestMaxAgeLeavesOldInvocationsOut(t *testing.T) {
	for _, test := range []struct {
		settings string
		alerts   int
	}{
		{`{max_age: 1h}`, 0},
		{`{max_age: 2h}`, 1},
		{`{}`, 1},
	} {
		r := newRig(t, test.settings)
		r.at(noon.Add(90 * time.Minute))
		r.consume(t, bedrockLogs(burst("alice", 6)...))
		r.forwarded(t, 6)
		assert.Len(t, r.next.alerts(), test.alerts, test.settings)
	}
}

// A team, a cost centre, a service: whatever a pipeline puts onto the records can be counted by.
func TestGroupsByAnyAttribute(t *testing.T) {
	r := newRig(t, `{rules: [{group_by: [team, tenant.id, tier], threshold: 1}]}`)
	send := func(place func(plog.ResourceLogs, func(key string, value any))) {
		for i := range 2 {
			logs := bedrockLogs(call{user: fmt.Sprint("user ", i), id: fmt.Sprint("call ", i, " to ", len(r.next.alerts()), " alerts"), at: noon})
			place(logs.ResourceLogs().At(0), nil)
			r.consume(t, logs)
		}
	}
	send(func(resource plog.ResourceLogs, _ func(string, any)) {
		resource.Resource().Attributes().PutStr("team", "of the resource")
		resource.Resource().Attributes().PutInt("tenant.id", 42)
	})
	send(func(resource plog.ResourceLogs, _ func(string, any)) {
		scope := resource.ScopeLogs().At(0)
		resource.Resource().Attributes().PutStr("team", "of the resource")
		scope.Scope().Attributes().PutStr("team", "of the scope")
		scope.Scope().Attributes().PutBool("tier", true)
	})
	send(func(resource plog.ResourceLogs, _ func(string, any)) {
		scope := resource.ScopeLogs().At(0)
		scope.Scope().Attributes().PutStr("team", "of the scope")
		attrs := scope.LogRecords().At(0).Attributes()
		attrs.PutStr("team", "of the record")
		attrs.PutStr("tenant.id", "")
		attrs.PutDouble("tier", 1.5)
	})
	assert.Equal(t, []string{
		"team=of the resource,tenant.id=42,tier=",
		"team=of the scope,tenant.id=,tier=true",
		"team=of the record,tenant.id=,tier=1.5",
	}, attrsOf(r.next.alerts(), "gen_ai_guardrail.group"))
	assert.Equal(t, []string{"42", "", ""}, attrsOf(r.next.alerts(), "tenant.id"))
}

// A role that a thousand sessions take on is one principal.
func TestGroupsByPrincipalAcrossSessions(t *testing.T) {
	calls := burst("", 6)
	for i := range calls {
		calls[i].user = fmt.Sprint("arn:aws:sts::111122223333:assumed-role/bot/session-", i)
		calls[i].id = strconv.Itoa(i)
	}
	r := newRig(t, `{rules: [{}, {id: principals, group_by: [gen_ai_guardrail.principal]}]}`)
	r.consume(t, bedrockLogs(calls...))
	require.Len(t, r.next.alerts(), 1)
	assert.Equal(t, "principals", attr(r.next.alerts()[0], "gen_ai_guardrail.rule.id"))
	assert.Equal(t, "arn:aws:sts::111122223333:assumed-role/bot", attr(r.next.alerts()[0], "gen_ai_guardrail.principal"))
}

// Without a value for the first key there is nobody to alert on; a later key may be missing.
func TestInvocationsWithoutAGroupAreExcluded(t *testing.T) {
	r := newRig(t, `{rules: [{group_by: [user.id, team]}]}`)
	r.consume(t, bedrockLogs(burst("", 20)...))
	assert.Empty(t, r.next.alerts())
	r.excluded(t, point(20, "rule", builtIn, "reason", "no_group"))
	r.consume(t, bedrockLogs(burst("alice", 6)...))
	assert.Equal(t, []string{"user.id=alice,team="}, attrsOf(r.next.alerts(), "gen_ai_guardrail.group"))
}

// Invocations without any time cannot be put into a window.
func TestInvocationsAreDatedByWhatTheRecordHas(t *testing.T) {
	r := newRig(t, `{rules: [{threshold: 1}]}`)
	send := func(user string, stamp func(record plog.LogRecord, i int)) {
		for i := range 2 {
			logs := bedrockLogs(call{user: user, id: strconv.Itoa(i)})
			stamp(records(logs)[0], i)
			r.consume(t, logs)
		}
	}
	send("none", func(plog.LogRecord, int) {})
	send("timestamp", func(record plog.LogRecord, _ int) { record.SetTimestamp(stampOf(noon)) })
	send("observed", func(record plog.LogRecord, _ int) { record.SetObservedTimestamp(stampOf(noon)) })
	send("observed an hour apart", func(record plog.LogRecord, i int) {
		record.SetObservedTimestamp(stampOf(noon.Add(time.Duration(i) * time.Hour)))
	})
	assert.Equal(t, []string{"timestamp", "observed"}, attrsOf(r.next.alerts(), "user.id"))
	r.excluded(t, point(2, "rule", builtIn, "reason", "no_time"))
}
