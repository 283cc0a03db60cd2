#!/usr/bin/env bash
# The storage engine beside the limit that fio finds for the same file system, block size and depth, in the same run and
# in alternating rounds. Prints a table of medians; nothing here is a test.
#   bench/storage.sh [commit] [append] [get]     (default: all)
#   ROUNDS=3 SECONDS_EACH=2 BENCH_DIR=... VALUES=700000 CLIENTS="50 200" to change what is measured, and where
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
  mkdir -p "$work/node"
  "$bin/minod" --port 17441 --dir "$work/node/data" --maxmemory "$memory" --loglevel warning >"$work/node/log" 2>&1 &
  pid=$!
  for _ in $(seq 1 600); do redis-cli -p 17441 ping >/dev/null 2>&1 && break || sleep 0.05; done
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
  kill -9 "$pid"
  pid=
}

say "machine: $(nproc) cores, $(uname -r); $("$bin/minod" --version | head -1); $(fio --version); $(df --output=fstype "$work" | tail -1)"
for part in "${@:-commit append get}"; do
  for one in $part; do "$one"; done
done
