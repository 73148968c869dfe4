// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/xml"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The pictures would show what detection does not do any more.
func TestThePicturesAreUpToDate(t *testing.T) {
	for name, picture := range pictures() {
		kept, err := os.ReadFile(filepath.Join("../../docs", name))
		require.NoError(t, err)
		assert.Equal(t, picture, string(kept), "%s: run go generate ./cmd/windowpictures", name)
		assert.NoError(t, xml.Unmarshal(kept, new(struct{})), name)
	}
}

// A picture would explain an alert at a moment at which there is none.
func TestCallsAreDetectedWhenTheyAreMade(t *testing.T) {
	raised := play(defaults(), every(34*time.Second, 10*time.Second, 8))
	require.Len(t, raised, 1)
	assert.Equal(t, alert{
		opened: 84 * time.Second, closed: 104*time.Second + 10*time.Minute,
		first: 34 * time.Second, last: 104 * time.Second, countOpen: 6, counts: 8,
	}, raised[0])
}
