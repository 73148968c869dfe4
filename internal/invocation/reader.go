// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package invocation

import (
	"slices"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
)

// AlertEvent is the event name of this project's own alerts, which are never
// taken for invocations.
const AlertEvent = "gen_ai_guardrail.alert"

// Options are the settings that decide how records are read.
type Options struct {
	GuardrailKeys      []string  // attributes that name the guardrails of an attribute record
	UserKeys           []string  // attributes that name the user, the best first
	Providers          []string  // providers whose attribute records are judged; others are not applicable
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
	event := record.EventName()
	if event != detailsEvent && event != choiceEvent && !mayBeBedrock(record.Body()) && !mayTell(record.Attributes()) {
		return false
	}
	if event == "" {
		event = eventName(record)
	}
	if event == AlertEvent {
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

// Describe adds who and what and when to an invocation that was read from the
// record. Apart from reading, since most of what is guarded needs no more than
// the verdict.
func (r *Reader) Describe(record plog.LogRecord, inv *Invocation) {
	if inv.described {
		return
	}
	inv.described = true
	inv.setTime(record)
	if inv.User == "" || inv.Account == "" || inv.Region == "" || inv.Model == "" || inv.Operation == "" || inv.RequestID == "" {
		r.fillFields(r.levelsOf(record, inv), inv)
	}
	inv.Principal = principalOf(inv.User)
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
		return beginsObject(text)
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

// beginsObject reports whether an object comes first, behind what [trimStart] leaves out.
func beginsObject(text string) bool {
	return text != "" && (text[0] == '{' || text[0] <= ' ' || text[0] == byteOrderMark[0]) && strings.HasPrefix(trimStart(text), "{")
}

// readBedrock reads a Bedrock record, if the record holds one, and leaves inv
// empty otherwise. whole is false for one that breaks before its end.
func (r *Reader) readBedrock(record plog.LogRecord, inv *Invocation) (whole bool) {
	bedrock := false
	if body := record.Body(); mayBeBedrock(body) {
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

// setTime takes a Bedrock record's own time, or else the log record's.
func (inv *Invocation) setTime(record plog.LogRecord) {
	if t, ok := parseTime(inv.timestamp); ok {
		inv.Time, inv.TimeSource = t, StatedTime
	} else if record.Timestamp() != 0 {
		inv.Time, inv.TimeSource = int64(record.Timestamp()), StatedTime // past the year 2262 it wraps, as everywhere in pdata
	} else if record.ObservedTimestamp() != 0 {
		inv.Time, inv.TimeSource = int64(record.ObservedTimestamp()), ObservedTime
	}
}

// judgeBedrock decides by what was found; the first rule that applies counts.
func (r *Reader) judgeBedrock(record plog.LogRecord, inv *Invocation, whole bool) {
	f := &inv.found
	if !whole || f.cut {
		// What was read may have a later half that says otherwise.
		inv.Kind = Kind{Unknown, Unreadable}
		return
	}
	if inv.Operation == "" { // an attribute may tell it
		r.Describe(record, inv)
	}
	family := familyOf(inv.Operation)
	if evidence, ran := inv.gather(family); ran {
		inv.Kind = r.approve(inv, evidence)
		return
	}
	r.Describe(record, inv)
	switch {
	case r.unguardable(inv.Model):
		inv.Kind = Kind{NotApplicable, Model}
	case f.errored && !f.answer && !f.offloaded:
		inv.Kind = Kind{Failed, Error}
	case MatchesAny(r.AssumeGuarded, inv):
		inv.Kind = Kind{Guarded, Enforced}
	case !f.answer:
		inv.Kind = Kind{Unknown, NoBody}
	case family&invokeFamily != 0 && f.invoke.unrecognised:
		inv.Kind = Kind{Unknown, Unrecognised}
	case family == invokeFamily:
		inv.Kind = Kind{Unguarded, Absent}
	default:
		inv.Kind = Kind{Unguarded, Presumed}
	}
}

// family is a set of operations that leave the same kind of evidence.
type family uint8

const (
	invokeFamily family = 1 << iota
	converseFamily
)

// familyOf gives both families for an operation that is not known by name.
func familyOf(operation string) family {
	switch operation {
	case "InvokeModel", "InvokeModelWithResponseStream":
		return invokeFamily
	case "Converse", "ConverseStream":
		return converseFamily
	default:
		return invokeFamily | converseFamily
	}
}

// gather collects the guardrails that left evidence where operations of the
// family leave it, and names that evidence. ran is false when there is none.
func (inv *Invocation) gather(family family) (evidence Evidence, ran bool) {
	f := &inv.found
	var places place
	if family&invokeFamily != 0 {
		places |= invokePlaces
		ran = f.invoke.ran
	}
	if family&converseFamily != 0 {
		places |= conversePlaces
		ran = ran || f.converse.ran
	}
	var seen coverage
	for _, a := range f.assessments {
		if a.place&places != 0 {
			inv.name(a.Guardrail)
			seen.add(a.coverage)
		}
	}
	if family == converseFamily && f.config.ID != "" {
		inv.name(f.config)
	}
	switch {
	case len(inv.Guardrails) == 0:
		return Unnamed, ran
	case seen.total > 0 && seen.guarded == 0:
		return Uncovered, true
	default:
		return Applied, true
	}
}

// name adds a guardrail that is told. One told again, with the same version or
// without any, is the same.
func (inv *Invocation) name(g Guardrail) {
	if len(inv.Guardrails) == maxGuardrails {
		return
	}
	for i := range inv.Guardrails {
		known := &inv.Guardrails[i]
		if known.ID != g.ID || known.Version != "" && g.Version != "" && known.Version != g.Version {
			continue
		}
		if known.Version == "" {
			known.Version = g.Version
		}
		return
	}
	inv.Guardrails = append(inv.Guardrails, g)
}

// The most guardrails named of one record, which bounds the search among them; a
// real one names a handful.
const maxGuardrails = 1000

// approve decides between guarded and unapproved, given evidence that one ran.
func (r *Reader) approve(inv *Invocation, evidence Evidence) Kind {
	if len(r.ApprovedGuardrails) == 0 || len(inv.Guardrails) == 0 {
		return Kind{Guarded, evidence}
	}
	for _, g := range inv.Guardrails {
		if slices.ContainsFunc(r.ApprovedGuardrails, g.matches) {
			return Kind{Guarded, evidence}
		}
	}
	return Kind{Unapproved, evidence}
}

// matches reports whether an entry "id" or "id:version" means the guardrail; one
// whose version is not told matches any.
func (g Guardrail) matches(entry string) bool {
	id, version, versioned := strings.Cut(entry, ":")
	return id == g.ID && (!versioned || g.Version == "" || version == g.Version)
}

func (r *Reader) unguardable(model string) bool {
	id := foundationModel(model)
	if id == "" {
		return false
	}
	for _, glob := range r.UnguardableModels {
		if Glob(glob, id) {
			return true
		}
	}
	return false
}
