#!/usr/bin/env bash
# The storage engine beside the limit that fio finds for the same file system, block size and depth, in the same run and
# in alternating rounds. Prints a table of medians; nothing here is a test.
#   bench/storage.sh [commit] [append] [get] [latency] [pauses]     (default: all)
#   ROUNDS=3 SECONDS_EACH=2 BENCH_DIR=... VALUES=700000 CLIENTS="50 200" to change what is measured, and where;
#   KEYS=3000000 RATE=5000 for latency, PAUSE_KEYS=10000000 for pauses
set -eu

top=$(cd "$(dirname "$0")/.." && pwd)
bin=${MINOD_BIN:-$top/build/release/bin}
rounds=${ROUNDS:-3}
each=${SECONDS_EACH:-2}
values=${VALUES:-700000}  # of 1000 bytes: ten times --maxmemory
memory=${MEMORY:-64mb}
work=$(mktemp -d "${BENCH_DIR:-$top/build}/storage.XXXXXX")
pid=
trap '[ -z "$pid" ] || kill -9 "$pid" 2>/dev/null; wait 2>/dev/null; rm -rf "$work"' EXIT

say() { printf '%s\n' "$*"; }
median() { sort -g | awk '{v[NR] = $1} END {print (NR % 2) ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2}'; }
note() { printf '%s\n' "$2" >>"$work/$1"; }
middle() { median <"$work/$1"; }
field() { tr ' ' '\n' | sed -n "s/^$1=//p"; }
row() {  # WHAT OURS LIMIT UNIT GOAL
  awk -v what="$1" -v ours="$2" -v limit="$3" -v unit="$4" -v goal="$5" \
    'BEGIN {printf "%-52s %9.0f %-7s limit %9.0f   %3.0f %% (goal %d %%)\n", what, ours, unit, limit, 100 * ours / limit, goal}'
}

# fio NAME OPTION...: operations and bytes a second, "iops bandwidth", over a file that was written before.
lay_out() {  # SIZE
  fio --name=layout --filename="$work/fio" --size="$1" --rw=write --bs=1m --direct=1 --ioengine=libaio --iodepth=4 \
    --end_fsync=1 --output-format=terse >/dev/null
}
fio_run() {
  fio --name=limit --filename="$work/fio" --size="$1" --direct=1 --ioengine=libaio --overwrite=1 --time_based \
    --runtime="$each" --output-format=json "${@:2}" |
    awk -F'[:,]' '/"(read|write)" : \{/ {side = $0} /"iops" :/ {if ($2 + 0 > iops) iops = $2 + 0}
      /"bw_bytes" :/ {if ($2 + 0 > bytes) bytes = $2 + 0} END {print iops, bytes}'
}
log_run() {  # MODE
  rm -rf "$work/log" && mkdir "$work/log"
  "$bin/log_bench" "$1" "$work/log" "$each"
}

commit() {
  say "== durable group commits of 4 KiB, one after the other"
  lay_out 256m
  local round line
  for round in $(seq 1 "$rounds"); do
    note commit.fio "$(fio_run 256m --rw=write --bs=4k --iodepth=1 --sync=dsync | cut -d' ' -f1)"
    line=$(log_run commit) && note commit.log "$(field per_second <<<"$line")" && note commit.p99 "$(field p99_us <<<"$line")"
    line=$(log_run blocks) && note blocks.log "$(field per_second <<<"$line")"
  done
  row "a block a group" "$(middle blocks.log)" "$(middle commit.fio)" /s 90
  row "small records, tail block written again" "$(middle commit.log)" "$(middle commit.fio)" /s 90
  say "p99 of a commit: $(middle commit.p99) us"
}

append() {
  say "== log append of large groups, MiB/s; the limit is the best of several sizes and depths"
  lay_out 512m
  local round shape size depth best line
  for round in $(seq 1 "$rounds"); do
    best=0
    for shape in "256k 1" "256k 4" "1m 1" "1m 2" "4m 1"; do
      size=${shape% *} depth=${shape#* }
      best=$(fio_run 512m --rw=write --bs="$size" --iodepth="$depth" --sync=dsync --runtime=1 |
        awk -v best="$best" '{mib = $2 / 1048576; print (mib > best ? mib : best)}')
    done
    note append.fio "$best"
    line=$(log_run append) && note append.log "$(field mib_per_second <<<"$line")"
    say "   round $round: fio $best; $line"
    line=$(log_run sustain) && note sustain.log "$(field mib_per_second <<<"$line")"
  done
  row "into space that is ready" "$(middle append.log)" "$(middle append.fio)" MiB/s 90
  row "and while more of it is zeroed beside" "$(middle sustain.log)" "$(middle append.fio)" MiB/s 45
}

read_bytes() { awk '/^read_bytes/ {print $2}' "/proc/$pid/io"; }
cold_reads() { redis-cli -p 17441 info stats | tr -d '\r' | sed -n 's/^minod_cold_reads://p'; }
get() {
  say "== random GET from disk: $values values of 1000 bytes, --maxmemory $memory"
  start_node --maxmemory "$memory"
  "$bin/minod-bench" -p 17441 --load --keys "$values" --value 1000 -c 16 -P 64 --duration 0 >/dev/null 2>&1
  lay_out 1g
  local round clients before reads bytes block
  for clients in ${CLIENTS:-50 200}; do
    for round in $(seq 1 "$rounds"); do
      before=$(cold_reads) bytes=$(read_bytes)
      "$bin/minod-bench" -p 17441 --keys "$values" --mix get -c "$clients" -t 1 --warmup 0 -d "$each" \
        --json "$work/get.json" >/dev/null 2>&1
      reads=$(($(cold_reads) - before)) bytes=$(($(read_bytes) - bytes))
      block=$((reads == 0 ? 4096 : (bytes / reads + 2048) / 4096 * 4096))
      note "get.$clients" "$(awk -v n="$reads" -v s="$each" 'BEGIN {print n / s}')"
      note "block.$clients" "$block"
      note "read.$clients" "$(fio_run 1g --rw=randread --bs="$block" --iodepth="$clients" | cut -d' ' -f1)"
    done
    row "$clients clients, reads of $(middle "block.$clients") bytes" "$(middle "get.$clients")" \
      "$(middle "read.$clients")" /s 80
  done
  end_node
}

start_node() {  # OPTION...
  mkdir -p "$work/node"
  "$bin/minod" --port 17441 --dir "$work/node/data" --loglevel warning "$@" >"$work/node/log" 2>&1 &
  pid=$!
  for _ in $(seq 1 600); do redis-cli -p 17441 ping >/dev/null 2>&1 && return 0 || sleep 0.05; done
  say "minod did not answer" >&2
  exit 1
}
end_node() {
  kill -9 "$pid"
  wait "$pid" 2>/dev/null || true
  pid=
  rm -rf "$work/node"
}
info() { redis-cli -p 17441 info everything | tr -d '\r' | sed -n "s/^$1://p" | head -1; }
load() {  # KEYS VALUE
  "$bin/minod-bench" -p 17441 --load --keys "$1" --value "$2" -c 16 -P 64 --duration 0 >/dev/null 2>&1
}
no_checkpoint_under_way() {
  local before
  while :; do
    before=$(info minod_checkpoints_written)
    sleep 3
    [ "$(info minod_checkpoints_written)" != "$before" ] || return 0
  done
}
# GETs of warm keys that come at a fixed rate, whatever the server does: what the slowest of a thousand waits.
slowest_gets() {  # KEYS
  "$bin/minod-bench" -p 17441 --keys "$1" --mix get -c 8 -t 1 --warmup 0 -d "$each" -r "${RATE:-5000}" \
    --json "$work/slow.json" >/dev/null 2>&1
  sed -n 's/.*"get": .*"p99\.9_us": \([0-9.]*\).*/\1/p' "$work/slow.json"
}
beside_row() {  # WHAT
  awk -v what="$1" -v ours="$(middle "slow.$1")" -v idle="$(middle slow.idle)" \
    'BEGIN {printf "%-52s %9.0f us      idle  %9.0f   %4.2f times (goal 2)\n", "p99.9 of GET beside a " what, ours, idle, ours / idle}'
}
latency() {
  local keys=${KEYS:-3000000} round written
  say "== p99.9 of GET at ${RATE:-5000}/s, $keys warm keys of 100-byte values, while minod works in the background"
  start_node --maxmemory 4gb --compaction no --checkpoint-bytes 64mb
  load "$keys" 100
  for round in $(seq 1 "$rounds"); do
    no_checkpoint_under_way
    note slow.idle "$(slowest_gets "$keys")"
    # A checkpoint is due when the log has grown by twice its size, 24 bytes a key.
    written=$(info minod_checkpoints_written)
    redis-benchmark -p 17441 -t set -d 1000000 -r 8 -n $((keys * 2 * 24 / 1000000 + 80)) -c 4 >/dev/null 2>&1
    note slow.checkpoint "$(slowest_gets "$keys")"
    no_checkpoint_under_way
    [ "$(info minod_checkpoints_written)" != "$written" ] || say "no checkpoint was written in round $round"
    "$bin/minod-bench" -p 17441 --keys "$keys" --mix set -n $((keys / 2)) -c 16 -P 64 >/dev/null 2>&1
    no_checkpoint_under_way
    redis-cli -p 17441 bgrewriteaof >/dev/null
    note slow.compaction "$(slowest_gets "$keys")"
    [ "$(info aof_rewrite_in_progress)" = 1 ] || say "compaction ended before the measurement of round $round"
    while [ "$(info aof_rewrite_in_progress)" = 1 ]; do sleep 0.2; done
  done
  beside_row checkpoint
  beside_row compaction
  end_node
}

# What the loop of a shard was held up by minod's own work.
pauses() {
  local keys=${PAUSE_KEYS:-10000000}
  say "== pauses with $keys keys"
  start_node --maxmemory 4gb --checkpoint-bytes 64mb
  load "$keys" 16
  no_checkpoint_under_way
  say "$(info minod_checkpoints_written) checkpoints while loading, the longest slice $(info minod_checkpoint_pause_us_max) us" \
    "(goal 1000); the longest turn of the loop $(info minod_turn_us_max) us, what clients sent at once included"
  redis-cli -p 17441 config resetstat >/dev/null
  redis-benchmark -p 17441 -t set -d 1000000 -r 8 -n $((keys * 2 * 24 / 1000000 + 80)) -c 1 >/dev/null 2>&1
  sleep 1
  redis-cli -p 17441 config resetstat >/dev/null
  no_checkpoint_under_way
  say "no clients, a checkpoint under way: the longest turn $(info minod_turn_us_max) us"
  end_node
  if [ -x "$bin/index_bench" ]; then
    say "growth of the index (processor time of the longest single put in worst_us, puts above a millisecond in over_1ms):"
    "$bin/index_bench" --benchmark_filter='PutTimed/20000000|ExpiryPutTimed' --benchmark_format=csv 2>/dev/null | tail -3
  fi
}

say "machine: $(nproc) cores, $(uname -r); $("$bin/minod" --version | head -1); $(fio --version); $(df --output=fstype "$work" | tail -1)"
for part in "${@:-commit append get latency pauses}"; do
  for one in $part; do "$one"; done
done
