// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The documentation would name attributes that are not read, or miss some that are.
func TestTheDocumentationIsUpToDate(t *testing.T) {
	text, err := os.ReadFile("../../docs/spans.md")
	require.NoError(t, err)
	made, err := replace(string(text))
	require.NoError(t, err)
	assert.Equal(t, made, string(text), "run: go generate ./internal/invocation")
}

// A page would lose its text, or keep an old table.
func TestOnlyTheSectionsAreReplaced(t *testing.T) {
	old, made := "# Page\n", "# Page\n"
	for _, section := range sections {
		old += begin(section.name) + "old\n" + end(section.name) + "rest\n"
		made += begin(section.name) + section.make() + end(section.name) + "rest\n"
	}
	path := filepath.Join(t.TempDir(), "page.md")
	require.NoError(t, os.WriteFile(path, []byte(old), 0o600))
	require.NoError(t, rewrite(path))
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, made, string(text))
	_, err = replace("# Page\n")
	assert.Error(t, err)
}
