// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package guardrailprocessor

import "sync"

// claims counts the instances of each configuration. The collector creates an instance
// for each pipeline that uses a processor, all with the same *Config.
var claims = struct {
	sync.Mutex
	instances map[*Config]int
}{instances: map[*Config]int{}}

// claim registers an instance of the configuration. It reports whether there is
// another one, and returns a function that releases the claim, which may be called
// more than once.
func claim(config *Config) (shared bool, release func()) {
	claims.Lock()
	defer claims.Unlock()
	claims.instances[config]++
	return claims.instances[config] > 1, sync.OnceFunc(func() {
		claims.Lock()
		defer claims.Unlock()
		if claims.instances[config]--; claims.instances[config] == 0 {
			delete(claims.instances, config)
		}
	})
}
