#!/bin/sh
# Copyright The otelcol-guardrail Authors
# SPDX-License-Identifier: Apache-2.0

# Prints the version that internal/version holds.
set -eu

version=$(sed -n 's/^const Version = "\(.*\)"$/\1/p' "$(dirname "$0")/../internal/version/version.go")
[ -n "$version" ] || { echo "internal/version/version.go holds no version" >&2; exit 1; }
echo "$version"
