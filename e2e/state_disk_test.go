// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"bytes"
	"fmt"
	"os"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/otelcol-guardrail/e2e/internal/bedrock"
)

// crowd returns five calls by each of many users, which is one fewer than alerts.
func crowd(name string, users int) (calls []bedrock.Call) {
	for i := range users {
		calls = append(calls, bedrock.Burst(fmt.Sprintf("%s-%d", name, i), 5)...)
	}
	return calls
}

// sixth returns the call that makes a user of the crowd alert.
func sixth(name string, user int) bedrock.Call {
	return bedrock.Burst(fmt.Sprintf("%s-%d", name, user), 6)[5]
}

// While the storage is full, only a crash loses what was counted meanwhile.
func TestDetectionContinuesWhileTheStorageIsFull(t *testing.T) {
	t.Parallel()
	m := newMemory(t)
	p := m.start(t, metricsConfig, "yaml:extensions::file_storage/state::max_size: 65536")
	require.Empty(t, p.pass(t, bedrock.Logs(crowd("early", 3)...)))
	for i := range 10 {
		require.Empty(t, p.pass(t, bedrock.Logs(crowd(fmt.Sprintf("many%d", i), 100)...)))
	}
	assert.Positive(t, p.Sample(stateErrors))
	require.Len(t, p.pass(t, bedrock.Logs(sixth("early", 0))), 1)
	require.Len(t, p.pass(t, bedrock.Logs(sixth("many9", 99))), 1)
	assert.Contains(t, p.Stop(syscall.SIGKILL).Stderr, "storage")

	p = m.start(t)
	require.Len(t, p.pass(t, bedrock.Logs(sixth("early", 1))), 1, "its calls were stored before the storage was full")
}

// With recreate, file_storage sets aside a file that it finds damaged, and detection starts empty.
func TestADamagedFileIsSetAside(t *testing.T) {
	t.Parallel()
	m := newMemory(t)
	p := m.start(t)
	require.Empty(t, p.pass(t, bedrock.Logs(crowd("many", 100)...)))
	p.Stop(syscall.SIGTERM)
	files := m.files(t)
	require.Len(t, files, 1)
	overlap(t, files[0])

	p = m.start(t)
	require.Len(t, p.pass(t, bedrock.Logs(bedrock.Burst("alice", 6)...)), 1)
	assert.Contains(t, p.Stop(syscall.SIGTERM).Stderr, "corruption")
	files = m.files(t)
	require.Len(t, files, 2)
	assert.Contains(t, files[1], ".backup")
}

// Damage within a value loses that part of the state, which is logged, and nothing else.
func TestOnlyTheDamagedPartOfTheStateIsLost(t *testing.T) {
	t.Parallel()
	m := newMemory(t)
	p := m.start(t)
	require.Empty(t, p.pass(t, bedrock.Logs(bedrock.Burst("alice", 5)...)))
	p.Stop(syscall.SIGKILL)
	spoil(t, m.files(t)[0], "user/alice", "user/malic")

	p = m.start(t, metricsConfig)
	assert.Positive(t, p.Sample(stateErrors))
	require.Empty(t, p.pass(t, bedrock.Logs(bedrock.Burst("alice", 5)...)), "the five before are lost")
	require.Len(t, p.pass(t, bedrock.Logs(bedrock.Burst("alice", 6)...)), 1)
	assert.Contains(t, p.Stop(syscall.SIGTERM).Stderr, "is unreadable and skipped")

	p = m.start(t)
	assert.Empty(t, p.pass(t, bedrock.Logs(bedrock.Burst("alice", 6)...)), "the rest is kept")
	p.Stop(syscall.SIGTERM)
}

// overlap makes every page of a bbolt file claim the pages after it.
func overlap(t *testing.T, path string) {
	t.Helper()
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	const meta, overflow = 2, 12 // pages to leave alone; offset of the field in a page's header
	page := os.Getpagesize()
	for at := meta * page; at < len(content); at += page {
		content[at+overflow] = 0xff
	}
	require.NoError(t, os.WriteFile(path, content, 0o600))
}

func spoil(t *testing.T, path, what, with string) {
	t.Helper()
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Contains(t, string(content), what)
	require.NoError(t, os.WriteFile(path, bytes.ReplaceAll(content, []byte(what), []byte(with)), 0o600))
}
