// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package invocation

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
)

// The documentation would list an attribute twice, under no meaning, or as nobody's.
func TestTheTableOfAttributesIsComplete(t *testing.T) {
	seen := map[string]bool{}
	for _, a := range attributes {
		assert.NotEmpty(t, a.name)
		assert.NotEmpty(t, a.writers, a.name)
		assert.NotZero(t, a.in, a.name)
		assert.False(t, seen[a.name], "%s is there twice", a.name)
		assert.Contains(t, meanings, a.means, a.name)
		seen[a.name] = true
	}
	assert.Len(t, Attributes(), len(attributes))
	for _, a := range attributes[:logKeys] {
		assert.NotZero(t, a.in&inLogs, a.name)
	}
	for _, a := range attributes[logKeys:ownKeys] {
		assert.Equal(t, inSpans, a.in, a.name)
	}
}

// One case of what an attribute of a meaning does: a value of it, what it must be seen
// beside, and how it shows.
type meaningCase struct {
	value  any
	beside facts
	shows  func(*Invocation) bool
}

var meaningCases = map[meaning]meaningCase{
	meansGuardrail:      {"g1", nil, func(inv *Invocation) bool { return slices.Equal(inv.Guardrails, []Guardrail{{ID: "g1"}}) }},
	meansVersion:        {"7", facts{"gen_ai.guardrail.id": "g1"}, func(inv *Invocation) bool { return slices.Equal(inv.Guardrails, []Guardrail{{"g1", "7"}}) }},
	meansFinish:         {"guardrail_intervened", nil, func(inv *Invocation) bool { return inv.Intervened }},
	meansMessages:       {`[{"finish_reason":"guardrail_intervened"}]`, nil, func(inv *Invocation) bool { return inv.Intervened }},
	meansUser:           {"ada", nil, func(inv *Invocation) bool { return inv.User == "ada" }},
	meansAccount:        {"444455556666", nil, func(inv *Invocation) bool { return inv.Account == "444455556666" }},
	meansRegion:         {"eu-south-2", nil, func(inv *Invocation) bool { return inv.Region == "eu-south-2" }},
	meansModel:          {"amazon.nova-pro-v1:0", nil, func(inv *Invocation) bool { return inv.Model == "amazon.nova-pro-v1:0" }},
	meansProvider:       {"elsewhere", nil, func(inv *Invocation) bool { return inv.Kind == Kind{NotApplicable, Provider} }},
	meansMetadata:       {`{"ls_provider":"elsewhere"}`, nil, func(inv *Invocation) bool { return inv.Kind == Kind{NotApplicable, Provider} }},
	meansRequestID:      {"r-9", facts{"gen_ai.response.id": "a-9"}, func(inv *Invocation) bool { return inv.RequestID == "r-9" }},
	meansAnswerID:       {"a-9", nil, func(inv *Invocation) bool { return inv.RequestID == "a-9" }},
	meansRequestIDECS:   {"e-9", nil, func(inv *Invocation) bool { return inv.RequestID == "e-9" }},
	meansFailure:        {"timeout", nil, func(inv *Invocation) bool { return inv.Kind == Kind{Failed, Error} }},
	meansAnswer:         {"Nine.", facts{"error.type": "timeout"}, func(inv *Invocation) bool { return inv.Kind == Kind{Unguarded, Presumed} }},
	meansTokens:         {9, facts{"error.type": "timeout"}, func(inv *Invocation) bool { return inv.Kind == Kind{Unguarded, Presumed} }},
	meansAnswerBody:     {tracedAnswer, facts{"output.mime_type": "application/json"}, func(inv *Invocation) bool { return inv.Kind == Kind{Guarded, Claimed} }},
	meansProviderAnswer: {`{"bedrock":` + tracedAnswer + `}`, nil, func(inv *Invocation) bool { return inv.Kind == Kind{Guarded, Claimed} }},
	meansRequestBody: {
		guardedRequest,
		facts{"input.mime_type": "application/json", "output.mime_type": "application/json", "output.value": converseAnswer},
		func(inv *Invocation) bool { return inv.Kind == Kind{Guarded, Claimed} },
	},
	meansInstrumentation: {"2026-07-01", nil, func(inv *Invocation) bool { return inv.Kind == Kind{Unknown, Untold} }},
}

// Others are the subject of tests of their own.
var otherMeanings = []meaning{meansOperation, meansService, meansViolation, meansOutcome, meansAnswerModel, meansParameters, meansBedrockRecord}

// The documentation would promise an attribute that nothing reads.
func TestEveryAttributeOfTheTableIsRead(t *testing.T) {
	for _, a := range attributes {
		c, ok := meaningCases[a.means]
		if !ok {
			assert.Contains(t, otherMeanings, a.means, a.name)
			continue
		}
		attrs := with(facts{"gen_ai.operation.name": "chat"}, c.beside, facts{a.name: c.value})
		if a.in&inSpans != 0 {
			inv, _ := readSpan(spanTestOptions(), "app", newSpan(t, attrs))
			assert.True(t, c.shows(inv), "%s in a span", a.name)
		}
		if a.in&inLogs != 0 {
			record := plog.NewLogRecord()
			record.SetEventName(detailsEvent)
			require.NoError(t, record.Attributes().FromRaw(with(attrs, facts{"gen_ai.response.model": "m"})))
			options := spanTestOptions()
			options.UserKeys = LogUserKeys()
			var inv Invocation
			require.True(t, readOne(NewReader(options), pcommon.NewResource(), pcommon.NewInstrumentationScope(), record, &inv), a.name)
			assert.True(t, c.shows(&inv), "%s in a log record: %s", a.name, inv.Kind)
		}
	}
}

// A span whose scope was entered after a log record's must not be read with its keys.
func TestSpansAfterLogRecordsOfOneScope(t *testing.T) {
	resource := pcommon.NewResource()
	resource.Attributes().PutStr("llm.provider", "aws")
	resource.Attributes().PutStr("aws.region", "eu-west-1")
	reader := NewReader(spanTestOptions())
	var inv Invocation
	reader.Enter(resource, pcommon.NewInstrumentationScope(), &inv)
	span := newSpan(t, facts{"gen_ai.operation.name": "chat", "gen_ai.request.model": "m"})
	require.True(t, reader.ReadSpan(span, &inv))
	reader.DescribeSpan(span, &inv)
	assert.Equal(t, "eu-west-1", inv.Region)
	assert.Equal(t, presumed, inv.Kind.String())
}
