// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package explain

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/otelcol-guardrail/internal/invocation"
)

// The lines that are named must be those that a reader finds in the table.
func TestLinesAreThoseOfTheVerdictTable(t *testing.T) {
	readme, err := os.ReadFile("../../../../processor/guardrailprocessor/README.md")
	require.NoError(t, err)
	_, table, ok := strings.Cut(string(readme), "| verdict | when | evidence |\n")
	require.True(t, ok)
	rows := regexp.MustCompile("(?m)^ *\\| `(\\w+)` \\| (.*) \\| (.*) \\|$").FindAllStringSubmatch(table[:strings.Index(table, "\n\n")], -1)
	require.Len(t, rows, len(lines))
	for i, row := range rows {
		assert.Equal(t, row[1], lines[i].verdict.String())
		assert.Equal(t, row[2], lines[i].when)
		for _, e := range lines[i].kinds {
			assert.Contains(t, row[3], "`"+e.String()+"`")
		}
	}
}

func TestEveryKindIsExplained(t *testing.T) {
	for _, kind := range invocation.Kinds() {
		n, _ := decided(kind)
		assert.Positive(t, n, kind)
		assert.NotEmpty(t, evidence[kind.Evidence], kind)
	}
}
