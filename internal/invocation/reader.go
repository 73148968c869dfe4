// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package invocation

import (
	"slices"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
)

// Options are the settings that decide how records are read.
type Options struct {
	GuardrailKeys      []string  // attributes that name the guardrails of an attribute record
	UserKeys           []string  // attributes that name the user, the best first
	Providers          []string  // providers whose attribute records are judged; "*": any; others are not applicable
	SilentScopes       []string  // instrumentation scopes whose records never mention guardrails; see [LogSilentScopes]
	ApprovedGuardrails []string  // "id" or "id:version"; empty: every guardrail is approved
	UnguardableModels  []string  // globs of the ids of foundation models that take no guardrail
	AssumeGuarded      []Pattern // invocations for which a guardrail is enforced outside the request
	PartKeys           []string  // keys of the fields that [Reader.DescribePart] sets, as annotations name them
	TrustAnnotations   bool      // take verdict and fields from a trusted instance's annotations
}

// Reader reads invocations from log records and spans. It holds no state and may be
// used by any number of goroutines at once.
type Reader struct {
	Options

	logs        vocabulary
	spans       spanVocabulary
	part        part // see [Reader.DescribePart]
	anyProvider bool
}

// NewReader returns a Reader with the given settings.
func NewReader(options Options) *Reader {
	approved := make([]string, len(options.ApprovedGuardrails))
	for i, entry := range options.ApprovedGuardrails {
		g := guardrailOf(entry)
		if approved[i] = g.ID; g.Version != "" {
			approved[i] += ":" + g.Version
		}
	}
	options.ApprovedGuardrails = approved
	part := partOf(options.PartKeys)
	return &Reader{
		Options:     options,
		logs:        newLogVocabulary(&options, part),
		spans:       newSpanVocabulary(&options),
		part:        part,
		anyProvider: slices.Contains(options.Providers, "*"),
	}
}

// Enter prepares inv for the log records or the spans of a scope: the attributes of
// scope and resource are read once for all of them. They must not change until the
// last one has been read.
func (r *Reader) Enter(resource pcommon.Resource, scope pcommon.InstrumentationScope, inv *Invocation) {
	inv.reset()
	inv.levels[1].read(scope.Attributes(), r.logs.table)
	inv.levels[2].read(resource.Attributes(), r.logs.table)
	inv.scope = scopeState{name: scope.Name(), version: scope.Version()}
}

// Read judges one record of the scope that [Reader.Enter] has prepared inv for.
// It returns false for a record that is no invocation; the content of inv is then
// undefined. Else it sets the verdict, its evidence and the guardrails;
// [Reader.Describe] adds the other fields.
func (r *Reader) Read(record plog.LogRecord, inv *Invocation) bool {
	event := eventOf(record.EventName())
	if event != callDetails && event != answerChoice && !mayBeBedrock(record.Body()) && !mayBeInvocation(record.Attributes()) {
		return false
	}
	if event == noEvent {
		event = eventOf(eventName(record))
	}
	if event == ownAlert {
		return false
	}
	inv.reset()
	if r.TrustAnnotations && r.readAnnotations(event, record, inv) {
		return true
	}
	if got := r.readBedrock(event, record, inv); got != noRecord {
		r.judgeBedrock(record, inv, got)
		return true
	}
	return r.readAttributes(event, record, inv)
}

// levelsOf returns the attributes of record, scope and resource under all keys of
// the reader.
func (r *Reader) levelsOf(record plog.LogRecord, inv *Invocation) *levels {
	if attrs := &inv.levels[0]; attrs.table != r.logs.table {
		attrs.read(record.Attributes(), r.logs.table)
	}
	return &inv.levels
}

// decisiveOf returns the attributes that alone can decide a verdict, or more of
// them. Most records are guarded and say so in one attribute, so that reading the
// others would be wasted.
func (r *Reader) decisiveOf(record plog.LogRecord, inv *Invocation) *levels {
	if attrs := &inv.levels[0]; attrs.table == nil {
		attrs.read(record.Attributes(), r.logs.decisive)
	}
	return &inv.levels
}

// readBedrock reads the Bedrock record that a log record holds: in its body, split
// into its attributes, or in a wrapper among them, in this order. It returns
// noRecord and leaves inv empty when there is none.
func (r *Reader) readBedrock(event event, record plog.LogRecord, inv *Invocation) (got reading) {
	// Most attribute records have no body; the check saves a twentieth of their time.
	if body := record.Body(); body.Type() != pcommon.ValueTypeEmpty && mayBeBedrock(body) {
		if got = inv.readValue(body, wrappersAround(event, record)); got == noRecord {
			inv.reset()
		}
	}
	if got == noRecord && r.decisiveOf(record, inv)[0].has&bedrockKeys.set != 0 {
		if inv.readMap(record.Attributes()) {
			got, inv.split = wholeRecord, true
		} else {
			inv.reset()
		}
	}
	if got == noRecord && event != callDetails && hasWrapper(record.Attributes()) {
		if depth := wrappersAround(event, record); depth > 0 {
			if got = inv.readMembers(record.Attributes(), depth-1); got == noRecord {
				inv.reset()
			}
			inv.split = inv.content == ""
		}
	}
	inv.bedrock = got != noRecord
	return got
}

// wrappersAround returns how many wrappers may be taken off to find a Bedrock
// record: none in telemetry about calls, whose texts are the caller's.
func wrappersAround(event event, record plog.LogRecord) int {
	if event != noEvent && event != otherEvent {
		return 0
	}
	if attrs := record.Attributes(); attrs.Len() > 0 {
		if _, ok := attrs.Get(attrOperation); ok {
			return 0
		}
	}
	return maxWrappers
}
