// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package analysis

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestARuleIsOnlyReadyWhenThatIsKnown(t *testing.T) {
	const day = 24 * time.Hour
	for name, c := range map[string]struct {
		rule   RuleReport
		span   time.Duration
		judged int64
		want   Readiness
		why    string
	}{
		"few hours":        {RuleReport{Alerts: 1}, 2 * time.Hour, 1000, NotEnoughData, "2h of logs"},
		"few calls":        {RuleReport{}, 30 * day, 99, NotEnoughData, "99 invocations"},
		"noisy":            {RuleReport{Alerts: 301}, 30 * day, 1000, TooNoisy, "10 alerts a day"},
		"noisy at once":    {RuleReport{Alerts: 11}, time.Hour, 10, TooNoisy, "11 alerts a day"},
		"beyond its limit": {RuleReport{Alerts: 3, Suppressed: 1, Limit: 3}, 30 * day, 1000, TooNoisy, "more than the 3 alerts"},
		"almost":           {RuleReport{Counted: 9, MaxWindow: 4, Threshold: 5}, 30 * day, 1000, NeverFires, "no window held more than 4"},
		"nothing counted":  {RuleReport{}, 30 * day, 1000, NeverFires, "nothing of what it counts"},
		"sometimes":        {RuleReport{Alerts: 15, AlertingGroups: 2}, 30 * day, 1000, Ready, "0.5 alerts a day, of 2 groups"},
	} {
		t.Run(name, func(t *testing.T) {
			got, why := readiness(&c.rule, c.span, c.judged)
			assert.Equal(t, c.want, got)
			assert.Contains(t, why, c.why)
		})
	}
}

func TestDurationsAreShort(t *testing.T) {
	for d, want := range map[time.Duration]string{
		30*24*time.Hour + 4*time.Hour: "30d4h", time.Hour + 43*time.Minute: "1h43m", 2 * time.Hour: "2h", 90 * time.Second: "1m30s", 5 * time.Second: "5s",
	} {
		assert.Equal(t, want, Duration(d))
	}
	for d, want := range map[time.Duration]string{time.Hour: "1h", time.Minute: "1m", 90 * time.Minute: "1h30m", 61 * time.Minute: "1h1m", 90 * time.Second: "1m30s"} {
		assert.Equal(t, want, Short(d))
	}
}

// Memory is bounded, and nothing that was counted is lost by that.
func TestASeriesGrowsCoarserInsteadOfLonger(t *testing.T) {
	s := NewSeries(10)
	for i := range int64(1000) {
		s.Add(i*int64(time.Minute)-500*int64(time.Minute), Counts{Guarded: 1})
	}
	other := NewSeries(10)
	other.Add(0, Counts{Unguarded: 5})
	s.Merge(other)
	bins := s.Bins()
	assert.LessOrEqual(t, len(bins), 10)
	var all Counts
	for _, b := range bins {
		all.Add(b.Counts)
	}
	assert.Equal(t, Counts{Guarded: 1000, Unguarded: 5}, all)
}
