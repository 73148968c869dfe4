// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package invocation

import (
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
)

// Source is the record that an invocation was read from, with its surroundings.
type Source struct {
	Resource pcommon.Resource
	Scope    pcommon.InstrumentationScope
	Record   plog.LogRecord
}

// Attribute returns, as text, the first value under the key that is not empty, in
// the order record, scope, resource; "" when there is none.
func (s Source) Attribute(key string) string {
	for _, attrs := range [...]pcommon.Map{s.Record.Attributes(), s.Scope.Attributes(), s.Resource.Attributes()} {
		if value, ok := attrs.Get(key); ok && !isEmpty(value) {
			return value.AsString()
		}
	}
	return ""
}
