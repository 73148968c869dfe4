// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

package html

import (
	"encoding/xml"
	"errors"
	"io"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/otelcol-guardrail/cmd/guardrail-backtest/internal/analysis"
	"example.com/otelcol-guardrail/cmd/guardrail-backtest/internal/siem"
)

const planted = "</title><script>alert(1)</script>\"'><img src=x onerror=alert(2)>{{.}}\u202e\x1b[2J&amp;"

// sample is a report in which every name is planted.
func sample(text string) *analysis.Report {
	start := time.Date(2026, 3, 14, 9, 0, 0, 0, time.UTC)
	curve := &analysis.Curve{Size: time.Minute}
	curve.Alerts[4], curve.Groups[4] = 2, 1
	bins := []analysis.Bin{{Start: start, Counts: analysis.Counts{Guarded: 3, Unguarded: 7, Intervened: 1}}, {Start: start.Add(time.Hour), Counts: analysis.Counts{Unguarded: 1}}}
	group := &analysis.GroupReport{
		Values: []string{text, text}, Key: "k", Counted: 8, Guarded: 3, Intervened: 1, Kinds: map[string]int64{"unguarded/absent": 8},
		First: start, Last: start, LastGuarded: &start, Principals: []string{text}, Models: []string{text}, Alerts: 1, Timeline: bins, Width: time.Minute,
	}
	return &analysis.Report{
		Read: analysis.Read{Files: 1, Records: 11, Invocations: 11, From: start, To: start.Add(time.Hour), Faults: []string{text}, Interrupted: true, Order: "sorted"},
		Rules: []*analysis.RuleReport{{
			ID: text, GroupBy: []string{text}, Threshold: 5, Window: "sliding", Size: "1m", Alerts: 1, Counted: 8,
			Readiness: analysis.Ready, Why: "why", Curves: []analysis.CurveReport{{Window: "1m", Curve: curve}}, Groups: []*analysis.GroupReport{group},
		}},
		Alerts: []*analysis.Alert{{
			ID: "id", Rule: text, Severity: "medium", Key: "k", Raised: start, Start: start, End: start.Add(time.Minute), Count: 8, Sentence: text,
			RequestIDs: []string{text}, Models: []string{text}, Operations: []string{text}, Regions: []string{text},
		}},
		Verdicts: map[string]int64{"unguarded/absent": 8, "guarded/applied": 3},
		Counts:   analysis.Counts{Guarded: 3, Unguarded: 8},
		By:       map[string][]*analysis.Dimension{"model": {{Value: text, Verdicts: map[string]int64{}}}, "account": {{Value: text, Verdicts: map[string]int64{}}}},
		Blind:    []analysis.BlindSpot{{Kind: text, Count: 1, Remedy: "remedy", Page: "page"}},
		Seen:     []analysis.Seen{{Account: text, Region: text, First: start, Last: start, Calls: 11}},
		Minutes:  bins, Width: time.Minute,
	}
}

func written(t *testing.T, r *analysis.Report) string {
	var page strings.Builder
	require.NoError(t, Write(&page, r, nil))
	return page.String()
}

// tags returns the page without its texts, style and script, and without the places where a line may break in a name.
func tags(page string) string {
	page = regexp.MustCompile(`(?s)<style>.*?</style>|<script>.*</script>|<wbr>`).ReplaceAllString(page, "")
	return strings.Join(regexp.MustCompile(`<[^>]*>`).FindAllString(page, -1), "\n")
}

// A caller chooses names of users, models and sessions; whoever opens the report must not run what is in them.
func TestNamesDoNothingInThePage(t *testing.T) {
	page := written(t, sample(planted))
	assert.Equal(t, 1, strings.Count(page, "<script>"), "the page's own")
	assert.NotContains(t, page, "<img")
	assert.NotContains(t, page, "\u202e")
	assert.NotContains(t, page, "\x1b")
	assert.Len(t, strings.Split(tags(page), "\n"), len(strings.Split(tags(written(t, sample("otter"))), "\n")), "no name makes an element")
	for _, svg := range regexp.MustCompile(`(?s)<svg.*?</svg>`).FindAllString(page, -1) {
		decoder := xml.NewDecoder(strings.NewReader(svg))
		for {
			_, err := decoder.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			require.NoError(t, err, svg)
		}
	}
}

// It is sent by mail and opened on planes.
func TestThePageNeedsNothingElse(t *testing.T) {
	page := written(t, sample("otter"))
	assert.NotRegexp(t, `(?i)(src|href)="(?:[a-z]+:|//)`, page)
	assert.NotRegexp(t, `url\(|@import`, page)
	assert.Contains(t, page, `default-src &#39;none&#39;`)
}

// Screen readers and keyboards: every plot says what it shows, and what scrolls can be reached.
func TestThePageCanBeReadWithoutEyesAndMouse(t *testing.T) {
	page := written(t, sample("otter"))
	for _, svg := range regexp.MustCompile(`(?s)<svg.*?</svg>`).FindAllString(page, -1) {
		assert.Regexp(t, `^<svg[^>]* role="img"[^>]*><title>[^<]+</title><desc>[^<]+</desc>`, svg)
	}
	assert.Contains(t, page, `<html lang="en">`)
	assert.Contains(t, page, `class="skip"`)
	for _, table := range regexp.MustCompile(`<th[ >][^>]*>`).FindAllString(page, -1) {
		assert.Contains(t, table, "scope=")
	}
	ids := map[string]bool{}
	for _, id := range regexp.MustCompile(` id="([^"]+)"`).FindAllStringSubmatch(page, -1) {
		assert.False(t, ids[id[1]], "%s twice", id[1])
		ids[id[1]] = true
	}
	for _, link := range regexp.MustCompile(`href="#([^"]+)"`).FindAllStringSubmatch(page, -1) {
		assert.True(t, ids[link[1]], link[1])
	}
}

// A month can hold thousands of findings of the SIEM's rule, more than a browser shows at ease.
func TestAComparisonOfAnySizeIsAPage(t *testing.T) {
	compared := &siem.Comparison{Both: 1}
	for _, by := range []string{"both", "them"} {
		for range 1000 {
			compared.Rows = append(compared.Rows, siem.Row{By: by, User: by + "-user"})
		}
	}
	var page strings.Builder
	require.NoError(t, Write(&page, sample("otter"), compared))
	assert.Equal(t, maxRows, strings.Count(page.String(), "both-user"))
	assert.Equal(t, maxRows, strings.Count(page.String(), "them-user"))
	assert.Contains(t, page.String(), "1\u202f600 rows are not listed")
}

func TestAnEmptyReportIsAPageToo(t *testing.T) {
	page := written(t, &analysis.Report{Rules: []*analysis.RuleReport{{ID: "a", Readiness: analysis.NotEnoughData}}})
	assert.Contains(t, page, "No model invocation was found.")
}

// One call with a clock of 1970 must not squeeze a month into a line.
func TestAFewWrongTimesDoNotSpoilThePlots(t *testing.T) {
	start := time.Date(2026, 3, 14, 0, 0, 0, 0, time.UTC)
	r := &analysis.Report{Width: time.Minute, Minutes: []analysis.Bin{{Start: time.Unix(0, 0).UTC(), Counts: analysis.Counts{Guarded: 1}}}}
	for i := range 3000 {
		r.Minutes = append(r.Minutes, analysis.Bin{Start: start.Add(time.Duration(i) * time.Minute), Counts: analysis.Counts{Guarded: 1}})
	}
	r.Read.From, r.Read.To = time.Unix(0, 0).UTC(), start.Add(50*time.Hour)
	from, to := span(r)
	assert.WithinDuration(t, start, from, 10*time.Minute)
	assert.WithinDuration(t, start.Add(50*time.Hour), to, 10*time.Minute)
}

// The page must not send its reader to a list that has no more than it has.
func TestThePageSaysWhereTheOtherAlertsAre(t *testing.T) {
	r := sample("")
	for range 300 {
		r.Alerts = append(r.Alerts, r.Alerts[0])
	}
	assert.Contains(t, written(t, r), "The first 200 of 301; --format csv has all of them.")
	r.Unlisted = 1234
	assert.Contains(t, written(t, r), "The first 200; --format csv has the first 301, and 1\u202f234 more are only counted.")
}
