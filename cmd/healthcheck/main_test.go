// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"
)

// A container engine would restart a collector that is well, or keep one that is not.
func TestOnlyAHealthyCollectorIsHealthy(t *testing.T) {
	status := http.StatusOK
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }))
	require.NoError(t, check(server.URL))
	status = http.StatusServiceUnavailable
	require.ErrorContains(t, check(server.URL), "503")
	server.Close()
	require.Error(t, check(server.URL))
}
