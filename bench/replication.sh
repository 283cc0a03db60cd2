#!/usr/bin/env bash
# What replication costs and how fast it is, on one machine: a leader and one replica beside a single node, in the same
# run. Prints a table; nothing here is a test.
#   bench/replication.sh [acks] [lag] [catchup] [handover]     (default: all)
# Each leaves its numbers in docs/bench/replication-PART.tsv (BENCH_OUT=... another directory than docs), from which
# bench/report.pl makes the page.
#   ROUNDS=3 REQUESTS=60000 CATCHUP_MB=1600 HANDOVERS=20 BENCH_DIR=... to change how much is measured, and where
set -eu

top=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=bench/table.sh
. "$top/bench/table.sh"
bin=${MINOD_BIN:-$top/build/release/bin}
rounds=${ROUNDS:-3}
requests=${REQUESTS:-60000}
catchup_mb=${CATCHUP_MB:-1600}
handovers=${HANDOVERS:-20}
port=${BENCH_PORT:-17600}
out=${BENCH_OUT:-$top/docs}
work=$(mktemp -d "${BENCH_DIR:-$top/build}/replication.XXXXXX")
pids=()
trap 'for p in "${pids[@]}"; do kill -9 "$p" 2>/dev/null || true; done; wait 2>/dev/null; rm -rf "$work"' EXIT

begin_part() {
  table=$out/bench/replication-$1
  mkdir -p "$out/bench"
  table_facts "$(minod_version "$bin" "$top"); $(redis-benchmark --version)" >"$table.new"
}
tell() { printf '%s\t%s\t%s\tvalue\t%s\n' "$@" >>"$table.new"; }  # ROW SYSTEM ROUND VALUE
end_part() { mv "$table.new" "$table.tsv"; }

say() { printf '%s\n' "$*"; }
median() { sort -g | awk '{v[NR] = $1} END {print (NR % 2) ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2}'; }
percentile() { sort -g | awk -v q="$1" '{v[NR] = $1} END {i = int(q * NR / 100); print v[i < 1 ? 1 : i]}'; }
cli() { redis-cli -p "$@"; }
info() { cli "$1" info replication | tr -d '\r' | sed -n "s/^$2://p"; }

await() {  # SECONDS COMMAND...
  local deadline=$(($(date +%s) + $1))
  shift
  until "$@"; do
    [ "$(date +%s)" -lt "$deadline" ] || { say "gave up waiting for: $*" >&2 && cat "$work"/*.log >&2 && exit 1; }
    sleep 0.01
  done
}
answers() { [ "$(cli "$1" ping 2>/dev/null)" = PONG ]; }
in_sync() { [ "$(info "$1" minod_replication_in_sync)" = 2 ] && [ "$(cli "$1" set in sync)" = OK ]; }

start() {  # NAME PORT OPTION...
  local name=$1 at=$2
  shift 2
  "$bin/minod" --port "$at" --dir "$work/$name" --loglevel warning --maxmemory 2gb "$@" >>"$work/$name.log" 2>&1 &
  pids+=($!)
  last_pid=$!
  await 120 answers "$at"
}
group() { printf '%s ' --replicas 1 --min-replicas-to-write "${must_have:-1}" --peer-port "$1"; }
# A leader at $port and a replica at $port + 1, in sync.
start_pair() {
  # shellcheck disable=SC2046  # options
  start leader "$port" $(group $((port + 100)))
  leader_pid=$last_pid
  # shellcheck disable=SC2046
  start replica $((port + 1)) $(group $((port + 101))) --replicaof "127.0.0.1:$((port + 100))"
  replica_pid=$last_pid
  await 60 in_sync "$port"
}
stop_all() {
  for p in "${pids[@]}"; do kill -9 "$p" 2>/dev/null || true; done
  wait 2>/dev/null || true
  pids=()
  rm -rf "$work/leader" "$work/replica" "$work/single"
}

# set_rate PORT PIPELINE: SETs a second, 50 clients, 100 bytes, 100,000 keys.
set_rate() {
  redis-benchmark -p "$1" -t set -c 50 -d 100 -r 100000 -n $((requests * ($2 > 1 ? 8 : 1))) -P "$2" --csv 2>/dev/null |
    awk -F'"' '/SET/ {print $4}'
}

acks() {
  begin_part acks
  start single $((port + 2))
  start_pair
  for pipeline in 1 16; do
    for ((i = 0; i < rounds; ++i)); do
      set_rate $((port + 2)) $pipeline >>"$work/single.$pipeline"
      set_rate "$port" $pipeline >>"$work/pair.$pipeline"
      tell "durable SET c=50 P=$pipeline, requests a second" single "$i" "$(tail -1 "$work/single.$pipeline")"
      tell "durable SET c=50 P=$pipeline, requests a second" "one replica" "$i" "$(tail -1 "$work/pair.$pipeline")"
    done
    local one both
    one=$(median <"$work/single.$pipeline")
    both=$(median <"$work/pair.$pipeline")
    awk -v a="$both" -v b="$one" -v p=$pipeline \
      'BEGIN {printf "durable SET, pipeline %-2d  acks all, one replica %9.0f /s   single node %9.0f /s   ratio %.2f (goal 0.70)\n", p, a, b, a / b}'
  done
  end_part
  stop_all
}

# Records that the leader has and the replica has not acknowledged, at the rate that they come: how old its newest is.
# INFO's lag_ms is another thing: since when it has not had all, which under load is long.
lag() {
  start_pair
  local peak
  peak=$(set_rate "$port" 1)
  "$bin/minod-bench" -p "$port" --rate "$(awk -v r="$peak" 'BEGIN {print int(r / 2)}')" --mix set=100 --duration 8 \
    --json "$work/lag.json" >/dev/null 2>&1 &
  local load=$!
  sleep 1
  for ((i = 0; i < 600; ++i)); do printf 'INFO replication\n'; done |
    while read -r line; do printf '%s\n' "$line" && sleep 0.01; done | cli "$port" | tr -d '\r' |
    sed -n 's/^minod_replica0:.*lag_offsets=\([0-9]*\),.*/\1/p' |
    awk -v rate="$peak" '{printf "%.2f\n", $1 * 1000 / (rate / 2)}' >"$work/lag"
  wait "$load" || true
  begin_part lag
  tell "lag at half the peak load, p50, ms" minod 0 "$(percentile 50 <"$work/lag")"
  tell "lag at half the peak load, p99, ms" minod 0 "$(percentile 99 <"$work/lag")"
  end_part
  say "replica lag at half the peak load ($peak SET/s): p50 $(percentile 50 <"$work/lag") ms, p99 $(percentile 99 <"$work/lag") ms of $(wc -l <"$work/lag") looks (goal 5 ms)"
  stop_all
}

catchup() {
  must_have=0 start_pair
  kill -9 "$replica_pid"
  wait "$replica_pid" 2>/dev/null || true
  redis-benchmark -p "$port" -t set -c 8 -d 100000 -r 100000 -n $((catchup_mb * 10)) -P 16 --csv >/dev/null 2>&1
  # Both nodes have the same disk: what is written durably is read from it meanwhile.
  local disk begin end
  dd if=/dev/zero of="$work/dd" bs=1M count="$catchup_mb" oflag=direct 2>/dev/null
  disk=$(dd if="$work/dd" of="$work/dd.copy" bs=1M iflag=direct oflag=direct,dsync 2>&1 | awk '/copied/ {print $(NF-1), $NF}')
  rm -f "$work/dd" "$work/dd.copy"
  begin=$(date +%s.%N)
  # shellcheck disable=SC2046
  must_have=0 start replica $((port + 1)) $(must_have=0 group $((port + 101))) --replicaof "127.0.0.1:$((port + 100))" \
    --replica-copy-rate 8gb  # the default is there to leave room for others
  await 300 in_sync "$port"
  end=$(date +%s.%N)
  begin_part catchup
  tell "catch-up, MB/s" minod 0 "$(awk -v mb="$catchup_mb" -v a="$begin" -v b="$end" 'BEGIN {print mb / (b - a)}')"
  tell "catch-up, MB/s" "a copy on that disk, 1 MiB at a time, durable" 0 "${disk% *}"
  end_part
  awk -v mb="$catchup_mb" -v a="$begin" -v b="$end" -v disk="$disk" \
    'BEGIN {printf "catch-up of %d MB: %.2f s with the start of the process, %.0f MB/s; a copy on that disk, 1 MiB at a time, durable: %s\n", mb, b - a, mb / (b - a), disk}'
  stop_all
}

handover() {
  start_pair
  begin_part handover
  perl "$top/bench/handover.pl" "$port" $((port + 1)) "$handovers" | tee "$work/handover"
  for q in median p99 most; do
    tell "hand-over, longest time between two acknowledged writes, $q, ms" minod 0 "$(sed -n "s/.*$q \([0-9.]*\) ms.*/\1/p" "$work/handover")"
  done
  end_part
  stop_all
}

for part in "${@:-acks lag catchup handover}"; do
  for one in $part; do "$one"; done
done
