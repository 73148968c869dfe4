// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package invocation

// readRecord reads a Bedrock record from the JSON object that text begins with.
// bedrock reports whether the object is plainly one; whole is false when it breaks
// before its end. rest is the text after it, without leading white space. Members
// that may hold a record instead are left in inv.found.wrapped.
//
// Of two members of one name the last counts, as a whole and at every level. That
// is why findings are reset before a member is read.
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
			if schemaType, ok = s.stringValue(); ok { // else it is cut off
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

// plainlyBedrock reports whether the fields read so far are those of a Bedrock record:
// its schema says so, or, since newer records end with the schema and may be cut off
// before it, the fields that identify a call are there.
func (inv *Invocation) plainlyBedrock() bool {
	switch inv.found.schema {
	case schemaBedrock:
		return true
	case schemaMissing:
		return inv.Model != "" && inv.Operation != "" && (inv.RequestID != "" || inv.Account != "")
	default:
		return false
	}
}

// readIdentity consumes the identity of a record.
func (inv *Invocation) readIdentity(s *scanner) bool {
	inv.User = ""
	return s.object(func(name string) bool {
		if name != "arn" {
			return s.skip()
		}
		return s.field(&inv.User)
	})
}

// readInput consumes the input of a record.
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

// readRequest consumes a request body. Only its guardrailConfig counts, since the
// service acts on it.
func (f *findings) readRequest(s *scanner) bool {
	return s.object(func(name string) bool {
		if name != "guardrailConfig" {
			if f.ofSpan && name == "modelId" {
				return s.field(&f.sdk.model)
			}
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
