// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package invocation

import (
	"strconv"
	"strings"
)

// place is a set of places in an answer where assessments stand. A place belongs to
// the family of operations that writes it, and to the model's input or output.
type place uint8

const (
	invokeInput place = 1 << iota
	invokeOutput
	converseInput
	converseOutput

	invokePlaces   = invokeInput | invokeOutput
	conversePlaces = converseInput | converseOutput
)

// assessment is what a record says about one guardrail in one place.
type assessment struct {
	Guardrail
	coverage
	key   string // the guardrail as the record names it, by id or ARN
	place place
}

// coverage is how many characters of a text a guardrail assessed, and how many there
// were; negative where a count is not known.
type coverage struct{ guarded, total float64 }

var unknownCoverage = coverage{-1, -1}

// add adds another coverage, if both its counts are known.
func (c *coverage) add(other coverage) {
	if other.guarded >= 0 && other.total >= 0 {
		c.guarded += other.guarded
		c.total += other.total
	}
}

// characters reads a count from JSON; it returns a negative number for a value that
// is none.
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

// smallNumber reads a number of at most nine digits, which nearly every count is.
// ParseFloat would take a twentieth of a record's time for it.
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

// signs are what the answer of one family of operations shows besides assessments.
type signs struct {
	ran          bool // a guardrail ran
	intervened   bool // a guardrail blocked or masked something
	unrecognised bool // an action with an unknown value
}

// findings holds everything in a Bedrock record that bears on the verdict, for both
// families of operations: the operation may stand after the answer.
type findings struct {
	schema    schema
	errored   bool // the record has an error code
	config    requestConfig
	answer    bool // there is an answer
	chunked   bool // the answer is a list of chunks
	cut       bool // the answer is JSON in a string and cannot be read to its end
	flattened bool // the answer is split into attributes, below outputBodyJson
	offloaded bool // the answer is stored in S3
	vectors   bool // the answer is an embedding
	ranking   bool // the answer ranks documents

	invoke, converse signs
	assessments      []assessment

	ofSpan bool // the bodies are in a span; sdk is then read, too
	sdk    sdkMembers

	wrapped     wrappedList // members that may hold a record instead
	scan, inner scanner     // of the record, and of JSON in a string; kept for their memory
}

// requestConfig is the guardrailConfig of a request, as written there.
type requestConfig struct{ id, version string }

// guardrail returns the guardrail that the request names; one without an id is none.
func (c requestConfig) guardrail() Guardrail {
	g := guardrailOf(c.id)
	if c.version != "" {
		g.Version = c.version
	}
	return g
}

// schema says whether the schemaType of a record is that of a Bedrock record.
type schema uint8

const (
	schemaMissing schema = iota // there is no schemaType
	schemaBedrock
	schemaOther
)

// schemaOf returns the schema of a schemaType.
func schemaOf(schemaType string) schema {
	if schemaType == "ModelInvocationLog" {
		return schemaBedrock
	}
	return schemaOther
}

// reset empties f and keeps its memory.
func (f *findings) reset() {
	*f = findings{assessments: f.assessments[:0], scan: f.scan, inner: f.inner}
}

// clear empties f, its memory included, so that it refers to no record any more.
func (f *findings) clear() {
	clear(f.assessments[:cap(f.assessments)])
	f.reset()
	f.scan.text, f.inner.text = "", ""
}

// resetBody discards the findings of an answer body, since a later body counts
// instead.
func (f *findings) resetBody() {
	f.answer, f.chunked, f.cut, f.vectors, f.ranking = false, false, false, false, false
	f.invoke, f.converse = signs{}, signs{}
	f.assessments = f.assessments[:0]
}

// drop removes the assessments in the given places, from index mark on.
func (f *findings) drop(places place, mark int) {
	kept := f.assessments[:mark]
	for _, a := range f.assessments[mark:] {
		if a.place&places == 0 {
			kept = append(kept, a)
		}
	}
	f.assessments = kept
}

// assess adds an assessment, if it names a guardrail.
func (f *findings) assess(a assessment) {
	if a.ID != "" && len(f.assessments) < maxGuardrails {
		f.assessments = append(f.assessments, a)
	}
}

// removeKey removes the assessments under a key, from index mark on, since a later
// member of the same name counts instead.
func (f *findings) removeKey(key string, mark int) {
	if len(f.assessments) == maxGuardrails { // further assessments are not kept either
		return
	}
	for i := len(f.assessments) - 1; i >= mark; i-- {
		if f.assessments[i].key == key {
			f.assessments = append(f.assessments[:i], f.assessments[i+1:]...)
		}
	}
}

// item holds the top level of an answer body, or of a chunk of it.
type item struct {
	action      string // amazon-bedrock-guardrailAction
	stopReason  string // stop_reason
	converse    string // stopReason of the Converse family
	invokeRan   bool   // a trace shows that a guardrail ran
	converseRan bool   // likewise, of the Converse family
	vectors     vectorSet
	ranking     bool // the answer ranks documents
}

// vectorSet says which of the members of an embedding model's answer are present.
type vectorSet struct{ embedding, embeddings, byType, data bool }

// set notes whether the member of that name is present.
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

// intervened is the stop reason of an answer that a guardrail blocked or masked.
const intervened = "guardrail_intervened"

// addItem adds what an item shows, once it has been read to its end.
func (f *findings) addItem(it item) {
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
	f.converse.ran = f.converse.ran || it.converseRan
	f.vectors = f.vectors || it.vectors != vectorSet{}
	f.ranking = f.ranking || it.ranking
}

// guardrailOf returns the guardrail of a name: an id or an ARN, each with or without
// ":version" after it.
func guardrailOf(name string) Guardrail {
	if strings.IndexByte(name, ':') < 0 { // as nearly all
		return Guardrail{ID: name}
	}
	return longGuardrail(name)
}

// longGuardrail reads a name that holds a colon.
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
