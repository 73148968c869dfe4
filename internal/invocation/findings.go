// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package invocation

import (
	"strconv"
	"strings"
)

// place is where in an answer an assessment stands: by the family of operations
// that writes it there, and before or behind the model.
type place uint8

const (
	invokeInput place = 1 << iota
	invokeOutput
	converseInput
	converseOutput

	invokePlaces   = invokeInput | invokeOutput
	conversePlaces = converseInput | converseOutput
)

// assessment is what one guardrail left behind in one place.
type assessment struct {
	Guardrail
	coverage
	key   string // the guardrail as the record names it, by id or ARN
	place place
}

// coverage counts the characters that a guardrail looked at, and those there were.
type coverage struct{ guarded, total float64 }

// untold is coverage of which nothing is known.
var untold = coverage{-1, -1}

// add takes in what another part tells, if it tells both.
func (c *coverage) add(other coverage) {
	if other.guarded >= 0 && other.total >= 0 {
		c.guarded += other.guarded
		c.total += other.total
	}
}

// characters reads a count; what is none is negative.
func characters(raw string) float64 {
	if n, ok := smallNumber(raw); ok {
		return n
	}
	n, err := strconv.ParseFloat(raw, 64)
	if err != nil || !(n >= 0) { // NaN is no count either
		return -1
	}
	return n
}

// smallNumber reads a few digits, as nearly every count is, without the twentieth of
// a record's time that ParseFloat takes.
func smallNumber(raw string) (n float64, ok bool) {
	if raw == "" || len(raw) > 9 {
		return 0, false
	}
	sum := 0
	for i := range len(raw) {
		if !isDigit(raw[i]) {
			return 0, false
		}
		sum = 10*sum + int(raw[i]-'0')
	}
	return float64(sum), true
}

// signs are what one family of operations leaves behind besides assessments.
type signs struct {
	ran          bool // a guardrail ran
	unrecognised bool // an action that nobody knows
}

// findings gathers what a Bedrock record holds that bears on the verdict,
// whichever its operation, which may stand behind the answer.
type findings struct {
	schema    schema
	errored   bool
	config    Guardrail // the request's guardrailConfig
	answer    bool
	cut       bool // the answer, JSON in a string, cannot be read to the end
	offloaded bool // the answer lies in S3

	invoke, converse signs
	assessments      []assessment

	scan, inner scanner // kept for their memory
}

type schema uint8

const (
	schemaUntold schema = iota
	schemaBedrock
	schemaOther
)

func schemaOf(schemaType string) schema {
	if schemaType == "ModelInvocationLog" {
		return schemaBedrock
	}
	return schemaOther
}

func (f *findings) reset() {
	*f = findings{assessments: f.assessments[:0], scan: f.scan, inner: f.inner}
}

// clear resets f and lets go of all that it refers to.
func (f *findings) clear() {
	clear(f.assessments[:cap(f.assessments)])
	f.reset()
	f.scan.text, f.inner.text = "", ""
}

// resetBody forgets what an answer body told, since a later one counts instead.
func (f *findings) resetBody() {
	f.answer, f.cut = false, false
	f.invoke, f.converse = signs{}, signs{}
	f.assessments = f.assessments[:0]
}

// drop forgets the assessments from the mark on that stand in the given places.
func (f *findings) drop(places place, mark int) {
	kept := f.assessments[:mark]
	for _, a := range f.assessments[mark:] {
		if a.place&places == 0 {
			kept = append(kept, a)
		}
	}
	f.assessments = kept
}

// assess records an assessment.
func (f *findings) assess(a assessment) {
	if a.ID != "" && len(f.assessments) < maxGuardrails {
		f.assessments = append(f.assessments, a)
	}
}

// forgetKey takes back the assessments under a key of the map that begins at the
// mark, since a later member of the same name counts instead.
func (f *findings) forgetKey(key string, mark int) {
	if len(f.assessments) == maxGuardrails { // what else comes is not kept either
		return
	}
	for i := len(f.assessments) - 1; i >= mark; i-- {
		if f.assessments[i].key == key {
			f.assessments = append(f.assessments[:i], f.assessments[i+1:]...)
		}
	}
}

// item is what stands at the top level of an answer body, or of a chunk of it.
type item struct {
	action     string // amazon-bedrock-guardrailAction
	stopReason string // stop_reason, or stopReason of the Converse family
	converse   string
	invokeRan  bool // a trace tells that a guardrail ran
	converRan  bool
}

const intervened = "guardrail_intervened"

// add notes what an item told once it is read to its end.
func (f *findings) add(it item) {
	switch it.action {
	case "":
	case "INTERVENED", "NONE":
		f.invoke.ran = true
	default:
		f.invoke.unrecognised = true
	}
	if it.invokeRan || it.stopReason == intervened {
		f.invoke.ran = true
	}
	if it.converRan || it.converse == intervened {
		f.converse.ran = true
	}
}

// bareID gives the id of a guardrail that may be named by its ARN.
func bareID(id string) string {
	if strings.HasPrefix(id, "arn:") {
		return id[strings.LastIndexByte(id, '/')+1:]
	}
	return id
}
