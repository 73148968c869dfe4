// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package invocation_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"example.com/otelcol-guardrail/internal/invocation"
)

// A group's guarded calls are found by what DescribePart says of them, its others by what Describe says: if they
// differed, a service would be said to never have had a guardrail.
func TestPartIsAsDescribed(t *testing.T) {
	seed := *firstSeed
	if seed == 0 {
		seed = rand.Uint64N(1 << 48)
	}
	fields := map[string]func(*invocation.Invocation) string{
		invocation.AttrUser:      func(inv *invocation.Invocation) string { return inv.User },
		invocation.AttrPrincipal: func(inv *invocation.Invocation) string { return inv.Principal },
		"cloud.account.id":       func(inv *invocation.Invocation) string { return inv.Account },
		"cloud.region":           func(inv *invocation.Invocation) string { return inv.Region },
		"gen_ai.request.model":   func(inv *invocation.Invocation) string { return inv.Model },
		"rpc.method":             func(inv *invocation.Invocation) string { return inv.Operation },
	}
	compared := map[string]int{}
	for s := seed; s < seed+uint64(*records); s++ {
		logs, options := generate(s)
		options.PartKeys = slices.DeleteFunc(append(options.PartKeys, "cloud.region"), func(key string) bool { return s%7 == 0 && key != "rpc.method" })
		reader := invocation.NewReader(options)
		group := logs.ResourceLogs().At(0)
		scope := group.ScopeLogs().At(0)
		var part, whole invocation.Invocation
		for _, inv := range []*invocation.Invocation{&part, &whole} {
			reader.Enter(group.Resource(), scope.Scope(), inv)
		}
		record := scope.LogRecords().At(0)
		if !reader.Read(record, &part) || !reader.Read(record, &whole) {
			continue
		}
		reader.DescribePart(record, &part)
		reader.Describe(record, &whole)
		require.Equal(t, whole.Time, part.Time, "seed %d", s)
		require.Equal(t, whole.TimeSource, part.TimeSource, "seed %d", s)
		for _, key := range options.PartKeys {
			if value, ok := fields[key]; ok {
				require.Equal(t, value(&whole), value(&part), "seed %d: %s", s, key)
				if value(&whole) != "" {
					compared[key]++
				}
			}
		}
		reader.Describe(record, &part) // nothing that was set is in its way
		for key, value := range fields {
			require.Equal(t, value(&whole), value(&part), "seed %d: %s", s, key)
		}
	}
	t.Log(compared)
	for key := range fields {
		require.NotZero(t, compared[key], key)
	}
}
