// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package version

import (
	"os"
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// collectorVersions returns the versions of the collector in the manifest of the distribution: of its modules under 0.x and under 1.x.
func collectorVersions(t *testing.T) (beta, stable string) {
	manifest, err := os.ReadFile("../../builder-config.yaml")
	require.NoError(t, err)
	versions := map[string]string{}
	for _, match := range regexp.MustCompile(`gomod: (?:go\.opentelemetry\.io|github\.com/open-telemetry)/\S+ (v([01])\.\S+)`).FindAllStringSubmatch(string(manifest), -1) {
		version, major := match[1], match[2]
		if versions[major] == "" {
			versions[major] = version
		}
		assert.Equal(t, versions[major], version, "two versions of the collector in one distribution: %s", match[0])
	}
	return versions["0"], versions["1"]
}

// Who looks for the release that fits their collector finds it in the table.
func TestTableOfCollectorVersionsNamesThisRelease(t *testing.T) {
	beta, stable := collectorVersions(t)
	for _, page := range []struct{ file, line string }{
		{"../../docs/compatibility.md", `(?m)^\| ` + regexp.QuoteMeta(Version) + ` \| ` + regexp.QuoteMeta(beta+" / "+stable) + ` \|`},
		{"../../README.md", `collector ` + regexp.QuoteMeta(beta+" / "+stable)},
	} {
		text, err := os.ReadFile(page.file)
		require.NoError(t, err)
		assert.Regexp(t, page.line, string(text), page.file)
	}
}
