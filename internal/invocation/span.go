// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package invocation

import (
	"slices"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// spanVocabulary holds the keys that are looked up in spans.
type spanVocabulary struct {
	vocabulary

	finish, answer, tokens keyList

	silentMarks keySet // the attributes of instrumentations that never mention guardrails
}

// newSpanVocabulary returns the keys that are looked up in spans.
func newSpanVocabulary(options *Options) spanVocabulary {
	v := spanVocabulary{vocabulary: newVocabulary(options, inSpans), silentMarks: silentMarks(options.SilentScopes)}
	v.finish = listOf(v.table.addAll(namesOf(meansFinish, inSpans))...)
	v.answer = listOf(v.table.addAll(namesOf(meansAnswer, inSpans))...)
	v.tokens = listOf(v.table.addAll(namesOf(meansTokens, inSpans))...)
	v.decisive = v.table.subset(slices.Concat(decisiveSpanKeys, v.finish.keys, v.guardrail.keys)...)
	return v
}

// ReadSpan judges one span of the scope that [Reader.Enter] has prepared inv for. It
// returns false for a span that is no invocation; the content of inv is then undefined.
// Else it sets the verdict, its evidence and the guardrails; [Reader.DescribeSpan] adds
// the other fields.
//
// A span is judged as an attribute record is: what it says about a guardrail is the
// caller's claim, and what it leaves out is presumed at most.
func (r *Reader) ReadSpan(span ptrace.Span, inv *Invocation) bool {
	if !mayBeCall(span.Attributes()) {
		return false
	}
	inv.reset()
	inv.bodies = bodies{}
	attrs := r.decisiveSpan(span.Attributes(), inv)
	call := callOf(&attrs[0])
	if !call.model && !call.embedding {
		return false
	}
	inv.addClaimedGuardrails(attrs, &r.spans.guardrail)
	events := readEvents(span.Events(), &inv.found.inner)
	inv.Intervened = events.intervened || inv.intervenedIn(attrs, &r.spans.finish) || attrs[0].stoppedByGuardrail(span.Name(), &inv.found.inner)
	failed := span.Status().Code() == ptrace.StatusCodeError || events.failed || failed(attrs, &r.spans.finish)
	if len(inv.Guardrails) > 0 && (inv.Intervened || !failed) {
		inv.Kind = r.approve(inv, Claimed) // nearly always
		return true
	}
	r.judgeSpan(span, call, failed, events.answered, inv)
	return true
}

// judgeSpan sets the verdict on a span whose attributes and events do not decide it;
// the first rule that applies decides.
func (r *Reader) judgeSpan(span ptrace.Span, call call, failed, answered bool, inv *Invocation) {
	attrs := r.spanLevels(span.Attributes(), inv)
	inv.readBodies(attrs, call)
	failed = failed && !answered && !inv.found.answer && !r.spanAnswered(attrs)
	if evidence, ran := inv.spanEvidence(call, failed); ran {
		inv.Kind = r.approve(inv, evidence)
		return
	}
	r.DescribeSpan(span, inv)
	switch {
	case call.embedding, r.unguardable(inv.Model), inv.textless():
		inv.Kind = Kind{NotApplicable, Model}
	case !call.bedrock && !r.judgesSpan(attrs, inv.Model):
		inv.Kind = Kind{NotApplicable, Provider}
	case failed: // also where a guardrail is named: that is the request's
		inv.Kind = Kind{Failed, Error}
	case MatchesAny(r.AssumeGuarded, inv):
		inv.Kind = Kind{Guarded, Enforced}
	case inv.bodies.cut:
		inv.Kind = Kind{Unknown, Unreadable}
	case inv.found.invoke.unrecognised && call.family(&inv.found)&invokeFamily != 0:
		inv.Kind = Kind{Unknown, Unrecognised}
	case !inv.tell(call) && r.silentSpan(attrs, inv):
		inv.Kind = Kind{Unknown, Untold}
	default:
		inv.Kind = Kind{Unguarded, Presumed}
	}
}

// silentSpan reports whether a span is of an instrumentation whose spans are known to
// look the same whether or not a guardrail ran.
func (r *Reader) silentSpan(attrs *levels, inv *Invocation) bool {
	return attrs[0].has&r.spans.silentMarks != 0 || r.silent(&inv.scope)
}

// spanAnswered reports whether the attributes of a span show any sign of an answer.
func (r *Reader) spanAnswered(attrs *levels) bool {
	return hasAnswer(attrs, &r.spans.answerID) || hasAnswer(attrs, &r.spans.answer) ||
		hasAnswer(attrs, &messageKeys) || hasTokens(attrs, &r.spans.tokens) || finished(attrs, &r.spans.finish)
}

// judgesSpan reports whether spans of this provider and model are judged. LangChain
// names both in metadata.
func (r *Reader) judgesSpan(attrs *levels, model string) bool {
	if value, ok := attrs[0].attrs.Get(attrMetadata); ok && !r.anyProvider {
		provider, _ := readMetadata(value)
		if provider != "" && r.judges(provider) {
			return true
		}
		if provider != "" && model == "" && attrs.first(&r.spans.provider) == "" {
			return false
		}
	}
	return r.judgesProvider(attrs, &r.spans.provider, model)
}

// readMetadata returns the provider and the model in LangChain's metadata, a map or
// JSON text.
func readMetadata(metadata pcommon.Value) (provider, model string) {
	const providerName, modelName = "ls_provider", "ls_model_name"
	if metadata.Type() != pcommon.ValueTypeStr {
		for name, value := range members(metadata) {
			switch name {
			case providerName:
				provider = stringOf(value)
			case modelName:
				model = stringOf(value)
			}
		}
		return provider, model
	}
	var s scanner
	s.start(metadata.Str())
	if s.peek() != '{' {
		return "", ""
	}
	whole := s.members(func(name string) (ok bool) {
		switch name {
		case providerName:
			provider, ok = s.stringValue()
		case modelName:
			model, ok = s.stringValue()
		default:
			ok = s.skip()
		}
		return ok
	}) && s.end()
	if !whole {
		return "", ""
	}
	return provider, model
}

// decisiveSpan returns the attributes that alone can decide whether a span is an
// invocation, and the verdict on it, or more of them.
func (r *Reader) decisiveSpan(attrs pcommon.Map, inv *Invocation) *levels {
	for i := range inv.levels[1:] {
		// Enter has read these with the keys of log records.
		if level := &inv.levels[1+i]; level.table != r.spans.table {
			level.read(level.attrs, r.spans.table)
		}
	}
	inv.levels[0].read(attrs, r.spans.decisive)
	return &inv.levels
}

// spanLevels returns the attributes of span, scope and resource under all keys.
func (r *Reader) spanLevels(attrs pcommon.Map, inv *Invocation) *levels {
	if own := &inv.levels[0]; own.table != r.spans.table {
		own.read(attrs, r.spans.table)
	}
	return &inv.levels
}

// DescribeSpan does for a span what [Reader.Describe] does for a log record. The time
// is that of the span's end, or of its start when it has none.
func (r *Reader) DescribeSpan(span ptrace.Span, inv *Invocation) {
	if inv.described {
		return
	}
	inv.described = true
	inv.TimeSource = StatedTime
	switch {
	case span.EndTimestamp() != 0:
		inv.Time = int64(span.EndTimestamp())
	case span.StartTimestamp() != 0:
		inv.Time = int64(span.StartTimestamp())
	default:
		inv.TimeSource = NoTime
	}
	attrs := r.spanLevels(span.Attributes(), inv)
	inv.readBodies(attrs, callOf(&attrs[0]))
	inv.Model, inv.RequestID = inv.found.sdk.model, inv.found.sdk.requestID
	inv.fillFields(attrs, &r.spans.vocabulary)
	if inv.Model == "" {
		if value, ok := attrs[0].attrs.Get(attrMetadata); ok {
			_, inv.Model = readMetadata(value)
		}
	}
	inv.Operation = withoutService(inv.Operation)
	inv.Principal = PrincipalOf(inv.User)
}
