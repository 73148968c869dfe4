// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.yaml.in/yaml/v3"

	"example.com/otelcol-guardrail/internal/testing/inputs"
)

// inputCases returns the records in the forms in which people have them and in which instrumentations write them.
func inputCases(t *testing.T) []*inputs.Case {
	t.Helper()
	cases, err := inputs.Load(func(text []byte) (tree any, err error) {
		err = yaml.Unmarshal(text, &tree)
		return tree, err
	}, "../testdata/inputs", "../testdata/clients")
	require.NoError(t, err)
	return cases
}

// jsonString finds JSON strings in a text, also where the text around them is no JSON.
var jsonString = regexp.MustCompile(`"(?:[^"\\]|\\.)*"`)

// prose returns every text of more than one word in the bodies and attributes of records, also from JSON in texts, and JSON in that.
func prose(logs plog.Logs) []string {
	var found []string
	var read func(text string)
	read = func(text string) {
		literals := jsonString.FindAllString(text, -1)
		for _, literal := range literals {
			var inner string
			if json.Unmarshal([]byte(literal), &inner) == nil {
				read(inner)
			}
		}
		if len(literals) == 0 && len(strings.Fields(text)) > 1 {
			found = append(found, text)
		}
	}
	for _, record := range recordsIn(logs) {
		eachString(record.Body(), read)
		for _, value := range record.Attributes().All() {
			eachString(value, read)
		}
	}
	return found
}

// requireNone checks that nothing of what leaves holds one of the texts.
func requireNone(t *testing.T, texts []string, logs plog.Logs, name string) {
	t.Helper()
	for _, record := range recordsIn(logs) {
		check := func(text string) {
			for _, known := range texts {
				require.NotContains(t, text, known, name)
			}
		}
		eachString(record.Body(), check)
		for _, value := range record.Attributes().All() {
			eachString(value, check)
		}
	}
}

// eachString calls do with every text in a value, bytes included.
func eachString(value pcommon.Value, do func(text string)) {
	switch value.Type() {
	case pcommon.ValueTypeStr:
		do(value.Str())
	case pcommon.ValueTypeBytes:
		do(string(value.Bytes().AsRaw()))
	case pcommon.ValueTypeSlice:
		for _, item := range value.Slice().All() {
			eachString(item, do)
		}
	case pcommon.ValueTypeMap:
		for _, member := range value.Map().All() {
			eachString(member, do)
		}
	}
}
