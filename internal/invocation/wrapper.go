// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package invocation

import (
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

// reading is the outcome of a search for a Bedrock record. A method that returns
// wholeRecord or brokenRecord leaves the record's fields and findings in the Invocation;
// after noRecord, the caller must reset it before it is used.
type reading uint8

const (
	noRecord       reading = iota // no Bedrock record
	wholeRecord                   // a Bedrock record, read to its end
	brokenRecord                  // a Bedrock record that breaks before its end
	severalRecords                // several values, at least one of them a Bedrock record
)

// maxWrappers is how many wrappers are taken off a record at most, so that nesting
// costs no more than a few passes over a text. A syslog header, a container runtime's
// line and an application's JSON logger around a record make three.
//
// In this file and in sequence.go, depth is the number of wrappers that may still be
// taken off. The methods call each other, with a depth that is one lower inside each
// wrapper:
//
//	readValue     a body, or the value of an attribute, of any type
//	readMembers   the members of a map
//	readElements  the elements of a list
//	readText      JSON text, with or without a header before it
//	readWrapped   the members of a JSON object, without decoding the object
//	readElement   one JSON value
//	readSequence  a JSON array, or several JSON objects one after the other
const maxWrappers = 4

// wrapped is the value of a member of a JSON object that may hold a record.
type wrapped struct {
	raw string // its JSON text
	cut bool   // the text breaks off
}

// wrappedList holds the first few of such values.
type wrappedList struct {
	list [4]wrapped
	n    int
}

// add adds the value between two positions of a text. A value that is cut extends from
// start to the end of the text.
func (w *wrappedList) add(text string, start, end int, cut bool) {
	start = afterSpace(text, start)
	if cut {
		end = len(text)
	}
	if w.n < len(w.list) && start < end {
		w.list[w.n] = wrapped{text[start:end], cut}
		w.n++
	}
}

// readValue reads the Bedrock record that a value is, or that it holds inside at most
// depth wrappers.
func (inv *Invocation) readValue(value pcommon.Value, depth int) reading {
	switch value.Type() {
	case pcommon.ValueTypeStr:
		return inv.readText(value.Str(), depth)
	case pcommon.ValueTypeBytes:
		return inv.readText(string(value.Bytes().AsRaw()), depth)
	case pcommon.ValueTypeMap:
		if inv.readMap(value.Map()) {
			return wholeRecord
		}
		if depth > 0 {
			return inv.readMembers(value.Map(), depth-1)
		}
	case pcommon.ValueTypeSlice:
		if depth > 0 {
			return inv.readElements(value.Slice(), depth-1)
		}
	}
	return noRecord
}

// readMembers looks for a record in the members of a map, or in attributes. The first
// member that holds a whole one counts, or else the first that holds a broken one: some
// loggers cut a line in one member and have it whole in another.
func (inv *Invocation) readMembers(members pcommon.Map, depth int) reading {
	var broken pcommon.Value
	found := false
	for name, value := range members.All() {
		if !isWrapper(name) {
			continue
		}
		switch got := inv.readValue(value, depth); {
		case got == brokenRecord && !found:
			broken, found = value, true
		case got != brokenRecord && got != noRecord:
			inv.noteContent(value.Str())
			return got
		}
	}
	if !found {
		return noRecord
	}
	inv.readValue(broken, depth) // again: what was read since may have overwritten it
	inv.noteContent(broken.Str())
	return brokenRecord
}

// readElements looks for a record in a list. A list with one element is read as that
// element; in a longer one, no record can stand for the others.
func (inv *Invocation) readElements(list pcommon.Slice, depth int) reading {
	for _, element := range list.All() {
		if got := inv.readValue(element, depth); got != noRecord {
			if list.Len() > 1 {
				inv.reset()
				return severalRecords
			}
			return got
		}
	}
	return noRecord
}

// readText reads the Bedrock record that a text is, or that it holds inside at most
// depth wrappers.
func (inv *Invocation) readText(text string, depth int) reading {
	text = trimEnds(text)
	if text == "" {
		return noRecord
	}
	if text[0] == '{' {
		bedrock, whole, rest := inv.readRecord(text)
		switch {
		case rest != "": // more text after the object
			return inv.readSequence(text, depth)
		case bedrock && whole:
			return wholeRecord
		case bedrock:
			return brokenRecord
		case depth > 0 && inv.found.wrapped.n > 0: // the object may be a wrapper
			return inv.readWrapped(inv.found.wrapped, depth-1)
		default:
			return noRecord
		}
	}
	if depth == 0 {
		return noRecord
	}
	if text[0] == quote { // the record may be JSON in a JSON string
		return inv.readElement(text, false, depth-1)
	}
	if text[0] == '[' {
		got := inv.readSequence(text, depth)
		if got != noRecord || len(text) < 2 || !isDigit(text[1]) { // else it may be a time in brackets
			return got
		}
	}
	rest, ok := afterHeader(text)
	if !ok {
		return noRecord
	}
	got := inv.readText(rest, depth-1)
	inv.noteContent(rest)
	return got
}

// noteContent keeps the text of a record that was found in a wrapper, which identifies
// it. The innermost wrapper calls first, and its text is the one to keep.
func (inv *Invocation) noteContent(text string) {
	if inv.content == "" {
		inv.content = text
	}
}

// readWrapped looks for a record in members of a JSON object. It chooses among them as
// [Invocation.readMembers] does.
func (inv *Invocation) readWrapped(members wrappedList, depth int) reading {
	broken := -1
	for i, member := range members.list[:members.n] {
		switch got := inv.readMember(member, depth); {
		case got == brokenRecord && broken < 0:
			broken = i
		case got != brokenRecord && got != noRecord:
			return got
		}
	}
	if broken < 0 {
		return noRecord
	}
	if broken < members.n-1 { // what was read since has overwritten it
		inv.readMember(members.list[broken], depth)
	}
	return brokenRecord
}

// readMember looks for a record in a member of a JSON object.
func (inv *Invocation) readMember(member wrapped, depth int) reading {
	text, got := member.raw, noRecord
	switch text[0] {
	case '{':
		got = inv.readText(text, depth)
	case '[':
		if depth > 0 {
			got = inv.readSequence(text, depth)
		}
	case quote:
		var ok bool
		if !mayHoldRecord(text) {
			return noRecord
		}
		if text, ok = unquote(text, member.cut); !ok {
			return noRecord
		}
		if got = inv.readText(text, depth); got == wholeRecord && member.cut { // the missing text may belong to the record
			got = brokenRecord
		}
	}
	if got != noRecord {
		inv.noteContent(text)
	}
	return got
}

// mayHoldRecord reports whether a JSON string may hold a Bedrock record and is worth
// unescaping. A Bedrock record has one of two keys, either as it is or with a \u escape
// in it: letters have no other escape.
func mayHoldRecord(raw string) bool {
	return strings.Contains(raw, fieldModel) || strings.Contains(raw, fieldSchema) || strings.Contains(raw, `\u`)
}

// unquote returns the value of the JSON string that is all of raw. Of a string that is
// cut off it returns the part that is there, without an incomplete escape at its end.
// ok is false for any other text.
func unquote(raw string, cut bool) (text string, ok bool) {
	if end := closingQuote(raw, 1); end >= 0 {
		if text, ok = unescape(raw[1:end]); end < len(raw)-1 {
			ok = ok && cut
		}
		return text, ok
	}
	const longestEscape = len(`\ud83d\ude00`)
	raw = raw[1:]
	for range min(longestEscape, len(raw)) + 1 {
		if text, ok = unescape(raw); ok {
			return text, cut
		}
		raw = raw[:max(0, len(raw)-1)]
	}
	return "", false
}

// readElement looks for a record in a JSON value, given as text; cut says that the
// text breaks off.
func (inv *Invocation) readElement(raw string, cut bool, depth int) reading {
	return inv.readWrapped(wrappedList{list: [4]wrapped{{raw, cut}}, n: 1}, depth)
}
