// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package engine_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.uber.org/zap"
)

// The evasion tests have a flag -update of their own.
var updateScenarios = flag.Bool("update-scenarios", false, "write the alerts into the scenario files anew")

const scenarioFolder = "../../testdata/scenarios"

// expectedMark separates what happens from the expected alerts.
const expectedMark = "=> alerts\n"

// Each file states what happens, and which alerts an analyst receives and when. The clock is virtual.
func TestScenarios(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(scenarioFolder, "*.txt"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			require.NoError(t, err)
			happens, want, _ := strings.Cut(string(text), expectedMark)
			s := parseScenario(t, happens)
			var got string
			synctest.Test(t, func(t *testing.T) { got = s.play(t) })
			if *updateScenarios {
				require.NoError(t, os.WriteFile(file, []byte(strings.TrimRight(happens, "\n")+"\n\n"+expectedMark+got), 0o600))
				return
			}
			assert.Equal(t, want, got, "if this is as it should be: go test ./internal/engine -run TestScenarios -update-scenarios")
		})
	}
}

// play goes through the scenario on a clock that is set to its first call, and returns the alerts as text.
func (s *scenario) play(t *testing.T) string {
	midnight := time.Now() // where a bubble begins
	require.True(t, midnight.Equal(midnight.UTC().Truncate(24*time.Hour)), "%s", midnight)
	r := newRig(t, s.settings)
	waitUntil(midnight.Add(s.begin()))
	r.start(t)
	serial := 0
	for _, step := range s.steps {
		switch {
		case step.wait > 0:
			time.Sleep(step.wait)
		case step.late:
			r.consume(t, s.logs(midnight, &serial, step.calls))
		default:
			for i := 0; i < len(step.calls); { // what happens at one instant arrives together
				next := i + 1
				for next < len(step.calls) && step.calls[next].at == step.calls[i].at {
					next++
				}
				waitUntil(midnight.Add(step.calls[i].at))
				r.consume(t, s.logs(midnight, &serial, step.calls[i:next]))
				i = next
			}
		}
		synctest.Wait()
	}
	assert.Empty(t, append(r.messages(zap.WarnLevel), r.messages(zap.ErrorLevel)...))
	return describe(r.next.alerts(), s.crowds)
}

func waitUntil(instant time.Time) { time.Sleep(time.Until(instant)) }

// logs are Bedrock records of calls.
func (s *scenario) logs(midnight time.Time, serial *int, calls []scenarioCall) plog.Logs {
	logs, list := emptyLogs()
	for _, c := range calls {
		*serial++
		made := call{user: c.user, id: fmt.Sprint("call ", *serial), at: midnight.Add(c.at)}
		switch c.verdict {
		case "guarded":
			made.guarded = true
		case "blocked":
			made.guarded, made.blocked = true, true
		case "presumed":
			made.converse = true
		case "unknown":
			made.offload = true
		}
		list.AppendEmpty().Body().SetStr(strings.Replace(made.bedrock(), account, c.account, 1))
	}
	return logs
}
