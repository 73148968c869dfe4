// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package engine_test

import (
	"cmp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.uber.org/zap"

	"example.com/otelcol-guardrail/internal/testing/inputs"
)

// TestRecordsInTheShapesThatPeopleHave fails where somebody's records go unseen, or raise alerts that are not due.
func TestRecordsInTheShapesThatPeopleHave(t *testing.T) {
	cases, err := inputs.Load(parseYAML, "../../testdata/inputs", "../../testdata/clients")
	require.NoError(t, err)
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			r := newRig(t, cmp.Or(string(c.Settings), "{}"))
			for range c.Requests() {
				logs := plog.NewLogs()
				c.Logs.CopyTo(logs)
				r.consume(t, logs)
			}
			assert.Equal(t, c.Verdicts, r.counts(t, "invocations", "verdict", "evidence"), c.Why)
			assert.Equal(t, c.Excluded, r.counts(t, "invocations_excluded", "reason"), c.Why)
			assert.Len(t, r.next.opened(), c.Alerts)
			if c.Group != "" {
				assert.Equal(t, []string{c.Group}, attrsOf(r.next.opened(), "gen_ai_guardrail.group"))
			}
			for key, want := range c.Annotated {
				passed := r.next.passed()
				assert.Equal(t, slices.Repeat([]string{want}, len(passed)), attrsOf(passed, key), key)
			}
			if c.Log != "" {
				r.SetClock(func() time.Time { return time.Now().Add(time.Minute + time.Second) })
				r.consume(t, plog.NewLogs())
				assert.Condition(t, func() bool { return r.warned(c.Log) }, "no warning says %q", c.Log)
			}
		})
	}
}

func parseYAML(text []byte) (any, error) {
	retrieved, err := confmap.NewRetrievedFromYAML(text)
	if err != nil {
		return nil, err
	}
	return retrieved.AsRaw()
}

// counts returns the values of a counter, by what its attributes say, joined with slashes.
func (r *rig) counts(t *testing.T, name string, keys ...attribute.Key) map[string]int {
	t.Helper()
	counts := map[string]int{}
	metric, err := r.tel.GetMetric(r.face.prefix() + name)
	if err != nil {
		return counts // which it has from its first value on
	}
	sum, ok := metric.Data.(metricdata.Sum[int64])
	require.True(t, ok, name)
	for _, p := range sum.DataPoints {
		values := make([]string, len(keys))
		for i, key := range keys {
			value, _ := p.Attributes.Value(key)
			values[i] = value.AsString()
		}
		counts[strings.Join(values, "/")] += int(p.Value)
	}
	return counts
}

// warned reports whether some warning contains a text.
func (r *rig) warned(text string) bool {
	for _, entry := range r.logged.FilterLevelExact(zap.WarnLevel).All() {
		if strings.Contains(entry.Message, text) {
			return true
		}
	}
	return false
}
