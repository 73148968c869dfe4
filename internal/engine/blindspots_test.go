// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package engine_test

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/otelcol-guardrail/internal/engine"
)

// A warning that names a section which is not there leaves its reader alone.
func TestWarningsNameSectionsThatExist(t *testing.T) {
	page, err := os.ReadFile("../../" + engine.InputsPage)
	require.NoError(t, err)
	sections := map[string]bool{}
	for line := range strings.Lines(string(page)) {
		if title, ok := strings.CutPrefix(line, "### "); ok {
			sections[strings.ReplaceAll(strings.ToLower(strings.TrimSpace(title)), " ", "-")] = true
		}
	}
	for _, anchor := range engine.BlindSpotAnchors() {
		assert.True(t, sections[anchor], anchor)
	}
	assert.True(t, sections["no-invocations"])
}
