// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package invocation

// Verdict says whether a guardrail was applied to an invocation.
type Verdict uint8

// The verdicts. The zero value is that of a record that is no invocation.
const (
	NotInvocation Verdict = iota
	Unapproved            // a guardrail ran, but none that is approved
	Guarded               // positive evidence that a guardrail ran
	NotApplicable         // no guardrail can be applied to the model or provider
	Failed                // an error and no answer
	Unknown               // nothing to judge by
	Unguarded             // an answer, and no evidence where the service would write it
)

var verdictNames = [...]string{
	"not_invocation", "unapproved", "guarded", "not_applicable", "failed", "unknown", "unguarded",
}

// VerdictCount is the number of verdicts, [NotInvocation] included.
const VerdictCount = len(verdictNames)

// String returns the verdict's name, such as "not_invocation".
func (v Verdict) String() string { return verdictNames[v] }

// Evidence is what a [Verdict] rests on.
type Evidence uint8

// The kinds of evidence, grouped by the verdicts that they belong to.
const (
	NoEvidence Evidence = iota

	Applied   // guarded, unapproved: a guardrail ran and is named
	Unnamed   // guarded: a guardrail ran, and the record has no id of it (trace off)
	Uncovered // guarded, unapproved: a guardrail ran and assessed none of the text
	Claimed   // guarded, unapproved: the caller's own telemetry says that a guardrail ran
	Enforced  // guarded: the settings say that a guardrail is enforced there

	Model    // not_applicable: the model takes no guardrail
	Provider // not_applicable: the record names another provider

	Error // failed: an error and no answer

	NoBody       // unknown: the answer is not in the record
	Unreadable   // unknown: the record is cut off or broken
	Unrecognised // unknown: the guardrail's action has an unknown value
	Several      // unknown: several records in one log record
	Untold       // unknown: the telemetry is the same whether or not a guardrail ran

	Absent   // unguarded: the service would have written evidence
	Presumed // unguarded: the service may not write any evidence
)

var evidenceNames = [...]string{
	"", "applied", "unnamed", "uncovered", "claimed", "enforced", "model", "provider", "error",
	"no_body", "unreadable", "unrecognised", "several", "untold", "absent", "presumed",
}

// EvidenceCount is the number of kinds of evidence, [NoEvidence] included.
const EvidenceCount = len(evidenceNames)

// String returns the evidence's name, such as "no_body"; "" for [NoEvidence].
func (e Evidence) String() string { return evidenceNames[e] }

// Kind is a verdict with its evidence.
type Kind struct {
	Verdict  Verdict
	Evidence Evidence
}

// String returns "verdict/evidence", the form of the settings. It allocates nothing.
func (k Kind) String() string { return kindNames[k.Verdict][k.Evidence] }

var kindNames = func() (names [VerdictCount][EvidenceCount]string) {
	for verdict := range names {
		for evidence := range names[verdict] {
			names[verdict][evidence] = verdictNames[verdict] + "/" + evidenceNames[evidence]
		}
	}
	return names
}()

// Kinds returns every kind that a [Reader] can set, in the order of the verdicts.
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

// ParseKind returns the kind with these names of a verdict and its evidence; ok is
// false when it is not one of [Kinds].
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
	ID      string // the bare id, also when the record has an ARN
	Version string // empty when the record does not state it
}

// TimeSource is where the time of an invocation comes from.
type TimeSource uint8

// The sources of time.
const (
	NoTime       TimeSource = iota // there is no time
	StatedTime                     // the record states when the call was made
	ObservedTime                   // the record states only when it was observed
)

// Invocation is a call of a model, as one record describes it. Its strings may alias
// the record. An empty string is a field that nothing states.
type Invocation struct {
	Kind

	Time       int64 // Unix nanoseconds
	TimeSource TimeSource

	RequestID string
	User      string
	Principal string // the user without the part that a caller can rotate
	Account   string
	Region    string
	Model     string
	Operation string

	Guardrails []Guardrail // those that the record names
	Intervened bool        // a guardrail blocked or masked something

	bedrock   bool   // read from a Bedrock record, whose fields overrule attributes
	split     bool   // the Bedrock record was in attributes and has no text of its own
	described bool   // Describe has set the fields
	timestamp string // of the Bedrock record, as written there
	content   string // text of a Bedrock record that was in a wrapper
	contentID string // ContentID, as a trusted instance annotated it

	*workspace
}

// workspace is the memory that reading needs, kept for the next record.
type workspace struct {
	found  findings
	levels levels
	scope  scopeState
	bodies bodies

	sequences [maxWrappers + 1]scanner // one for each depth of readSequence
}

// scopeState is the instrumentation scope of the records.
type scopeState struct {
	name    string
	version string
	checked bool // silent is set
	silent  bool // see [Reader.silent]
}

// Clear empties inv and its memory, which it keeps, so that inv refers to no record
// any more.
func (inv *Invocation) Clear() {
	clear(inv.Guardrails[:cap(inv.Guardrails)])
	if inv.workspace != nil {
		inv.found.clear()
		for i := range inv.levels {
			inv.levels[i].clear()
		}
		inv.scope = scopeState{}
		inv.bodies = bodies{}
		for i := range inv.sequences {
			inv.sequences[i].text = ""
		}
	}
	inv.reset()
}

// reset empties inv, except for what [Reader.Enter] has set, and keeps its memory.
func (inv *Invocation) reset() {
	*inv = Invocation{Guardrails: inv.Guardrails[:0], workspace: inv.workspace}
	if inv.workspace == nil {
		inv.workspace = new(workspace)
	}
	inv.levels[0].table = nil
}
