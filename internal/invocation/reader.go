// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package invocation

import (
	"slices"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
)

// Options are the settings that decide how records are read.
type Options struct {
	GuardrailKeys      []string  // attributes that name the guardrails of an attribute record
	UserKeys           []string  // attributes that name the user, the best first
	Providers          []string  // providers whose attribute records are judged; "*": any; others are not applicable
	SilentScopes       []string  // globs of instrumentation scopes whose records never tell of guardrails
	ApprovedGuardrails []string  // "id" or "id:version"; empty: any will do
	UnguardableModels  []string  // globs of foundation-model ids
	AssumeGuarded      []Pattern // where a guardrail is enforced outside the request
	TrustAnnotations   bool      // take verdict and fields from a trusted instance's annotations
}

// Reader reads invocations from log records. It holds no state and may be used
// by any number of goroutines at once.
type Reader struct {
	Options

	table         *keyTable // of all keys
	settling      *keyTable // of those that can settle an attribute record's verdict alone
	userKeys      keyList
	guardrailKeys keyList
	anyProvider   bool
}

// NewReader returns a Reader.
func NewReader(options Options) *Reader {
	approved := make([]string, len(options.ApprovedGuardrails))
	for i, entry := range options.ApprovedGuardrails {
		g := guardrailOf(entry)
		if approved[i] = g.ID; g.Version != "" {
			approved[i] += ":" + g.Version
		}
	}
	options.ApprovedGuardrails = approved
	r := &Reader{Options: options, table: newKeyTable(), anyProvider: slices.Contains(options.Providers, "*")}
	r.userKeys = listOf(r.table.addAll(options.UserKeys)...)
	r.guardrailKeys = listOf(r.table.addAll(options.GuardrailKeys)...)
	r.settling = r.table.only(append(slices.Clone(settlingKeys), r.guardrailKeys.keys...)...)
	return r
}

// Enter readies inv for reading the records of a scope: the attributes around
// them are read once for all. They must not change meanwhile.
func (r *Reader) Enter(resource pcommon.Resource, scope pcommon.InstrumentationScope, inv *Invocation) {
	inv.reset()
	inv.levels[1].read(scope.Attributes(), r.table)
	inv.levels[2].read(resource.Attributes(), r.table)
	inv.scope = scopeState{name: scope.Name()}
}

// Read judges one record of the scope that inv was readied for by [Reader.Enter].
// It returns false for a record that is no invocation, whose inv means nothing.
// It sets the verdict, its evidence and the guardrails; [Reader.Describe] adds
// the rest.
func (r *Reader) Read(record plog.LogRecord, inv *Invocation) bool {
	event := eventOf(record.EventName())
	if event != callDetails && event != answerChoice && !mayBeBedrock(record.Body()) && !mayTell(record.Attributes()) {
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

// levelsOf returns all attributes that are looked up.
func (r *Reader) levelsOf(record plog.LogRecord, inv *Invocation) *levels {
	if attrs := &inv.levels[0]; attrs.table != r.table {
		attrs.read(record.Attributes(), r.table)
	}
	return &inv.levels
}

// settlingOf returns those that may settle a verdict alone, at least: most records
// are guarded, and say so by one attribute.
func (r *Reader) settlingOf(record plog.LogRecord, inv *Invocation) *levels {
	if attrs := &inv.levels[0]; attrs.table == nil {
		attrs.read(record.Attributes(), r.settling)
	}
	return &inv.levels
}

// mayBeBedrock reports whether a body could be a Bedrock record or hold one, by how
// it begins.
func mayBeBedrock(body pcommon.Value) bool {
	if text := body.Str(); text != "" { // as nearly always
		first := text[0]
		return first == '{' || first <= ' ' || beginnings[first] && strings.Contains(text[:min(len(text), maxHeader)], "{")
	}
	switch body.Type() {
	case pcommon.ValueTypeBytes:
		return body.Bytes().Len() > 0
	case pcommon.ValueTypeMap:
		return mayBeRecord(body.Map())
	case pcommon.ValueTypeSlice:
		return body.Slice().Len() > 0
	default:
		return false
	}
}

// beginnings are the bytes with which a text can begin that has a record in a
// wrapper: JSON, a time, a priority, a cookie, the name of a month or a day.
var beginnings = func() (set [256]bool) {
	for _, c := range "\"[<@0123456789JFMASONDTW" {
		set[byte(c)] = true
	}
	set[byteOrderMark[0]] = true
	return set
}()

// readBedrock reads the Bedrock record that a log record holds, and leaves inv
// empty when there is none.
func (r *Reader) readBedrock(event event, record plog.LogRecord, inv *Invocation) (got reading) {
	// Attribute records mostly have no body: asked first, that saves a twentieth of one.
	if body := record.Body(); body.Type() != pcommon.ValueTypeEmpty && mayBeBedrock(body) {
		if got = inv.readValue(body, wrappersAround(event, record)); got == noRecord {
			inv.reset()
		}
	}
	if got == noRecord && r.settlingOf(record, inv)[0].has&bedrockKeys.set != 0 {
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

// wrappersAround returns how many wrappers may stand around a Bedrock record: none
// in the records of telemetry about calls, whose texts are the caller's.
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

// The fields of which a map has one, or is no Bedrock record.
const (
	fieldSchema = "schemaType"
	fieldModel  = "modelId"
)

// mayBeRecord reports whether a map could be a Bedrock record or hold one.
func mayBeRecord(record pcommon.Map) bool {
	for name := range record.All() {
		if name == fieldSchema || name == fieldModel || isWrapper(name) {
			return true
		}
	}
	return false
}

// hasWrapper reports whether attributes hold one that may be a whole record.
func hasWrapper(attrs pcommon.Map) bool {
	for name := range attrs.All() {
		if isWrapper(name) {
			return true
		}
	}
	return false
}
