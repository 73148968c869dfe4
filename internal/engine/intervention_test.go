// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package engine_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"

	"example.com/otelcol-guardrail/internal/state/storagetest"
)

// aroundRule counts every call that follows an intervention within ten minutes.
const aroundRule = `{id: around, group_by: [gen_ai_guardrail.principal, cloud.account.id], after_intervention: 10m, threshold: 0, tags: [AML.T0015]}`

const around = `{rules: [` + aroundRule + `]}`

// session is the user of a call that an assumed role makes under a session's name.
func session(name string) string { return "arn:aws:sts::" + account + ":assumed-role/research/" + name }

// blocked is a call that the guardrail gr1 stopped.
func blocked(user, id string, at time.Time) plog.Logs {
	logs := eventLogs(call{user: user, id: id, at: at})
	attrs := records(logs)[0].Attributes()
	attrs.PutStr("aws.bedrock.guardrail.id", "gr1")
	attrs.PutEmptySlice("gen_ai.response.finish_reasons").AppendEmpty().SetStr("guardrail_intervened")
	return logs
}

// A caller whom a guardrail stopped, and who then calls without one, is reported, whichever arrives first and
// under whatever session.
func TestCallsAroundAGuardrailAreReported(t *testing.T) {
	stopped := func() plog.Logs { return blocked(session("one"), "blocked", noon) }
	unguarded := func() plog.Logs {
		return bedrockLogs(
			call{user: session("two"), id: "before", at: noon.Add(-time.Second)},
			call{user: session("two"), id: "after", at: noon.Add(5 * time.Minute)},
			call{user: session("two"), id: "too late", at: noon.Add(10*time.Minute + 1)},
			call{user: session("two"), id: "guarded", at: noon.Add(time.Minute), guarded: true},
			call{user: "arn:aws:iam::" + account + ":user/bob", id: "of another", at: noon.Add(time.Minute)},
		)
	}
	for name, batches := range map[string][]func() plog.Logs{
		"intervention first": {stopped, unguarded},
		"intervention last":  {unguarded, stopped},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, around)
			for _, batch := range batches {
				r.consume(t, batch())
			}
			alerts := r.next.opened()
			require.Len(t, alerts, 1)
			for key, want := range map[string]string{
				"gen_ai_guardrail.principal":                 "arn:aws:sts::" + account + ":assumed-role/research",
				"gen_ai_guardrail.count":                     "1",
				"gen_ai_guardrail.request_ids":               `["after"]`,
				"gen_ai_guardrail.intervention.time":         "2026-03-14T12:00:00.000000000Z",
				"gen_ai_guardrail.intervention.request_id":   "blocked",
				"gen_ai_guardrail.intervention.guardrail_id": "gr1",
				"threat.technique.id":                        `["AML.T0015"]`,
			} {
				assert.Equal(t, want, attr(alerts[0], key), key)
			}
			assert.Contains(t, alerts[0].Body().Str(), "made 1 invocation without a guardrail within 1m (at 2026-03-14T12:05:00Z), "+
				"where none is allowed after guardrail gr1 intervened at 2026-03-14T12:00:00Z; its last guarded call was at 12:01:00, 4 minutes before.")

			for _, batch := range batches { // repeats change nothing
				r.consume(t, batch())
			}
			assert.Len(t, r.next.alerts(), 1)
			r.excluded(t, point(4, "rule", "around", "reason", "duplicate")) // and not of the intervention, which is not counted
		})
	}
}

// The invocation that is exempt from counting still says that its guardrail intervened; one that is too old says nothing.
func TestInterventionsOfExemptInvocationsAreKnown(t *testing.T) {
	r := newRig(t, `{max_age: 1h, rules: [{id: around, after_intervention: 24h, threshold: 0, count: [unguarded, guarded/claimed], exempt: [{model: "*/exempt"}]}]}`)
	r.at(noon.Add(time.Hour))
	exempt := blocked("alice", "exempt", noon)
	records(exempt)[0].Attributes().PutStr("gen_ai.request.model", "anthropic.claude/exempt")
	r.consume(t, exempt)
	r.consume(t, blocked("bob", "old", noon.Add(-1)))
	r.consume(t, bedrockLogs(call{user: "alice", id: "1", at: noon.Add(time.Minute)}, call{user: "bob", id: "2", at: noon.Add(time.Minute)}))
	assert.Equal(t, []string{"alice"}, attrsOf(r.next.opened(), "user.id"))
}

// What a caller did before a crash, and what a guardrail did, is known after it.
func TestInterventionSurvivesACrash(t *testing.T) {
	const settings = `{storage: file_storage, rules: [` + aroundRule + `]}`
	stopped := blocked(session("one"), "blocked", noon)
	unguarded := bedrockLogs(call{user: session("one"), id: "after", at: noon.Add(time.Minute)})
	for name, batches := range map[string][2]plog.Logs{
		"intervention first": {stopped, unguarded},
		"intervention last":  {unguarded, stopped},
	} {
		t.Run(name, func(t *testing.T) {
			before := startDurableOf(t, storagetest.NewDisk(), settings)
			before.consume(t, batches[0])
			after := startDurableOf(t, before.kill(), settings)
			after.consume(t, batches[1])
			require.Len(t, after.next.opened(), 1)
			assert.Equal(t, "blocked", attr(after.next.opened()[0], "gen_ai_guardrail.intervention.request_id"))
		})
	}
}
