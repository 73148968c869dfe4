// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package invocation

// readSequence looks for records in an array, or in objects that follow each other
// as in lines that were joined. A single one is read; of several, none can stand
// for the others.
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
	if next, ok := afterHeader(rest); ok && text[0] == '{' { // of another line
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
	got := inv.readElement(record, false, inner)
	switch {
	case whole:
		return got
	case text[0] == '{' && 0 < depth && depth < maxWrappers:
		return noRecord // a wrapped line that goes on after a record only quotes it
	default:
		return brokenRecord
	}
}

// values calls f with each element of an array, or each of the objects that follow
// each other. rest is the text from the first value on that cannot be read; whole is
// false when there is such text, or the end is missing.
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
