// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package guardrailprocessor

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A warning that names a section which is not there leaves its reader alone.
func TestWarningsNameSectionsThatExist(t *testing.T) {
	page, err := os.ReadFile("../../" + inputsPage)
	require.NoError(t, err)
	sections := map[string]bool{}
	for line := range strings.Lines(string(page)) {
		if title, ok := strings.CutPrefix(line, "### "); ok {
			sections[strings.ReplaceAll(strings.ToLower(strings.TrimSpace(title)), " ", "-")] = true
		}
	}
	for _, spot := range blindSpots {
		assert.True(t, sections[spot.anchor], spot.anchor)
	}
	assert.True(t, sections["no-invocations"])
}
