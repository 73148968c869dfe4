#!/usr/bin/env bash
# Copyright The otelcol-guardrail Authors
# SPDX-License-Identifier: Apache-2.0

# gremlins.sh [FILE...] mutates each condition and each operation of the given files of
# internal/detect, of all without arguments (hours), and prints which mutants the tests of
# detection notice.
#
# It works in a copy that holds nothing but detection: gremlins tests either only the package of
# a mutant, but most of what tests the store are the tests of detection, or the whole module.
set -euo pipefail
cd "$(dirname "$0")/.."
tools=$PWD/tools/go.mod

copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
cp go.mod go.sum "$copy"
mkdir -p "$copy/internal/testing"
cp -r internal/detect internal/wire "$copy/internal"
cp -r internal/testing/{cputime,oracle,streams} "$copy/internal/testing"
cd "$copy"

excluded=()
for file in $(cd internal/detect && find . -name '*.go' ! -name '*_test.go' | sed 's|^\./||'); do
	case " $* " in
	*" $file "*) ;;
	*) if [ $# -gt 0 ] || [ "${file##*/}" = check.go ]; then # check.go is for tests
		excluded+=(--exclude-files "^${file//./\\.}\$")
	fi ;;
	esac
done

# -count=1: go test must not reuse results. -short: few streams, no floods, seconds for each mutant.
export GOFLAGS='-count=1 -short -vet=off'
go tool -modfile="$tools" gremlins unleash --integration --coverpkg=./internal/detect/... \
	--timeout-coefficient=2 "${excluded[@]}" ./internal/detect
