// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package mappings

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Elasticsearch rejects a document whose field has another type than the schema gives it, and a rule that looks for a field of the
// schema finds nothing under another name.
func TestAlertsAreDocumentsOfTheElasticCommonSchema(t *testing.T) {
	m := load(t, "ecs.yaml")
	fields := map[string][]string{}
	for _, row := range table(t, "ecs.csv", "field", "type", "level", "list") {
		fields[row[0]] = row
	}
	used := map[string]bool{}
	for name, logs := range alerts() {
		t.Run(name, func(t *testing.T) {
			document, err := m.apply(logs, func(document map[string]any, name string, value any) {
				put(document, strings.Split(name, "."), value)
			})
			require.NoError(t, err)
			for _, f := range m.Fields {
				v, ok, err := f.of(logs)
				require.NoError(t, err)
				if !ok {
					continue
				}
				used[f.To] = true
				row := fields[f.To]
				require.NotNil(t, row, "%s is no field of the schema", f.To)
				_, isList := v.([]any)
				assert.Equal(t, row[3] == "list", isList, "%s: one value or several", f.To)
				require.NoError(t, ecsType(row[1], v), f.To)
			}
			requireExample(t, name+".ecs.json", document)
		})
	}
	for name := range fields {
		assert.True(t, used[name], "%s is listed, but no alert has it", name)
	}
}

// ecsType reports a value that a field of a type cannot hold.
func ecsType(kind string, v any) error {
	if list, ok := v.([]any); ok {
		for _, item := range list {
			if err := ecsType(kind, item); err != nil {
				return err
			}
		}
		return nil
	}
	var ok bool
	switch kind {
	case "keyword", "constant_keyword", "match_only_text":
		_, ok = v.(string)
	case "long", "float":
		_, ok = v.(int64)
	case "date":
		_, err := time.Parse(time.RFC3339, fmt.Sprint(v))
		ok = err == nil
	}
	if !ok {
		return fmt.Errorf("%v (%T) is no %s", v, v, kind)
	}
	return nil
}

// A field of the schema and an attribute that keeps its name must not claim the same place.
func TestKeptNamesAreNoFieldsOfTheElasticCommonSchema(t *testing.T) {
	m := load(t, "ecs.yaml")
	for _, name := range m.Kept {
		assert.True(t, strings.HasPrefix(name, "gen_ai_guardrail."), name)
	}
}
