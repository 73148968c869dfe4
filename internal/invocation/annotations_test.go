// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package invocation

import (
	"encoding/json"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"pgregory.net/rapid"
)

// defaults are the settings as they are when none is given.
func defaults() Options {
	return Options{
		GuardrailKeys:     []string{"gen_ai.guardrail_id", "gen_ai.guardrail.id", "aws.bedrock.guardrail.id", "gen_ai.bedrock.guardrail.id"},
		UserKeys:          []string{"user.id", "enduser.id", "enduser.pseudo.id"},
		Providers:         []string{"aws.bedrock", "bedrock", "aws"},
		UnguardableModels: []string{"amazon.titan-embed-*"},
	}
}

// readOne reads a record that stands alone.
func readOne(r *Reader, resource pcommon.Resource, scope pcommon.InstrumentationScope, record plog.LogRecord, inv *Invocation) bool {
	r.Enter(resource, scope, inv)
	if !r.Read(record, inv) {
		return false
	}
	r.Describe(record, inv)
	return true
}

func readWith(options Options, record plog.LogRecord) (*Invocation, bool) {
	inv := new(Invocation)
	ok := readOne(NewReader(options), pcommon.NewResource(), pcommon.NewInstrumentationScope(), record, inv)
	return inv, ok
}

const callTime = "2026-03-14T09:12:00Z"

var callTimeNS = time.Date(2026, 3, 14, 9, 12, 0, 0, time.UTC).UnixNano()

// bedrock is a guarded call as the service logs it.
func bedrock() map[string]any {
	assessment := map[string]any{
		"gr1": map[string]any{"appliedGuardrailDetails": map[string]any{"guardrailVersion": "7"}},
		"gr2": map[string]any{},
	}
	return map[string]any{
		"schemaType": "ModelInvocationLog",
		"timestamp":  callTime,
		"accountId":  "111122223333",
		"region":     "us-east-1",
		"requestId":  "r1",
		"operation":  "Converse",
		"modelId":    "amazon.nova-pro-v1:0",
		"identity":   map[string]any{"arn": "arn:aws:sts::111122223333:assumed-role/bot/session"},
		"output": map[string]any{"outputBodyJson": map[string]any{
			"output": map[string]any{"message": "hello"},
			"trace":  map[string]any{"guardrail": map[string]any{"inputAssessment": assessment}},
		}},
	}
}

// bedrockForms are that call in every form that pipelines give it, and other
// calls that tell less.
func bedrockForms() map[string]plog.LogRecord {
	text := func(call map[string]any) plog.LogRecord {
		record := plog.NewLogRecord()
		encoded, err := json.Marshal(call)
		if err != nil {
			panic(err)
		}
		record.Body().SetStr(string(encoded))
		return record
	}
	without := func(keys ...string) map[string]any {
		call := bedrock()
		for _, key := range keys {
			delete(call, key)
		}
		return call
	}
	forms := map[string]plog.LogRecord{
		"text":            text(bedrock()),
		"without answer":  text(without("output")),
		"without id":      text(without("requestId")),
		"without user":    text(without("identity")),
		"without time":    text(without("timestamp")),
		"without account": text(without("accountId", "region")),
		"cut off":         text(bedrock()),
		"bytes":           plog.NewLogRecord(),
		"map":             plog.NewLogRecord(),
		"split":           plog.NewLogRecord(),
	}
	whole := forms["text"].Body().Str()
	forms["cut off"].Body().SetStr(whole[:strings.Index(whole, `"timestamp"`)])
	forms["bytes"].Body().SetEmptyBytes().FromRaw([]byte(whole))
	if err := forms["map"].Body().SetEmptyMap().FromRaw(bedrock()); err != nil {
		panic(err)
	}
	if err := forms["split"].Attributes().FromRaw(bedrock()); err != nil {
		panic(err)
	}
	return forms
}

// everyForm has attribute records as well.
func everyForm() map[string]plog.LogRecord {
	forms := bedrockForms()
	attributes := func(event string, attrs map[string]any) plog.LogRecord {
		record := plog.NewLogRecord()
		record.SetEventName(event)
		record.SetTimestamp(pcommon.Timestamp(callTimeNS))
		if err := record.Attributes().FromRaw(attrs); err != nil {
			panic(err)
		}
		return record
	}
	maps.Copy(forms, map[string]plog.LogRecord{
		"details": attributes("gen_ai.client.inference.operation.details", map[string]any{
			"gen_ai.operation.name": "chat", "gen_ai.request.model": "m", "user.id": "alice", "gen_ai.response.id": "r1",
			"gen_ai.provider.name": "aws.bedrock", "cloud.account.id": 111122223333, "cloud.region": "eu-west-1",
			"aws.bedrock.guardrail.id": "arn:aws:bedrock:us-east-1:111122223333:guardrail/gr1",
		}),
		"choice":         attributes("gen_ai.choice", map[string]any{"gen_ai.system": "aws.bedrock", "enduser.id": "alice"}),
		"other provider": attributes("gen_ai.choice", map[string]any{"gen_ai.system": "openai", "enduser.id": "alice"}),
		"no event": attributes("", map[string]any{
			"gen_ai.operation.name": "chat", "gen_ai.request.model": "m", "enduser.pseudo.id": "alice", "error.type": "throttled",
		}),
		"ECS": attributes("", map[string]any{
			"gen_ai.request.model.id": "m", "event.action": "InvokeModel", "gen_ai.request.id": "r1",
			"user.id": "arn:aws:sts::1:assumed-role/bot/session", "gen_ai.compliance.violation_detected": true,
		}),
		"nothing told": attributes("gen_ai.choice", map[string]any{"gen_ai.output.messages": []any{"x"}}),
	})
	forms["nothing told"].SetTimestamp(0)
	forms["nothing told"].SetObservedTimestamp(pcommon.Timestamp(callTimeNS))
	return forms
}

func text(record plog.LogRecord, key string) string {
	value, ok := record.Attributes().Get(key)
	if !ok {
		return ""
	}
	return value.AsString()
}

// A backend, a load balancer and a detector behind all go by what is written here.
func TestAnnotateWritesVerdictAndFields(t *testing.T) {
	record := bedrockForms()["text"]
	inv, ok := readWith(defaults(), record)
	require.True(t, ok)
	inv.Annotate(record, "0123456789abcdef")

	assert.Equal(t, map[string]any{
		"gen_ai_guardrail.verdict":       "guarded",
		"gen_ai_guardrail.evidence":      "applied",
		"gen_ai_guardrail.guardrail_ids": []any{"gr1", "gr2"},
		"gen_ai_guardrail.principal":     "arn:aws:sts::111122223333:assumed-role/bot",
		"gen_ai_guardrail.partition":     "0123456789abcdef",
		"user.id":                        "arn:aws:sts::111122223333:assumed-role/bot/session",
		"cloud.account.id":               "111122223333",
		"cloud.region":                   "us-east-1",
		"gen_ai.request.model":           "amazon.nova-pro-v1:0",
		"rpc.method":                     "Converse",
		"aws.request_id":                 "r1",
	}, record.Attributes().AsRaw())
	assert.EqualValues(t, callTimeNS, record.Timestamp())
}

func TestAnnotateLeavesOutWhatIsNotKnown(t *testing.T) {
	record := plog.NewLogRecord()
	record.SetEventName("gen_ai.choice")
	inv, ok := readWith(defaults(), record)
	require.True(t, ok)
	id := inv.ContentID(record)
	inv.Annotate(record, "")
	assert.Equal(t, map[string]any{
		"gen_ai_guardrail.verdict":  "unguarded",
		"gen_ai_guardrail.evidence": "presumed",
		"gen_ai_guardrail.id":       id,
	}, record.Attributes().AsRaw())
	assert.Zero(t, record.Timestamp())
}

// A caller must not be able to write its own verdict.
func TestInboundAnnotationsAreRemoved(t *testing.T) {
	for name, record := range everyForm() {
		t.Run(name, func(t *testing.T) {
			forged := []string{"verdict", "evidence", "intervened", "id", "principal", "partition", "anything", ""}
			for _, key := range forged {
				record.Attributes().PutStr("gen_ai_guardrail."+key, "forged")
			}
			record.Attributes().PutEmptySlice("gen_ai_guardrail.guardrail_ids").AppendEmpty().SetStr("forged")
			inv, ok := readWith(defaults(), record)
			require.True(t, ok)
			inv.Annotate(record, "")
			for key, value := range record.Attributes().All() {
				assert.NotContains(t, value.AsString(), "forged", key)
			}
		})
	}
}

// What the service states is true; an attribute beside it may be anybody's.
func TestBedrockRecordOverrulesAttributes(t *testing.T) {
	for name, record := range bedrockForms() {
		if name != "text" && name != "bytes" && name != "map" && name != "split" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			fields := map[string]string{
				"user.id":          "arn:aws:sts::111122223333:assumed-role/bot/session",
				"cloud.account.id": "111122223333", "cloud.region": "us-east-1", "gen_ai.request.model": "amazon.nova-pro-v1:0",
				"rpc.method": "Converse", "aws.request_id": "r1",
			}
			for key := range fields {
				record.Attributes().PutStr(key, "other")
			}
			inv, ok := readWith(defaults(), record)
			require.True(t, ok)
			inv.Annotate(record, "")
			for key, want := range fields {
				assert.Equal(t, want, text(record, key), key)
			}
		})
	}
}

// Attributes of an attribute record are its source: what is there stays, whatever its type.
func TestAttributeRecordsAreNotOverwritten(t *testing.T) {
	record := everyForm()["details"]
	before := record.Attributes().AsRaw()
	inv, ok := readWith(defaults(), record)
	require.True(t, ok)
	inv.Annotate(record, "")
	after := record.Attributes().AsRaw()
	for key, value := range before {
		assert.Equal(t, value, after[key], key)
	}
	assert.Equal(t, "r1", after["aws.request_id"], "what was missing is added")

	record = everyForm()["details"]
	record.Attributes().PutStr("user.id", "")
	record.Attributes().PutStr("enduser.id", "alice")
	inv, _ = readWith(defaults(), record)
	inv.Annotate(record, "")
	assert.Equal(t, "alice", text(record, "user.id"), "an empty one is as good as none")
}

// Without its body a record has only its timestamp left, which must be that of the
// call. A time that nothing states must not look stated: it differs with every delivery.
func TestTimestampIsThatOfTheCall(t *testing.T) {
	for name, test := range map[string]struct {
		form                      string
		timestamp, observed, want pcommon.Timestamp
	}{
		"stated in the body":  {"text", 0, 5, pcommon.Timestamp(callTimeNS)},
		"that of a forwarder": {"text", 7, 5, pcommon.Timestamp(callTimeNS)},
		"none in the body":    {"without time", 7, 5, 7},
		"only observed":       {"without time", 0, 5, 0},
		"none at all":         {"without time", 0, 0, 0},
		"an attribute record": {"details", pcommon.Timestamp(callTimeNS), 5, pcommon.Timestamp(callTimeNS)},
	} {
		t.Run(name, func(t *testing.T) {
			record := everyForm()[test.form]
			record.SetTimestamp(test.timestamp)
			record.SetObservedTimestamp(test.observed)
			inv, ok := readWith(defaults(), record)
			require.True(t, ok)
			inv.Annotate(record, "")
			assert.Equal(t, test.want, record.Timestamp())
			assert.Equal(t, test.observed, record.ObservedTimestamp())
		})
	}
}

// trusted reads a record as a detector behind annotating instances does.
func trusted(record plog.LogRecord) (*Invocation, bool) {
	options := defaults()
	options.TrustAnnotations = true
	return readWith(options, record)
}

// same wants two readings to count alike. Versions of guardrails are not carried.
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

// A detector behind annotating instances counts what they saw, also where the
// bodies, which hold prompts and answers, were left out on the way.
func TestDetectorReadsWhatTheEdgeSaw(t *testing.T) {
	for name, record := range everyForm() {
		t.Run(name, func(t *testing.T) {
			want, ok := readWith(defaults(), record)
			require.True(t, ok)
			want.contentID = want.ContentID(record)
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

// Fields that several attributes could tell are told by one of them, at the edge and behind it.
func TestDetectorReadsFieldsFromWhereTheEdgeDid(t *testing.T) {
	checkFields(t, defaults())
}

func TestDetectorReadsTheUserFromWhereTheEdgeDid(t *testing.T) {
	options := defaults()
	options.UserKeys = []string{"enduser.id", "user.id"}
	checkFields(t, options)
}

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
		want.contentID = want.ContentID(record)
		want.Annotate(record, "")
		behind := options
		behind.TrustAnnotations = true
		require.True(t, readOne(NewReader(behind), resource, scope, record, got))
		same(t, want, got, "")
	})
}

// Without the setting, a caller's own annotations are nothing.
func TestAnnotationsAreNotTrustedUnasked(t *testing.T) {
	record := bedrockForms()["without answer"]
	record.Attributes().PutStr("gen_ai_guardrail.verdict", "guarded")
	record.Attributes().PutStr("gen_ai_guardrail.evidence", "applied")
	inv, ok := readWith(defaults(), record)
	require.True(t, ok)
	assert.Equal(t, Kind{Unknown, NoBody}, inv.Kind)
}

// A verdict that nobody gives is none; the record is read as if it had none.
func TestUnknownAnnotationsAreReadPast(t *testing.T) {
	for name, annotate := range map[string]func(pcommon.Map){
		"no evidence":       func(m pcommon.Map) { m.PutStr(attrVerdict, "guarded") },
		"no verdict":        func(m pcommon.Map) { m.PutStr(attrEvidence, "applied") },
		"cannot go along":   func(m pcommon.Map) { m.PutStr(attrVerdict, "unguarded"); m.PutStr(attrEvidence, "applied") },
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
