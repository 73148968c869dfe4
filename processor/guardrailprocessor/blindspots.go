// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package guardrailprocessor

import (
	"go.uber.org/zap"

	"example.com/otelcol-guardrail/internal/invocation"
)

// blindSpot is a cause for which detection does not cover an invocation. Each has a
// section of its own in the page on inputs.
type blindSpot struct {
	evidence  invocation.Evidence // of the verdict unknown; none: the group's value is missing
	announced bool                // the first one is worth a warning, not only a share
	what      string              // continues "Over a tenth of a minute's invocations"
	remedy    string
	anchor    string
}

var blindSpots = [...]blindSpot{
	{
		evidence: invocation.NoEvidence,
		what:     "have no value for the first key that a rule groups by (the user, by default), so that rule does not count them",
		remedy:   "Name the attribute that holds it in user_keys, or set one of those listed there",
		anchor:   "no-group",
	},
	{
		evidence: invocation.NoBody,
		what:     "hold no answer, so nothing shows whether a guardrail ran",
		remedy:   "Turn on the delivery of text in the settings of Bedrock's invocation logging; answers over 100 KB are stored beside their record",
		anchor:   "no-body",
	},
	{
		evidence: invocation.Unreadable,
		what:     "are cut off or broken, so they cannot be judged",
		remedy:   "Raise the size limit of whatever reads or forwards them",
		anchor:   "unreadable",
	},
	{
		evidence: invocation.Unrecognised,
		what:     "name a guardrail action that this version does not know, so they cannot be judged",
		remedy:   "Update this processor, or report the action",
		anchor:   "unrecognised",
	},
	{
		evidence:  invocation.Several,
		announced: true, // none of the calls in it is judged, however few such records there are
		what:      "came several to a log record, which counts as one invocation and cannot be judged",
		remedy:    "Split them into a log record each before this processor",
		anchor:    "several",
	},
	{
		evidence: invocation.Untold,
		what:     "were recorded by instrumentation that writes the same whether or not a guardrail ran",
		remedy:   "Have the application record the guardrail (guardrail_keys), or send Bedrock's own invocation logs",
		anchor:   "untold",
	},
}

func (s *blindSpot) text() string {
	return s.what + ". " + s.remedy + ": see " + inputsPage + "#" + s.anchor
}

// field returns how many there are, under the name that metrics have for them.
func (s *blindSpot) field(n int64) zap.Field {
	name := excludedNames[excludedNoGroup]
	if s.evidence != invocation.NoEvidence {
		name = invocation.Kind{Verdict: invocation.Unknown, Evidence: s.evidence}.String()
	}
	return zap.Int64(name, n)
}
