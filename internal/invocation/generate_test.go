// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package invocation_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"example.com/otelcol-guardrail/internal/invocation"
)

// What is generated: a value is a string, float64, int, bool, nil, verbatim,
// members or values.
type (
	value    any
	verbatim string // JSON text as it stands
	member   struct {
		key   string
		value value
	}
	members []member
	values  []value
)

// A generator builds random records, all of a record from one seed.
type generator struct{ *rand.Rand }

func newGenerator(seed uint64) generator {
	return generator{rand.New(rand.NewPCG(seed, 0))}
}

func (g generator) chance(percent int) bool { return g.IntN(100) < percent }

func pick[T any](g generator, from ...T) T { return from[g.IntN(len(from))] }

// optionSets are the settings under which records are read; a record's seed
// picks one.
var optionSets = func() []invocation.Options {
	plain := invocation.Options{
		GuardrailKeys:     []string{"gen_ai.guardrail_id", "gen_ai.guardrail.id", "aws.bedrock.guardrail.id", "gen_ai.bedrock.guardrail.id"},
		UserKeys:          []string{"user.id", "enduser.id", "enduser.pseudo.id", "service.name"},
		Providers:         []string{"aws.bedrock", "bedrock", "aws"},
		SilentScopes:      []string{"opentelemetry.instrumentation.botocore*", "@opentelemetry/instrumentation-openai"},
		UnguardableModels: []string{"amazon.titan-embed-*", "amazon.nova-*embed*", "cohere.embed-*", "*.rerank-*", "amazon.nova-*sonic*"},
	}
	approved := plain
	approved.ApprovedGuardrails = []string{"k1", "k2:3", "arn:aws:bedrock:us-east-1:111122223333:guardrail/k4:1", "arn:aws:bedrock:us-east-1:111122223333:guardrail/k5"}
	assumed := plain
	assumed.AssumeGuarded = []invocation.Pattern{
		{Account: "111122223333", Region: "us-*"},
		{Principal: "arn:aws:iam::*:role/Batch"},
		{User: "u-*", Until: time.Date(2026, 3, 14, 9, 12, 40, 500, time.UTC)},
		{Model: "amazon.*", Operation: "Invoke*"},
		{Principal: "arn:*:sts::444455556666:assumed-role/*"},
	}
	both := approved
	both.AssumeGuarded = assumed.AssumeGuarded
	both.UnguardableModels = []string{"*"}
	bare := invocation.Options{GuardrailKeys: []string{"my.guardrail"}, Providers: []string{"*"}, UnguardableModels: []string{"amazon.*", "*.embed*"}}
	return []invocation.Options{plain, plain, approved, assumed, both, bare}
}()

// generate builds a log with one record in it.
func generate(seed uint64) (plog.Logs, invocation.Options) {
	g := newGenerator(seed)
	options := pick(g, optionSets...)
	logs := plog.NewLogs()
	resource := logs.ResourceLogs().AppendEmpty()
	scope := resource.ScopeLogs().AppendEmpty()
	log := scope.LogRecords().AppendEmpty()
	if g.chance(40) {
		g.sourceFields(resource.Resource().Attributes())
	}
	if g.chance(25) {
		g.sourceFields(scope.Scope().Attributes())
	}
	if g.chance(40) {
		scope.Scope().SetName(pick(g, "opentelemetry.instrumentation.botocore.bedrock-runtime", "@opentelemetry/instrumentation-openai", "desk", "opentelemetry.instrumentation.botocore/x"))
	}
	if g.chance(70) {
		log.SetTimestamp(pick[pcommon.Timestamp](g, 0, 1, 1773479560000000000, math.MaxInt64, math.MaxUint64))
	}
	if g.chance(70) {
		log.SetObservedTimestamp(pick[pcommon.Timestamp](g, 0, 1773479560812000000))
	}
	if g.chance(70) {
		if g.chance(30) {
			g.sourceFields(log.Attributes())
		}
		if g.chance(5) {
			g.attributeRecord(log)
		}
		g.bedrockRecord(log)
	} else {
		g.attributeRecord(log)
	}
	return logs, options
}

// bedrockRecord puts a Bedrock record into a log record, in one of the ways in
// which it arrives.
func (g generator) bedrockRecord(log plog.LogRecord) {
	record := g.doubled(g.bedrock)
	for g.chance(30) {
		record, _ = g.disturb(record).(members)
	}
	switch form := g.IntN(100); {
	case form < 75:
		body := g.render(record)
		for g.chance(25) {
			body = g.damage(body)
		}
		if g.chance(25) {
			body = g.wrap(body)
		}
		switch {
		case form < 60:
			log.Body().SetStr(body)
		case form < 66:
			log.Attributes().PutStr(g.wrapper(), body)
		case form < 69:
			g.put(log.Body(), members{{"level", "info"}, {g.wrapper(), body}})
		default:
			log.Body().SetEmptyBytes().FromRaw([]byte(body))
		}
	case form < 88:
		body := value(g.parsed(record))
		if g.chance(20) {
			body = pick[value](g, members{{g.wrapper(), body}}, values{body}, values{body, body}, members{{"time", 5}, {g.wrapper(), values{members{{g.wrapper(), body}}}}})
		}
		g.put(log.Body(), body)
	default:
		log.Attributes().EnsureCapacity(len(record))
		for _, m := range g.flattened(g.parsed(record)) {
			g.put(log.Attributes().PutEmpty(m.key), m.value)
		}
	}
}

func (g generator) wrapper() string {
	return pick(g, "message", "log", "MESSAGE", "msg", "event.original", "log.record.original", "event", "original", "@message", "logEvents", "records", "payload", "Message")
}

// wrap puts a line into what shippers, loggers and tools put around lines, and nearly so.
func (g generator) wrap(line string) string {
	for again := true; again; again = g.chance(40) {
		other := func() string {
			return pick(g, line, `{"level":"info"}`, `{"message":"x"}`, "{", "", "7", `"x"`, "null")
		}
		member := func(v value) string {
			m := members{{g.wrapper(), v}}
			for _, more := range []member{{"time", "2026-03-14T09:12:40Z"}, {"stream", "stdout"}, {g.wrapper(), "GET / 200"}} {
				if g.chance(40) {
					m = append(m, more)
				}
			}
			if g.chance(50) {
				g.Shuffle(len(m), func(i, j int) { m[i], m[j] = m[j], m[i] })
			}
			return g.render(m)
		}
		switch g.IntN(12) {
		case 0, 1, 2:
			line = member(line + pick(g, "", "\n"))
		case 3:
			line = member(verbatim(line))
		case 4:
			line = member(values{verbatim(line)})
		case 5:
			line = pick(g, "[", "[ ", "[]") + line + pick(g, "]", "] ", "", "]x", ",") + pick(g, "", "", "]")
		case 6:
			line = "[" + other() + "," + line + "]"
		case 7:
			line = line + pick(g, "", " ", "\n", ",") + other()
		case 8:
			line = other() + pick(g, "", " ", "\n") + line
		case 9:
			line = strings.Repeat(pick(g, "\x00", " ", "\ufeff"), g.IntN(5)) + line + strings.Repeat("\x00", g.IntN(3))
		default:
			line = pick(g, "<14>1 2026-03-14T09:12:40Z desk relay 7 - - ", `<14>1 2026-03-14T09:12:40Z desk relay 7 ID [a@1 b="]\"{"] `, "<134>Mar 14 09:12:40 desk bedrock[71]: ", "Mar  4 09:12:40 desk bedrock: ",
				"2026-03-14T09:12:40.5+01:00 desk bedrock: ", "2026-03-14T09:12:40.123456789Z stdout F ", "2026-03-14 09:12:40,5 ", "[2026-03-14 09:12:40] ", "1773479560.5 ", "2026-03-14T09:12:40Z aws/bedrock/modelinvocations ",
				"2026-03-14T09:12:40Z\tdesk.bedrock\t", "@cee: ", "<14>", "<14>Mar 14 09:12:40 desk ", "2026-03-14T09:12:40Z INFO replay: ", "replay ", "2026-03-14T09:12:40Z replayed ", "Mar 14 09:12:40 desk replayed ", "12 <14>1 - - - - - - ") + line
		}
		if g.chance(5) {
			line = g.damage(line)
		}
	}
	return line
}

func (g generator) bedrock() members {
	operation := pick[value](g, "InvokeModel", "InvokeModel", "InvokeModelWithResponseStream", "Converse", "Converse", "ConverseStream",
		"ChatCompletions", "converse", "InvokeModel ", "", nil, 7, verbatim("!"))
	record := members{
		{"schemaType", "ModelInvocationLog"},
		{"schemaVersion", "1.0"},
		{"timestamp", g.timestamp()},
		{"accountId", pick[value](g, "111122223333", "444455556666", "", 111122223333, 11122223333, 1.1122223333e10, "11122223333", "1.1122223333e+10", 12345678901234, 0.5, -1, "<redacted>")},
		{"identity", g.maybeJunk(6, members{{"arn", g.user()}})},
		{"region", pick[value](g, "us-east-1", "eu-west-1", "", nil)},
		{"requestId", pick[value](g, "r-1", "r-2", "", nil, 5)},
		{"operation", operation},
		{"modelId", g.model()},
		{"input", g.maybeJunk(3, g.doubled(func() members { return g.side("input", operation) }))},
		{"output", g.maybeJunk(3, g.doubled(func() members { return g.side("output", operation) }))},
	}
	if operation == verbatim("!") {
		record = without(record, "operation")
	}
	if g.chance(15) {
		record = append(record, member{"errorCode", pick[value](g, "ThrottlingException", "ThrottlingException", "", nil, 429)})
		if g.chance(60) {
			record = without(record, "output")
		}
	}
	if g.chance(20) {
		record = append(record, member{"requestMetadata", pick[value](g, nil, members{g.evidence()})})
	}
	if g.chance(10) {
		record = append(record, g.evidence())
	}
	if g.chance(5) {
		record = append(record, member{"inferenceRegion", "us-west-2"})
	}
	for g.chance(12) {
		record = without(record, pick(g, record...).key)
	}
	if g.chance(10) {
		record = without(record, "schemaType")
	} else if g.chance(3) {
		record = append(without(record, "schemaType"), member{"schemaType", pick[value](g, nil, "modelInvocationLog", "Other", "", 1)})
	}
	if g.chance(60) {
		g.Shuffle(len(record), func(i, j int) { record[i], record[j] = record[j], record[i] })
	}
	return record
}

// doubled adds to an object, now and then, a member of another one of its kind.
func (g generator) doubled(build func() members) members {
	m := build()
	for g.chance(6) {
		if other := build(); len(other) > 0 {
			at := g.IntN(len(m) + 1)
			m = slices.Insert(m, at, pick(g, other...))
		}
	}
	return m
}

func without(m members, key string) members {
	out := make(members, 0, len(m))
	for _, f := range m {
		if f.key != key {
			out = append(out, f)
		}
	}
	return out
}

// side is the input or the output of a record.
func (g generator) side(name string, operation value) members {
	side := members{{name + "ContentType", "application/json"}}
	var body value
	if name == "output" {
		body = g.answer(operation)
	} else {
		body = g.request()
	}
	if g.chance(12) {
		body = g.textOf(body)
	}
	if g.chance(8) {
		body = pick[value](g, nil, members{}, values{}, "", " \n", "{}", " [] ", "plain text", 12, true, verbatim("NaN"), "null", `""`, "{", "[1,", `{"a":1}}`, "\ufeff{}")
	}
	if g.chance(88) {
		side = append(side, member{name + "BodyJson", body})
	}
	if g.chance(12) {
		side = append(side, member{name + "BodyS3Path", pick[value](g, "s3://amzn-s3-demo-bucket/x_output.json.gz", "", nil, 5)})
	}
	side = append(side, member{name + "TokenCount", g.IntN(100)})
	if g.chance(5) {
		side = append(side, g.evidence())
	}
	if g.chance(30) {
		g.Shuffle(len(side), func(i, j int) { side[i], side[j] = side[j], side[i] })
	}
	return side
}

func (g generator) request() value {
	request := members{
		{"messages", values{members{{"role", "user"}, {"content", values{members{{"text", g.prose()}}}}}}},
	}
	if g.chance(40) {
		request = append(request, member{"guardrailConfig", g.maybeJunk(8, g.doubled(g.config))})
	}
	if g.chance(30) {
		request = append(request, g.evidence())
	}
	if g.chance(10) {
		request = append(request, member{"amazon-bedrock-guardrailConfig", g.config()})
	}
	return request
}

func (g generator) config() members {
	config := members{{"guardrailIdentifier", g.maybeJunk(10, g.guardrailID())}}
	if g.chance(8) {
		config = members{{pick(g, "guardrailId", "guardrailID", "identifier", "guardrailArn"), "k1"}}
	}
	if g.chance(70) {
		config = append(config, member{"guardrailVersion", g.version()})
	}
	return append(config, member{"trace", "disabled"})
}

// answer is the body of an output: of the kind that the operation gives, mostly.
func (g generator) answer(operation value) value {
	kind := 0
	switch operation {
	case "InvokeModel", "InvokeModelWithResponseStream":
	case "Converse", "ConverseStream":
		kind = 1
	default:
		kind = g.IntN(2)
	}
	if g.chance(8) {
		kind = 1 - kind
	}
	chunk := func() members {
		var c members
		if kind == 0 {
			c = members{{"type", "message"}, {"content", values{members{{"text", g.prose()}}}}, {"stop_reason", "end_turn"}}
		} else {
			c = members{{"output", members{{"message", members{{"content", values{members{{"text", g.prose()}}}}}}}}, {"stopReason", "end_turn"}}
		}
		if g.chance(15) { // a place of the caller's
			deep := value(members{g.evidence()})
			for g.chance(60) {
				deep = pick[value](g, values{deep}, members{{"input", deep}}, members{{"toolUse", deep}, {"name", "trace"}})
			}
			c = append(c, member{pick(g, "content", "toolUse", "delta", "message", "trace"), deep})
		}
		for n := pick(g, 0, 0, 1, 1, 2, 3); n > 0; n-- {
			c = append(c, g.evidence())
		}
		if g.chance(12) {
			c = append(c, member{pick(g, "embedding", "embeddings", "embeddingsByType"), pick[value](g, values{0.5}, members{{"float", values{}}}, nil, "x")})
		}
		if g.chance(8) {
			c = append(c, member{"results", pick[value](g, values{members{{"index", 0}, {"relevance_score", 0.5}}}, values{members{{"outputText", "x"}}, members{{"relevance_score", 1}}}, values{members{{"relevanceScore", nil}}}, values{}, values{1}, "x")})
		}
		if g.chance(40) {
			g.Shuffle(len(c), func(i, j int) { c[i], c[j] = c[j], c[i] })
		}
		return c
	}
	if g.chance(75) == (operation != "InvokeModelWithResponseStream") {
		return g.doubled(chunk)
	}
	var chunks values
	for n := g.IntN(4); n >= 0; n-- {
		chunks = append(chunks, g.maybeJunk(20, pick[value](g, chunk(), chunk(), "[DONE]", values{chunk()}, members{})))
	}
	return chunks
}

// evidence is a member that shows a guardrail, or nearly so.
func (g generator) evidence() member {
	invokeTrace := func() members { return members{{"guardrail", g.maybeJunk(5, g.trace("input", "outputs"))}} }
	converseTrace := func() members {
		return members{{"guardrail", g.maybeJunk(5, g.trace("inputAssessment", "outputAssessments"))}}
	}
	m := pick(g,
		member{"amazon-bedrock-guardrailAction", pick[value](g, "NONE", "NONE", "INTERVENED", "GUARDRAIL_INTERVENED", "none", "", nil, true)},
		member{"amazon-bedrock-trace", g.doubled(invokeTrace)},
		member{"amazon-bedrock-trace", g.doubled(invokeTrace)},
		member{"trace", g.doubled(converseTrace)},
		member{"trace", g.doubled(converseTrace)},
		member{"stop_reason", pick[value](g, "guardrail_intervened", "end_turn", values{"guardrail_intervened"})},
		member{"stopReason", pick[value](g, "guardrail_intervened", "end_turn", "guardrail_intervened ")},
		member{"guardrailConfig", g.config()},
	)
	if g.chance(8) {
		m.key = pick(g, strings.ToUpper(m.key), m.key+" ", "guardrails", "trace", "stop_reason", "stopReason", "amazon-bedrock-trace", m.key[:len(m.key)-1])
	}
	m.value = g.maybeJunk(4, m.value)
	return m
}

// trace is what a guardrail leaves behind when tracing is on.
func (g generator) trace(before, after string) value {
	return g.doubled(func() members { return g.traceOnce(before, after) })
}

func (g generator) traceOnce(before, after string) members {
	var t members
	if g.chance(20) {
		t = append(t, member{"actionReason", g.maybeJunk(20, pick[value](g, "No action.", ""))})
	}
	if g.chance(20) {
		t = append(t, member{"modelOutput", pick[value](g, values{}, values{"raw"}, nil, "text", members{}, values{nil})})
	}
	if g.chance(70) {
		t = append(t, member{before, g.maybeJunk(8, g.assessments())})
	}
	if g.chance(50) {
		t = append(t, member{after, g.maybeJunk(8, values{g.assessments()})})
	}
	if g.chance(10) {
		t = append(t, member{pick(g, "input", "outputs", "inputAssessment", "outputAssessments", "Input", "output"), g.assessments()})
	}
	if g.chance(30) {
		g.Shuffle(len(t), func(i, j int) { t[i], t[j] = t[j], t[i] })
	}
	return t
}

func (g generator) assessments() value {
	var a members
	if g.IntN(3000) == 0 {
		for n := g.IntN(120); n > 0; n-- {
			a = append(a, member{fmt.Sprint("m", g.IntN(200)), g.assessment()})
		}
	}
	for n := pick(g, 0, 1, 1, 1, 2, 3); n > 0; n-- {
		id, _ := g.guardrailID().(string)
		a = append(a, member{id, g.maybeJunk(8, pick[value](g, members{}, g.assessment(), g.assessment(), values{g.assessment()}, values{g.assessment(), g.assessment()}, values{}))})
	}
	if g.chance(15) {
		return values{a, pick[value](g, members{}, a, "x", nil, values{a})}
	}
	return a
}

func (g generator) assessment() value { return g.doubled(g.assessmentOnce) }

func (g generator) assessmentOnce() members {
	var a members
	if g.chance(30) {
		a = append(a, member{"topicPolicy", members{{"topics", values{members{{"name", "x"}, {"action", "BLOCKED"}}}}}})
	}
	if g.chance(60) {
		coverage := members{{"guarded", g.characters()}, {"total", g.characters()}}
		if g.chance(10) {
			coverage = without(coverage, pick(g, "guarded", "total"))
		}
		a = append(a, member{"invocationMetrics", g.maybeJunk(3, members{{"usage", members{{"topicPolicyUnits", 1}}}, {"guardrailCoverage", g.maybeJunk(3, members{{"textCharacters", g.maybeJunk(3, coverage)}})}})})
	}
	if g.chance(50) {
		a = append(a, member{"appliedGuardrailDetails", g.maybeJunk(5, members{{"guardrailId", g.guardrailID()}, {"guardrailVersion", g.version()}})})
	}
	return a
}

func (g generator) characters() value {
	if g.chance(45) {
		return 0
	}
	return pick[value](g, 0, 0.0, 12, 76, 76, 0.5, -3, "7", nil, verbatim("-0"), verbatim("0e7"), verbatim("1E2"), verbatim("1-2"), verbatim("NaN"), verbatim("007"), verbatim("1e999"),
		verbatim("0.0000001"), verbatim("0."), verbatim("9223372036854775808"), math.MaxInt)
}

func (g generator) version() value { return pick[value](g, "1", "3", "3", "DRAFT", "", nil, 3) }

func (g generator) guardrailID() value {
	if g.chance(70) {
		return pick(g, "k1", "k2", "k3", "k4", "k5")
	}
	const arn = "arn:aws:bedrock:us-east-1:111122223333:guardrail/"
	return pick(g, "", arn+"k1", arn+"k2", arn, "arn:", "K1", "ké", "a\"b\\c\n", "x/y", "k\xff", "arn:no:slash", "k1:2")
}

func (g generator) user() value {
	return pick[value](g, "arn:aws:sts::111122223333:assumed-role/Desk/desk-1", "arn:aws:sts::111122223333:assumed-role/Batch/s-2", "arn:aws:sts::444455556666:assumed-role/Notebook/me@example.com",
		"arn:aws-us-gov:sts::444455556666:assumed-role/Gov/x", "arn:aws:iam::111122223333:user/ann", "arn:aws:sts::1:assumed-role/R", "arn:aws:sts::1:assumed-role/R/", "arn:aws:sts::1:assumed-role//s",
		"arn:aws:sts::1:assumed-role/R/a/b", "arn:aws:sts::1:federated-user/f", "arn:aws:sts:us-east-1:1:assumed-role/R/s", "u-1", "", "<redacted>", nil, 7, "arn:aws:sts::1:assumed-role/a:b/s")
}

func (g generator) model() value {
	return pick[value](g, "anthropic.claude-3-haiku-20240307-v1:0", "us.anthropic.claude-sonnet-4-20250514-v1:0", "amazon.nova-lite-v1:0", "eu.amazon.nova-pro-v1:0",
		"amazon.titan-embed-text-v2:0", "us.amazon.titan-embed-text-v2:0", "us-gov.cohere.embed-english-v3", "us.us.cohere.embed-english-v3", "global.cohere.embed-v4:0", "xx.cohere.embed-v4:0",
		"arn:aws:bedrock:us-east-1::foundation-model/amazon.titan-embed-text-v2:0", "arn:aws:bedrock:us-east-1:111122223333:inference-profile/us.cohere.embed-v4:0",
		"arn:aws:bedrock:us-east-1:111122223333:application-inference-profile/amazon.titan-embed-x", "arn:aws:bedrock:us-east-1:111122223333:application-inference-profile/q7", "titan-embed-text-v2:0", "embed-english-v3",
		"rerank-v3-5:0", "nova-lite-v1:0", "gpt-4.1", "llama3.1:8b", "gemini-2.5-pro", "openai.gpt-oss-20b-1:0", "us.deepseek.r1-v1:0", "hf.co/x/llama", "anthropic.", ".x", "Anthropic.claude", "arn:aws:sagemaker:us-east-1:1:endpoint/amazon.titan-embed-x",
		"arn:aws:bedrock:us-east-1:1:imported-model/amazon.titan-embed-x", "arn:aws:bedrock:us-east-1::foundation-model/", "amazon.rerank-v1:0", "amazon.titan-embed-a/b", "us.", "", nil, 3)
}

func (g generator) timestamp() value {
	if g.chance(75) {
		return "2026-03-14T09:12:40Z"
	}
	if g.chance(30) {
		return g.instant()
	}
	return pick[value](g, "2026-03-14T09:12:40.1234567891Z", "2026-03-14T09:12:40.000000500Z", "2026-03-14 09:12:40.000000499", "2026-03-14 09:12:40", "2026-03-14T10:12:40+01:00", "2026-03-14T09:12:40-00:30", "2026-03-14t09:12:40z",
		"2026-02-30T00:00:00Z", "2026-03-14T24:00:00Z", "2026-03-14T09:12:60Z", "1700-01-01T00:00:00Z", "2262-04-11T23:47:16.854775807Z", "2262-04-11T23:47:16.854775808Z", "1677-09-21T00:12:43.145224192Z",
		"1677-09-21T00:12:43.145224191Z", "1969-12-31T23:59:59.5Z", "1970-01-01T00:00:00Z", "2026-03-14T09:12:40", "2026-03-14 09:12:40Z", "2026-03-14 09:12:40.", "2026-03-14T09:12:40,5Z", "2026-03-14", " 2026-03-14T09:12:40Z", "now", "", nil, 1773479560)
}

// instant is nearly a timestamp.
func (g generator) instant() string {
	s := fmt.Sprintf("%04d-%02d-%02d%s%02d:%02d:%02d%s%s", pick(g, 0, 1969, 1970, 2024, 2026, 2262, 9999), g.IntN(14), g.IntN(33), pick(g, "T", "T", "t", " ", "_"),
		g.IntN(26), g.IntN(62), g.IntN(62), pick(g, "", "", ".5", ".000000001", ".", ".1234567890", ",5", ".x"),
		pick(g, "Z", "Z", "z", "", "+00:00", "-07:30", "+23:59", "+24:00", "+1:00", "+01", "Z "))
	if g.chance(10) {
		s = g.damage(s)
	}
	return s
}

// prose is text of the caller's, with traps in it.
func (g generator) prose() string {
	s := pick(g, "Where is my parcel?", `{"amazon-bedrock-guardrailAction":"NONE"}`, `"stopReason":"guardrail_intervened"`, "", "caf\u00e9 \U0001f600", "\x00\x01", "a\xffb", `\`, `"`, "}]}", "\u2028", "ModelInvocationLog")
	if g.IntN(400) == 0 {
		s = strings.Repeat(s+"x", 20000)
	}
	return s
}

// junk is something that does not belong where it stands.
func (g generator) junk() value {
	if g.IntN(1500) == 0 {
		return verbatim(deep(pick(g, 200, 11000), pick(g, "[", `{"a":`, `[{"trace":`)))
	}
	return pick[value](g, nil, "", "x", "{", "guardrail_intervened", "NONE", 0, 1, -1.5, true, false, values{}, members{}, values{nil}, values{values{}}, members{{"", nil}}, members{{"a", members{}}}, verbatim("NaN"), verbatim("-Infinity"), verbatim("1e5"))
}

func deep(levels int, open string) string {
	closing := ""
	for i := len(open) - 1; i >= 0; i-- {
		closing += map[byte]string{'[': "]", '{': "}"}[open[i]]
	}
	return strings.Repeat(open, levels) + "1" + strings.Repeat(closing, levels)
}

func (g generator) maybeJunk(percent int, v value) value {
	if g.chance(percent) {
		return g.junk()
	}
	return v
}

// textOf is a value as JSON in a text.
func (g generator) textOf(v value) value {
	s := g.render(v)
	if g.chance(15) {
		s = g.damage(s)
	}
	return s
}

// disturb changes one place in a tree.
func (g generator) disturb(v value) value {
	switch v := v.(type) {
	case members:
		if len(v) == 0 {
			return g.junk()
		}
		v = append(members(nil), v...)
		at := g.IntN(len(v))
		switch g.IntN(10) {
		case 0: // a second of the same name
			twin := member{v[at].key, pick[value](g, g.junk(), v[at].value, g.disturb(v[at].value), nil, members{g.evidence()})}
			where := g.IntN(len(v) + 1)
			v = append(v[:where], append(members{twin}, v[where:]...)...)
		case 1:
			v = append(v[:at], v[at+1:]...)
		case 2:
			v[at].key = pick(g, strings.ToUpper(v[at].key), strings.ToLower(v[at].key), v[at].key+"\x00", "", g.evidence().key)
		case 3:
			v[at].value = pick[value](g, values{v[at].value}, members{{v[at].key, v[at].value}}, g.textOf(v[at].value), g.junk())
		default:
			v[at].value = g.disturb(v[at].value)
		}
		return v
	case values:
		if len(v) == 0 || g.chance(10) {
			return append(slices.Clip(v), g.junk(), members{g.evidence()})
		}
		v = append(values(nil), v...)
		at := g.IntN(len(v))
		v[at] = g.disturb(v[at])
		return v
	default:
		return pick[value](g, g.junk(), values{v}, v, members{g.evidence()})
	}
}

// damage changes the bytes of a text.
func (g generator) damage(s string) string {
	if s == "" {
		return s
	}
	at := g.IntN(len(s))
	to := min(len(s), at+1+g.IntN(pick(g, 1, 4, 40, 400)))
	switch g.IntN(7) {
	case 0:
		return s[:at]
	case 1:
		return s[:at] + string([]byte{s[at] ^ 1<<g.IntN(8)}) + s[at+1:]
	case 2:
		return s[:at] + pick(g, "{", "}", "[", "]", ",", ":", `"`, `\`, " ", "\n", "0", "-", "null", "\x00", "\ufeff", `{"a":1}`, `\u0061`, `\q`, `\ud83d`) + s[at:]
	case 3:
		return s[:at] + s[to:]
	case 4:
		return s[:to] + s[at:to] + s[to:]
	case 5:
		return s + pick(g, " ", "\n\t", "}", "x", s, "\x00", ",", "null")
	default:
		const structure, other = "{}[],:\"", "[]{}:,'"
		for _, i := range g.Perm(len(s)) { // a bracket, comma or colon goes, or turns into another
			if at := strings.IndexByte(structure, s[i]); at >= 0 {
				return s[:i] + pick(g, "", other[at:at+1]) + s[i+1:]
			}
		}
		return s
	}
}

// render writes a value as JSON, in one of many spellings.
func (g generator) render(v value) string {
	w := &writer{g: g, odd: g.chance(40), airy: g.chance(25)}
	if g.chance(6) {
		w.WriteString(pick(g, "\ufeff", " ", "\n\t", "\ufeff\n", " \ufeff"))
	}
	w.write(v)
	if g.chance(6) {
		w.WriteString(pick(g, "\n", " \r\n"))
	}
	return w.String()
}

type writer struct {
	strings.Builder
	g    generator
	odd  bool // spell characters in odd ways
	airy bool // white space
}

func (w *writer) air() {
	if w.airy && w.g.chance(20) {
		w.WriteString(pick(w.g, " ", "\n", "\t", "\r\n  "))
	}
}

func (w *writer) write(v value) {
	w.air()
	switch v := v.(type) {
	case nil:
		w.WriteString("null")
	case string:
		w.text(v)
	case verbatim:
		w.WriteString(string(v))
	case members:
		w.WriteByte('{')
		for i, m := range v {
			if i > 0 {
				w.WriteByte(',')
			}
			w.air()
			w.text(m.key)
			w.air()
			w.WriteByte(':')
			w.write(m.value)
		}
		w.air()
		w.WriteByte('}')
	case values:
		w.WriteByte('[')
		for i, item := range v {
			if i > 0 {
				w.WriteByte(',')
			}
			w.write(item)
		}
		w.air()
		w.WriteByte(']')
	default:
		fmt.Fprint(w, v)
	}
	w.air()
}

func (w *writer) text(s string) {
	w.WriteByte('"')
	for len(s) > 0 {
		r, size := utf8.DecodeRuneInString(s)
		part := s[:size]
		s = s[size:]
		short := strings.IndexByte("\"\\\b\f\n\r\t", part[0])
		switch {
		case w.odd && w.g.IntN(1000) == 0:
			w.WriteString(pick(w.g, `\q`, `\u12`, `\ud83d`, `\'`, `\ud83d\u0041`, "\x01", `\uZZZZ`))
		case short >= 0 && (short < 2 || w.g.chance(80)):
			w.WriteString(`\` + `"\bfnrt`[short:short+1])
		case r == utf8.RuneError || !w.odd || !w.g.chance(4):
			w.WriteString(part)
		case r > 0xffff:
			r -= 0x10000
			fmt.Fprintf(w, `\u%04x\u%04X`, 0xd800+r>>10, 0xdc00+r&0x3ff)
		default:
			fmt.Fprintf(w, pick(w.g, `\u%04x`, `\u%04X`), r)
		}
	}
	w.WriteByte('"')
}

// parsed turns some of the parts of a record into texts, as parsers of one level do.
func (g generator) parsed(record members) members {
	record = append(members(nil), record...)
	for i, m := range record {
		if (m.key == "input" || m.key == "output" || m.key == "identity") && g.chance(20) {
			record[i].value = g.textOf(m.value)
		}
	}
	return record
}

// flattened turns some of the parts of a record into dotted keys.
func (g generator) flattened(record members) members {
	if g.chance(40) {
		return record
	}
	var out members
	for _, m := range record {
		inner, ok := m.value.(members)
		if !ok || m.key != "input" && m.key != "output" && m.key != "identity" {
			out = append(out, m)
			continue
		}
		for _, f := range inner {
			out = append(out, member{m.key + "." + f.key, f.value})
		}
	}
	return out
}

// put writes a value as pdata.
func (g generator) put(to pcommon.Value, v value) {
	switch v := v.(type) {
	case string:
		if g.IntN(200) == 0 {
			to.SetEmptyBytes().FromRaw([]byte(v))
			return
		}
		to.SetStr(v)
	case verbatim:
		if v == "NaN" {
			to.SetDouble(math.NaN())
		} else {
			to.SetStr(string(v))
		}
	case int:
		if g.chance(20) {
			to.SetDouble(float64(v))
			return
		}
		to.SetInt(int64(v))
	case float64:
		to.SetDouble(v)
	case bool:
		to.SetBool(v)
	case members:
		m := to.SetEmptyMap()
		for _, f := range v {
			g.put(m.PutEmpty(f.key), f.value)
		}
	case values:
		s := to.SetEmptySlice()
		for _, item := range v {
			g.put(s.AppendEmpty(), item)
		}
	default:
	}
}

// sourceFields puts attributes that fill in what a record does not state.
func (g generator) sourceFields(to pcommon.Map) {
	for _, key := range sourceKeys {
		if g.chance(12) {
			g.put(to.PutEmpty(key), g.attribute(key))
		}
	}
}

var sourceKeys = []string{
	"user.id", "enduser.id", "enduser.pseudo.id", "cloud.account.id", "cloud.region", "gen_ai.request.model", "gen_ai.request.model.id",
	"rpc.method", "event.action", "gen_ai.operation.name", "aws.request_id", "aws.request.id", "service.name", "gen_ai.response.id", "gen_ai.request.id", "gen_ai.provider.name", "gen_ai.system",
	"aws.bedrock.guardrail.id", "my.guardrail", "error.type", "gen_ai.response.finish_reasons", "gen_ai.usage.output_tokens",
}

// attributeRecord builds a record as the caller's own telemetry writes it.
func (g generator) attributeRecord(log plog.LogRecord) {
	name := pick(g, "", "", "", "gen_ai.client.inference.operation.details", "gen_ai.client.inference.operation.details", "gen_ai.choice", "gen_ai.choice", "gen_ai.user.message", "gen_ai_guardrail.alert", "x")
	if g.chance(50) {
		log.SetEventName(name)
	} else if name != "" || g.chance(20) {
		g.put(log.Attributes().PutEmpty("event.name"), g.maybeJunk(3, name))
	}
	if name == "gen_ai.choice" || g.chance(10) {
		body := members{{"index", pick[value](g, 0, 0, 0, 0, 1, -1, "0", "1", nil, 0.0, 1.0, 0.5)}, {"finish_reason", g.reasons()}, {"message", members{{"content", g.prose()}}}}
		for _, key := range []string{"index", "message", "finish_reason"} {
			if g.chance(20) {
				body = without(body, key)
			}
		}
		if g.chance(20) {
			g.put(log.Body(), g.textOf(body))
		} else {
			g.put(log.Body(), g.maybeJunk(5, body))
		}
	}
	ecs, often := g.chance(40), g.IntN(80)
	for _, key := range attributeKeys {
		likely := often
		switch {
		case !ecs && (key == "gen_ai.request.model.id" || strings.HasPrefix(key, "gen_ai.policy") || strings.HasPrefix(key, "gen_ai.compliance") || key == "event.outcome"):
			likely = 8
		case ecs && (key == "gen_ai.request.model.id"), !ecs && (key == "gen_ai.operation.name" || key == "gen_ai.request.model"):
			likely = 90
		case strings.Contains(key, "guardrail"), key == "error.type", key == "gen_ai.response.error_code":
			likely = 10
		}
		if g.chance(likely) {
			g.put(log.Attributes().PutEmpty(key), g.attribute(key))
		}
	}
}

var attributeKeys = []string{
	"gen_ai.operation.name", "gen_ai.request.model", "gen_ai.request.model.id", "gen_ai.provider.name", "gen_ai.system", "gen_ai.response.id", "gen_ai.response.model", "gen_ai.request.id", "aws.request_id", "aws.request.id",
	"gen_ai.response.finish_reasons", "gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens", "gen_ai.usage.input_tokens", "gen_ai.output.messages", "gen_ai.completion",
	"error.type", "gen_ai.response.error_code", "event.outcome", "event.action", "rpc.method", "user.id", "enduser.id", "cloud.account.id", "cloud.region",
	"gen_ai.compliance.violation_detected", "gen_ai.policy.action", "gen_ai.guardrail_id", "gen_ai.guardrail.id", "aws.bedrock.guardrail.id", "my.guardrail", "gen_ai.guardrail.version", "aws.bedrock.guardrail.version",
	"schemaType", "modelId", "message",
}

func (g generator) reasons() value {
	return pick[value](g, "end_turn", "guardrail_intervened", "guardrailIntervened", "GUARDRAIL__INTERVENED", "guardrail-intervened", "content_filter", values{"stop", "GuardrailIntervened"}, `["stop","guardrailIntervened"]`, `[ "x"`, "error", "", values{"end_turn"}, values{"error"}, values{"error", "guardrail_intervened"}, values{}, values{7, ""}, `["guardrail_intervened"]`, nil)
}

// attribute is a value for an attribute, of a kind that its key may hold.
func (g generator) attribute(key string) value {
	var v value
	switch key {
	case "gen_ai.request.model", "gen_ai.request.model.id", "modelId":
		v = g.model()
	case "gen_ai.provider.name", "gen_ai.system":
		v = pick[value](g, "aws.bedrock", "aws.bedrock", "aws", "openai", "AWS", "AWS-Bedrock", "a_w.s", "aws.bedrocks", "._-", "", nil)
	case "gen_ai.response.finish_reasons":
		v = g.reasons()
	case "gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens", "gen_ai.usage.input_tokens":
		v = pick[value](g, 0, 0, 4, 0.0, 2.5, -1, "4", nil)
	case "gen_ai.output.messages", "gen_ai.completion":
		reason := member{"finish_reason", g.reasons()}
		messages := pick[value](g, values{members{{"role", "assistant"}, reason}}, values{members{}, members{{"parts", values{members{reason}}}, reason}}, members{reason}, values{values{members{reason}}})
		v = pick[value](g, "", "text", values{}, values{members{}}, members{}, members{{"a", 1}}, nil, 5, messages, messages, g.textOf(messages), "[]", " {} ", "null")
	case "error.type", "gen_ai.response.error_code":
		v = pick[value](g, "ThrottlingException", "ThrottlingException", "", nil, 429)
	case "event.outcome":
		v = pick[value](g, "success", "failure", "failure", "Failure", nil)
	case "event.action", "rpc.method":
		v = pick[value](g, "Converse", "InvokeModel", "chat", "", nil)
	case "gen_ai.operation.name":
		v = pick[value](g, "chat", "chat", "chat", "text_completion", "generate_content", "embeddings", "invoke_agent", "Chat", "", nil)
	case "gen_ai.guardrail.version", "aws.bedrock.guardrail.version":
		v = pick[value](g, "1", "3", "DRAFT", 3, 2.0, "", values{"3"})
	case "user.id", "enduser.id", "enduser.pseudo.id":
		v = g.user()
	case "cloud.account.id":
		v = pick[value](g, "111122223333", "444455556666", "", 111122223333)
	case "gen_ai.compliance.violation_detected":
		v = pick[value](g, true, false, "true", "false", "True", nil, 1)
	case "gen_ai.policy.action":
		v = pick[value](g, "BLOCKED", "NONE", values{"NONE"}, values{"NONE", "BLOCKED"}, "blocked", values{})
	case "gen_ai.guardrail_id", "gen_ai.guardrail.id", "aws.bedrock.guardrail.id", "gen_ai.bedrock.guardrail.id", "my.guardrail":
		v = pick[value](g, g.guardrailID(), values{g.guardrailID()}, values{g.guardrailID(), g.guardrailID(), 5}, values{})
	case "schemaType":
		v = pick[value](g, "ModelInvocationLog", "Other")
	default:
		v = pick[value](g, "a", "b", "", "us-east-1")
	}
	return g.maybeJunk(2, v)
}
