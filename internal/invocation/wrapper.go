// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package invocation

import (
	"slices"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

// reading is the outcome of looking for a Bedrock record.
type reading uint8

const (
	noRecord       reading = iota // not a Bedrock record
	wholeRecord                   // one, read to its end
	brokenRecord                  // plainly one, which breaks before its end
	severalRecords                // more than one value, at least one of them a Bedrock record
)

// maxWrappers bounds how many wrappers are taken off a record, so that nesting
// costs no more than a few readings. Container runtimes around an application's
// JSON logger around the record make three with a syslog header.
const maxWrappers = 4

// wrapperNames are the members and attributes whose value may be a whole record:
// where log shippers and loggers put the line that they carry, and where services
// deliver several lines at once.
var wrapperNames = []string{
	"message", "MESSAGE", "msg", "@message", "log", "event", "original", "event.original", "log.record.original",
	"logEvents", "events", "records", "Records",
}

func isWrapper(name string) bool {
	return name != "" && wrapperBits>>nameBit(name)&1 != 0 && slices.Contains(wrapperNames, name)
}

var wrapperBits = nameBits(wrapperNames)

// nameBit maps a name that is not empty to a bit, by its length and first letter: a
// set of bits passes over nearly all names that are not wanted.
func nameBit(name string) uint64 { return (uint64(len(name)) + 11*uint64(name[0])) % 64 }

// lengthBits has a bit for the length of each of the names, modulo 64.
func lengthBits(names []string) (bits uint64) {
	for _, name := range names {
		bits |= 1 << (len(name) % 64)
	}
	return bits
}

func nameBits(names []string) (bits uint64) {
	for _, name := range names {
		bits |= 1 << nameBit(name)
	}
	return bits
}

// wrapped is a member of a JSON object that may hold a record: the text of its
// value, which may break off.
type wrapped struct {
	raw string
	cut bool
}

// wrappedList keeps the first few of them.
type wrappedList struct {
	list [4]wrapped
	n    int
}

// add notes the value between two positions of a text, or from the first on when it
// breaks off.
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

// readValue reads the Bedrock record that a body or an attribute is, or that it
// holds inside at most depth wrappers.
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

// readMembers looks for a record in the members of a map, or in attributes.
func (inv *Invocation) readMembers(members pcommon.Map, depth int) reading {
	for name, value := range members.All() {
		if !isWrapper(name) {
			continue
		}
		if got := inv.readValue(value, depth); got != noRecord {
			inv.noteContent(value.Str())
			return got
		}
	}
	return noRecord
}

// readElements looks for records in a list: a single one is read, of several
// none can stand for the others.
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

// readText reads the Bedrock record that is the whole of a text, or that it holds
// inside at most depth wrappers.
func (inv *Invocation) readText(text string, depth int) reading {
	text = trimEnds(text)
	if text == "" {
		return noRecord
	}
	if text[0] == '{' {
		bedrock, whole, rest := inv.readRecord(text)
		switch {
		case rest != "":
			return inv.readSequence(text, depth)
		case bedrock && whole:
			return wholeRecord
		case bedrock:
			return brokenRecord
		case depth > 0 && inv.found.wrapped.n > 0:
			return inv.readWrapped(inv.found.wrapped, depth-1)
		default:
			return noRecord
		}
	}
	if depth == 0 {
		return noRecord
	}
	if text[0] == quote {
		return inv.readElement(text, false, depth-1)
	}
	if text[0] == '[' {
		got := inv.readSequence(text, depth)
		if got != noRecord || len(text) < 2 || !isDigit(text[1]) { // else perhaps a time in brackets
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

// noteContent keeps the text of a record that stands in a wrapper: the innermost
// one, which comes first.
func (inv *Invocation) noteContent(text string) {
	if inv.content == "" {
		inv.content = text
	}
}

// readWrapped looks for a record in members of a JSON object.
func (inv *Invocation) readWrapped(members wrappedList, depth int) reading {
	for _, member := range members.list[:members.n] {
		text, got := member.raw, noRecord
		switch text[0] {
		case '{':
			got = inv.readText(text, depth)
		case '[':
			if depth > 0 {
				got = inv.readSequence(text, depth)
			}
		case quote:
			if !mayHoldRecord(text) {
				continue
			}
			var ok bool
			if text, ok = unquote(text, member.cut); !ok {
				continue
			}
			if got = inv.readText(text, depth); got == wholeRecord && member.cut { // its end may be missing
				got = brokenRecord
			}
		}
		if got != noRecord {
			inv.noteContent(text)
			return got
		}
	}
	return noRecord
}

// mayHoldRecord reports whether a JSON string could hold a Bedrock record, so that
// it is worth unescaping. A key that makes one stands there as it is, or with an
// escape in it; letters have no other escape than this.
func mayHoldRecord(raw string) bool {
	return strings.Contains(raw, fieldModel) || strings.Contains(raw, fieldSchema) || strings.Contains(raw, `\u`)
}

// unquote returns what a JSON string says that is all of raw. One that is cut off says
// what there is of it, up to half an escape.
func unquote(raw string, cut bool) (text string, ok bool) {
	if end := closing(raw, 1); end >= 0 {
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

// readElement looks for a record in a JSON value, which may break off.
func (inv *Invocation) readElement(raw string, cut bool, depth int) reading {
	return inv.readWrapped(wrappedList{list: [4]wrapped{{raw, cut}}, n: 1}, depth)
}
