// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package invocation

import (
	"os"
	"regexp"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// An edge must remove every attribute in which this package finds prompts and answers, or it sends them to detectors.
func TestEdgesStripAllAttributesThatAreReadForText(t *testing.T) {
	config, err := os.ReadFile("../../config/scale-out/edge.yaml")
	require.NoError(t, err)
	statement := regexp.MustCompile(`delete_matching_keys\(log\.attributes, (".*")\)`).FindSubmatch(config)
	require.NotNil(t, statement)
	pattern, err := strconv.Unquote(string(statement[1]))
	require.NoError(t, err)
	stripped := regexp.MustCompile(pattern)

	names := append([]string{"input", "input.inputBodyJson", "output", "output.outputBodyJson"}, wrapperNames...)
	texts := 0
	for _, a := range Attributes() {
		if a.Logs && (a.Meaning == "text of the answer" || a.Meaning == "messages of the answer") {
			names = append(names, a.Name)
			texts++
		}
	}
	require.Positive(t, texts)
	for _, name := range names {
		assert.Regexp(t, stripped, name)
	}
	for _, a := range []string{"user.id", "cloud.account.id", "gen_ai.request.model", "gen_ai_guardrail.verdict", "event.name", "log.file.path"} {
		assert.NotRegexp(t, stripped, a, "a detector's rules may group by it")
	}
}
