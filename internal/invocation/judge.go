// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package invocation

import (
	"slices"
	"strings"

	"go.opentelemetry.io/collector/pdata/plog"
)

// judgeBedrock decides by what was found; the first rule that applies counts.
func (r *Reader) judgeBedrock(record plog.LogRecord, inv *Invocation, got reading) {
	f := &inv.found
	switch {
	case got == severalRecords:
		inv.Kind = Kind{Unknown, Several}
		return
	case got == brokenRecord || f.cut:
		// What was read may have a later half that says otherwise.
		inv.Kind = Kind{Unknown, Unreadable}
		return
	}
	if inv.Operation == "" { // an attribute may name it
		r.Describe(record, inv)
	}
	family := familyOf(inv.Operation)
	if evidence, ran := inv.gather(family); ran {
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
	case family == invokeFamily && !(f.errored && f.chunked):
		inv.Kind = Kind{Unguarded, Absent}
	default: // of a stream that an error has ended, too: evidence mostly comes last
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
// family leave it, and returns the kind of that evidence. ran is false when there
// is none.
func (inv *Invocation) gather(family family) (evidence Evidence, ran bool) {
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
			inv.name(a.Guardrail)
			seen.add(a.coverage)
		}
	}
	// Without an answer, nothing shows that the service took the request up.
	if config := f.config.guardrail(); family == converseFamily && config.ID != "" && (f.answer || f.offloaded) {
		inv.name(config)
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

// name adds a guardrail. One named again, with the same version or without any, is
// the same.
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
// whose version is not known matches any.
func (g Guardrail) matches(entry string) bool {
	id, version, versioned := strings.Cut(entry, ":")
	return id == g.ID && (!versioned || g.Version == "" || version == g.Version)
}
