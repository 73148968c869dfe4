// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/xml"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The README's first picture would show something else than the text below it.
func TestThePictureShowsTheTextOfTheReadme(t *testing.T) {
	text, err := os.ReadFile("../../README.md")
	require.NoError(t, err)
	lines, err := console(string(text))
	require.NoError(t, err)
	kept, err := os.ReadFile("../../docs/run.svg")
	require.NoError(t, err)
	assert.Equal(t, picture(lines), string(kept), "run: go generate ./cmd/terminalpicture")
	assert.NoError(t, xml.Unmarshal(kept, new(struct{})))
}

func TestLongLinesAreBrokenAsATerminalDoes(t *testing.T) {
	long := strings.Repeat("a", columns) + "b"
	assert.Equal(t, []string{strings.Repeat("a", columns), "b"}, wrapped(long))
	assert.Equal(t, []string{""}, wrapped(""))
	_, err := console("# No block\n")
	assert.Error(t, err)
}
