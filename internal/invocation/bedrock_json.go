// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package invocation

// readRecord reads a Bedrock record from the JSON object that text begins with.
// bedrock is false when the object is not plainly one; whole is false when it
// breaks before its end. rest is the text after it. Members that may hold a record
// instead are left in inv.found.wrapped.
//
// Of two equal keys the last counts, as a whole, at every level: hence the
// resets before a member is read.
func (inv *Invocation) readRecord(text string) (bedrock, whole bool, rest string) {
	inv.reset()
	f := &inv.found
	f.reset()
	s := &f.scan
	s.start(text)
	whole = s.members(func(name string) (ok bool) {
		switch name {
		case "schemaType":
			var schemaType string
			if schemaType, ok = s.stringValue(); ok { // else cut off in its middle
				f.schema = schemaOf(schemaType)
			}
		case "timestamp":
			ok = s.field(&inv.timestamp)
		case "accountId":
			var account string
			if account, ok = s.accountID(); ok {
				inv.Account = account
			}
		case "region":
			ok = s.field(&inv.Region)
		case "requestId":
			ok = s.field(&inv.RequestID)
		case "operation":
			ok = s.field(&inv.Operation)
		case "modelId":
			ok = s.field(&inv.Model)
		case "errorCode":
			var code string
			code, ok = s.stringValue()
			f.errored = code != ""
		case "identity":
			ok = inv.readIdentity(s)
		case "input":
			ok = f.readInput(s)
		case "output":
			ok = f.readOutput(s)
		default:
			start := s.pos
			ok = s.skip()
			if isWrapper(name) {
				f.wrapped.add(text, start, s.pos, !ok)
			}
		}
		return ok
	})
	if whole {
		s.peek()
		rest = text[s.pos:]
	}
	return inv.plainlyBedrock(), whole, rest
}

// plainlyBedrock recognises a Bedrock record by its schema, or, since newer records
// end with that and may be cut off before it, by the fields that make one.
func (inv *Invocation) plainlyBedrock() bool {
	switch inv.found.schema {
	case schemaBedrock:
		return true
	case schemaUntold:
		return inv.Model != "" && inv.Operation != "" && (inv.RequestID != "" || inv.Account != "")
	default:
		return false
	}
}

func (inv *Invocation) readIdentity(s *scanner) bool {
	inv.User = ""
	return s.object(func(name string) bool {
		if name != "arn" {
			return s.skip()
		}
		return s.field(&inv.User)
	})
}

func (f *findings) readInput(s *scanner) bool {
	f.config = requestConfig{}
	return s.object(func(name string) bool {
		if name != "inputBodyJson" {
			return s.skip()
		}
		f.config = requestConfig{}
		if s.peek() != quote {
			return f.readRequest(s)
		}
		body, ok := s.stringValue()
		if ok && looksLikeJSON(body) {
			f.inner.start(body)
			if !f.readRequest(&f.inner) || !f.inner.end() {
				f.config = requestConfig{}
			}
		}
		return ok
	})
}

// readRequest looks for the one thing in a request that the service acts on.
func (f *findings) readRequest(s *scanner) bool {
	return s.object(func(name string) bool {
		if name != "guardrailConfig" {
			return s.skip()
		}
		f.config = requestConfig{}
		return s.object(func(name string) (ok bool) {
			switch name {
			case "guardrailIdentifier":
				f.config.id, ok = s.stringValue()
			case "guardrailVersion":
				f.config.version, ok = s.stringValue()
			default:
				ok = s.skip()
			}
			return ok
		})
	})
}

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
					// The text around it is whole, so this is no part of anything: plain text.
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

// readAnswerText reads an answer that the record holds as a string: JSON, or
// plain text, which is an answer without evidence.
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

func looksLikeJSON(body string) bool {
	body = trimStart(body)
	return body != "" && (body[0] == '{' || body[0] == '[')
}

// readAnswer reads an answer body: an object, or the chunks of a stream, among
// which there may be others than objects.
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

// readItem reads the top level of an answer body, or of a chunk.
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
			it.converRan, ok = f.readTrace(s, mark, converseInput, converseOutput, "inputAssessment", "outputAssessments")
		case "stop_reason":
			it.stopReason, ok = s.stringValue()
		case "stopReason":
			it.converse, ok = s.stringValue()
		case "embedding", "embeddings", "embeddingsByType":
			c := s.peek()
			it.vectors.set(name, c == '[' || c == '{')
			ok = s.skip()
		case "results":
			it.ranking, ok = s.readRanking()
		default:
			ok = s.skip()
		}
		return ok
	})
	f.add(it)
	return ok
}

// readRanking consumes the results of an answer and reports whether they rank
// documents: the first of them has a score.
func (s *scanner) readRanking() (ranking, ok bool) {
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
			ranking = ranking || name == "relevance_score" || name == "relevanceScore"
			return s.skip()
		})
	})
	return ranking, ok
}

// readTrace reads the trace of a guardrail, in the words of one family of
// operations. ran tells that it names none but could only come from one.
func (f *findings) readTrace(s *scanner, mark int, input, output place, inputKey, outputKey string) (ran, ok bool) {
	var told, reason bool
	ok = s.object(func(name string) bool {
		if name != "guardrail" {
			return s.skip()
		}
		f.drop(input|output, mark)
		told, reason = false, false
		return s.object(func(name string) (ok bool) {
			switch name {
			case inputKey:
				f.drop(input, mark)
				ok = f.readAssessments(s, input)
			case outputKey:
				f.drop(output, mark)
				ok = f.readAssessments(s, output)
			case "modelOutput":
				told = false
				if s.peek() != '[' {
					return s.skip()
				}
				ok = s.elements(func() bool {
					told = true
					return s.skip()
				})
			case "actionReason":
				var text string
				text, ok = s.stringValue()
				reason = text != ""
			default:
				ok = s.skip()
			}
			return ok
		})
	})
	return told || reason, ok
}

// readAssessments reads {id: assessment}, or a list of such.
func (f *findings) readAssessments(s *scanner, at place) bool {
	if s.peek() == '[' {
		return s.elements(func() bool { return f.readAssessmentMap(s, at) })
	}
	return f.readAssessmentMap(s, at)
}

func (f *findings) readAssessmentMap(s *scanner, at place) bool {
	mark := len(f.assessments)
	return s.object(func(key string) (ok bool) {
		a := assessment{Guardrail: guardrailOf(key), coverage: untold, key: key, place: at}
		f.forgetKey(key, mark)
		switch s.peek() {
		case '{':
			ok = a.read(s)
			f.assess(a)
		case '[':
			empty := true
			ok = s.elements(func() bool {
				empty = false
				element := a
				ok := element.read(s)
				f.assess(element)
				return ok
			})
			if empty {
				f.assess(a)
			}
		default:
			ok = s.skip()
		}
		return ok
	})
}

// read takes in what an assessment tells of version and coverage.
func (a *assessment) read(s *scanner) bool {
	var version string
	seen := untold
	ok := s.object(func(name string) bool {
		switch name {
		case "appliedGuardrailDetails":
			version = ""
			return s.object(func(name string) (ok bool) {
				if name != "guardrailVersion" {
					return s.skip()
				}
				version, ok = s.stringValue()
				return ok
			})
		case "invocationMetrics":
			seen = untold
			return s.object(func(name string) bool {
				if name != "guardrailCoverage" {
					return s.skip()
				}
				seen = untold
				return s.object(func(name string) bool {
					if name != "textCharacters" {
						return s.skip()
					}
					seen = untold
					return seen.read(s)
				})
			})
		default:
			return s.skip()
		}
	})
	if version != "" {
		a.Version = version
	}
	a.coverage = seen
	return ok
}

func (c *coverage) read(s *scanner) bool {
	return s.object(func(name string) bool {
		switch name {
		case "guarded", "total":
			raw, ok := s.rawValue()
			if name == "guarded" {
				c.guarded = characters(raw)
			} else {
				c.total = characters(raw)
			}
			return ok
		default:
			return s.skip()
		}
	})
}
