// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package replay

import (
	"fmt"
	"math"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"example.com/otelcol-guardrail/cmd/guardrail-backtest/internal/fact"
	"example.com/otelcol-guardrail/internal/alert"
	"example.com/otelcol-guardrail/internal/detect"
	"example.com/otelcol-guardrail/internal/engine"
	"example.com/otelcol-guardrail/internal/invocation"
	"example.com/otelcol-guardrail/internal/settings"
)

// Calls with the last time that can be expressed, as some write for "never", must not keep a backtest from ending.
func TestTheEndOfTimeIsReached(t *testing.T) {
	for _, last := range []int64{math.MaxInt64, math.MaxInt64 - int64(time.Minute)} {
		config := settings.Default()
		var states []string
		r := New(config, engine.OfflineRules(config), func(e Emitted) { states = append(states, alert.StateName(e.Alert.State)) })
		for _, at := range []int64{time.Date(2026, 3, 14, 9, 0, 0, 0, time.UTC).UnixNano(), last} {
			for i := range 6 {
				key := detect.AppendKey(detect.AppendKey(nil, "alice"), "111122223333")
				f := fact.Fact{
					Kind:  invocation.Kind{Verdict: invocation.Unguarded, Evidence: invocation.Absent},
					Flags: fact.Matters, Rules: []fact.Rule{{Key: string(key), Counted: true}}, ID: fmt.Sprint(at, i),
				}
				r.Take(at, f.Append(nil))
			}
		}
		r.Finish()
		assert.Equal(t, []string{"open", "closed", "open"}, states)
	}
}

// An intervention that the rule does not count is not among the calls that it does, nor is its repeat.
func TestInterventionsAreNotCounted(t *testing.T) {
	config := settings.Default()
	config.Rules[0].AfterIntervention = time.Minute
	r := New(config, engine.OfflineRules(config), func(Emitted) {})
	at := time.Date(2026, 3, 14, 9, 0, 0, 0, time.UTC).UnixNano()
	for range 2 {
		for _, of := range []fact.Rule{{Key: "\x00", Intervened: true}, {Key: "\x00", Counted: true}} {
			f := fact.Fact{Flags: fact.Matters, Rules: []fact.Rule{of}, ID: strconv.FormatBool(of.Counted)}
			r.Take(at, f.Append(nil))
		}
	}
	r.Finish()
	assert.EqualValues(t, 1, r.Rules[0].Counted)
	assert.EqualValues(t, 1, r.Rules[0].Repeats)
}
