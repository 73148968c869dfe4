// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package guardrailprocessor

import (
	"os"
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"
)

var yamlBlock = regexp.MustCompile("(?s)```yaml\n(.*?)```")

// Whoever copies the settings from the README gets the defaults.
func TestReadmeStatesTheDefaults(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	require.NoError(t, err)
	found := 0
	for _, block := range yamlBlock.FindAllSubmatch(readme, -1) {
		read, err := confmap.NewRetrievedFromYAML(block[1])
		require.NoError(t, err)
		conf, err := read.AsConf()
		require.NoError(t, err)
		settings, err := conf.Sub("gen_ai_guardrail")
		require.NoError(t, err)
		if len(settings.AllKeys()) == 0 {
			continue // an example of something else
		}
		found++
		config := createDefaultConfig()
		require.NoError(t, settings.Unmarshal(config))
		assert.Equal(t, createDefaultConfig(), config)
	}
	assert.Equal(t, 1, found, "blocks with all settings")
}
