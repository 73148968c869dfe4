// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package settings

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"
)

// No configuration brings the collector down, and what is accepted survives being printed and read again.
func FuzzConfig(f *testing.F) {
	for _, name := range []string{"config_full.yaml", "config_mistakes.yaml"} {
		text, err := os.ReadFile(filepath.Join("testdata", name))
		require.NoError(f, err)
		f.Add(text)
	}
	for _, text := range []string{
		"", "rules:", "rules: [null, 1, [], {}, x]", "rules: {window: []}", "rules: [{window: 5, alert: [], exempt: {}}]",
		"assume_guarded: [{account: 111122223333, until: 2026-12-31}]", "rules::window: {}", "retention: 1h",
		"rules: [{id: a, exempt: [{user: '*'}], window: {size: 61m}, alert: {max_duration: 2h}}]",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		retrieved, err := confmap.NewRetrievedFromYAML(text)
		if err != nil {
			return
		}
		conf, err := retrieved.AsConf()
		if err != nil {
			return
		}
		cfg, err := decode(conf)
		if err != nil {
			return
		}
		printed := confmap.New()
		require.NoError(t, printed.Marshal(cfg))
		again, err := decode(printed)
		require.NoError(t, err)
		assert.Equal(t, cfg, again)
	})
}
