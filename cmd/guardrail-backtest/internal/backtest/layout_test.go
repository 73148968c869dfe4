// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package backtest

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// hoursOfBursts writes some hours of calls in the S3 layout and as one file in no order, and returns where. Many users
// make bursts of all sizes; records are delivered up to four minutes later, some twice, and a few half an hour later.
func hoursOfBursts(t *testing.T) (layout, unordered string) {
	root := t.TempDir()
	layout, unordered = filepath.Join(root, "s3"), filepath.Join(root, "unordered.json")
	rng := rand.New(rand.NewPCG(1, 1))
	start := time.Date(2026, 3, 14, 6, 30, 0, 0, time.UTC)
	objects := map[string]string{}
	var lines []string
	add := func(user, id int, at time.Time) {
		output := `{"text":"yes"}`
		if rng.IntN(3) == 0 {
			output = `{"text":"yes","amazon-bedrock-guardrailAction":"NONE"}`
		}
		line := fmt.Sprintf(`{"schemaType":"ModelInvocationLog","timestamp":"%s","accountId":"111122223333","region":"us-east-1","requestId":"%d",`+
			`"operation":"InvokeModel","modelId":"amazon.nova-lite-v1:0","identity":{"arn":"arn:aws:iam::111122223333:user/user-%02d"},"output":{"outputBodyJson":%s}}`,
			at.Format(time.RFC3339Nano), id, user, output)
		deliveries := 1 + max(0, rng.IntN(20)-18)
		for range deliveries {
			delivered := at.Add(time.Duration(rng.IntN(240)) * time.Second)
			if rng.IntN(100) == 0 {
				delivered = at.Add(30 * time.Minute)
			}
			folder := filepath.Join("AWSLogs/111122223333/BedrockModelInvocationLogs/us-east-1", delivered.Format("2006/01/02/15"))
			objects[folder] += line + "\n"
			lines = append(lines, line)
		}
	}
	id := 0
	for user := range 30 {
		for range 1 + rng.IntN(8) {
			at := start.Add(time.Duration(rng.IntN(6*3600)) * time.Second)
			gap := []int{500, 3000, 11_000, 40_000}[rng.IntN(4)]
			for range 1 + rng.IntN(30) {
				add(user, id, at)
				id++
				at = at.Add(time.Duration(rng.IntN(2*gap)) * time.Millisecond)
			}
		}
	}
	for folder, content := range objects {
		require.NoError(t, os.MkdirAll(filepath.Join(layout, folder), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(layout, folder, "a.json"), []byte(content), 0o600))
	}
	rng.Shuffle(len(lines), func(i, j int) { lines[i], lines[j] = lines[j], lines[i] })
	require.NoError(t, os.WriteFile(unordered, []byte(strings.Join(lines, "\n")), 0o600))
	return layout, unordered
}

// How logs are stored must not decide what is found in them, and neither must how much of them fits into memory.
func TestAlertsDoNotDependOnTheLayout(t *testing.T) {
	layout, unordered := hoursOfBursts(t)
	// What is forgotten, and when, depends on hashes with random keys. Here nothing is, and last_guarded forgets at any time.
	config := `{retention: 24h, last_guarded: false, rules: [{}, {id: sustained, group_by: [gen_ai_guardrail.principal], threshold: 3, window: {size: 30m}}]}`
	want := live(t, configOf(t, config), moments(callsIn(t, unordered)))
	require.Greater(t, len(want), 100)
	for _, path := range []string{layout, unordered} {
		for _, limit := range []int64{0, 20_000} {
			o, alerts := options(t, configOf(t, config), path)
			o.Limit = limit
			_, err := Run(t.Context(), o)
			require.NoError(t, err)
			assert.ElementsMatch(t, want, emittedIn(t, *alerts), "%s, %d", path, limit)
		}
	}
}

// The curve is what people choose a setting by: it must be what they get when they choose.
func TestTheCurveIsWhatASettingWouldGive(t *testing.T) {
	_, unordered := hoursOfBursts(t)
	for _, window := range []string{"sliding", "tumbling"} {
		o, _ := options(t, configOf(t, fmt.Sprintf(`{rules: [{threshold: 50, window: {type: %s, size: 7m}}]}`, window)), unordered)
		result, err := Run(t.Context(), o)
		require.NoError(t, err)
		curves := result.Report.Rules[0].Curves
		require.Len(t, curves, 4, "the rule's own window, too")
		raised := int64(0)
		for _, curve := range curves {
			for _, threshold := range []int{1, 2, 4, 7, 12, 30, 50} {
				config := configOf(t, fmt.Sprintf(`{rules: [{threshold: %d, window: {type: %s, size: %s}, alert: {limit: 100000}}]}`, threshold, window, curve.Window))
				o, _ := options(t, config, unordered)
				chosen, err := Run(t.Context(), o)
				require.NoError(t, err)
				rule := chosen.Report.Rules[0]
				assert.Equal(t, rule.Alerts, curve.Alerts[threshold-1], "alerts at %d in %s, %s", threshold, curve.Window, window)
				assert.EqualValues(t, rule.AlertingGroups, curve.Groups[threshold-1], "groups at %d in %s, %s", threshold, curve.Window, window)
				raised += rule.Alerts
			}
		}
		assert.Greater(t, raised, int64(500))
	}
}
