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
	canonical canonicalField // notCanonical: the value is that of the attribute named key
}

// canonicalField is a field whose value is taken from the invocation, no matter where its record holds it.
type canonicalField uint8

const (
	notCanonical canonicalField = iota
	userField
	principalField
	accountField
	regionField
	modelField
	operationField
)

var canonicalFields = map[string]canonicalField{
	"user.id":              userField,
	settings.PrincipalKey:  principalField,
	"cloud.account.id":     accountField,
	"cloud.region":         regionField,
	"gen_ai.request.model": modelField,
	"rpc.method":           operationField,
}

func groupFields(keys []string) []groupField {
	fields := make([]groupField, len(keys))
	for i, key := range keys {
		fields[i] = groupField{key: key, canonical: canonicalFields[key]}
	}
	return fields
}

func (f *groupField) value(inv *invocation.Invocation, source *invocation.Source) string {
	switch f.canonical {
	case userField:
		return inv.User
	case principalField:
		return inv.Principal
	case accountField:
		return inv.Account
	case regionField:
		return inv.Region
	case modelField:
		return inv.Model
	case operationField:
		return inv.Operation
	default:
		return source.Attribute(f.key)
	}
}

// partitionOf returns a digest of the fields' values, as a routing key that is the same
// on every instance. It is empty when the first field has no value.
func partitionOf(fields []groupField, inv *invocation.Invocation, source *invocation.Source) string {
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
