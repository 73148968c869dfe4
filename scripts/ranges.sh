#!/bin/sh
# Copyright The otelcol-guardrail Authors
# SPDX-License-Identifier: Apache-2.0

# Usage: ranges.sh N [FROM]
# Writes to standard output the configuration by which an edge shares invocations out among N detectors. With FROM, the number of
# detectors until now, each detector gets its old and its new share.
#
# The partition is a digest of 16 hexadecimal digits. Detector i of N gets those from i/N to (i+1)/N of all values.
set -eu

usage() {
	echo "usage: ranges.sh N [FROM], each a number of detectors from 1 to 256" >&2
	exit 2
}

number() {
	case $1 in '' | 0* | *[!0-9]* | ????*) usage ;; esac
	[ "$1" -le 256 ] || usage
}

[ $# -eq 1 ] || [ $# -eq 2 ] || usage
n=$1
from=${2:-$1}
number "$n"
number "$from"
all=$((n > from ? n : from))

partition='log.attributes["gen_ai_guardrail.partition"]'

# outside I N prints the condition that a partition lies outside share I of N.
outside() {
	if [ "$1" -ge "$2" ]; then
		printf 'true'
		return
	fi
	low=$((65536 * $1 / $2)) high=$((65536 * ($1 + 1) / $2))
	if [ "$high" -eq 65536 ]; then
		printf '%s < "%04x"' "$partition" "$low"
	else
		printf '(%s < "%04x" or %s >= "%04x")' "$partition" "$low" "$partition" "$high"
	fi
}

if [ "$n" -eq "$from" ]; then
	echo "# Laid over edge.yaml: $n detectors, each with its range of partitions. Written by make ranges N=$n."
else
	echo "# Laid over edge.yaml while $from detectors become $n: each gets its old and its new range. Written by make ranges N=$n FROM=$from."
fi

echo
echo "processors:"
i=0
while [ $i -lt "$all" ]; do
	condition=$(outside $i "$n")
	[ "$n" -eq "$from" ] || condition="$condition and $(outside $i "$from")"
	cat <<-END
	  filter/detector-$i:
	    error_mode: propagate
	    log_conditions:
	      - '$condition'
	END
	i=$((i + 1))
done

cat <<-'END'

exporters:
  otlp_grpc/detector-0: &detector
    endpoint: ${env:GUARDRAIL_DETECTOR_0:-localhost:4320}
    tls:
      insecure: ${env:GUARDRAIL_DETECTOR_INSECURE:-false}
    timeout: 10s
    compression: zstd # a fraction of gzip's processor time, which is the default
    retry_on_failure:
      initial_interval: 1s
      max_interval: 10s
      max_elapsed_time: 0s
    # A queue on disk for each detector: one that is away holds up neither senders nor other detectors.
    sending_queue:
      storage: file_storage/queue
      sizer: bytes
      queue_size: 1073741824 # what waits for one detector at most
      batch:
        sizer: bytes
        min_size: 1000000
        max_size: 3500000
END
i=1
while [ $i -lt "$all" ]; do
	cat <<-END
	  otlp_grpc/detector-$i:
	    <<: *detector
	    endpoint: \${env:GUARDRAIL_DETECTOR_$i:-localhost:$((4320 + i))}
	END
	i=$((i + 1))
done

echo
echo "service:"
echo "  pipelines:"
i=0
while [ $i -lt "$all" ]; do
	cat <<-END
	    logs/detector-$i:
	      receivers: [forward/shares]
	      processors: [filter/detector-$i]
	      exporters: [otlp_grpc/detector-$i]
	END
	i=$((i + 1))
done
