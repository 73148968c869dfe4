// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package analysis

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// A rule that counted 250 calls, allows none and did not alert must not look broken.
func TestTheConditionOfARuleIsComplete(t *testing.T) {
	for want, rule := range map[string]RuleReport{
		"more than 5 within 1m (sliding)":                                        {Threshold: 5, Size: "1m", Window: "sliding"},
		"more than 5 within 1m (tumbling)":                                       {Threshold: 5, Size: "1m", Window: "tumbling"},
		"more than 5 in a session with gaps of at most 15m":                      {Threshold: 5, Size: "15m", Window: "session"},
		"more than 0 within 1m (sliding) that follow an intervention within 10m": {Size: "1m", Window: "sliding", After: "10m"},
	} {
		assert.Equal(t, want, rule.Condition())
	}
}
