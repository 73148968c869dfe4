// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package alert

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"go.opentelemetry.io/collector/pdata/plog"

	"example.com/otelcol-guardrail/internal/detect"
)

// A person on call reads whether a service lost its guardrail, and when, or never had one.
func TestSentenceDistinguishesALostGuardrailFromNone(t *testing.T) {
	first := time.Unix(0, burst().First) // at 09:12:00
	at := func(before time.Duration) Guarded { return Guarded{Last: first.Add(-before)} }
	for _, test := range []struct {
		guarded Guarded
		want    string
	}{
		{Guarded{}, "."},
		{at(1), "; its last guarded call was at 09:11:59, less than a second before."},
		{at(time.Second), "; its last guarded call was at 09:11:59, a second before."},
		{at(66 * time.Second), "; its last guarded call was at 09:10:54, 66 seconds before."},
		{at(119999 * time.Millisecond), "; its last guarded call was at 09:10:00, 119 seconds before."},
		{at(2 * time.Minute), "; its last guarded call was at 09:10:00, 2 minutes before."},
		{at(119 * time.Minute), "; its last guarded call was at 07:13:00, 119 minutes before."},
		{at(2 * time.Hour), "; its last guarded call was at 07:12:00, 2 hours before."},
		{at(10 * time.Hour), "; its last guarded call was at 2026-03-13T23:12:00Z, 10 hours before."},
		{at(47 * time.Hour), "; its last guarded call was at 2026-03-12T10:12:00Z, 47 hours before."},
		{at(48 * time.Hour), "; its last guarded call was at 2026-03-12T09:12:00Z, 2 days before."},
		{at(365 * 24 * time.Hour), "; its last guarded call was at 2025-03-14T09:12:00Z, 365 days before."},
		{Guarded{NoneSince: first.Add(-time.Hour)}, "; none of its calls has been guarded since 08:12:00, when this collector began to look."},
		{Guarded{NoneSince: first.Add(-time.Minute - 1)}, "; none of its calls has been guarded since 09:11:00, when this collector began to look."},
		{
			Guarded{NoneSince: first.Add(-30 * 24 * time.Hour)},
			"; none of its calls has been guarded since 2026-02-12T09:12:00Z, when this collector began to look.",
		},
	} {
		for state, before := range map[detect.State]string{
			detect.Open:      ", more than the 5 allowed",
			detect.Escalated: ", where 5 within 1m are allowed",
		} {
			r, a := bursts(), burst()
			a.State = state
			got := r.sentence(&a, test.guarded)
			assert.True(t, strings.HasSuffix(got, before+test.want), "%s\nwant: %s%s", got, before, test.want)
		}
	}
}

// A rule of a SIEM finds the services that lost their guardrail by the attribute.
func TestLastGuardedIsAnAttribute(t *testing.T) {
	for _, test := range []struct {
		guarded Guarded
		want    any
	}{
		{Guarded{Last: time.Unix(0, burst().First-1)}, "2026-03-14T09:11:59.999999999Z"},
		{Guarded{NoneSince: time.Unix(0, 1)}, nil},
		{Guarded{}, nil},
	} {
		r := bursts()
		for name, make := range alerts {
			a, want := make(&r), test.want
			if a.State == detect.Overflow {
				want = nil
			}
			records := plog.NewLogRecordSlice()
			r.AppendTo(records, &a, test.guarded, raisedAt)
			assert.Equal(t, want, records.At(0).Attributes().AsRaw()["gen_ai_guardrail.last_guarded"], name)
		}
	}
}
