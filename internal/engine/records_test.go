// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package engine_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
)

const (
	account   = "111122223333"
	bytesBody = pcommon.ValueTypeBytes
)

// stampOf is a time as records have it.
func stampOf(t time.Time) pcommon.Timestamp { return pcommon.NewTimestampFromTime(t) }

// noon is when the tests' invocations begin.
var noon = time.Date(2026, 3, 14, 12, 0, 0, 0, time.UTC)

// call is an invocation of a model as a record is made of it.
type call struct {
	user     string
	id       string // empty: not in the record
	at       time.Time
	guarded  bool
	blocked  bool // by the guardrail
	converse bool // where an answer without evidence says less
	offload  bool // the answer is not in the record
	size     int  // of the record, in bytes, more or less
	quotes   bool // the prompt is JSON, and so full of quotes, instead of prose
}

// prose is what people ask of models, with as many quotes and line ends as usual.
const prose = "The catalogue lists the third barometer as \"on loan\" since the spring, but the visitors' book says that it hung in " +
	"the hall until June. Which of the two is right, and what should the label say?\n"

// envelope is about the size of a record without its prompt.
const envelope = 700

// bedrock returns a call as Amazon Bedrock logs it.
func (c call) bedrock() string {
	type object = map[string]any
	operation, answer := "InvokeModel", object{"type": "message", "content": []object{{"type": "text", "text": "an answer"}}}
	switch {
	case c.converse:
		operation = "Converse"
	case c.guarded:
		answer["amazon-bedrock-guardrailAction"] = "NONE"
		if c.blocked {
			answer["amazon-bedrock-guardrailAction"] = "INTERVENED"
		}
		answer["amazon-bedrock-trace"] = object{"guardrail": object{"input": object{"gr1": object{}}}}
	}
	output := object{"outputContentType": "application/json", "outputBodyJson": answer}
	if c.offload {
		output = object{"outputBodyS3Path": "s3://bucket/key"}
	}
	record := object{
		"schemaType": "ModelInvocationLog",
		"accountId":  account,
		"region":     "us-east-1",
		"operation":  operation,
		"modelId":    "anthropic.claude-3-haiku-20240307-v1:0",
		"input": object{"inputContentType": "application/json", "inputBodyJson": object{"messages": []object{
			{"role": "user", "content": c.prompt()},
		}}},
		"output": output,
	}
	if !c.at.IsZero() {
		record["timestamp"] = c.at.UTC().Format(time.RFC3339Nano)
	}
	if c.user != "" {
		record["identity"] = object{"arn": c.user}
	}
	if c.id != "" {
		record["requestId"] = c.id
	}
	text, err := json.Marshal(record)
	if err != nil {
		panic(err)
	}
	return string(text)
}

// prompt is as long as the record is to be.
func (c call) prompt() string {
	text := prose
	if c.quotes {
		text = `{"inventory":"B-1187","kind":"barometer","on_loan":true,"room":"east hall"},`
	}
	escaped := len(text) + strings.Count(text, `"`)
	return strings.Repeat(text, max(0, c.size-envelope)/escaped+1)
}

// event puts a call onto a record as the semantic conventions have it.
func (c call) event(record plog.LogRecord) {
	record.SetEventName("gen_ai.client.inference.operation.details")
	if !c.at.IsZero() {
		record.SetTimestamp(pcommon.NewTimestampFromTime(c.at))
	}
	attrs := record.Attributes()
	attrs.PutStr("gen_ai.operation.name", "chat")
	attrs.PutStr("gen_ai.provider.name", "aws.bedrock")
	attrs.PutStr("gen_ai.request.model", "anthropic.claude-3-haiku-20240307-v1:0")
	attrs.PutStr("cloud.account.id", account)
	attrs.PutStr("cloud.region", "us-east-1")
	attrs.PutInt("gen_ai.usage.input_tokens", 12)
	attrs.PutInt("gen_ai.usage.output_tokens", 34)
	if c.user != "" {
		attrs.PutStr("enduser.id", c.user)
	}
	if c.id != "" {
		attrs.PutStr("gen_ai.response.id", c.id)
	}
	if c.guarded {
		attrs.PutStr("aws.bedrock.guardrail.id", "gr1")
	}
}

// bedrockLogs has a record for each call.
func bedrockLogs(calls ...call) plog.Logs {
	logs, list := emptyLogs()
	for _, c := range calls {
		list.AppendEmpty().Body().SetStr(c.bedrock())
	}
	return logs
}

// eventLogs has an attribute record for each call.
func eventLogs(calls ...call) plog.Logs {
	logs, list := emptyLogs()
	for _, c := range calls {
		c.event(list.AppendEmpty())
	}
	return logs
}

func emptyLogs() (plog.Logs, plog.LogRecordSlice) {
	logs := plog.NewLogs()
	resource := logs.ResourceLogs().AppendEmpty()
	resource.Resource().Attributes().PutStr("aws.log.group.names", "/bedrock")
	scope := resource.ScopeLogs().AppendEmpty()
	scope.Scope().SetName("receiver")
	return logs, scope.LogRecords()
}

// burst is n calls of a user, a second apart.
func burst(user string, n int) []call {
	calls := make([]call, n)
	for i := range calls {
		calls[i] = call{user: user, id: fmt.Sprint(user, "-", i), at: noon.Add(time.Duration(i) * time.Second)}
	}
	return calls
}

func guarded(calls []call) []call {
	for i := range calls {
		calls[i].guarded = true
	}
	return calls
}
