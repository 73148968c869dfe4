// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package mappings

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A data lake that takes OCSF rejects an event without a required attribute, with an unknown one, or with a value outside an enumeration.
func TestAlertsAreDetectionFindingsOfOCSF(t *testing.T) {
	m := load(t, "ocsf.yaml")
	schema := ocsfSchema{}
	for _, row := range table(t, "ocsf.csv", "object", "attribute", "type", "requirement", "list", "values") {
		if schema[row[0]] == nil {
			schema[row[0]] = map[string]ocsfAttribute{}
		}
		schema[row[0]][row[1]] = ocsfAttribute{row[2], row[3] == "required", row[4] == "list", strings.Fields(row[5])}
	}
	for name, logs := range alerts() {
		t.Run(name, func(t *testing.T) {
			event, err := m.apply(logs, func(event map[string]any, name string, value any) {
				put(event, []string{"unmapped", name}, value)
			})
			require.NoError(t, err)
			assert.NoError(t, schema.check("detection_finding", event))
			assert.EqualValues(t, event["class_uid"].(int)*100+event["activity_id"].(int), event["type_uid"])
			requireExample(t, name+".ocsf.json", event)
		})
	}
}

// The check above can fail.
func TestWhatIsNoDetectionFindingIsNoticed(t *testing.T) {
	schema := ocsfSchema{
		"detection_finding": {
			"class_uid": {"integer", true, false, []string{"2004"}},
			"message":   {"string", false, false, nil},
			"resources": {"resource_details", false, true, nil},
		},
		"resource_details": {"name": {"string", true, false, nil}},
	}
	for name, event := range map[string]map[string]any{
		"required is missing":    {"message": "x"},
		"unknown":                {"class_uid": 2004, "massage": "x"},
		"not in the enumeration": {"class_uid": 2001},
		"wrong type":             {"class_uid": 2004, "message": 5},
		"one for several":        {"class_uid": 2004, "resources": map[string]any{"name": "x"}},
		"several for one":        {"class_uid": 2004, "message": []any{"x"}},
		"missing further down":   {"class_uid": 2004, "resources": []any{map[string]any{}}},
	} {
		require.Error(t, schema.check("detection_finding", event), name)
	}
	assert.NoError(t, schema.check("detection_finding", map[string]any{"class_uid": 2004, "resources": []any{map[string]any{"name": "x"}}}))
}

// ocsfSchema holds the attributes of classes and objects, by their names.
type ocsfSchema map[string]map[string]ocsfAttribute

type ocsfAttribute struct {
	kind           string // a basic type, or the name of an object
	required, list bool
	values         []string // of an enumeration
}

// check reports everything in an object that the schema does not allow.
func (s ocsfSchema) check(object string, content map[string]any) error {
	var errs []error
	for name, attribute := range s[object] {
		if _, ok := content[name]; attribute.required && !ok {
			errs = append(errs, fmt.Errorf("%s has no %s", object, name))
		}
	}
	for name, v := range content {
		attribute, ok := s[object][name]
		if !ok {
			errs = append(errs, fmt.Errorf("%s must not have %s", object, name))
			continue
		}
		list, isList := v.([]any)
		if !isList {
			list = []any{v}
		}
		if isList != attribute.list {
			errs = append(errs, fmt.Errorf("%s.%s: one value or several", object, name))
		}
		for _, item := range list {
			errs = append(errs, s.checkValue(object+"."+name, attribute, item))
		}
	}
	return errors.Join(errs...)
}

func (s ocsfSchema) checkValue(where string, attribute ocsfAttribute, v any) error {
	var ok bool
	switch attribute.kind {
	case "string":
		_, ok = v.(string)
	case "integer", "long", "timestamp":
		switch v.(type) {
		case int, int64:
			ok = true
		}
	case "object", "json":
		_, ok = v.(map[string]any)
	default:
		inner, isObject := v.(map[string]any)
		if !isObject {
			return fmt.Errorf("%s: %v is no %s", where, v, attribute.kind)
		}
		return s.check(attribute.kind, inner)
	}
	if !ok {
		return fmt.Errorf("%s: %v (%T) is no %s", where, v, v, attribute.kind)
	}
	if len(attribute.values) > 0 && !slices.Contains(attribute.values, fmt.Sprint(v)) {
		return fmt.Errorf("%s: %v is not one of %v", where, v, attribute.values)
	}
	return nil
}
