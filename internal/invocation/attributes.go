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
)

// The events that stand for a call, by the semantic conventions since version
// 1.37 and before.
const (
	detailsEvent = "gen_ai.client.inference.operation.details"
	choiceEvent  = "gen_ai.choice"
)

// levels are the attributes of a record, its scope and its resource, in the
// order in which they are looked up.
type levels [3]pcommon.Map

func (l levels) record() pcommon.Map { return l[0] }

// first gives the first non-empty string under any of the keys, the nearest level first.
func (l levels) first(keys ...string) string {
	for _, attrs := range l {
		for _, key := range keys {
			if value, ok := attrs.Get(key); ok {
				if s := stringOf(value); s != "" {
					return s
				}
			}
		}
	}
	return ""
}

// value gives the first value under the key that is not empty.
func (l levels) value(key string) (pcommon.Value, bool) {
	for _, attrs := range l {
		if value, ok := attrs.Get(key); ok && !isEmpty(value) {
			return value, true
		}
	}
	return pcommon.Value{}, false
}

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

// eventName gives a record's event name, which older SDKs write as an attribute.
func eventName(record plog.LogRecord) string {
	if name := record.EventName(); name != "" {
		return name
	}
	if value, ok := record.Attributes().Get("event.name"); ok {
		return stringOf(value)
	}
	return ""
}

// fillFields takes from attributes what is not known yet.
func (r *Reader) fillFields(attrs levels, inv *Invocation) {
	fill := func(field *string, keys ...string) {
		if *field == "" {
			*field = attrs.first(keys...)
		}
	}
	fill(&inv.User, r.UserKeys...)
	if inv.Account == "" {
		if value, ok := attrs.value(attrAccount); ok {
			inv.Account = accountOf(value)
		}
	}
	fill(&inv.Region, attrRegion)
	fill(&inv.Model, attrModel, attrModelECS)
	fill(&inv.Operation, attrMethod, attrActionECS, attrOperation)
	fill(&inv.RequestID, attrRequestID)
	fill(&inv.RequestID, attrResponseID)
	fill(&inv.RequestID, attrRequestIDECS)
}

// readAttributes reads a record whose attributes tell of a call: an event of the
// semantic conventions, or a record without event name in their form or in that
// of Elastic's Bedrock integration (ECS).
func (r *Reader) readAttributes(event string, attrs levels, record plog.LogRecord, inv *Invocation) bool {
	_, ecs := attrs.record().Get(attrModelECS)
	switch event {
	case detailsEvent:
	case choiceEvent:
		if !isFirstChoice(record.Body()) {
			return false
		}
	case "":
		if !ecs {
			_, operation := attrs.record().Get(attrOperation)
			_, model := attrs.record().Get(attrModel)
			if !operation || !model {
				return false
			}
		}
	default:
		return false
	}
	r.fillFields(attrs, inv)
	inv.Principal = principalOf(inv.User)
	inv.fillTime(record)
	signs := attributeSigns{
		ran:      intervenedOf(attrs) || ecs && violated(attrs),
		failed:   failed(attrs, ecs),
		answered: answered(attrs),
	}
	if event == choiceEvent {
		signs.readChoice(record.Body())
	}
	r.judgeAttributes(attrs, signs, inv)
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

// attributeSigns is what an attribute record tells besides its fields.
type attributeSigns struct {
	ran      bool // a guardrail did
	failed   bool
	answered bool // in whole or in part
}

// readChoice takes in what the body of an answer's choice tells.
func (s *attributeSigns) readChoice(body pcommon.Value) {
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

func (r *Reader) judgeAttributes(attrs levels, signs attributeSigns, inv *Invocation) {
	for _, key := range r.GuardrailKeys {
		if value, ok := attrs.value(key); ok {
			inv.nameAll(value)
		}
	}
	provider := attrs.first("gen_ai.provider.name", "gen_ai.system")
	switch {
	case len(inv.Guardrails) > 0 || signs.ran:
		inv.Kind = r.approve(inv, Claimed)
	case r.unguardable(inv.Model):
		inv.Kind = Kind{NotApplicable, Model}
	case provider != "" && !slices.Contains(r.Providers, provider):
		inv.Kind = Kind{NotApplicable, Provider}
	case signs.failed && !signs.answered:
		inv.Kind = Kind{Failed, Error}
	case MatchesAny(r.AssumeGuarded, inv):
		inv.Kind = Kind{Guarded, Enforced}
	default:
		inv.Kind = Kind{Unguarded, Presumed}
	}
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

func intervenedOf(attrs levels) bool {
	value, ok := attrs.value("gen_ai.response.finish_reasons")
	return ok && holds(value, intervened)
}

// violated reports whether Elastic's integration noted that a guardrail acted.
func violated(attrs levels) bool {
	if value, ok := attrs.value("gen_ai.policy.action"); ok && holds(value, "BLOCKED") {
		return true
	}
	value, ok := attrs.value("gen_ai.compliance.violation_detected")
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

func failed(attrs levels, ecs bool) bool {
	return attrs.first("error.type", "gen_ai.response.error_code") != "" ||
		ecs && attrs.first("event.outcome") == "failure"
}

// answered reports whether there is any sign that an answer came.
func answered(attrs levels) bool {
	for _, key := range [...]string{attrResponseID, "gen_ai.output.messages", "gen_ai.completion"} {
		if _, ok := attrs.value(key); ok {
			return true
		}
	}
	for _, key := range [...]string{"gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens"} {
		if value, ok := attrs.value(key); ok && countOf(value) > 0 {
			return true
		}
	}
	reasons, ok := attrs.value("gen_ai.response.finish_reasons")
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
	value, ok := levels{s.Record.Attributes(), s.Scope.Attributes(), s.Resource.Attributes()}.value(key)
	if !ok {
		return ""
	}
	return value.AsString()
}
