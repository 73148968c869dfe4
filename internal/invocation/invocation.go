// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package invocation

// Verdict says whether a guardrail was applied to an invocation.
type Verdict uint8

// The verdicts. Zero is a record that is no invocation.
const (
	NotInvocation Verdict = iota
	Unapproved            // a guardrail ran, but none of those approved
	Guarded               // positive evidence that a guardrail ran
	NotApplicable         // no guardrail can be applied to the model or provider
	Failed                // an error and no answer
	Unknown               // nothing to judge by
	Unguarded             // an answer, and no evidence where the service would write it
)

var verdictNames = [...]string{
	"not_invocation", "unapproved", "guarded", "not_applicable", "failed", "unknown", "unguarded",
}

// VerdictCount is the number of verdicts, zero included.
const VerdictCount = len(verdictNames)

func (v Verdict) String() string { return verdictNames[v] }

// Evidence is what a [Verdict] rests on.
type Evidence uint8

// The kinds of evidence, by the verdict that they belong to.
const (
	NoEvidence Evidence = iota

	Applied   // guarded, unapproved: a guardrail ran and is named
	Unnamed   // guarded: a guardrail ran, no id is told (trace off)
	Uncovered // guarded, unapproved: a guardrail ran and assessed none of the text
	Claimed   // guarded, unapproved: attributes written by the caller's own telemetry
	Enforced  // guarded: a setting says that a guardrail is enforced there

	Model    // not_applicable: the model takes no guardrail
	Provider // not_applicable: the record names another provider

	Error // failed

	NoBody       // unknown: the answer is not in the record
	Unreadable   // unknown: cut off or broken
	Unrecognised // unknown: an action value that nobody knows
	Several      // unknown: several records in one
	Untold       // unknown: telemetry that writes the same whether or not a guardrail ran

	Absent   // unguarded: the service would have written it
	Presumed // unguarded: the service may leave nothing behind
)

var evidenceNames = [...]string{
	"", "applied", "unnamed", "uncovered", "claimed", "enforced", "model", "provider", "error",
	"no_body", "unreadable", "unrecognised", "several", "untold", "absent", "presumed",
}

// EvidenceCount is the number of kinds of evidence, zero included.
const EvidenceCount = len(evidenceNames)

func (e Evidence) String() string { return evidenceNames[e] }

// Kind is a verdict with its evidence.
type Kind struct {
	Verdict  Verdict
	Evidence Evidence
}

// String gives "verdict/evidence", as the settings write it.
func (k Kind) String() string { return k.Verdict.String() + "/" + k.Evidence.String() }

// Kinds lists every combination that a [Reader] gives, in the order of the verdicts.
func Kinds() []Kind {
	return []Kind{
		{Unapproved, Applied},
		{Unapproved, Uncovered},
		{Unapproved, Claimed},
		{Guarded, Applied},
		{Guarded, Unnamed},
		{Guarded, Uncovered},
		{Guarded, Claimed},
		{Guarded, Enforced},
		{NotApplicable, Model},
		{NotApplicable, Provider},
		{Failed, Error},
		{Unknown, NoBody},
		{Unknown, Unreadable},
		{Unknown, Unrecognised},
		{Unknown, Several},
		{Unknown, Untold},
		{Unguarded, Absent},
		{Unguarded, Presumed},
	}
}

// ParseKind reads the names of a verdict and its evidence; ok is false when
// they do not name one of [Kinds].
func ParseKind(verdict, evidence string) (kind Kind, ok bool) {
	for _, k := range kinds {
		if verdictNames[k.Verdict] == verdict && evidenceNames[k.Evidence] == evidence {
			return k, true
		}
	}
	return Kind{}, false
}

var kinds = Kinds()

// Guardrail names a guardrail that ran.
type Guardrail struct {
	ID      string // bare id, also where the record holds an ARN
	Version string // empty when not told
}

// TimeSource says where the time of an invocation comes from.
type TimeSource uint8

// The sources of time.
const (
	NoTime       TimeSource = iota
	StatedTime              // told by the record
	ObservedTime            // only when the record was observed
)

// Invocation is what one record tells about a call of a model. Its strings may
// alias the record that it was read from.
type Invocation struct {
	Kind

	Time       int64 // Unix nanoseconds
	TimeSource TimeSource

	RequestID string // empty when none is told
	User      string
	Principal string // the user without what a caller can rotate
	Account   string
	Region    string
	Model     string
	Operation string

	Guardrails []Guardrail // named by the record; empty where none is
	Intervened bool        // a guardrail blocked or masked something

	bedrock   bool // read from a Bedrock record, whose fields overrule attributes
	split     bool // that record, or its wrapper, lies in attributes
	described bool
	timestamp string // of the Bedrock record, as it states it
	content   string // text of a Bedrock record read out of a wrapper
	contentID string // identity of the content, as a trusted instance has annotated it

	*workspace
}

// workspace is the memory that reading takes, kept for the next record.
type workspace struct {
	found  findings
	levels levels
	scope  scopeState

	sequences [maxWrappers + 1]scanner // one for each depth
}

// scopeState is what is known of the instrumentation scope that the records belong to.
type scopeState struct {
	name    string
	checked bool // against the silent scopes
	silent  bool
}

// Clear empties inv, so that nothing of a record stays behind, and keeps its memory.
func (inv *Invocation) Clear() {
	clear(inv.Guardrails[:cap(inv.Guardrails)])
	if inv.workspace != nil {
		inv.found.clear()
		for i := range inv.levels {
			inv.levels[i].clear()
		}
		inv.scope = scopeState{}
		for i := range inv.sequences {
			inv.sequences[i].text = ""
		}
	}
	inv.reset()
}

// reset empties inv and keeps its memory.
func (inv *Invocation) reset() {
	*inv = Invocation{Guardrails: inv.Guardrails[:0], workspace: inv.workspace}
	if inv.workspace == nil {
		inv.workspace = new(workspace)
	}
	inv.levels[0].table = nil
}
