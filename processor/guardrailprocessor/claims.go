// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package guardrailprocessor

import "sync"

// claims counts the instances of each configuration. The collector makes one
// instance for every pipeline that names a processor, all with one *Config.
var claims = struct {
	sync.Mutex
	instances map[*Config]int
}{instances: map[*Config]int{}}

// claim notes an instance of the configuration. It reports whether there is
// another, and gives the function that takes the claim back, which may be called
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
