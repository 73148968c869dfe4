// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"crypto/sha256"
	"encoding/hex"

	"example.com/otelcol-guardrail/internal/detect"
	"example.com/otelcol-guardrail/internal/invocation"
	"example.com/otelcol-guardrail/internal/settings"
)

// groupField is one of the fields that invocations are grouped by.
type groupField struct {
	key       string
	canonical func(*invocation.Invocation) string // nil: the value of the attribute named key
}

// canonicalFields are the keys whose value is taken from the invocation, no matter
// where its record holds it.
var canonicalFields = map[string]func(*invocation.Invocation) string{
	"user.id":              func(inv *invocation.Invocation) string { return inv.User },
	settings.PrincipalKey:  func(inv *invocation.Invocation) string { return inv.Principal },
	"cloud.account.id":     func(inv *invocation.Invocation) string { return inv.Account },
	"cloud.region":         func(inv *invocation.Invocation) string { return inv.Region },
	"gen_ai.request.model": func(inv *invocation.Invocation) string { return inv.Model },
	"rpc.method":           func(inv *invocation.Invocation) string { return inv.Operation },
}

func groupFields(keys []string) []groupField {
	fields := make([]groupField, len(keys))
	for i, key := range keys {
		fields[i] = groupField{key: key, canonical: canonicalFields[key]}
	}
	return fields
}

func (f *groupField) value(inv *invocation.Invocation, source invocation.Source) string {
	if f.canonical != nil {
		return f.canonical(inv)
	}
	return source.Attribute(f.key)
}

// partitionOf returns a digest of the fields' values, as a routing key that is the same
// on every instance. It is empty when the first field has no value.
func partitionOf(fields []groupField, inv *invocation.Invocation, source invocation.Source) string {
	var key []byte
	for i := range fields {
		value := fields[i].value(inv, source)
		if i == 0 && value == "" {
			return ""
		}
		key = detect.AppendKey(key, value)
	}
	digest := sha256.Sum256(key)
	return hex.EncodeToString(digest[:8])
}
