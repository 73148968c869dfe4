// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package invocation

import (
	"slices"
	"strconv"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
)

// Attributes that are read, besides those that the settings name.
const (
	attrAccount      = "cloud.account.id"
	attrRegion       = "cloud.region"
	attrModel        = "gen_ai.request.model"
	attrModelECS     = "gen_ai.request.model.id"
	attrRequestID    = "aws.request_id"
	attrRequestIDDot = "aws.request.id"
	attrResponseID   = "gen_ai.response.id"
	attrRequestIDECS = "gen_ai.request.id"
	attrMethod       = "rpc.method"
	attrActionECS    = "event.action"
	attrOperation    = "gen_ai.operation.name"
	attrEvent        = "event.name"
)

func isEmpty(value pcommon.Value) bool {
	switch value.Type() {
	case pcommon.ValueTypeEmpty:
		return true
	case pcommon.ValueTypeStr:
		return value.Str() == ""
	case pcommon.ValueTypeSlice:
		return value.Slice().Len() == 0
	case pcommon.ValueTypeMap:
		return value.Map().Len() == 0
	case pcommon.ValueTypeBytes:
		return value.Bytes().Len() == 0
	default:
		return false
	}
}

// mayTell reports whether attributes could be those of an invocation: all that
// make a record one have a key of these. It looks at keys alone, at nearly all of
// them only at their length and first letter, so that records of other kinds cost
// next to nothing.
func mayTell(attrs pcommon.Map) (may bool) {
	// With Range the loop is an eighth of a record faster than with All.
	attrs.Range(func(name string, _ pcommon.Value) bool {
		may = tellingLengths>>(len(name)%64)&1 != 0 && tellingBits>>nameBit(name)&1 != 0 && tells(name)
		return !may
	})
	return may
}

// tellingNames are the names that make a record an invocation, or may hold one.
var (
	tellingNames   = append([]string{attrEvent, attrOperation, attrModelECS, attrVerdict, fieldSchema, fieldModel}, wrapperNames...)
	tellingBits    = nameBits(tellingNames)
	tellingLengths = lengthBits(tellingNames) // an empty name is none of them: it has no first letter
)

func tells(name string) bool {
	switch name {
	case attrEvent, attrOperation, attrModelECS, attrVerdict, fieldSchema, fieldModel:
		return true
	default:
		return isWrapper(name)
	}
}

// readAttributes reads a record whose attributes tell of a call: an event of the
// semantic conventions, or a record without event name in their form or in that
// of Elastic's Bedrock integration (ECS).
func (r *Reader) readAttributes(event event, record plog.LogRecord, inv *Invocation) bool {
	var choice choice
	switch event {
	case callDetails:
	case answerChoice:
		if choice.read(record.Body(), &inv.found.inner); choice.later {
			return false
		}
	case noEvent:
		has := r.levelsOf(record, inv)[0].has
		if !has.has(keyModelECS) && (!has.has(keyOperation) || !has.has(keyModel)) {
			return false
		}
	default:
		return false
	}
	attrs := r.settlingOf(record, inv)
	operation := attrs.operation()
	switch operation {
	case "", "chat", "generate_content", "text_completion", embeddings:
	default:
		return false // an agent's step, or a tool: it calls no model by itself
	}
	if event == callDetails && attrs[0].responseID == "" && !concluded(r.levelsOf(record, inv)) {
		return false // the request alone
	}
	r.nameGuardrails(attrs, inv)
	if event == callDetails && len(inv.Guardrails) > 0 && attrs.has()&(interventionKeys.set|1<<keyModelECS) == 0 {
		inv.Kind = r.approve(inv, Claimed) // as nearly all
		return true
	}
	r.judgeAttributes(record, operation, choice, inv)
	return true
}

// embeddings is the operation that makes no text.
const embeddings = "embeddings"

// choice is what the body of an answer's choice shows.
type choice struct {
	later      bool // another one stands for the call
	intervened bool // a guardrail did
	answered   bool // in whole or in part
	failed     bool // it ended in an error
}

// read reads the body of a choice: a map, or JSON.
func (c *choice) read(body pcommon.Value, s *scanner) {
	if body.Type() == pcommon.ValueTypeStr {
		c.readText(body.Str(), s)
		return
	}
	for name, value := range members(body) {
		switch name {
		case "index":
			switch value.Type() {
			case pcommon.ValueTypeInt:
				c.later = value.Int() != 0
			case pcommon.ValueTypeDouble:
				c.later = value.Double() != 0
			case pcommon.ValueTypeStr:
				c.later = value.Str() != "0"
			}
		case messageReason:
			c.intervened = c.intervened || holdsIntervention(value, s)
			c.failed = c.failed || holds(value, "error")
			c.answered = c.answered || !isEmpty(value) && !holds(value, "error")
		case "message":
			c.answered = c.answered || !isEmpty(value)
		}
	}
}

func (c *choice) readText(body string, s *scanner) {
	if !looksLikeJSON(body) {
		c.answered = body != ""
		return
	}
	var read choice
	var message, reason string
	s.start(body)
	whole := s.object(func(name string) (ok bool) {
		switch name {
		case "index":
			if s.peek() == quote {
				var index string
				index, ok = s.stringValue()
				read.later = index != "0"
				break
			}
			var index string
			index, ok = s.rawValue()
			n, err := strconv.ParseFloat(index, 64)
			read.later = err == nil && n != 0
		case messageReason:
			reason, ok = s.stringValue()
		case "message":
			message, ok = s.rawValue()
		default:
			ok = s.skip()
		}
		return ok
	})
	if whole && s.end() {
		read.intervened = isIntervention(reason)
		read.failed = reason == "error"
		read.answered = !isEmptyJSON(message) || reason != "" && reason != "error"
		*c = read
	}
}

// isEmptyJSON reports whether a JSON value holds nothing.
func isEmptyJSON(raw string) bool {
	switch strings.Trim(raw, " \t\r\n") {
	case "", "null", `""`, "[]", "{}":
		return true
	default:
		return false
	}
}

// judgeAttributes decides by what the attributes say; the first rule that applies counts.
func (r *Reader) judgeAttributes(record plog.LogRecord, operation string, choice choice, inv *Invocation) {
	attrs := r.settlingOf(record, inv)
	ecs := attrs[0].has.has(keyModelECS)
	if ecs {
		attrs = r.levelsOf(record, inv)
	}
	inv.Intervened = choice.intervened || inv.intervenedIn(attrs) || ecs && violated(attrs)
	if len(inv.Guardrails) > 0 || inv.Intervened {
		inv.Kind = r.approve(inv, Claimed)
		return
	}
	attrs = r.levelsOf(record, inv)
	r.Describe(record, inv)
	switch {
	case operation == embeddings, r.unguardable(inv.Model):
		inv.Kind = Kind{NotApplicable, Model}
	case !r.judges(attrs, inv.Model):
		inv.Kind = Kind{NotApplicable, Provider}
	case (choice.failed || failed(attrs, ecs)) && !choice.answered && !answered(attrs):
		inv.Kind = Kind{Failed, Error}
	case MatchesAny(r.AssumeGuarded, inv):
		inv.Kind = Kind{Guarded, Enforced}
	case r.silent(&inv.scope):
		inv.Kind = Kind{Unknown, Untold}
	default:
		inv.Kind = Kind{Unguarded, Presumed}
	}
}

// judges reports whether attribute records are judged that name this provider and
// model: those of a provider in the settings, those of a model of Bedrock's, and
// those that name neither.
func (r *Reader) judges(attrs *levels, model string) bool {
	if r.anyProvider {
		return true
	}
	named := false
	for _, k := range providerKeys.keys {
		provider := attrs.text(k)
		if provider == "" {
			continue
		}
		named = true
		if slices.ContainsFunc(r.Providers, func(known string) bool { return sameProvider(provider, known) }) {
			return true
		}
	}
	return !named && model == "" || hasBedrockForm(model)
}

// sameProvider compares the names of providers without case, '.', '-' and '_', in
// which clients differ.
func sameProvider(a, b string) bool {
	return foldedEqual(a, b, ".-_")
}

// foldedEqual compares without case and without some characters.
func foldedEqual(a, b, without string) bool {
	i, j := 0, 0
	for {
		for i < len(a) && strings.IndexByte(without, a[i]) >= 0 {
			i++
		}
		for j < len(b) && strings.IndexByte(without, b[j]) >= 0 {
			j++
		}
		if i == len(a) || j == len(b) {
			return i == len(a) && j == len(b)
		}
		if lower(a[i]) != lower(b[j]) {
			return false
		}
		i++
		j++
	}
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		c += 'a' - 'A'
	}
	return c
}

// silent reports whether the records of a scope are known to be the same whether
// or not a guardrail ran.
func (r *Reader) silent(scope *scopeState) bool {
	if !scope.checked {
		scope.checked = true
		scope.silent = scope.name != "" && slices.ContainsFunc(r.SilentScopes, func(glob string) bool { return Glob(glob, scope.name) })
	}
	return scope.silent
}

// failed reports whether a record names an error.
func failed(attrs *levels, ecs bool) bool {
	if attrs.first(&failureKeys) != "" || ecs && attrs.first(&outcomeKeys) == "failure" {
		return true
	}
	reasons, ok := attrs.value(keyFinishReasons)
	return ok && holds(reasons, "error")
}

// concluded reports whether a record is about more than a request: it names an
// answer or an error.
func concluded(attrs *levels) bool {
	if answered(attrs) || failed(attrs, false) {
		return true
	}
	for _, k := range [...]key{keyResponseModel, keyFinishReasons} {
		if _, ok := attrs.value(k); ok {
			return true
		}
	}
	return false
}

// answered reports whether there is any sign that an answer came.
func answered(attrs *levels) bool {
	for _, k := range [...]key{keyResponseID, keyOutputMessages, keyCompletion} {
		if value, ok := attrs.value(k); ok && (value.Type() != pcommon.ValueTypeStr || !isEmptyJSON(value.Str())) {
			return true
		}
	}
	for _, k := range [...]key{keyOutputTokens, keyCompletionTokens} {
		if value, ok := attrs.value(k); ok && countOf(value) > 0 {
			return true
		}
	}
	reasons, ok := attrs.value(keyFinishReasons)
	if !ok {
		return false
	}
	if reasons.Type() != pcommon.ValueTypeSlice {
		return stringOf(reasons) != "error"
	}
	for _, reason := range reasons.Slice().All() {
		if stringOf(reason) != "error" {
			return true
		}
	}
	return false
}

// Source is the record that an invocation was read from, with what surrounds it.
type Source struct {
	Resource pcommon.Resource
	Scope    pcommon.InstrumentationScope
	Record   plog.LogRecord
}

// Attribute returns the first value under the key that is not empty, as text: the
// record's, the scope's, the resource's.
func (s Source) Attribute(key string) string {
	for _, attrs := range [...]pcommon.Map{s.Record.Attributes(), s.Scope.Attributes(), s.Resource.Attributes()} {
		if value, ok := attrs.Get(key); ok && !isEmpty(value) {
			return value.AsString()
		}
	}
	return ""
}
