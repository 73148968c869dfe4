// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux

package e2e

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/otelcol-guardrail/e2e/internal/bedrock"
	"example.com/otelcol-guardrail/e2e/internal/collector"
)

// A full disk is the failure that operators repair while the collector runs.
func TestStateCatchesUpWhenTheDiskHasRoomAgain(t *testing.T) {
	t.Parallel()
	m := newMemory(t)
	mountSmall(t, m.dir)
	p := m.start(t, metricsConfig, "yaml:service::telemetry::logs::level: info")
	require.Empty(t, p.pass(t, bedrock.Logs(crowd("early", 3)...)))

	ballast := filepath.Join(m.dir, "ballast")
	fill(t, ballast)
	for i := range 10 {
		require.Empty(t, p.pass(t, bedrock.Logs(crowd(fmt.Sprintf("many%d", i), 100)...)))
	}
	assert.Positive(t, p.Sample(stateErrors))
	require.Len(t, p.pass(t, bedrock.Logs(sixth("early", 0))), 1)

	require.NoError(t, os.Remove(ballast))
	p.AwaitStderr("The storage works again")
	p.Stop(syscall.SIGKILL)

	p = m.start(t)
	m.sink.Take() // alerts not known to be delivered are sent again
	require.Len(t, p.pass(t, bedrock.Logs(sixth("early", 1))), 1)
	require.Len(t, p.pass(t, bedrock.Logs(sixth("many9", 99))), 1)
	assert.Empty(t, p.pass(t, bedrock.Logs(bedrock.Burst("early-0", 6)...)), "its alert was delivered before")
}

// Whoever probes the collector's health sees a full disk, and that there is room again.
func TestHealthCheckShowsAFullDisk(t *testing.T) {
	t.Parallel()
	m := newMemory(t)
	mountSmall(t, m.dir)
	c := collector.Start(t, statusAware(m.settings()))
	client := c.Dial(t)
	ballast := filepath.Join(m.dir, "ballast")
	fill(t, ballast)
	for i := range 10 {
		require.NoError(t, client.Send(t.Context(), bedrock.Logs(crowd(fmt.Sprintf("many%d", i), 100)...)))
	}
	assert.Contains(t, awaitHealth(t, c, http.StatusInternalServerError), `"processor:gen_ai_guardrail":{"healthy":false`)
	require.NoError(t, os.Remove(ballast))
	awaitHealth(t, c, http.StatusOK)
	c.Stop(syscall.SIGTERM) // its log has an error about the disk
}

// mountSmall mounts a file system of 2 MiB on a new folder, until the end of the test.
func mountSmall(t *testing.T, dir string) {
	t.Helper()
	require.NoError(t, os.Mkdir(dir, 0o700))
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=2m"); err != nil {
		t.Skipf("cannot mount a file system of known size: %v", err)
	}
	t.Cleanup(func() { assert.NoError(t, syscall.Unmount(dir, 0)) })
}

// fill writes to a new file until its file system is full.
func fill(t *testing.T, path string) {
	t.Helper()
	file, err := os.Create(path)
	require.NoError(t, err)
	for err == nil {
		_, err = file.Write(make([]byte, 4096))
	}
	require.ErrorIs(t, err, syscall.ENOSPC)
	_ = file.Close()
}
