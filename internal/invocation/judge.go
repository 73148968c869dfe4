// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package invocation

import (
	"slices"
	"strings"

	"go.opentelemetry.io/collector/pdata/plog"
)

// judgeBedrock sets the verdict on a Bedrock record, from the findings in inv; the
// first rule that applies decides.
func (r *Reader) judgeBedrock(record plog.LogRecord, inv *Invocation, got reading) {
	f := &inv.found
	switch {
	case got == severalRecords:
		inv.Kind = Kind{Unknown, Several}
		return
	case got == brokenRecord || f.cut:
		// The part that is missing might say otherwise.
		inv.Kind = Kind{Unknown, Unreadable}
		return
	}
	if inv.Operation == "" { // an attribute may name it
		r.Describe(record, inv)
	}
	family := familyOf(inv.Operation)
	if evidence, ran := inv.collectEvidence(family); ran {
		inv.Kind = r.approve(inv, evidence)
		return
	}
	r.Describe(record, inv)
	switch {
	case r.unguardable(inv.Model), isApplicationProfile(inv.Model) && (f.vectors || f.ranking):
		inv.Kind = Kind{NotApplicable, Model}
	case f.errored && !f.answer && !f.offloaded:
		inv.Kind = Kind{Failed, Error}
	case MatchesAny(r.AssumeGuarded, inv):
		inv.Kind = Kind{Guarded, Enforced}
	case !f.answer && f.flattened:
		inv.Kind = Kind{Unknown, Unreadable}
	case !f.answer:
		inv.Kind = Kind{Unknown, NoBody}
	case family&invokeFamily != 0 && f.invoke.unrecognised:
		inv.Kind = Kind{Unknown, Unrecognised}
	case family == invokeFamily && (!f.errored || !f.chunked):
		inv.Kind = Kind{Unguarded, Absent}
	default: // also a stream that an error ended: evidence mostly comes last
		inv.Kind = Kind{Unguarded, Presumed}
	}
}

// family is a set of operations that leave the same kind of evidence.
type family uint8

const (
	invokeFamily family = 1 << iota
	converseFamily
)

// familyOf returns the family of an operation, and both for an unknown operation.
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

// collectEvidence adds the guardrails that the findings name in the places of a family,
// and returns the kind of evidence. ran is false when there is no evidence.
func (inv *Invocation) collectEvidence(family family) (evidence Evidence, ran bool) {
	f := &inv.found
	var places place
	if family&invokeFamily != 0 {
		places |= invokePlaces
		ran = f.invoke.ran
		inv.Intervened = f.invoke.intervened
	}
	if family&converseFamily != 0 {
		places |= conversePlaces
		ran = ran || f.converse.ran
		inv.Intervened = inv.Intervened || f.converse.intervened
	}
	var seen coverage
	for _, a := range f.assessments {
		if a.place&places != 0 {
			inv.addGuardrail(a.Guardrail)
			seen.add(a.coverage)
		}
	}
	// Without an answer, nothing shows that the service accepted the request.
	if config := f.config.guardrail(); family == converseFamily && config.ID != "" && (f.answer || f.offloaded) {
		inv.addGuardrail(config)
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

// addGuardrail adds a guardrail, unless it is already there. Two with the same id are
// one, except where both state a version and the versions differ.
func (inv *Invocation) addGuardrail(g Guardrail) {
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

// maxGuardrails is how many guardrails are kept of a record at most, which bounds the
// search among them. A real record names a handful.
const maxGuardrails = 1000

// approve returns guarded or unapproved, given the evidence that a guardrail ran.
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

// matches reports whether an entry "id" or "id:version" means the guardrail. A
// guardrail of unknown version matches every version.
func (g Guardrail) matches(entry string) bool {
	id, version, versioned := strings.Cut(entry, ":")
	return id == g.ID && (!versioned || g.Version == "" || version == g.Version)
}
