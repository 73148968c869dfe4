// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"

	"example.com/otelcol-guardrail/internal/settings"
)

const (
	schemaFile = "../../processor/guardrailprocessor/config.schema.yaml"
	pageFile   = "../../docs/settings.md"
)

// The reference would describe settings as they were.
func TestTheReferenceIsUpToDate(t *testing.T) {
	root, err := load(schemaFile)
	require.NoError(t, err)
	text, err := os.ReadFile(pageFile)
	require.NoError(t, err)
	made, err := replace(root, string(text))
	require.NoError(t, err)
	assert.Equal(t, made, string(text), "run: go generate ./internal/settings")
}

// A reader copies the example of a setting, and the collector does not start.
func TestExamplesInTheReferenceAreAccepted(t *testing.T) {
	text, err := os.ReadFile(pageFile)
	require.NoError(t, err)
	examples := regexp.MustCompile("(?m)^- Example: `(.+)`$").FindAllStringSubmatch(string(text), -1)
	assert.Greater(t, len(examples), 40)
	for _, example := range examples {
		read, err := confmap.NewRetrievedFromYAML([]byte(example[1]))
		require.NoError(t, err)
		conf, err := read.AsConf()
		require.NoError(t, err, example[1])
		config := settings.Default()
		if assert.NoError(t, conf.Unmarshal(config), example[1]) {
			assert.NoError(t, confmap.Validate(config), example[1])
		}
	}
}

// A page would lose its text, or keep an old reference.
func TestOnlyTheReferenceIsReplaced(t *testing.T) {
	path := filepath.Join(t.TempDir(), "page.md")
	require.NoError(t, os.WriteFile(path, []byte("# Page\n"+begin+"old\n"+end+"rest\n"), 0o600))
	require.NoError(t, rewrite(schemaFile, path))
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	root, err := load(schemaFile)
	require.NoError(t, err)
	assert.Equal(t, "# Page\n"+begin+reference(root)+end+"rest\n", string(text))
	_, err = replace(root, "# Page\n")
	assert.Error(t, err)
}
