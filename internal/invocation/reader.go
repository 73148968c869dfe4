// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package invocation

import (
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
}

// NewReader makes a Reader.
func NewReader(options Options) *Reader {
	approved := make([]string, len(options.ApprovedGuardrails))
	for i, entry := range options.ApprovedGuardrails {
		approved[i] = bareID(entry)
	}
	options.ApprovedGuardrails = approved
	r := &Reader{Options: options, table: newKeyTable()}
	r.userKeys = listOf(r.table.addAll(options.UserKeys)...)
	r.guardrailKeys = listOf(r.table.addAll(options.GuardrailKeys)...)
	r.settling = r.table.only(append([]key{keySchemaType, keyModelID, keyFinishReasons, keyModelECS}, r.guardrailKeys.keys...)...)
	return r
}

// Enter readies inv for reading the records of a scope: the attributes around
// them are read once for all. They must not change meanwhile.
func (r *Reader) Enter(resource pcommon.Resource, scope pcommon.InstrumentationScope, inv *Invocation) {
	inv.reset()
	inv.levels[1].read(scope.Attributes(), r.table)
	inv.levels[2].read(resource.Attributes(), r.table)
}

// Read judges one record of the scope that inv was readied for by [Reader.Enter].
// It reports false for a record that is no invocation, whose inv means nothing.
// Of an invocation it gives verdict, evidence and guardrails; [Reader.Describe]
// adds the rest.
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
	if r.TrustAnnotations && r.readAnnotations(record, inv) {
		return true
	}
	if whole := r.readBedrock(record, inv); inv.bedrock {
		r.judgeBedrock(record, inv, whole)
		return true
	}
	return r.readAttributes(event, record, inv)
}

// levelsOf gives all attributes that are looked up.
func (r *Reader) levelsOf(record plog.LogRecord, inv *Invocation) *levels {
	if attrs := &inv.levels[0]; attrs.table != r.table {
		attrs.read(record.Attributes(), r.table)
	}
	return &inv.levels
}

// settlingOf gives those that may settle a verdict alone, at least: most records
// are guarded, and say so by one attribute.
func (r *Reader) settlingOf(record plog.LogRecord, inv *Invocation) *levels {
	if attrs := &inv.levels[0]; attrs.table == nil {
		attrs.read(record.Attributes(), r.settling)
	}
	return &inv.levels
}

// mayBeBedrock reports whether a body could be a Bedrock record, by how it begins.
func mayBeBedrock(body pcommon.Value) bool {
	if text := body.Str(); text != "" { // as nearly always
		first := text[0] // tells nearly all others apart without a call
		return (first == '{' || first <= ' ' || first == byteOrderMark[0]) && strings.HasPrefix(trimStart(text), "{")
	}
	switch body.Type() {
	case pcommon.ValueTypeBytes:
		return body.Bytes().Len() > 0
	case pcommon.ValueTypeMap:
		return hasBedrockKey(body.Map())
	default:
		return false
	}
}

// readBedrock reads a Bedrock record, if the record holds one, and leaves inv
// empty otherwise. whole is false for one that breaks before its end.
func (r *Reader) readBedrock(record plog.LogRecord, inv *Invocation) (whole bool) {
	bedrock := false
	// Attribute records mostly have no body: asked first, that saves a twentieth of one.
	if body := record.Body(); body.Type() != pcommon.ValueTypeEmpty && mayBeBedrock(body) {
		inv.found.reset()
		bedrock, whole = inv.readBody(body)
		if !bedrock {
			inv.reset()
		}
	}
	if !bedrock && r.settlingOf(record, inv)[0].has&bedrockKeys.set != 0 {
		inv.found.reset()
		bedrock, whole = inv.readMap(record.Attributes())
		if !bedrock {
			inv.reset()
		}
		inv.split = bedrock
	}
	inv.bedrock = bedrock
	return whole
}

// readBody reads a body that may be a Bedrock record in any of the forms in
// which pipelines carry it.
func (inv *Invocation) readBody(body pcommon.Value) (bedrock, whole bool) {
	switch body.Type() {
	case pcommon.ValueTypeStr:
		return inv.readText(body.Str())
	case pcommon.ValueTypeBytes:
		return inv.readText(string(body.Bytes().AsRaw()))
	case pcommon.ValueTypeMap:
		return inv.readMap(body.Map())
	default:
		return false, false
	}
}

// The fields of which a map has one, or is no Bedrock record.
const (
	fieldSchema = "schemaType"
	fieldModel  = "modelId"
)

func hasBedrockKey(record pcommon.Map) bool {
	for name := range record.All() {
		if name == fieldSchema || name == fieldModel {
			return true
		}
	}
	return false
}
