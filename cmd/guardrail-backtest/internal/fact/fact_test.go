// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package fact

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"

	"example.com/otelcol-guardrail/internal/invocation"
)

// What is read back is what was kept, whatever a caller puts into names.
func TestAFactSurvivesBeingKept(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := func(name string) string { return rapid.StringN(0, 12, -1).Draw(t, name) }
		f := Fact{
			Kind:  rapid.SampledFrom(invocation.Kinds()).Draw(t, "kind"),
			Flags: Flags(rapid.IntRange(0, 15).Draw(t, "flags")),
			Rules: []Rule{},
		}
		for range rapid.IntRange(0, 4).Draw(t, "rules") {
			f.Rules = append(f.Rules, Rule{rapid.SampledFrom([]string{"", "a", "b", "c\x00"}).Draw(t, "key"), rapid.Bool().Draw(t, "counted"), rapid.Bool().Draw(t, "intervened")})
		}
		if f.Has(Matters) {
			f.ID, f.RequestID, f.Principal = text("id"), text("request"), text("principal")
			f.Region, f.Model, f.Operation = text("region"), text("model"), text("operation")
			f.GuardrailID = text("guardrail")
		}
		if f.Has(Shipped) {
			f.User, f.Account = text("user"), text("account")
		}
		got := Fact{Rules: []Rule{{Key: "left over"}}}
		got.Decode(f.Append(nil), len(f.Rules))
		assert.Equal(t, f, got)
	})
}
