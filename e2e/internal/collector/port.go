// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"math/rand/v2"
	"net"
	"strconv"
	"sync"
	"testing"
)

// Ports are drawn from below the range that systems give to outgoing connections, which might take a port between its being
// found free and the collector's start.
const firstPort, lastPort = 20000, 32000

var given = struct {
	sync.Mutex
	ports map[int]bool
}{ports: map[int]bool{}}

// freePort finds a port of the loopback interface on which nobody listens, never the same twice.
func freePort(t *testing.T) string {
	t.Helper()
	given.Lock()
	defer given.Unlock()
	for range 1000 {
		port := firstPort + rand.IntN(lastPort-firstPort)
		if given.ports[port] {
			continue
		}
		listener, err := net.Listen("tcp", address(strconv.Itoa(port)))
		if err != nil {
			continue
		}
		_ = listener.Close()
		given.ports[port] = true
		return strconv.Itoa(port)
	}
	t.Fatal("no free port found")
	return ""
}

func address(port string) string { return net.JoinHostPort("127.0.0.1", port) }
