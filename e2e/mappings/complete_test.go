// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package mappings

import (
	"os"
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// An attribute that no table mentions would be lost on the way to a backend, and an attribute that no alert has would promise something.
func TestTablesNameEveryAttributeOfAnAlert(t *testing.T) {
	has := map[string]bool{}
	for _, logs := range alerts() {
		for name := range logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0).Attributes().All() {
			has[name] = true
		}
	}
	for _, table := range []string{"ecs.yaml", "ocsf.yaml"} {
		m := load(t, table)
		named := map[string]bool{}
		for _, f := range m.Fields {
			if _, ok := cutResource(f.From); f.From != "" && !ok && !isPartOfRecord.MatchString(f.From) {
				named[f.From] = true
			}
		}
		for _, name := range m.Kept {
			assert.False(t, named[name], "%s maps %s, and keeps it", table, name)
			named[name] = true
		}
		assert.Equal(t, has, named, table)
	}
}

var isPartOfRecord = regexp.MustCompile(`^record\.`)

// An attribute that is new in the code must be in the alerts here, or the test above would not miss it in the tables.
func TestAlertsHereHaveEveryAttributeThatIsWritten(t *testing.T) {
	text, err := os.ReadFile("../../internal/alert/record.go")
	require.NoError(t, err)
	overflow, err := os.ReadFile("../../internal/alert/overflow.go")
	require.NoError(t, err)
	written := regexp.MustCompile(`"((?:gen_ai_guardrail|event|security_rule|threat|log)\.[a-z_.]+)"`).
		FindAllSubmatch(append(text, overflow...), -1)
	require.Greater(t, len(written), 30)
	for _, name := range written {
		found := string(name[1]) == "gen_ai_guardrail.alert" // the event's name
		for _, logs := range alerts() {
			_, ok := value(logs, string(name[1]))
			found = found || ok
		}
		assert.True(t, found, "no alert has %s", name[1])
	}
}
