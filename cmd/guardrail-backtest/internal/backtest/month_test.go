// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package backtest

import (
	"cmp"
	"flag"
	"io"
	"iter"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/otelcol-guardrail/cmd/guardrail-backtest/internal/month"
	"example.com/otelcol-guardrail/cmd/guardrail-backtest/internal/source"
)

var records = flag.Int("records", 0, "number of records of the generated month; 0: its test is skipped")

// byName compares texts of one moment as a backtest does: by user, account and request.
func byName(a, b string) int {
	field := func(text, name string) string {
		_, rest, _ := strings.Cut(text, name)
		value, _, _ := strings.Cut(rest, `"`)
		return value
	}
	arnA, arnB := field(a, `"arn":"`), field(b, `"arn":"`)
	return cmp.Or(cmp.Compare(len(arnA), len(arnB)), cmp.Compare(arnA, arnB),
		cmp.Compare(field(a, `"accountId":"`), field(b, `"accountId":"`)), cmp.Compare(field(a, `"requestId":"`), field(b, `"requestId":"`)))
}

// happened returns the records of a month by the moment at which their calls were made.
func happened(m *month.Month) iter.Seq2[time.Time, []string] {
	calls := slices.Clone(m.Calls)
	slices.SortStableFunc(calls, func(a, b month.Call) int { return cmp.Compare(a.At, b.At) })
	return func(yield func(time.Time, []string) bool) {
		for len(calls) > 0 {
			at := calls[0].At
			var texts []string
			for len(calls) > 0 && calls[0].At == at {
				texts = append(texts, string(m.Append(nil, calls[0])))
				calls = calls[1:]
			}
			slices.SortFunc(texts, byName)
			if !yield(month.Start.Add(time.Duration(at)), texts) {
				return
			}
		}
	}
}

// A month holds what a few samples do not: days of state, many groups, records that come late, twice, and in no order.
func TestAMonthRaisesTheAlertsOfTheProcessor(t *testing.T) {
	if *records == 0 {
		t.Skip("takes minutes; run with -records, as make soak does")
	}
	m := month.New(*records, 1)
	const config = `{retention: 24h}` // nothing is forgotten that depends on hashes with random keys
	delivered, writer := io.Pipe()
	go func() {
		var line []byte
		for _, c := range m.Calls {
			line = m.Append(line[:0], c)
			if _, err := writer.Write(line); err != nil {
				return
			}
		}
		_ = writer.Close()
	}()
	o, alerts := options(t, configOf(t, config), source.Stdin)
	o.Stdin = delivered
	result, err := Run(t.Context(), o)
	require.NoError(t, err)
	assert.EqualValues(t, len(m.Calls), result.Report.Read.Invocations)
	got := emittedIn(t, *alerts)
	require.Greater(t, len(got), 3)
	assertSame(t, live(t, configOf(t, config), happened(m)), got)
	t.Logf("%d records, %d records of alerts", len(m.Calls), len(got))
}
