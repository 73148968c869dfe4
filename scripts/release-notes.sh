#!/bin/sh
# Copyright The otelcol-guardrail Authors
# SPDX-License-Identifier: Apache-2.0

# Usage: release-notes.sh VERSION
# Prints what the changelog says of a version, or of what is not released yet when it does not mention the version.
set -eu

cd "$(dirname "$0")/.."
heading="## $1 "
grep -qF "$heading" CHANGELOG.md || heading="## Unreleased"
awk -v heading="$heading" '
	/^## / { printing = index($0 " ", heading) == 1; next }
	printing { print }
' CHANGELOG.md
