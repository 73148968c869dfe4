// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package engine_test

import (
	"cmp"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"example.com/otelcol-guardrail/internal/testing/inputs"
)

// Somebody's spans must neither go unseen nor raise alerts that are not due.
func TestSpansOfClients(t *testing.T) {
	cases, err := inputs.Load(parseYAML, "../../testdata/clients/spans")
	require.NoError(t, err)
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			r := newRig(t, cmp.Or(string(c.Settings), "{}"))
			for range c.Requests() {
				traces := ptrace.NewTraces()
				c.Traces.CopyTo(traces)
				traces.MarkReadOnly()
				require.NoError(t, r.detector.(spanDetector).ConsumeTraces(t.Context(), traces))
			}
			assert.Equal(t, c.Verdicts, r.counts(t, "invocations", "verdict", "evidence"), c.Why)
			assert.Equal(t, c.Excluded, r.counts(t, "invocations_excluded", "reason"), c.Why)
			assert.Len(t, r.next.opened(), c.Alerts)
			if c.Group != "" {
				assert.Equal(t, []string{c.Group}, attrsOf(r.next.opened(), "gen_ai_guardrail.group"))
			}
		})
	}
}
