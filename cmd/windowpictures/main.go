// Copyright The otelcol-guardrail Authors
// SPDX-License-Identifier: Apache-2.0

// Command windowpictures draws the pictures of docs/windows.md. What it says about alerts is what detection raises for the calls
// that are drawn.
//
//go:generate go run . ../../docs
package main

import (
	"log"
	"os"
	"path/filepath"
)

// pictures returns all pictures, by the names of their files.
func pictures() map[string]string {
	return map[string]string{
		"windows-edge.svg":         edge(),
		"windows-types.svg":        types(),
		"windows-keep-alive.svg":   keepAlive(),
		"windows-intervention.svg": intervention(),
	}
}

func main() {
	if len(os.Args) != 2 {
		log.Fatal("usage: windowpictures FOLDER")
	}
	for name, picture := range pictures() {
		if err := os.WriteFile(filepath.Join(os.Args[1], name), []byte(picture), 0o644); err != nil {
			log.Fatal(err)
		}
	}
}
