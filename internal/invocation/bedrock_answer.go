// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package invocation

import "slices"

// readOutput consumes the output of a record.
func (f *findings) readOutput(s *scanner) bool {
	f.resetBody()
	f.offloaded = false
	return s.object(func(name string) bool {
		switch name {
		case "outputBodyS3Path":
			path, ok := s.stringValue()
			f.offloaded = path != ""
			return ok
		case "outputBodyJson":
			f.resetBody()
			if s.peek() == quote {
				body, ok := s.stringValue()
				if f.readAnswerText(body); f.cut {
					// The string is whole, so the service wrote it like this: it is plain text.
					f.answer, f.cut = true, false
				}
				return ok
			}
			return f.readAnswer(s)
		default:
			return s.skip()
		}
	})
}

// readAnswerText reads an answer that is a string: JSON, or plain text, which is an
// answer without evidence. It sets f.cut for JSON that cannot be read to its end.
func (f *findings) readAnswerText(body string) {
	if !looksLikeJSON(body) {
		f.answer = trimStart(body) != ""
		return
	}
	f.inner.start(body)
	if !f.readAnswer(&f.inner) || !f.inner.end() {
		f.resetBody()
		f.cut = true
	}
}

// looksLikeJSON reports whether a text begins like a JSON object or array.
func looksLikeJSON(body string) bool {
	body = trimStart(body)
	return body != "" && (body[0] == '{' || body[0] == '[')
}

// readAnswer consumes an answer body: an object, or the chunks of a stream, some of
// which may be other values.
func (f *findings) readAnswer(s *scanner) bool {
	switch s.peek() {
	case '{':
		return f.readItem(s)
	case '[':
		f.chunked = true
		return s.elements(func() bool {
			f.answer = true
			if s.peek() == '{' {
				return f.readItem(s)
			}
			return s.skip()
		})
	default:
		raw, ok := s.rawValue()
		f.answer = raw != "null"
		return ok
	}
}

// readItem consumes the top level of an answer body, or of a chunk.
func (f *findings) readItem(s *scanner) bool {
	mark := len(f.assessments)
	var it item
	ok := s.members(func(name string) (ok bool) {
		f.answer = true
		switch name {
		case "amazon-bedrock-guardrailAction":
			it.action, ok = s.stringValue()
		case "amazon-bedrock-trace":
			f.drop(invokePlaces, mark)
			it.invokeRan, ok = f.readTrace(s, mark, invokeInput, invokeOutput, "input", "outputs")
		case "trace":
			f.drop(conversePlaces, mark)
			it.converseRan, ok = f.readTrace(s, mark, converseInput, converseOutput, "inputAssessment", "outputAssessments")
		case "stop_reason":
			it.stopReason, ok = s.stringValue()
		case "stopReason":
			it.converse, ok = s.stringValue()
		case "embedding", "embeddings", "embeddingsByType":
			c := s.peek()
			it.vectors.set(name, c == '[' || c == '{')
			ok = s.skip()
		case "data":
			it.vectors.data, ok = s.readFirst("embedding")
		case "results":
			it.ranking, ok = s.readFirst("relevance_score", "relevanceScore")
		default:
			if f.ofSpan {
				ok = f.sdk.read(s, name)
			} else {
				ok = s.skip()
			}
		}
		return ok
	})
	f.addItem(it)
	return ok
}

// readFirst consumes a list of objects. It reports whether the first of them has one of
// the members named.
func (s *scanner) readFirst(names ...string) (has, ok bool) {
	if s.peek() != '[' {
		return false, s.skip()
	}
	first := true
	ok = s.elements(func() bool {
		if !first || s.peek() != '{' {
			first = false
			return s.skip()
		}
		first = false
		return s.members(func(name string) bool {
			has = has || slices.Contains(names, name)
			return s.skip()
		})
	})
	return has, ok
}
