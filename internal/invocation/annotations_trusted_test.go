// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package invocation

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"pgregory.net/rapid"
)

// trusted reads a record as a detector does that is downstream of annotating instances.
func trusted(record plog.LogRecord) (*Invocation, bool) {
	options := defaults()
	options.TrustAnnotations = true
	return readWith(options, record)
}

// same requires two readings to agree. Annotations do not carry the versions of guardrails.
func same(t require.TestingT, want, got *Invocation, message string) {
	ids := func(inv *Invocation) (ids []string) {
		for _, g := range inv.Guardrails {
			ids = append(ids, g.ID)
		}
		return ids
	}
	type facts struct {
		Kind
		intervened                                             bool
		time                                                   int64
		source                                                 TimeSource
		id, user, principal, account, region, model, operation string
	}
	of := func(inv *Invocation) facts {
		return facts{
			inv.Kind, inv.Intervened, inv.Time, inv.TimeSource,
			inv.RequestID, inv.User, inv.Principal, inv.Account, inv.Region, inv.Model, inv.Operation,
		}
	}
	require.Equal(t, of(want), of(got), message)
	require.Equal(t, ids(want), ids(got), message)
	if want.RequestID == "" {
		require.Equal(t, want.contentID, got.contentID, message)
	}
}

// A detector downstream of annotating instances counts what they saw, also when the
// bodies, which hold prompts and answers, were removed in between.
func TestDetectorReadsWhatTheEdgeSaw(t *testing.T) {
	for name, record := range everyForm() {
		t.Run(name, func(t *testing.T) {
			want, ok := readWith(defaults(), record)
			require.True(t, ok)
			want.contentID = want.ContentID(Source{Record: record})
			want.Annotate(record, "")

			got, ok := trusted(record)
			require.True(t, ok)
			same(t, want, got, "as it was sent")

			pcommon.NewValueEmpty().CopyTo(record.Body())
			got, ok = trusted(record)
			require.True(t, ok)
			same(t, want, got, "without the body")
			got.Annotate(record, "")
		})
	}
}

// Several attributes may state a field; edge and detector must take it from the same one.
func TestDetectorReadsFieldsFromWhereTheEdgeDid(t *testing.T) {
	checkFields(t, defaults())
}

func TestDetectorReadsTheUserFromWhereTheEdgeDid(t *testing.T) {
	options := defaults()
	options.UserKeys = []string{"enduser.id", "user.id"}
	checkFields(t, options)
}

// checkFields requires an edge and a detector to read the same fields from records with
// random attributes.
func checkFields(t *testing.T, options Options) {
	t.Helper()
	keys := []string{
		"user.id", "enduser.id", "enduser.pseudo.id", "cloud.account.id", "cloud.region", "gen_ai.request.model", "gen_ai.request.model.id",
		"rpc.method", "event.action", "gen_ai.operation.name", "aws.request_id", "gen_ai.response.id", "gen_ai.request.id",
	}
	rapid.Check(t, func(t *rapid.T) {
		draw := func(attrs pcommon.Map, level string) {
			for _, key := range keys {
				switch rapid.IntRange(0, 5).Draw(t, level+" "+key) {
				case 0:
					attrs.PutStr(key, key+" of "+level)
				case 1:
					attrs.PutStr(key, "")
				case 2:
					attrs.PutInt(key, 42)
				}
			}
		}
		record, resource, scope := plog.NewLogRecord(), pcommon.NewResource(), pcommon.NewInstrumentationScope()
		record.SetEventName(rapid.SampledFrom([]string{"", detailsEvent}).Draw(t, "event"))
		record.SetTimestamp(pcommon.Timestamp(callTimeNS))
		draw(record.Attributes(), "record")
		draw(scope.Attributes(), "scope")
		draw(resource.Attributes(), "resource")
		want, got := new(Invocation), new(Invocation)
		if !readOne(NewReader(options), resource, scope, record, want) {
			return
		}
		want.contentID = want.ContentID(Source{Record: record})
		want.Annotate(record, "")
		detector := options
		detector.TrustAnnotations = true
		require.True(t, readOne(NewReader(detector), resource, scope, record, got))
		same(t, want, got, "")
	})
}

// Without the setting, annotations that a caller wrote must have no effect.
func TestAnnotationsAreIgnoredUnlessTrusted(t *testing.T) {
	record := bedrockForms()["without answer"]
	record.Attributes().PutStr("gen_ai_guardrail.verdict", "guarded")
	record.Attributes().PutStr("gen_ai_guardrail.evidence", "applied")
	inv, ok := readWith(defaults(), record)
	require.True(t, ok)
	assert.Equal(t, Kind{Unknown, NoBody}, inv.Kind)
}

// A record with an invalid verdict is read as if it had none, or callers could hide it.
func TestInvalidVerdictsAreIgnored(t *testing.T) {
	for name, annotate := range map[string]func(pcommon.Map){
		"no evidence":       func(m pcommon.Map) { m.PutStr(attrVerdict, "guarded") },
		"no verdict":        func(m pcommon.Map) { m.PutStr(attrEvidence, "applied") },
		"no such kind":      func(m pcommon.Map) { m.PutStr(attrVerdict, "unguarded"); m.PutStr(attrEvidence, "applied") },
		"not a verdict":     func(m pcommon.Map) { m.PutStr(attrVerdict, "fine"); m.PutStr(attrEvidence, "applied") },
		"wrong type":        func(m pcommon.Map) { m.PutInt(attrVerdict, 2); m.PutStr(attrEvidence, "applied") },
		"not an invocation": func(m pcommon.Map) { m.PutStr(attrVerdict, "not_invocation"); m.PutStr(attrEvidence, "") },
	} {
		t.Run(name, func(t *testing.T) {
			record := bedrockForms()["text"]
			annotate(record.Attributes())
			inv, ok := trusted(record)
			require.True(t, ok)
			assert.Equal(t, Kind{Guarded, Applied}, inv.Kind)

			other := plog.NewLogRecord()
			annotate(other.Attributes())
			_, ok = trusted(other)
			assert.False(t, ok)
		})
	}
}

// A detector that reads its own alerts would alert on them.
func TestAlertsAreNeverInvocations(t *testing.T) {
	for name, record := range everyForm() {
		t.Run(name, func(t *testing.T) {
			inv, _ := readWith(defaults(), record)
			inv.Annotate(record, "")
			record.SetEventName(AlertEvent)
			_, ok := readWith(defaults(), record)
			assert.False(t, ok)
			_, ok = trusted(record)
			assert.False(t, ok)
		})
	}
}
