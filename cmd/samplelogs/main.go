// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

// Command samplelogs writes the sample logs of the quickstart; run it after a change to the scenario in internal/testing/samplelogs.
package main

import (
	"flag"
	"fmt"
	"os"

	"example.com/otelcol-guardrail/internal/testing/samplelogs"
)

func main() {
	out := flag.String("out", "testdata/quickstart", "folder to write to")
	flag.Parse()
	written, removed, err := samplelogs.Write(*out)
	for _, name := range written {
		fmt.Println("wrote", name)
	}
	for _, name := range removed {
		fmt.Println("removed", name)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "samplelogs:", err)
		os.Exit(1)
	}
	if len(written)+len(removed) == 0 {
		fmt.Println(*out, "is up to date")
	}
}
