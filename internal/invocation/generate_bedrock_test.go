// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package invocation_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// bedrock returns a Bedrock record.
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

// doubled returns an object to which it sometimes adds members of another such object.
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

// side returns the input or the output of a record.
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

// answer returns the body of an output, mostly of the kind that the operation returns.
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
		if g.chance(15) { // a place where a caller can write
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

// evidence returns a member that shows a guardrail, or one that only looks like it.
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

// trace returns what a guardrail writes when tracing is on.
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

// instant returns a text that is nearly a timestamp.
func (g generator) instant() string {
	s := fmt.Sprintf("%04d-%02d-%02d%s%02d:%02d:%02d%s%s", pick(g, 0, 1969, 1970, 2024, 2026, 2262, 9999), g.IntN(14), g.IntN(33), pick(g, "T", "T", "t", " ", "_"),
		g.IntN(26), g.IntN(62), g.IntN(62), pick(g, "", "", ".5", ".000000001", ".", ".1234567890", ",5", ".x"),
		pick(g, "Z", "Z", "z", "", "+00:00", "-07:30", "+23:59", "+24:00", "+1:00", "+01", "Z "))
	if g.chance(10) {
		s = g.damage(s)
	}
	return s
}
