// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package invocation_test

import (
	"math"
	"math/rand/v2"
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"example.com/otelcol-guardrail/internal/invocation"
)

// The generated values: a value is a string, float64, int, bool, nil, verbatim, members
// or values.
type (
	value    any
	verbatim string // JSON text, written unchanged
	member   struct {
		key   string
		value value
	}
	members []member
	values  []value
)

// A generator builds random records, each from one seed.
type generator struct{ *rand.Rand }

func newGenerator(seed uint64) generator {
	return generator{rand.New(rand.NewPCG(seed, 0))}
}

func (g generator) chance(percent int) bool { return g.IntN(100) < percent }

func pick[T any](g generator, from ...T) T { return from[g.IntN(len(from))] }

// optionSets are the settings with which records are read; a record's seed picks one.
var optionSets = func() []invocation.Options {
	plain := invocation.Options{
		GuardrailKeys:     []string{"gen_ai.guardrail_id", "gen_ai.guardrail.id", "aws.bedrock.guardrail.id", "gen_ai.bedrock.guardrail.id"},
		UserKeys:          []string{"user.id", "enduser.id", "enduser.pseudo.id", "service.name"},
		Providers:         []string{"aws.bedrock", "bedrock", "aws"},
		SilentScopes:      []string{"opentelemetry.instrumentation.botocore*", "@opentelemetry/instrumentation-openai"},
		UnguardableModels: []string{"amazon.titan-embed-*", "amazon.nova-*embed*", "cohere.embed-*", "*.rerank-*", "amazon.nova-*sonic*"},
	}
	plain.PartKeys = []string{invocation.AttrUser, "cloud.account.id"} // as most often
	approved := plain
	approved.PartKeys = []string{invocation.AttrPrincipal, "cloud.region", "gen_ai.request.model", "rpc.method", "team"}
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
	bare := invocation.Options{GuardrailKeys: []string{"my.guardrail"}, Providers: []string{"*"}, UnguardableModels: []string{"amazon.*", "*.embed*"}} // no user keys, no part
	return []invocation.Options{plain, plain, approved, assumed, both, bare}
}()

// generate returns logs with one record, and the settings to read it with.
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

// bedrockRecord puts a Bedrock record into a log record, in one of the forms in which
// such records arrive.
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
	return pick(g, "message", "log", "MESSAGE", "msg", "event.original", "log.record.original", "event", "original", "@message", "logEvents", "records", "_raw", "line", "log_processed", "short_message", "full_message", "payload", "Message")
}

// wrap returns a line in the wrappers of shippers, loggers and tools, and in others that
// are similar.
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

// parsed returns a record with some of its parts as texts, as parsers leave them that
// decode one level.
func (g generator) parsed(record members) members {
	record = append(members(nil), record...)
	for i, m := range record {
		if (m.key == "input" || m.key == "output" || m.key == "identity") && g.chance(20) {
			record[i].value = g.textOf(m.value)
		}
	}
	return record
}

// flattened returns a record with some of its parts under dotted keys.
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

// put writes a value to a pdata value.
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
