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

// crowd is five calls each of many users, none of whom alerts yet.
func crowd(name string, users int) (calls []bedrock.Call) {
	for i := range users {
		calls = append(calls, bedrock.Burst(fmt.Sprintf("%s-%d", name, i), 5)...)
	}
	return calls
}

// sixth is the call that makes a user of the crowd alert.
func sixth(name string, user int) bedrock.Call {
	return bedrock.Burst(fmt.Sprintf("%s-%d", name, user), 6)[5]
}

// A storage that takes no more costs nothing but what a crash would take with it; when it takes more again, not even that.
func TestDetectionGoesOnWithoutRoomForState(t *testing.T) {
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
	require.Len(t, p.pass(t, bedrock.Logs(sixth("early", 1))), 1, "it was stored while there was room")
}

// What file_storage recognises as damage it sets aside, if it is told to: then detection begins anew.
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

// What is damaged within a value costs that part of the state, which is told, and nothing else.
func TestADamagedPartOfTheStateIsLeftOut(t *testing.T) {
	t.Parallel()
	m := newMemory(t)
	p := m.start(t)
	require.Empty(t, p.pass(t, bedrock.Logs(bedrock.Burst("alice", 5)...)))
	p.Stop(syscall.SIGKILL)
	spoil(t, m.files(t)[0], "user/alice", "user/malic")

	p = m.start(t, metricsConfig)
	assert.Positive(t, p.Sample(stateErrors))
	require.Empty(t, p.pass(t, bedrock.Logs(bedrock.Burst("alice", 5)...)), "they are counted anew")
	require.Len(t, p.pass(t, bedrock.Logs(bedrock.Burst("alice", 6)...)), 1)
	assert.Contains(t, p.Stop(syscall.SIGTERM).Stderr, "is unreadable and skipped")

	p = m.start(t)
	assert.Empty(t, p.pass(t, bedrock.Logs(bedrock.Burst("alice", 6)...)), "the rest is kept")
	p.Stop(syscall.SIGTERM)
}

// overlap has every page of a bbolt file claim those behind it.
func overlap(t *testing.T, path string) {
	t.Helper()
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	const meta, overflow = 2, 12 // pages to leave alone; the field's place in a page's head
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
