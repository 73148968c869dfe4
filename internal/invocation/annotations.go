// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package invocation

import (
	"slices"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
)

// The attributes that an annotated record has besides the canonical fields, which are
// under the names of the semantic conventions.
const (
	annotationPrefix = "gen_ai_guardrail."
	attrVerdict      = annotationPrefix + "verdict"
	attrEvidence     = annotationPrefix + "evidence"
	attrGuardrailIDs = annotationPrefix + "guardrail_ids"
	attrPartition    = annotationPrefix + "partition"
	attrIntervened   = annotationPrefix + "intervened"
	attrContentID    = annotationPrefix + "id"

	// AttrPrincipal is the key of the principal, in annotations and in group_by.
	AttrPrincipal = annotationPrefix + "principal"
	// AttrUser is the key of the user.
	AttrUser = "user.id"
)

// annotatedFields are the keys of the canonical fields that Annotate writes.
var annotatedFields = []string{AttrUser, attrAccount, attrRegion, attrModel, attrMethod, attrRequestID}

// Annotate writes the verdict and the canonical fields onto the record that inv was
// read from. It replaces any annotations that came with the record. An empty partition
// is left out.
func (inv *Invocation) Annotate(record plog.LogRecord, partition string) {
	var contentID string
	if inv.RequestID == "" { // distinguishes the record from others, also without its body
		contentID = inv.ContentID(Source{Record: record})
	}
	StripAnnotations(record)
	attrs := record.Attributes()
	attrs.PutStr(attrVerdict, inv.Verdict.String())
	attrs.PutStr(attrEvidence, inv.Evidence.String())
	if inv.Intervened {
		attrs.PutBool(attrIntervened, true)
	}
	if len(inv.Guardrails) > 0 {
		ids := attrs.PutEmptySlice(attrGuardrailIDs)
		ids.EnsureCapacity(len(inv.Guardrails))
		for i, g := range inv.Guardrails {
			if !slices.ContainsFunc(inv.Guardrails[:i], func(before Guardrail) bool { return before.ID == g.ID }) {
				ids.AppendEmpty().SetStr(g.ID)
			}
		}
	}
	if inv.Principal != "" {
		attrs.PutStr(AttrPrincipal, inv.Principal)
	}
	if partition != "" {
		attrs.PutStr(attrPartition, partition)
	}
	if contentID != "" {
		attrs.PutStr(attrContentID, contentID)
	}
	inv.put(attrs, AttrUser, inv.User)
	inv.put(attrs, attrAccount, inv.Account)
	inv.put(attrs, attrRegion, inv.Region)
	inv.put(attrs, attrModel, inv.Model)
	inv.put(attrs, attrMethod, inv.Operation)
	inv.put(attrs, attrRequestID, inv.RequestID)
	// The Bedrock record's own time overrules that of a forwarder, which would be the
	// only one left once the body is removed. A time of observation is not written: it
	// differs between deliveries and must not look like a stated time.
	if (inv.bedrock || record.Timestamp() == 0) && inv.TimeSource == StatedTime && inv.Time > 0 {
		record.SetTimestamp(pcommon.Timestamp(inv.Time))
	}
}

// StripAnnotations removes annotations that came with a record. This project's own
// alerts keep theirs: no instance takes them for invocations.
func StripAnnotations(record plog.LogRecord) {
	if eventName(record) != AlertEvent {
		stripAnnotations(record.Attributes())
	}
}

// StripAnnotationsAround removes annotations that came with a scope and a resource.
// A load balancer reads the resource first, so that a forged key there would split
// a user's invocations.
func StripAnnotationsAround(resource pcommon.Resource, scope pcommon.InstrumentationScope) {
	stripAnnotations(resource.Attributes())
	stripAnnotations(scope.Attributes())
}

// stripAnnotations removes annotations from attributes.
func stripAnnotations(attrs pcommon.Map) {
	attrs.RemoveIf(func(name string, _ pcommon.Value) bool {
		return strings.HasPrefix(name, annotationPrefix)
	})
}

// put writes a field that is not empty. Only a field of a Bedrock record replaces a
// value that is already there.
func (inv *Invocation) put(attrs pcommon.Map, key, value string) {
	if value == "" {
		return
	}
	if present, ok := attrs.Get(key); ok && !inv.bedrock && !isEmpty(present) {
		return
	}
	attrs.PutStr(key, value)
}

// readAnnotations reads a record that a trusted instance has annotated. It takes the
// verdict from the annotations. It takes the fields from the Bedrock record as usual,
// or, when the body was removed, from the attributes that Annotate wrote. It returns
// false for a record without a known verdict.
func (r *Reader) readAnnotations(event event, record plog.LogRecord, inv *Invocation) bool {
	attrs := record.Attributes()
	annotation := func(key string) string {
		value, ok := attrs.Get(key)
		if !ok {
			return ""
		}
		return stringOf(value)
	}
	kind, ok := ParseKind(annotation(attrVerdict), annotation(attrEvidence))
	if !ok {
		return false
	}
	r.readBedrock(event, record, inv)
	inv.contentID = annotation(attrContentID)
	if value, ok := attrs.Get(attrIntervened); ok {
		inv.Intervened = value.Bool()
	}
	inv.Principal = annotation(AttrPrincipal)
	if user := annotation(AttrUser); inv.User == "" && PrincipalOf(user) == inv.Principal {
		inv.User = user // else the annotating instance chose another user key
	}
	inv.fillFields(r.levelsOf(record, inv), &r.logs)
	if inv.Principal == "" {
		inv.Principal = PrincipalOf(inv.User)
	}
	inv.setTime(record)
	inv.described = true
	inv.Kind = kind
	ids, ok := attrs.Get(attrGuardrailIDs)
	switch {
	case !ok:
	case ids.Type() == pcommon.ValueTypeSlice:
		for _, id := range ids.Slice().All() {
			inv.addNamed(stringOf(id))
		}
	default:
		inv.addNamed(stringOf(ids))
	}
	return true
}
