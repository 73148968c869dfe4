// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package mappings

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "rewrite the examples in docs/mappings")

// requireExample compares an event with the example that people write their importers from.
func requireExample(t *testing.T, name string, event map[string]any) {
	t.Helper()
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	require.NoError(t, encoder.Encode(event))
	file := filepath.Join(folder, name)
	if *update {
		require.NoError(t, os.WriteFile(file, text.Bytes(), 0o644))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Equal(t, string(want), text.String(), "if the change is intended: go test . -update")
}
