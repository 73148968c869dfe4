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
	intervened   bool
	unrecognised bool // an action that nobody knows
}

// findings gathers what a Bedrock record holds that bears on the verdict,
// whichever its operation, which may stand behind the answer.
type findings struct {
	schema    schema
	errored   bool
	config    requestConfig
	answer    bool
	chunked   bool // it is a list of chunks
	cut       bool // the answer, JSON in a string, cannot be read to the end
	flattened bool // the answer is split into attributes of its own
	offloaded bool // the answer lies in S3
	vectors   bool // the answer is an embedding
	ranking   bool // the answer ranks documents

	invoke, converse signs
	assessments      []assessment

	wrapped     wrappedList // members that may hold a record, of an object that is none
	scan, inner scanner     // kept for their memory
}

// requestConfig is the guardrailConfig of a request, as it stands there.
type requestConfig struct{ id, version string }

// guardrail returns the guardrail that the request names; without an id it names none.
func (c requestConfig) guardrail() Guardrail {
	g := guardrailOf(c.id)
	if c.version != "" {
		g.Version = c.version
	}
	return g
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
	f.answer, f.chunked, f.cut, f.vectors, f.ranking = false, false, false, false, false
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
	invokeRan  bool // a trace shows that a guardrail ran
	converRan  bool
	vectors    vectorSet
	ranking    bool // the answer ranks documents
}

// vectorSet holds which of the members in which embedding models answer there are.
type vectorSet struct{ embedding, embeddings, byType bool }

func (v *vectorSet) set(name string, there bool) {
	switch name {
	case "embedding":
		v.embedding = there
	case "embeddings":
		v.embeddings = there
	default:
		v.byType = there
	}
}

const intervened = "guardrail_intervened"

// add notes what an item shows, once it is read to its end.
func (f *findings) add(it item) {
	switch it.action {
	case "":
	case "NONE":
		f.invoke.ran = true
	case "INTERVENED":
		f.invoke.ran, f.invoke.intervened = true, true
	default:
		f.invoke.unrecognised = true
	}
	if it.stopReason == intervened {
		f.invoke.ran, f.invoke.intervened = true, true
	}
	if it.converse == intervened {
		f.converse.ran, f.converse.intervened = true, true
	}
	f.invoke.ran = f.invoke.ran || it.invokeRan
	f.converse.ran = f.converse.ran || it.converRan
	f.vectors = f.vectors || it.vectors != vectorSet{}
	f.ranking = f.ranking || it.ranking
}

// guardrailOf reads the name of a guardrail: an id or an ARN, each with or without
// ":version" after it.
func guardrailOf(name string) Guardrail {
	if strings.IndexByte(name, ':') < 0 { // as nearly all
		return Guardrail{ID: name}
	}
	return longGuardrail(name)
}

func longGuardrail(name string) Guardrail {
	if strings.HasPrefix(name, "arn:") {
		slash := strings.LastIndexByte(name, '/')
		if slash < 0 {
			return Guardrail{ID: name}
		}
		name = name[slash+1:]
	}
	id, version, _ := strings.Cut(name, ":")
	return Guardrail{ID: id, Version: version}
}
