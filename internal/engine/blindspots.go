// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"go.uber.org/zap"

	"example.com/otelcol-guardrail/internal/invocation"
)

// blindSpot is a reason for which detection does not cover an invocation. Each has its
// own section in the page on inputs.
type blindSpot struct {
	evidence    invocation.Evidence // with the verdict unknown; NoEvidence: see reason
	reason      string              // of the metric of excluded invocations
	warnOnFirst bool                // the first invocation is worth a warning, not only a share
	what        string              // continues "More than a tenth of the invocations within a minute"
	remedy      string
	anchor      string
}

var blindSpots = [...]blindSpot{
	{
		reason: excludedNames[excludedNoGroup],
		what:   "have no value for the first key that a rule groups by (the user, by default), so that rule does not count them",
		remedy: "Name the attribute that holds it in user_keys, or set one of those listed there",
		anchor: "no-group",
	},
	{
		reason: noPartition,
		what:   "have no value for the first field of partition_by (the principal, by default), so nothing says which detector counts them",
		remedy: "Name the attribute that holds the user in user_keys, or count them on this instance by a rule of its own",
		anchor: "no-partition",
	},
	{
		evidence: invocation.NoBody,
		what:     "hold no answer, so nothing shows whether a guardrail ran",
		remedy:   "Enable the delivery of text in the settings of Bedrock's invocation logging; answers over 100 KB are stored separately from their record",
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
		remedy:   "Update this component, or report the action",
		anchor:   "unrecognised",
	},
	{
		evidence:    invocation.Several,
		warnOnFirst: true, // hides any number of invocations, however few such records there are
		what:        "arrived with others in one log record, which counts as one invocation and cannot be judged",
		remedy:      "Split them into separate log records before this component",
		anchor:      "several",
	},
	{
		evidence: invocation.Untold,
		what:     "were recorded by instrumentation that writes the same record whether or not a guardrail ran",
		remedy:   "Have the application record the guardrail (guardrail_keys), or send Bedrock's own invocation logs",
		anchor:   "untold",
	},
}

func (s *blindSpot) text() string {
	return s.what + ". " + s.remedy + ": see " + inputsPage + "#" + s.anchor
}

// field returns a log field with the number of invocations, named as in the metrics.
func (s *blindSpot) field(n int64) zap.Field {
	return zap.Int64(s.name(), n)
}

// name returns what the metrics call the blind spot.
func (s *blindSpot) name() string {
	if s.reason != "" {
		return s.reason
	}
	return invocation.Kind{Verdict: invocation.Unknown, Evidence: s.evidence}.String()
}
