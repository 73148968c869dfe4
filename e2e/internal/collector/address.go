// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"context"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// socket returns the path of a Unix socket that does not exist yet, in a new folder that is removed at the end of the test. No other
// process can take it. The path is short, since the system allows about a hundred bytes: too few for [testing.T.TempDir].
func socket(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "e2e") //nolint:usetesting // see above
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return filepath.Join(dir, "socket")
}

// drawMetricsPort returns a port on which the collector is to serve its own metrics. The Prometheus reader cannot listen on a Unix
// socket, and with port 0 it does not report the port that it got. Another process may therefore have this port; [Start] then tries
// again with another one. It lies below the range from which systems choose ports for outgoing connections.
func drawMetricsPort() int { return 20000 + rand.IntN(12000) }

// HTTPClient returns a client that sends every request to a Unix socket, whatever host the URL names.
func HTTPClient(socket string) *http.Client {
	return &http.Client{Timeout: Patience, Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", socket)
		},
	}}
}
