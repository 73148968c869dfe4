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
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
)

// A backend is to find every invocation's verdict, also of those that no rule counts.
func TestEveryInvocationIsAnnotated(t *testing.T) {
	r := newRig(t, `
annotate: true
max_age: 1h
rules: [{exempt: [{user: exempt}]}]
`)
	r.at(noon)
	r.consume(t, bedrockLogs(
		call{user: "counted", id: "1", at: noon},
		call{user: "counted", id: "1", at: noon},
		call{user: "old", at: noon.Add(-2 * time.Hour)},
		call{user: "exempt", at: noon},
		call{user: "", at: noon},
		call{user: "undated"},
		call{user: "guarded", at: noon, guarded: true},
		call{user: "unknown", at: noon, offload: true},
	))
	assert.Equal(t, []string{"unguarded", "unguarded", "unguarded", "unguarded", "unguarded", "unguarded", "guarded", "unknown"},
		attrsOf(r.next.passed(), "gen_ai_guardrail.verdict"))
	assert.Equal(t, []string{"absent", "absent", "absent", "absent", "absent", "absent", "applied", "no_body"},
		attrsOf(r.next.passed(), "gen_ai_guardrail.evidence"))
}

// What is no invocation is none of our business.
func TestOtherRecordsAreNotAnnotated(t *testing.T) {
	r := newRig(t, `{annotate: true}`)
	logs := linesOf(make([]call, 3))
	before := plog.NewLogs()
	logs.CopyTo(before)
	r.consume(t, logs)
	assert.Equal(t, before, r.next.batches()[0])
}

// Every instance, and every version, must assign a user to the same partition: a load
// balancer routes by it, and a user whose calls are split may not alert.
func TestPartitionIsTheSameEverywhere(t *testing.T) {
	partition := func(settings string, c call) string {
		r := newRig(t, settings)
		r.consume(t, bedrockLogs(c))
		return attr(r.next.passed()[0], "gen_ai_guardrail.partition")
	}
	const role = "arn:aws:sts::111122223333:assumed-role/bot/"
	assert.Equal(t, "bfa2f91002b65554", partition(`{annotate: true}`, call{user: role + "one", at: noon}))
	assert.Equal(t, "bfa2f91002b65554", partition(`{annotate: true, rules: []}`, call{user: role + "two", guarded: true}))
	assert.NotEqual(t, "bfa2f91002b65554", partition(`{annotate: true}`, call{user: "alice", at: noon}))
	assert.Empty(t, partition(`{annotate: true}`, call{at: noon}), "no value, no partition")

	const two = `{annotate: true, partition_by: [cloud.account.id, user.id]}`
	assert.NotEqual(t, partition(two, call{user: role + "one"}), partition(two, call{user: role + "two"}))
	assert.NotEmpty(t, partition(two, call{}), "only the first must have a value")
}

// Annotating edges followed by a detector alert as a single instance would, even
// when the edges leave out the bodies, which hold prompts and answers.
func TestEdgesAndDetectorAlertAsOneInstance(t *testing.T) {
	var calls []call
	for i := range 3 {
		calls = append(calls, guarded(burst(fmt.Sprint("guarded ", i), 10))...)
		calls = append(calls, burst(fmt.Sprint("unguarded ", i), 5+i)...)
	}
	for name, logs := range map[string]func([]call) plog.Logs{"bedrock": bedrockOf, "bytes": bytesOf, "parsed": parsedOf, "attributes": eventsOf} {
		t.Run(name, func(t *testing.T) {
			alone := newRig(t, `{}`)
			alone.at(noon)
			alone.consume(t, logs(slices.Clone(calls)))
			require.Len(t, alone.next.alerts(), 2)

			for _, bodies := range []bool{true, false} {
				edge, detector := newRig(t, `{annotate: true, rules: []}`), newRig(t, `{trust_annotations: true}`)
				detector.at(noon)
				edge.consume(t, logs(slices.Clone(calls)))
				between := edge.next.batches()[0]
				for _, record := range records(between) {
					if !bodies {
						pcommon.NewValueEmpty().CopyTo(record.Body())
					}
				}
				between.MarkReadOnly()
				detector.consume(t, between)
				assert.Equal(t, alone.next.batches()[1], detector.next.batches()[1], "with bodies: %v", bodies)
			}
		})
	}
}

// A detector may count only what an edge took for an invocation: the attributes of
// any other record can say anything.
func TestAnnotationsOfOthersDoNotPassAnEdge(t *testing.T) {
	edge, detector := newRig(t, `{annotate: true, rules: []}`), newRig(t, `{trust_annotations: true}`)
	logs := linesOf(make([]call, 10))
	for i, record := range records(logs) {
		record.SetTimestamp(stampOf(noon.Add(time.Duration(i))))
		record.Attributes().PutStr("gen_ai_guardrail.verdict", "unguarded")
		record.Attributes().PutStr("gen_ai_guardrail.evidence", "absent")
		record.Attributes().PutStr("user.id", "victim")
		record.Attributes().PutStr("aws.request_id", strconv.Itoa(i))
	}
	edge.consume(t, logs)
	detector.consume(t, edge.next.batches()[0])
	assert.Empty(t, detector.next.alerts())
}

// While a user moves to another detector, both report the user's alerts. A backend that knows alerts by their id shows one of them, unless
// the attack began before the new detector was there: docs/scale.md says so.
func TestAUserWhoMovesBetweenDetectorsAlertsUnderOneID(t *testing.T) {
	old, moved := newRig(t, `{trust_annotations: true}`), newRig(t, `{trust_annotations: true}`)
	send := func(user string, minutes time.Duration, to ...*rig) (ids []string) {
		edge := newRig(t, `{annotate: true, rules: []}`)
		calls := burst(user, 6)
		for i := range calls {
			calls[i].at = calls[i].at.Add(minutes * time.Minute)
			calls[i].id = fmt.Sprintf("%s %d %d", user, minutes, i)
		}
		edge.consume(t, bedrockOf(calls))
		for _, detector := range to {
			detector.at(noon)
			before := len(detector.next.alerts())
			detector.consume(t, edge.next.batches()[0])
			for _, a := range detector.next.alerts()[before:] {
				ids = append(ids, attr(a, "gen_ai_guardrail.alert.id"))
			}
		}
		return ids
	}
	ids := send("alice", 0, old, moved)
	require.Len(t, ids, 2)
	assert.Equal(t, ids[0], ids[1])

	first := send("mallory", 0, old)
	second := send("mallory", 5, old, moved) // the old one goes on with its alert
	require.Len(t, first, 1)
	require.Len(t, second, 1)
	assert.NotEqual(t, first, second)
}
