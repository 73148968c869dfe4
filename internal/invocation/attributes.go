// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package invocation

import (
	"slices"

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
// make a record one have a key of these. It looks at keys alone, at most only at
// their length and first letter, so that records of other kinds cost next to nothing.
func mayTell(attrs pcommon.Map) (may bool) {
	// With Range the loop is an eighth of a record faster than with All.
	attrs.Range(func(name string, _ pcommon.Value) bool {
		may = tellingLengths>>(len(name)%64)&1 != 0 && tellingLetters>>(name[0]%64)&1 != 0 && tells(name)
		return !may
	})
	return may
}

// Sets of numbers modulo 64. The letters leave next to no key of other records to be
// compared as a whole, which saves a sixth of such a record. An empty key has none; it
// is not looked at, since no length is a multiple of 64.
const (
	tellingLengths uint64 = 1<<len(attrEvent) | 1<<len(attrOperation) | 1<<len(attrModelECS) | 1<<len(attrVerdict) |
		1<<len(fieldSchema) | 1<<len(fieldModel)
	tellingLetters uint64 = 1<<('e'%64) | 1<<('g'%64) | 1<<('s'%64) | 1<<('m'%64)
)

func tells(name string) bool {
	switch name {
	case attrEvent, attrOperation, attrModelECS, attrVerdict, fieldSchema, fieldModel:
		return true
	default:
		return false
	}
}

// readAttributes reads a record whose attributes tell of a call: an event of the
// semantic conventions, or a record without event name in their form or in that
// of Elastic's Bedrock integration (ECS).
func (r *Reader) readAttributes(event event, record plog.LogRecord, inv *Invocation) bool {
	switch event {
	case callDetails:
	case answerChoice:
		if !isFirstChoice(record.Body()) {
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
	var choice choiceSigns
	if event == answerChoice {
		choice.read(record.Body())
	}
	r.judgeAttributes(record, choice, inv)
	return true
}

// isFirstChoice reports whether the body is that of the first of an answer's
// choices, which stands for the call.
func isFirstChoice(body pcommon.Value) bool {
	for name, value := range members(body) {
		if name != "index" {
			continue
		}
		switch value.Type() {
		case pcommon.ValueTypeInt:
			return value.Int() == 0
		case pcommon.ValueTypeDouble:
			return value.Double() == 0
		case pcommon.ValueTypeStr:
			return value.Str() == "0"
		}
	}
	return true
}

// choiceSigns is what the body of an answer's choice tells.
type choiceSigns struct {
	ran      bool // a guardrail did
	answered bool // in whole or in part
}

func (s *choiceSigns) read(body pcommon.Value) {
	for name, value := range members(body) {
		switch name {
		case "finish_reason":
			s.ran = s.ran || holds(value, intervened)
			s.answered = s.answered || !isEmpty(value) && !holds(value, "error")
		case "message":
			s.answered = s.answered || !isEmpty(value)
		}
	}
}

// judgeAttributes decides by what the attributes tell; the first rule that applies counts.
func (r *Reader) judgeAttributes(record plog.LogRecord, choice choiceSigns, inv *Invocation) {
	attrs := &inv.levels // readBedrock has filled them with what may settle the verdict alone
	has := attrs.has()
	for _, k := range r.guardrailKeys.keys {
		if k < maxTabled && !has.has(k) {
			continue // three of four
		}
		if value, ok := attrs.value(k); ok {
			inv.nameAll(value)
		}
	}
	ecs := attrs[0].has.has(keyModelECS)
	if ecs {
		attrs = r.levelsOf(record, inv)
	}
	if len(inv.Guardrails) > 0 || choice.ran || intervenedOf(attrs) || ecs && violated(attrs) {
		inv.Kind = r.approve(inv, Claimed)
		return
	}
	attrs = r.levelsOf(record, inv)
	r.Describe(record, inv)
	switch {
	case r.unguardable(inv.Model):
		inv.Kind = Kind{NotApplicable, Model}
	case !r.judges(attrs.first(&providerKeys)):
		inv.Kind = Kind{NotApplicable, Provider}
	case failed(attrs, ecs) && !choice.answered && !answered(attrs):
		inv.Kind = Kind{Failed, Error}
	case MatchesAny(r.AssumeGuarded, inv):
		inv.Kind = Kind{Guarded, Enforced}
	default:
		inv.Kind = Kind{Unguarded, Presumed}
	}
}

// judges reports whether the records of a provider are judged; one that is not told may be any.
func (r *Reader) judges(provider string) bool {
	return provider == "" || slices.Contains(r.Providers, provider)
}

// nameAll adds the guardrails that an attribute names, one or a list.
func (inv *Invocation) nameAll(value pcommon.Value) {
	if value.Type() == pcommon.ValueTypeSlice {
		for _, element := range value.Slice().All() {
			inv.nameAll(element)
		}
		return
	}
	if id := bareID(stringOf(value)); id != "" {
		inv.name(Guardrail{ID: id})
	}
}

func intervenedOf(attrs *levels) bool {
	value, ok := attrs.value(keyFinishReasons)
	return ok && holds(value, intervened)
}

// violated reports whether Elastic's integration noted that a guardrail acted.
func violated(attrs *levels) bool {
	if value, ok := attrs.value(keyPolicyAction); ok && holds(value, "BLOCKED") {
		return true
	}
	value, ok := attrs.value(keyViolation)
	return ok && (value.Type() == pcommon.ValueTypeBool && value.Bool() || stringOf(value) == "true")
}

// holds reports whether a string is the wanted one, or a list contains it.
func holds(value pcommon.Value, want string) bool {
	if value.Type() != pcommon.ValueTypeSlice {
		return stringOf(value) == want
	}
	for _, element := range value.Slice().All() {
		if stringOf(element) == want {
			return true
		}
	}
	return false
}

func failed(attrs *levels, ecs bool) bool {
	return attrs.first(&failureKeys) != "" ||
		ecs && attrs.first(&outcomeKeys) == "failure"
}

// answered reports whether there is any sign that an answer came.
func answered(attrs *levels) bool {
	for _, k := range [...]key{keyResponseID, keyOutputMessages, keyCompletion} {
		if _, ok := attrs.value(k); ok {
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

// Attribute gives the first value under the key that is not empty, as text: the
// record's, the scope's, the resource's.
func (s Source) Attribute(key string) string {
	for _, attrs := range [...]pcommon.Map{s.Record.Attributes(), s.Scope.Attributes(), s.Resource.Attributes()} {
		if value, ok := attrs.Get(key); ok && !isEmpty(value) {
			return value.AsString()
		}
	}
	return ""
}
