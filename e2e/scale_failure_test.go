// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/otelcol-guardrail/e2e/internal/bedrock"
	"example.com/otelcol-guardrail/e2e/internal/sink"
)

const accused = 30 // users of the tests below

// accuse sends a burst of each user to the first edge, in the given hour.
func (f *fleet) accuse(hour int) {
	f.t.Helper()
	for user := range accused {
		calls := bedrock.Burst(fmt.Sprintf("user-%d", user), 6)
		for i := range calls {
			calls[i].Time = calls[i].Time.Add(time.Duration(hour) * time.Hour)
			calls[i].RequestID = fmt.Sprintf("%s-%d", calls[i].RequestID, hour)
		}
		require.True(f.t, f.edges[0].line.deliver(f.t.Context(), calls))
	}
}

// awaitAlerts waits until as many users have alerted for an hour, and returns which detector reported each.
func (f *fleet) awaitAlerts(hour, users int) map[string]string {
	f.t.Helper()
	detectors := map[string]string{}
	for len(detectors) < users {
		request := f.out.Await(f.t, func(r sink.Request) bool { return r.Err == nil && holdsAlerts(r.Logs) })
		for _, s := range receive(f.t, []sink.Request{request}).opened {
			if s.start.Hour() == bedrock.Burst("", 1)[0].Time.Hour()+hour {
				detectors[s.group] = s.instance[:len("detector 0")]
			}
		}
	}
	return detectors
}

// A detector that does not answer delays the alerts of its own users alone, and they come when it is back.
func TestADetectorThatIsAwayHoldsUpNobodyElse(t *testing.T) {
	t.Parallel()
	const away, name = 1, "detector 1"
	for end, test := range map[string]struct{ leave, comeBack func(*node) }{
		"dead": {func(n *node) { n.Stop(syscall.SIGKILL) }, (*node).start},
		"hung": {func(n *node) { n.Signal(syscall.SIGSTOP) }, func(n *node) { n.Signal(syscall.SIGCONT) }},
	} {
		for shared, w := range ways {
			t.Run(end+", "+shared, func(t *testing.T) {
				t.Parallel()
				f := newFleet(t, 3, 1, w)
				f.accuse(0)
				var waiting int
				owners := f.awaitAlerts(0, accused)
				for _, owner := range owners {
					if owner == name {
						waiting++
					}
				}
				require.Positive(t, waiting)

				test.leave(f.detectors[away])
				begun := time.Now()
				f.accuse(1)
				for user, owner := range f.awaitAlerts(1, accused-waiting) {
					assert.Equal(t, owners[user], owner)
				}
				others, back := time.Since(begun), time.Now()
				test.comeBack(f.detectors[away])
				for user, owner := range f.awaitAlerts(1, waiting) {
					assert.Equal(t, name, owner, user)
				}
				t.Logf("the alerts of %d users of others came within %v, those of its own %d users %v after it was started again",
					accused-waiting, others.Round(time.Millisecond), waiting, time.Since(back).Round(time.Millisecond))
				f.drain()
				f.stop()
			})
		}
	}
}

// What a detector refuses for good is lost, like anything that a receiver refuses permanently, but it is not lost for the others.
func TestADetectorThatRefusesForGoodHoldsUpNobodyElse(t *testing.T) {
	t.Parallel()
	for shared, w := range ways {
		t.Run(shared, func(t *testing.T) {
			t.Parallel()
			f := newFleet(t, 3, 1, w)
			f.accuse(0)
			owners := f.awaitAlerts(0, accused)

			refusing := f.detectors[1]
			require.True(t, refusing.Stop(syscall.SIGTERM).Clean())
			_ = os.Remove(refusing.address)
			sink.StartOn(t, "unix", refusing.address).Become(sink.Reject)
			begun := time.Now()
			f.accuse(1)
			var others int
			for _, owner := range owners {
				if owner != "detector 1" {
					others++
				}
			}
			for user, owner := range f.awaitAlerts(1, others) {
				assert.Equal(t, owners[user], owner)
			}
			t.Logf("the alerts of %d users of others came within %v", others, time.Since(begun).Round(time.Millisecond))
			f.edges[0].AwaitSample(queued, 0)
			assert.Contains(t, f.edges[0].Stop(syscall.SIGTERM).Stderr, "Dropping data")
		})
	}
}
