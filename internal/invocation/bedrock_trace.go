// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package invocation

// readTrace consumes the trace of a guardrail under the keys of one family of
// operations. It adds the assessments to those from index mark on. ran reports
// whether something else in the trace shows that a guardrail ran.
func (f *findings) readTrace(s *scanner, mark int, input, output place, inputKey, outputKey string) (ran, ok bool) {
	var modelOutput, actionReason bool
	ok = s.object(func(name string) bool {
		if name != "guardrail" {
			return s.skip()
		}
		f.drop(input|output, mark)
		modelOutput, actionReason = false, false
		return s.object(func(name string) (ok bool) {
			switch name {
			case inputKey:
				f.drop(input, mark)
				ok = f.readAssessments(s, input)
			case outputKey:
				f.drop(output, mark)
				ok = f.readAssessments(s, output)
			case "modelOutput":
				modelOutput = false
				if s.peek() != '[' {
					return s.skip()
				}
				ok = s.elements(func() bool {
					modelOutput = true
					return s.skip()
				})
			case "actionReason":
				var text string
				text, ok = s.stringValue()
				actionReason = text != ""
			default:
				ok = s.skip()
			}
			return ok
		})
	})
	return modelOutput || actionReason, ok
}

// readAssessments consumes {id: assessment}, or a list of such objects.
func (f *findings) readAssessments(s *scanner, at place) bool {
	if s.peek() == '[' {
		return s.elements(func() bool { return f.readAssessmentMap(s, at) })
	}
	return f.readAssessmentMap(s, at)
}

// readAssessmentMap consumes {id: assessment}, where a list of assessments may stand
// for one.
func (f *findings) readAssessmentMap(s *scanner, at place) bool {
	mark := len(f.assessments)
	return s.object(func(key string) (ok bool) {
		a := assessment{Guardrail: guardrailOf(key), coverage: unknownCoverage, key: key, place: at}
		f.removeKey(key, mark)
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

// read consumes an assessment and sets its version and coverage.
func (a *assessment) read(s *scanner) bool {
	var version string
	seen := unknownCoverage
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
			seen = unknownCoverage
			return s.object(func(name string) bool {
				if name != "guardrailCoverage" {
					return s.skip()
				}
				seen = unknownCoverage
				return s.object(func(name string) bool {
					if name != "textCharacters" {
						return s.skip()
					}
					seen = unknownCoverage
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

// read consumes the counts of a coverage.
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
