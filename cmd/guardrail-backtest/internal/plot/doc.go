// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

// Package plot draws the few kinds of plots that the report needs, as SVG. It is code of its own because the report
// must be one page without scripts that follows the reader's colors: shapes have classes, which the page's style
// sheet colors for light and dark. The plot libraries for Go draw pictures in fixed colors and fonts.
//
// A plot has a title and a description for screen readers. All text is escaped here.
package plot
