// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package state

import (
	"encoding/hex"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/otelcol-guardrail/internal/detect"
	"example.com/otelcol-guardrail/internal/state/storagetest"
)

// The worked example of docs/state-format.md is what the code writes.
func TestDocumentedBytesAreWritten(t *testing.T) {
	bubble(t, func(t *testing.T) {
		rule := builtIn
		rule.Threshold = 1
		l := start(t, storagetest.NewDisk(), ruleOf("unguarded_invocations", "5e1f", rule))
		alerts := l.Rules[0].Detector.Observe([]detect.Event{
			{
				Time: noon.UnixNano(), Key: detect.AppendKey(nil, "alice"), Presumed: true, Kind: "unguarded/presumed", Model: "nova", Operation: "Converse",
				ID: "0190f6a0-0000-7000-8000-00000000000a", RequestID: "0190f6a0-0000-7000-8000-00000000000a",
			},
			{Time: noon.UnixNano() + 1, Key: detect.AppendKey(nil, "alice"), ID: "9", RequestID: "9", Kind: "unguarded/absent", Model: "nova"},
		}, l.now).Alerts
		require.Len(t, alerts, 1)
		l.StoreAlert(7, []byte("\x0a\x00"))
		l.commit()
		documented := examples(t)
		values := l.disk.Values()
		for key, value := range values {
			assert.Equal(t, documented[key], fmt.Sprintf("% x", value), key)
		}
		assert.Len(t, documented, len(values))
		l.close()
	})
}

// examples returns the bytes that the document shows, in hexadecimal digits, by key.
func examples(t *testing.T) map[string]string {
	document, err := os.ReadFile("../../docs/state-format.md")
	require.NoError(t, err)
	found := map[string]string{}
	for _, block := range regexp.MustCompile("(?s)```hex key=(\\S+)\n(.*?)```").FindAllStringSubmatch(string(document), -1) {
		var digits strings.Builder
		for line := range strings.Lines(block[2]) {
			shown, _, _ := strings.Cut(strings.TrimSpace(line), "  ") // an explanation follows after two spaces
			digits.WriteString(strings.ReplaceAll(shown, " ", ""))
		}
		value, err := hex.DecodeString(digits.String())
		require.NoError(t, err, block[1])
		found[block[1]] = fmt.Sprintf("% x", value)
	}
	return found
}
