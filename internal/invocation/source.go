// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package invocation

import (
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// Source is the log record or span that an invocation was read from, with its
// surroundings.
type Source struct {
	Resource pcommon.Resource
	Scope    pcommon.InstrumentationScope
	Record   plog.LogRecord // unset for a span
	Span     ptrace.Span    // unset for a log record
}

// ofSpan reports whether the source is a span.
func (s Source) ofSpan() bool { return s.Span != ptrace.Span{} }

// attributes returns the attributes of the record or span itself.
func (s Source) attributes() pcommon.Map {
	if s.ofSpan() {
		return s.Span.Attributes()
	}
	return s.Record.Attributes()
}

// Attribute returns, as text, the first value under the key that is not empty, in
// the order record or span, scope, resource; "" when there is none.
func (s Source) Attribute(key string) string {
	for _, attrs := range [...]pcommon.Map{s.attributes(), s.Scope.Attributes(), s.Resource.Attributes()} {
		if value, ok := attrs.Get(key); ok && !isEmpty(value) {
			return value.AsString()
		}
	}
	return ""
}
