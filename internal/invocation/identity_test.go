// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package invocation

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
)

// identify reads a record and returns its content id.
func identify(t *testing.T, record plog.LogRecord) string {
	t.Helper()
	inv, ok := readWith(defaults(), record)
	require.True(t, ok)
	return inv.ContentID(Source{Record: record})
}

func attributeRecord() plog.LogRecord {
	record := plog.NewLogRecord()
	record.SetEventName("gen_ai.client.inference.operation.details")
	record.Body().SetStr("body")
	attrs := record.Attributes()
	attrs.PutStr("gen_ai.operation.name", "chat")
	attrs.PutStr("gen_ai.request.model", "amazon.nova-pro-v1:0")
	attrs.PutStr("enduser.id", "alice")
	attrs.PutStr("gen_ai.response.model", "amazon.nova-pro-v1:0")
	attrs.PutInt("gen_ai.usage.output_tokens", 7)
	return record
}

// Two invocations must not be taken for one: any difference makes them two.
func TestRecordsThatDifferAnywhereAreTwoInvocations(t *testing.T) {
	ids := map[string]string{}
	for what, change := range map[string]func(plog.LogRecord){
		"as it is":      func(plog.LogRecord) {},
		"event name":    func(r plog.LogRecord) { r.SetEventName(""); r.Attributes().PutStr("event.name", "gen_ai.choice") },
		"body":          func(r plog.LogRecord) { r.Body().SetStr("other body") },
		"no body":       func(r plog.LogRecord) { pcommon.NewValueEmpty().CopyTo(r.Body()) },
		"empty body":    func(r plog.LogRecord) { r.Body().SetStr("") },
		"body in bytes": func(r plog.LogRecord) { r.Body().SetEmptyBytes().FromRaw([]byte("body")) },
		"body true":     func(r plog.LogRecord) { r.Body().SetBool(true) },
		"body false":    func(r plog.LogRecord) { r.Body().SetBool(false) },
		"body 0":        func(r plog.LogRecord) { r.Body().SetInt(0) },
		"body 1":        func(r plog.LogRecord) { r.Body().SetInt(1) },
		"body 1.0":      func(r plog.LogRecord) { r.Body().SetDouble(1) },
		"body []":       func(r plog.LogRecord) { r.Body().SetEmptySlice() },
		"body {}":       func(r plog.LogRecord) { r.Body().SetEmptyMap() },
		"body [a b]":    func(r plog.LogRecord) { putList(r.Body(), "a", "b") },
		"body [ab]":     func(r plog.LogRecord) { putList(r.Body(), "ab") },
		"body [b a]":    func(r plog.LogRecord) { putList(r.Body(), "b", "a") },
		"body [[a] b]": func(r plog.LogRecord) {
			putList(r.Body().SetEmptySlice().AppendEmpty(), "a")
			r.Body().Slice().AppendEmpty().SetStr("b")
		},
		"body {a: b}":           func(r plog.LogRecord) { r.Body().SetEmptyMap().PutStr("a", "b") },
		"body {a: {b: c}}":      func(r plog.LogRecord) { r.Body().SetEmptyMap().PutEmptyMap("a").PutStr("b", "c") },
		"attribute's value":     func(r plog.LogRecord) { r.Attributes().PutInt("gen_ai.usage.output_tokens", 8) },
		"attribute's type":      func(r plog.LogRecord) { r.Attributes().PutStr("gen_ai.usage.output_tokens", "7") },
		"one attribute more":    func(r plog.LogRecord) { r.Attributes().PutStr("a", "") },
		"one attribute fewer":   func(r plog.LogRecord) { r.Attributes().Remove("enduser.id") },
		"key and value moved":   func(r plog.LogRecord) { r.Attributes().PutStr("ab", "c") },
		"key and value shifted": func(r plog.LogRecord) { r.Attributes().PutStr("a", "bc") },
		"many zeros":            func(r plog.LogRecord) { r.Body().SetStr(strings.Repeat("\x00", 9)) },
		"a zero more":           func(r plog.LogRecord) { r.Body().SetStr(strings.Repeat("\x00", 10)) },
	} {
		record := attributeRecord()
		change(record)
		id := identify(t, record)
		assert.Len(t, id, 32)
		assert.Empty(t, ids[id], "%s: the same id", what)
		ids[id] = what
	}
}

// Six calls with the same attributes, except for when and where they were made, count as
// six; a call that an SDK sends again counts once.
func TestCallsWithTheSameAttributesCountSeparately(t *testing.T) {
	ids := map[string]string{}
	for what, change := range map[string]func(plog.LogRecord){
		"as it is":            func(plog.LogRecord) {},
		"trace":               func(r plog.LogRecord) { r.SetTraceID([16]byte{1}) },
		"span":                func(r plog.LogRecord) { r.SetSpanID([8]byte{1}) },
		"time":                func(r plog.LogRecord) { r.SetTimestamp(1) },
		"time of observation": func(r plog.LogRecord) { r.SetObservedTimestamp(2) },
	} {
		record := attributeRecord()
		change(record)
		id := identify(t, record)
		assert.Empty(t, ids[id], "%s: the same id", what)
		ids[id] = what
		assert.Equal(t, id, identify(t, record), "%s: a retry", what)
	}

	record := attributeRecord()
	record.SetTimestamp(1)
	want := identify(t, record)
	record.SetObservedTimestamp(2)
	assert.Equal(t, want, identify(t, record), "a collector may set the time of observation of a call that states its time")
}

// A record that is delivered twice must count once.
func TestDeliveriesOfARecordAreOneInvocation(t *testing.T) {
	for name, record := range everyForm() {
		t.Run(name, func(t *testing.T) {
			record.SetTimestamp(12345)
			want := identify(t, record)
			again := plog.NewLogRecord()
			record.CopyTo(again)
			again.SetObservedTimestamp(67890)
			again.SetSeverityText("INFO")
			assert.Equal(t, want, identify(t, again))

			again.Attributes().PutStr("gen_ai_guardrail.verdict", "guarded")
			again.Attributes().PutStr("gen_ai_guardrail.anything", "else")
			assert.Equal(t, want, identify(t, again), "this project's own annotations")
		})
	}
}

// What a pipeline adds to a Bedrock record, such as the name of a file or an offset, may
// differ between two deliveries of it.
func TestAttributesDoNotChangeTheIdentityOfABedrockRecord(t *testing.T) {
	for name, record := range bedrockForms() {
		if name == "split" { // its attributes are the record
			continue
		}
		t.Run(name, func(t *testing.T) {
			want := identify(t, record)
			record.Attributes().PutStr("log.file.name", "other.json.gz")
			record.SetEventName("bedrock")
			assert.Equal(t, want, identify(t, record))
		})
	}
}

// A sender that retries sends the record as this project left it, with its annotations.
func TestAnnotatedRecordIsTheSameInvocation(t *testing.T) {
	for name, record := range everyForm() {
		t.Run(name, func(t *testing.T) {
			want := identify(t, record)
			inv, _ := readWith(defaults(), record)
			inv.Annotate(record, "partition")
			assert.Equal(t, want, identify(t, record))
		})
	}
}

func putList(value pcommon.Value, elements ...string) {
	list := value.SetEmptySlice()
	for _, element := range elements {
		list.AppendEmpty().SetStr(element)
	}
}
