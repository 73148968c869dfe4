// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/otelcol-guardrail/e2e/internal/collector"
)

// A configuration on the page of backends either names what it is laid over, and is valid there, or says that it was not run.
func TestConfigurationsOnThePageOfBackendsAreValid(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join(collector.Root(t), "docs", "backends.md"))
	require.NoError(t, err)
	blocks := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(string(text), -1)
	require.NotEmpty(t, blocks)
	for _, block := range blocks {
		over := regexp.MustCompile(`^# Laid over (config/\S+\.yaml)`).FindStringSubmatch(block[1])
		if over == nil {
			first, _, _ := strings.Cut(block[1], "\n")
			assert.Contains(t, first, "Not run here.", block[1])
			continue
		}
		result := collector.Run(t, []string{"DATADOG_OTLP_LOGS=https://otlp.example.com/v1/logs", "DD_API_KEY=key"},
			"validate", "--config", over[1], "--config", "yaml:"+block[1])
		assert.Zero(t, result.Code, block[1])
		assert.Empty(t, result.Stdout+result.Stderr, block[1])
	}
}
