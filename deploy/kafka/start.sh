#!/usr/bin/env bash
# Formats the broker's data folder once in its life, then becomes the broker.
set -euo pipefail
settings=/etc/peakdesk/server.properties
/opt/kafka/bin/kafka-storage.sh format --ignore-formatted --cluster-id="$CLUSTER_ID" --config="$settings"
exec /opt/kafka/bin/kafka-server-start.sh "$settings"
