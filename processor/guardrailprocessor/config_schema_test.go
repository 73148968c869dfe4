// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package guardrailprocessor

import (
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/confmaptest"

	"example.com/otelcol-guardrail/internal/settings"
)

// schema is as much of a JSON schema as config.schema.yaml uses.
type schema struct {
	Description string            `mapstructure:"description"`
	Type        string            `mapstructure:"type"`
	Format      string            `mapstructure:"format"`
	Ref         string            `mapstructure:"$ref"`
	Minimum     *int              `mapstructure:"minimum"`
	Maximum     *int              `mapstructure:"maximum"`
	From        *time.Duration    `mapstructure:"x-minimum"`
	To          *time.Duration    `mapstructure:"x-maximum"`
	Default     any               `mapstructure:"default"`
	Items       *schema           `mapstructure:"items"`
	Properties  map[string]schema `mapstructure:"properties"`
	Defs        map[string]schema `mapstructure:"$defs"`
}

func loadSchema(t *testing.T) schema {
	t.Helper()
	conf, err := confmaptest.LoadConf("config.schema.yaml")
	require.NoError(t, err)
	var root schema
	require.NoError(t, conf.Unmarshal(&root, confmap.WithIgnoreUnused()))
	return root
}

// An editor that knows the schema must neither miss a setting nor offer one that is refused.
func TestSchemaKnowsTheSettings(t *testing.T) {
	root := loadSchema(t)

	var check func(path string, of schema, goType reflect.Type)
	check = func(path string, of schema, goType reflect.Type) {
		if of.Ref != "" {
			assert.Contains(t, root.Defs, of.Ref, path)
			of = root.Defs[of.Ref]
		}
		switch {
		case goType == reflect.TypeFor[time.Duration]():
			assert.Equal(t, []string{"string", "duration"}, []string{of.Type, of.Format}, path)
		case goType == reflect.TypeFor[*component.ID]():
			assert.Equal(t, "string", of.Type, path)
		case goType.Kind() == reflect.Struct:
			assert.Equal(t, "object", of.Type, path)
			var known []string
			for _, field := range reflect.VisibleFields(goType) {
				if name := field.Tag.Get(confmap.MapstructureTag); name != "" {
					known = append(known, name)
					assert.NotEmpty(t, of.Properties[name].Description, "%s::%s", path, name)
					check(path+"::"+name, of.Properties[name], field.Type)
				}
			}
			assert.ElementsMatch(t, known, slices.Collect(maps.Keys(of.Properties)), path)
		case goType.Kind() == reflect.Slice:
			assert.Equal(t, "array", of.Type, path)
			if assert.NotNil(t, of.Items, path) {
				check(path+"[]", *of.Items, goType.Elem())
			}
		default:
			assert.Equal(t, map[reflect.Kind]string{
				reflect.String: "string", reflect.Bool: "boolean", reflect.Int: "integer", reflect.Int64: "integer",
			}[goType.Kind()], of.Type, path)
		}
	}
	check("", root, reflect.TypeFor[Config]())
}

func TestSchemaStatesTheDefaults(t *testing.T) {
	root := loadSchema(t)

	var defaults func(of schema) map[string]any
	defaults = func(of schema) map[string]any {
		values := map[string]any{}
		for name, property := range of.Properties {
			if property.Default != nil {
				values[name] = property.Default
			} else if nested := defaults(root.Defs[property.Ref]); len(nested) > 0 {
				values[name] = nested
			}
		}
		return values
	}
	cfg := &Config{}
	require.NoError(t, confmap.NewFromStringMap(defaults(root)).Unmarshal(cfg))
	want := createDefaultConfig().(*Config)
	want.Rules = nil // a list without a default of its own: its entries have them
	assert.Equal(t, want, cfg)

	rule := defaults(root.Defs["rule_config"])
	assert.Subset(t, slices.Collect(maps.Keys(rule)), []string{"count", "group_by", "threshold", "window", "alert"})
	require.NoError(t, confmap.NewFromStringMap(map[string]any{"rules": []any{rule}}).Unmarshal(cfg))
	assert.Equal(t, []RuleConfig{settings.Default().Rules[0]}, cfg.Rules)
}

// An editor, and the reference made of the schema, would allow what the collector refuses.
func TestSchemaStatesTheBounds(t *testing.T) {
	root := loadSchema(t)
	accepted := func(path string, value any) bool {
		given := confmap.NewFromStringMap(map[string]any{path: value})
		if rule, ok := strings.CutPrefix(path, "rules::"); ok {
			// The longest window fits into the longest alert.
			of := confmap.NewFromStringMap(map[string]any{"alert::max_duration": "8760h", rule: value})
			given = confmap.NewFromStringMap(map[string]any{"rules": []any{of.ToStringMap()}})
		}
		cfg := createDefaultConfig()
		require.NoError(t, given.Unmarshal(cfg), path)
		return confmap.Validate(cfg) == nil
	}
	bounds := 0
	check := func(path string, of schema) {
		for _, bound := range []struct {
			at, beyond any
			given      bool
		}{
			{value(of.Minimum), value(of.Minimum) - 1, of.Minimum != nil},
			{value(of.Maximum), value(of.Maximum) + 1, of.Maximum != nil},
			{value(of.From), value(of.From) - 1, of.From != nil},
			{value(of.To), value(of.To) + 1, of.To != nil},
		} {
			if bound.given {
				bounds++
				assert.True(t, accepted(path, bound.at), "%s: %v", path, bound.at)
				assert.False(t, accepted(path, bound.beyond), "%s: %v", path, bound.beyond)
			}
		}
	}
	for prefix, properties := range map[string]map[string]schema{
		"":                root.Properties,
		"rules::":         root.Defs["rule_config"].Properties,
		"rules::window::": root.Defs["window_config"].Properties,
		"rules::alert::":  root.Defs["alert_config"].Properties,
	} {
		for name, property := range properties {
			check(prefix+name, property)
		}
	}
	assert.Greater(t, bounds, 15)
}

// value returns what a pointer points to, zero for none.
func value[T any](pointer *T) (zero T) {
	if pointer == nil {
		return zero
	}
	return *pointer
}
