#!/bin/sh
# Copyright The otelcol-guardrail Authors
# SPDX-License-Identifier: Apache-2.0

# Writes the version of internal/version into the files that must state it themselves: the manifests of the distributions,
# from which the collector builder makes their sources, the image's tag, and the README's manifest.
set -eu

cd "$(dirname "$0")/.."
version=$(scripts/version.sh)

# rewrite SCRIPT FILE: does what sed -i does, which is not the same everywhere.
rewrite() {
	sed "$1" "$2" >"$2.new"
	if cmp -s "$2" "$2.new"; then rm "$2.new"; else cat "$2.new" >"$2" && rm "$2.new"; fi
}

module="s|\(gomod: example.com/otelcol-guardrail\) v[0-9].*|\1 v$version|"
for manifest in builder-config.yaml builder-config-gateway.yaml; do
	rewrite "s|^  version: .*|  version: $version|; $module" "$manifest"
done
rewrite "s|^\( *newTag:\) .*|\1 $version|" deploy/kubernetes/kustomization.yaml
rewrite "$module" README.md
