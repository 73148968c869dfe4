// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package mappings

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Who configures a backend reads the page, not the tables that are tested.
func TestThePageOfBackendsHasEveryMapping(t *testing.T) {
	text, err := os.ReadFile("../../docs/backends.md")
	require.NoError(t, err)
	shown := map[string]string{
		"record.timestamp": "the time", "record.body": "the body", "record.severity_text": "the severity text",
	}
	for table, heading := range map[string]string{"ecs.yaml": "## Elastic Security\n", "ocsf.yaml": "## OCSF\n"} {
		_, section, ok := strings.Cut(string(text), heading)
		require.True(t, ok, heading)
		section, _, _ = strings.Cut(section, "\n## ")
		m := load(t, table)
		assert.Contains(t, section, m.Schema.Version)
		for _, f := range m.Fields {
			if f.From == "" {
				continue
			}
			from, ok := shown[f.From]
			if !ok {
				from = "`" + f.From + "`"
				if name, ok := cutResource(f.From); ok {
					from = "`" + name + "` of the resource"
				}
			}
			row := "| " + from + " | `" + f.To + "` |"
			if f.By == "same name" {
				row = from
			}
			assert.Contains(t, section, row)
		}
	}
}
