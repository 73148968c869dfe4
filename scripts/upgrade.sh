#!/bin/sh
# Copyright The otelcol-guardrail Authors
# SPDX-License-Identifier: Apache-2.0

# Usage: upgrade.sh VERSION MODULE...
# Moves the manifests and the go.mod files of the modules (folders) to a version of the collector, such as 0.158.0. The modules that the
# collector releases under 1.x follow: to the version with which that one was released.
set -eu

cd "$(dirname "$0")/.."
beta=v${1#v}
shift
case $beta in
v0.[0-9]*.[0-9]*) ;;
*) echo "make upgrade COLLECTOR=0.158.0: which version of the collector?" >&2; exit 2 ;;
esac

# stable VERSION prints the 1.x version that belongs to a 0.x version: the one that the collector's service requires.
stable() {
	file=$(cd "$work" && go mod download -json "go.opentelemetry.io/collector/service@$1" | sed -n 's/^.*"GoMod": "\(.*\)",*$/\1/p')
	[ -n "$file" ] || { echo "there is no collector $1" >&2; return 1; }
	sed -n 's|^.*go.opentelemetry.io/collector/pdata \(v1[^ ]*\).*|\1|p' "$file"
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
old_beta=$(sed -n 's|^.*go.opentelemetry.io/collector/service \(v0[^ ]*\).*|\1|p' builder-config.yaml)
old_stable=$(stable "$old_beta")
new_stable=$(stable "$beta")
echo "collector $old_beta / $old_stable -> $beta / $new_stable"

# Only modules of the collector: others may happen to have the same version.
family='go\.opentelemetry\.io/collector|github\.com/open-telemetry/opentelemetry-collector-contrib'
for file in builder-config.yaml builder-config-gateway.yaml $(for module; do echo "$module/go.mod"; done); do
	sed -E "\\,$family, { s#([ \"])$old_beta([ \"]|\$)#\\1$beta\\2#; s#([ \"])$old_stable([ \"]|\$)#\\1$new_stable\\2#; }" "$file" >"$work/new"
	cmp -s "$work/new" "$file" || cat "$work/new" >"$file"
done
sed "s|$old_beta / $old_stable|$beta / $new_stable|" README.md >"$work/new"
cmp -s "$work/new" README.md || cat "$work/new" >README.md
for module; do
	(cd "$module" && go mod tidy)
done
