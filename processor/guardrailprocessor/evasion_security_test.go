// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package guardrailprocessor_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/otelcol-guardrail/processor/guardrailprocessor"
	"example.com/otelcol-guardrail/processor/guardrailprocessor/internal/metadata"
)

// The tables of SECURITY.md are what the scenarios say, row by row.
func TestSecurityTableListsTheScenarios(t *testing.T) {
	var want, got []string
	for _, s := range scenarios(t) {
		want = append(want, s.row())
	}
	for line := range strings.Lines(security(t)) {
		if strings.HasPrefix(line, "| [") {
			got = append(got, strings.TrimSpace(line))
		}
	}
	for _, row := range want {
		assert.True(t, slices.Contains(got, row), "not in a table:\n%s", row)
	}
	for _, row := range got {
		assert.True(t, slices.Contains(want, row), "in a table, and what a file says is not so:\n%s", row)
	}
	assert.Len(t, slices.Compact(slices.Sorted(slices.Values(got))), len(got), "a row twice")
}

func (s *scenario) row() string {
	result := "no alert"
	switch n := len(s.Outcomes[0].Alerts); n {
	case 0:
	case 1:
		result = "**alert**"
	default:
		result = fmt.Sprintf("**%d alerts**", n)
	}
	var verdicts []string
	for i := range s.Records {
		verdict := "`" + s.Records[i].Verdict + "`"
		if verdict == "`"+noInvocation+"`" {
			verdict = "not an invocation"
		}
		if !slices.Contains(verdicts, verdict) {
			verdicts = append(verdicts, verdict)
		}
	}
	if len(verdicts) > 0 {
		result += ": " + strings.Join(verdicts, ", ")
	}
	answer := strings.TrimSpace(s.AnsweredBy)
	if s.Open != "" {
		answer = strings.TrimSpace(answer + " **Open:** " + strings.TrimSpace(s.Open))
	}
	return fmt.Sprintf("| [%s](%s) | %s | %s |", s.Title, s.file, result, strings.ReplaceAll(answer, "\n", " "))
}

func security(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(repository, "SECURITY.md"))
	require.NoError(t, err)
	return string(text)
}

var yamlBlock = regexp.MustCompile("(?ms)^```yaml\n(.*?)^```")

// What SECURITY.md advises to write into a configuration must be accepted by this version.
func TestSecurityAdviceIsValid(t *testing.T) {
	found := 0
	for _, block := range yamlBlock.FindAllStringSubmatch(security(t), -1) {
		processors, err := readYAML(t, block[1]).Sub("processors")
		require.NoError(t, err, block[1])
		for id, settings := range processors.ToStringMap() {
			if name, _, _ := strings.Cut(id, "/"); name != metadata.Type.String() {
				continue
			}
			found++
			given, _ := settings.(map[string]any)
			decodeSettings(t, guardrailprocessor.NewFactory().CreateDefaultConfig(), given)
		}
	}
	assert.Positive(t, found, "configurations of the processor")
}
