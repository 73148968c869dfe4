// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package guardrailprocessor

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"example.com/otelcol-guardrail/processor/guardrailprocessor/internal/metadatatest"
)

// A detector that sees nothing looks just like one that has nothing to see, unless it says so.
func TestBlindSpotsAreWarnedOfOnce(t *testing.T) {
	for name, test := range map[string]struct {
		unknown, noGroup, others int
		warns                    bool
	}{
		"all is seen":                 {0, 0, 100, false},
		"a tenth without an answer":   {10, 0, 90, false},
		"over a tenth":                {11, 0, 89, true},
		"over a tenth without a user": {0, 11, 89, true},
		"all of very few":             {9, 0, 0, false},
		"all of a few":                {10, 0, 0, true},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, `{}`)
			r.at(noon)
			send := func() {
				for i := range test.others + test.unknown + test.noGroup {
					c := call{user: fmt.Sprint("user ", i), at: noon}
					switch {
					case i < test.others:
					case i < test.others+test.unknown:
						c.offload = true
					default:
						c.user = ""
					}
					r.consume(t, bedrockLogs(c))
				}
			}
			warnings := func() int { return r.logged.FilterLevelExact(zap.WarnLevel).Len() }
			want := map[bool]int{true: 1}[test.warns]
			send()
			assert.Zero(t, warnings(), "the minute is not over")
			r.at(noon.Add(2 * time.Minute))
			send()
			assert.Equal(t, want, warnings())
			r.at(noon.Add(4 * time.Minute))
			send()
			assert.Equal(t, want, warnings(), "not every minute")
			r.at(noon.Add(2 * time.Hour))
			send()
			assert.Equal(t, 2*want, warnings(), "but again if it goes on")
			if test.warns {
				warning := r.logged.All()[0].ContextMap()
				assert.Positive(t, warning["invocations"])
				assert.Positive(t, warning["unknown"].(int64)+warning["no_group"].(int64))
			}
		})
	}
}

// What was blind for a moment long ago says nothing about now.
func TestBlindSpotsAreLookedForMinuteByMinute(t *testing.T) {
	r := newRig(t, `{}`)
	for minute := range 30 {
		r.at(noon.Add(time.Duration(minute) * time.Minute))
		r.consume(t, bedrockLogs(call{user: "alice", at: noon, offload: true}))
		for range 3 {
			r.consume(t, bedrockLogs(call{user: "alice", at: noon, guarded: true}))
		}
	}
	assert.Empty(t, r.logged.All(), "a quarter, but never ten in a minute")
}

// Two pipelines that name one processor split its counts: the operator must hear of it, every time.
func TestSharedConfigurationIsWarnedOf(t *testing.T) {
	config := configure(t, `{}`)
	create := func() (shutdown func(), warnings int) {
		core, logged := observer.New(zap.WarnLevel)
		set := metadatatest.NewSettings(componenttest.NewTelemetry())
		set.Logger = zap.New(core)
		p, err := NewFactory().CreateLogs(t.Context(), set, config, new(downstream))
		require.NoError(t, err)
		return func() { require.NoError(t, p.Shutdown(t.Context())) }, logged.Len()
	}
	for range 2 { // what ended leaves no trace
		first, warnings := create()
		assert.Zero(t, warnings)
		second, warnings := create()
		assert.Equal(t, 1, warnings)
		third, warnings := create()
		assert.Equal(t, 1, warnings)

		second()
		second() // more than once is no more than once
		third()
		fourth, warnings := create()
		assert.Equal(t, 1, warnings, "the first is still there")
		first()
		fourth()
	}
	assert.NotContains(t, claims.instances, config)

	other := rigOf(t, configure(t, `{}`))
	assert.Empty(t, other.logged.All(), "another configuration of the same content is another processor")
}
