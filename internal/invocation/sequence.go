// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package invocation

// readSequence looks for a record in the elements of a JSON array, or in JSON objects
// that stand one after the other, as in lines that were joined. A sequence of one value
// is read as that value; in a longer one, no record can stand for the others.
func (inv *Invocation) readSequence(text string, depth int) reading {
	s := &inv.sequences[depth]
	inner := max(0, depth-1)
	count, record := 0, ""
	rest, whole := s.values(text, func(value string) {
		count++
		if record == "" && inv.readElement(value, false, inner) != noRecord {
			record = value
		}
	})
	if next, ok := afterHeader(rest); ok && text[0] == '{' { // the header of the next line
		rest = next
	}
	cut := rest != "" && inv.readElement(rest, true, inner) != noRecord
	if cut {
		count++
	}
	switch {
	case record == "" && !cut:
		return noRecord
	case count > 1:
		inv.reset()
		return severalRecords
	case cut:
		return brokenRecord
	}
	got := inv.readElement(record, false, inner) // again: the search in rest may have overwritten it
	switch {
	case whole:
		return got
	case text[0] == '{' && 0 < depth && depth < maxWrappers:
		return noRecord // a line in a wrapper that goes on after a record only quotes it
	default:
		return brokenRecord
	}
}

// values calls f with each element of the array that text is, or with each of the
// objects that it consists of. rest is the text from the first value on that cannot be
// read. whole is false when there is such text, or when the end of the array is missing.
func (s *scanner) values(text string, f func(value string)) (rest string, whole bool) {
	s.start(text)
	array := s.take('[')
	for first := true; ; first = false {
		switch c := s.peek(); {
		case array && c == ']':
			s.pos++
			whole = s.end()
			return text[s.pos:], whole
		case array && !first && !s.take(','), !array && c != '{':
			return text[s.pos:], !array && s.end()
		}
		s.peek()
		start := s.pos
		value, ok := s.rawValue()
		if !ok {
			return text[start:], false
		}
		f(value)
	}
}
