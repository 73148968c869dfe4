// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
)

// mix says which part of a load is unguarded, and by how many users.
type mix struct {
	name        string
	invocations bool
	every       int // one in this many is unguarded; 0: none
	users       int
}

var mixes = []mix{
	{name: "a: no invocations"},
	{name: "b: all guarded", invocations: true, users: 10_000},
	{name: "c: 1 in 10 unguarded, 10,000 users", invocations: true, every: 10, users: 10_000},
	{name: "d: all unguarded, 1,000,000 users", invocations: true, every: 1, users: 1_000_000},
}

const (
	mixNone, mixGuarded, mixSome, mixAll = 0, 1, 2, 3

	account = "111122223333"
	region  = "us-east-1"
	model   = "anthropic.claude-3-haiku-20240307-v1:0"
)

// load holds prepared batches of records of one shape and mix.
type load struct {
	mix       mix
	size      int // of a Bedrock body, in bytes; 0: attribute records
	batches   []plog.Logs
	serial    int // number of the next unguarded invocation
	unguarded []plog.LogRecord
}

// newLoad returns a load of batches of n records each, with bodies of size bytes.
func newLoad(m mix, size, batches, n int) *load {
	l := &load{mix: m, size: size}
	for i := range batches {
		logs := plog.NewLogs()
		resource := logs.ResourceLogs().AppendEmpty()
		resource.Resource().Attributes().PutStr("service.name", "assistant")
		resource.Resource().Attributes().PutStr("host.name", "host-1")
		scope := resource.ScopeLogs().AppendEmpty()
		scope.Scope().SetName("instrumentation")
		for j := range n {
			record := scope.LogRecords().AppendEmpty()
			serial := i*n + j
			switch {
			case !m.invocations:
				l.other(record, serial)
			case m.every > 0 && serial%m.every == 0:
				l.call(record, serial, false)
				l.unguarded = append(l.unguarded, record)
			default:
				l.call(record, serial, true)
			}
		}
		l.batches = append(l.batches, logs)
	}
	l.renew()
	return l
}

// renew turns the unguarded invocations into new ones, so that none of them is a
// repeat. No user makes more than one in a minute, so none alerts.
func (l *load) renew() {
	for _, record := range l.unguarded {
		l.call(record, l.serial, false)
		l.serial++
	}
}

var start = time.Date(2026, 5, 2, 7, 30, 0, 0, time.UTC)

// call writes an invocation to a record.
func (l *load) call(record plog.LogRecord, serial int, guarded bool) {
	users := max(1, l.mix.users)
	user := fmt.Sprintf("arn:aws:sts::%s:assumed-role/service-%06d/session", account, serial%users)
	id := fmt.Sprintf("0d4c2b1a-0000-4000-8000-%012d", serial)
	at := start.Add(time.Duration(serial/users) * time.Minute)
	if l.size > 0 {
		record.SetObservedTimestamp(pcommon.NewTimestampFromTime(at))
		record.Body().SetStr(bedrockBody(user, id, at, guarded, l.size))
		return
	}
	record.SetEventName("gen_ai.client.inference.operation.details")
	record.SetTimestamp(pcommon.NewTimestampFromTime(at))
	attrs := record.Attributes()
	attrs.PutStr("gen_ai.operation.name", "chat")
	attrs.PutStr("gen_ai.provider.name", "aws.bedrock")
	attrs.PutStr("gen_ai.request.model", model)
	attrs.PutStr("gen_ai.response.id", id)
	attrs.PutInt("gen_ai.usage.input_tokens", 12)
	attrs.PutInt("gen_ai.usage.output_tokens", 34)
	attrs.PutStr("user.id", user)
	attrs.PutStr("cloud.account.id", account)
	attrs.PutStr("cloud.region", region)
	attrs.PutStr("server.address", "bedrock-runtime.us-east-1.amazonaws.com")
	if guarded {
		attrs.PutStr("gen_ai.guardrail_id", "gr1a2b3c4d5e")
	} else {
		attrs.PutInt("server.port", 443)
	}
}

// other writes an access log to a record, as attributes or as JSON: no invocation.
func (l *load) other(record plog.LogRecord, serial int) {
	record.SetTimestamp(pcommon.NewTimestampFromTime(start))
	if l.size > 0 {
		record.Body().SetStr(accessBody(serial, l.size))
		return
	}
	record.Body().SetStr("GET /catalogue/" + strconv.Itoa(serial) + " 200")
	attrs := record.Attributes()
	attrs.PutStr("http.request.method", "GET")
	attrs.PutInt("http.response.status_code", 200)
	attrs.PutStr("url.path", "/catalogue/"+strconv.Itoa(serial))
	attrs.PutStr("url.scheme", "https")
	attrs.PutStr("client.address", "192.0.2.17")
	attrs.PutStr("server.address", "catalogue.example.com")
	attrs.PutInt("server.port", 443)
	attrs.PutStr("user_agent.original", "Mozilla/5.0 (X11; Linux x86_64)")
	attrs.PutStr("network.protocol.version", "1.1")
	attrs.PutStr("log.file.name", "access.log")
	attrs.PutStr("service.version", "2.7.1")
}

// prose has about as many quotes and line ends as ordinary text, escaped as in JSON.
const prose = `The catalogue lists the third barometer as \"on loan\" since the spring, but the visitors' book says that it hung in ` +
	`the hall until June. Which of the two is right, and what should the label say?\n`

// messagesOf returns a conversation of about n bytes, as a request repeats it.
func messagesOf(n int) string {
	var b strings.Builder
	for turn := 0; b.Len() == 0 || b.Len() < n; turn++ {
		if turn > 0 {
			b.WriteByte(',')
		}
		role := [...]string{"user", "assistant"}[turn%2]
		b.WriteString(`{"role":"` + role + `","content":[{"type":"text","text":"` + strings.Repeat(prose, 4) + `"}]}`)
	}
	return b.String()
}

// bedrockBody returns a model-invocation log record of Amazon Bedrock in the order
// of newer records, which have the schema last.
func bedrockBody(user, id string, at time.Time, guarded bool, size int) string {
	evidence := ""
	if guarded {
		evidence = `,"amazon-bedrock-guardrailAction":"NONE","amazon-bedrock-trace":{"guardrail":{"input":{"gr1a2b3c4d5e":` +
			`{"invocationMetrics":{"guardrailProcessingLatency":412,"usage":{"topicPolicyUnits":1,"contentPolicyUnits":1},` +
			`"guardrailCoverage":{"textCharacters":{"guarded":812,"total":812}}}}}}}`
	}
	return `{"timestamp":"` + at.Format(time.RFC3339) + `","accountId":"` + account + `","region":"` + region +
		`","requestId":"` + id + `","operation":"InvokeModel","modelId":"` + model +
		`","input":{"inputContentType":"application/json","inputBodyJson":{"anthropic_version":"bedrock-2023-05-31","max_tokens":512,` +
		`"messages":[` + messagesOf(size-1300) + `]},"inputTokenCount":412},"output":{"outputContentType":"application/json","outputBodyJson":{"id":"msg_bdrk_01",` +
		`"type":"message","role":"assistant","model":"claude-3-haiku-20240307","content":[{"type":"text","text":"` + prose +
		`"}],"stop_reason":"end_turn","stop_sequence":null,"usage":{"input_tokens":412,"output_tokens":48}` + evidence +
		`},"outputTokenCount":48},"identity":{"arn":"` + user +
		`"},"inferenceRegion":"` + region + `","schemaType":"ModelInvocationLog","schemaVersion":"1.0"}`
}

// accessBody returns an application's log record as JSON.
func accessBody(serial, size int) string {
	return `{"time":"2026-05-02T07:30:00Z","level":"info","message":"request served","request":{"id":"` + strconv.Itoa(serial) +
		`","method":"POST","path":"/catalogue/search","headers":{"host":"catalogue.example.com","accept":"application/json"}},` +
		`"response":{"status":200,"bytes":5120,"duration_ms":12.5},"user":{"name":"visitor","roles":["reader","guest"]},` +
		`"conversation":[` + messagesOf(size-600) + `]}`
}
