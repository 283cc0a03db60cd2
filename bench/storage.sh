#!/usr/bin/env bash
# The storage engine beside the limit that fio finds for the same file system, block size and depth, in the same run and
# in alternating rounds. Prints a table of medians; nothing here is a test.
#   bench/storage.sh [commit] [append] [get] [restart] [latency] [pauses] [cache]     (default: all)
#   ROUNDS=3 SECONDS_EACH=2 BENCH_DIR=... VALUES=700000 CLIENTS="50 200" to change what is measured, and where;
#   KEYS=3000000 RATE=10000 for latency, PAUSE_KEYS=10000000 for pauses, RESTART_KEYS=5000000 for restart
# Each step takes less than three minutes and leaves its numbers in docs/bench/storage-STEP.tsv (BENCH_OUT=... another
# directory than docs), from which bench/report.pl makes the page.
set -eu

top=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=bench/table.sh
. "$top/bench/table.sh"
bin=${MINOD_BIN:-$top/build/release/bin}
rounds=${ROUNDS:-3}
each=${SECONDS_EACH:-2}
values=${VALUES:-700000}  # of 1000 bytes: ten times --maxmemory
memory=${MEMORY:-64mb}
out=${BENCH_OUT:-$top/docs}
work=$(mktemp -d "${BENCH_DIR:-$top/build}/storage.XXXXXX")
pid=
trap '[ -z "$pid" ] || kill -9 "$pid" 2>/dev/null; wait 2>/dev/null; rm -rf "$work"' EXIT

say() { printf '%s\n' "$*"; }
median() { sort -g | awk '{v[NR] = $1} END {print (NR % 2) ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2}'; }
note() { printf '%s\n' "$2" >>"$work/$1"; }
# begin_step STEP; tell ROW SYSTEM ROUND VALUE; end_step: the table of before stays until its successor is whole.
begin_step() {
  table=$out/bench/storage-$1
  mkdir -p "$out/bench"
  table_facts "$(minod_version "$bin" "$top"); $(fio --version)" >"$table.new"
}
tell() { printf '%s\t%s\t%s\tvalue\t%s\n' "$@" >>"$table.new"; }
end_step() { mv "$table.new" "$table.tsv"; }
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
  local round line limit
  for round in $(seq 1 "$rounds"); do
    limit=$(fio_run 256m --rw=write --bs=4k --iodepth=1 --sync=dsync | cut -d' ' -f1)
    note commit.fio "$limit"
    line=$(log_run commit) && note commit.log "$(field per_second <<<"$line")" && note commit.p99 "$(field p99_us <<<"$line")"
    tell "commits a second, tail block written again" minod "$round" "$(field per_second <<<"$line")"
    tell "commits a second, tail block written again" fio "$round" "$limit"
    line=$(log_run blocks) && note blocks.log "$(field per_second <<<"$line")"
    tell "commits a second, a 4 KiB block each" minod "$round" "$(field per_second <<<"$line")"
    tell "commits a second, a 4 KiB block each" fio "$round" "$limit"
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
    tell "append of large groups, MiB/s" minod "$round" "$(field mib_per_second <<<"$line")"
    tell "append of large groups, MiB/s" fio "$round" "$best"
    line=$(log_run sustain) && note sustain.log "$(field mib_per_second <<<"$line")"
    tell "append while more space is zeroed beside, MiB/s" minod "$round" "$(field mib_per_second <<<"$line")"
    tell "append while more space is zeroed beside, MiB/s" fio "$round" "$best"
  done
  row "into space that is ready" "$(middle append.log)" "$(middle append.fio)" MiB/s 90
  row "and while more of it is zeroed beside" "$(middle sustain.log)" "$(middle append.fio)" MiB/s 45
}

read_bytes() { awk '/^read_bytes/ {print $2}' "/proc/$pid/io"; }
cold_reads() { redis-cli -p 17441 info stats | tr -d '\r' | sed -n 's/^minod_cold_reads://p'; }
# One shard, so that the generator has the other processor to itself; and one shard for each processor.
get() {
  local shards
  say "== random GET from disk: $values values of 1000 bytes, --maxmemory $memory"
  start_node --maxmemory "$memory" --partitions 2
  "$bin/minod-bench" -p 17441 --load --keys "$values" --value 1000 -c 16 -P 64 --duration 0 >/dev/null 2>&1
  lay_out 1g
  for shards in ${SHARDS:-1 2}; do
    redis-cli -p 17441 shutdown >/dev/null 2>&1 || true
    wait "$pid" 2>/dev/null || true
    start_node --maxmemory "$memory" --shards "$shards"
    get_with "$shards"
  done
  end_node
}
get_with() {  # SHARDS
  local round clients before reads bytes block limit what
  for clients in ${CLIENTS:-50 200}; do
    what="random GET from disk, $clients clients, reads a second"
    [ "$1" = 1 ] || what="random GET from disk, $clients clients, $1 shards, reads a second"
    rm -f "$work/get.$clients" "$work/block.$clients" "$work/read.$clients"
    for round in $(seq 1 "$rounds"); do
      before=$(cold_reads) bytes=$(read_bytes)
      # Other keys each time: what the last run has read is in the cache.
      "$bin/minod-bench" -p 17441 --keys "$values" --mix get -c "$clients" -t 1 --warmup 0 -d "$each" \
        --seed "$((clients * 10 + round * 3 + $1))" --json "$work/get.json" >/dev/null 2>&1
      sleep 0.2  # until each shard has told what it counted
      reads=$(($(cold_reads) - before)) bytes=$(($(read_bytes) - bytes))
      block=$((reads == 0 ? 4096 : (bytes / reads + 2048) / 4096 * 4096))
      note "get.$clients" "$(awk -v n="$reads" -v s="$each" 'BEGIN {print n / s}')"
      note "block.$clients" "$block"
      limit=$(fio_run 1g --rw=randread --bs="$block" --iodepth="$clients" | cut -d' ' -f1)
      note "read.$clients" "$limit"
      reads=$(awk -v n="$reads" -v s="$each" 'BEGIN {print n / s}')
      tell "$what" minod "$round" "$reads"
      tell "$what" fio "$round" "$limit"
    done
    row "$clients clients, $1 shards, reads of $(middle "block.$clients") bytes" "$(middle "get.$clients")" \
      "$(middle "read.$clients")" /s 80
  done
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
  for _ in $(seq 300); do
    sleep 0.3
    [ "$(info minod_checkpoint_running)" = 1 ] || return 0
  done
}
# GETs of warm keys that come at a fixed rate, whatever the server does: what the slowest of a thousand waits.
slowest_gets() {  # KEYS
  "$bin/minod-bench" -p 17441 --keys "$1" --mix get -c 8 -t 1 --warmup 0 -d 1 -r "${RATE:-10000}" \
    --json "$work/slow.json" >/dev/null 2>&1
  sed -n 's/.*"get": .*"p99\.9_us": \([0-9.]*\).*/\1/p' "$work/slow.json"
}
# The same for as long as INFO's field says, at both ends of the second that is measured, that the work is under way.
slowest_gets_beside() {  # WHAT FIELD KEYS ROUND
  local slowest windows=0
  for _ in $(seq 50); do [ "$(info "$2")" != 1 ] || break && sleep 0.05; done
  while [ "$(info "$2")" = 1 ] && [ "$windows" -lt 4 ]; do
    slowest=$(slowest_gets "$3")
    [ "$(info "$2")" = 1 ] || break
    windows=$((windows + 1))
    note "slow.$1" "$slowest"
    note "one.$1" "$slowest"
  done
  say "   round $4: $windows seconds measured, $2 at their beginnings and ends"
  [ "$windows" = 0 ] || tell "p99.9 of GET beside a $1, us" minod "$4" "$(middle "one.$1")"
  [ "$windows" = 0 ] || tell "p99.9 of GET beside a $1, us" idle "$4" "$(middle one.idle)"
  rm -f "$work/one.$1"
}
beside_row() {  # WHAT
  awk -v what="$1" -v ours="$(middle "slow.$1")" -v idle="$(middle slow.idle)" \
    'BEGIN {printf "%-52s %9.0f us      idle  %9.0f   %4.2f times (goal 2)\n", "p99.9 of GET beside a " what, ours, idle, ours / idle}'
}
latency() {
  local keys=${KEYS:-3000000} round slowest
  say "== p99.9 of GET at ${RATE:-10000}/s, $keys warm keys of 100-byte values, while minod works in the background"
  start_node --maxmemory 4gb --compaction no --checkpoint-bytes 64mb
  load "$keys" 100
  for round in $(seq 1 "$rounds"); do
    no_checkpoint_under_way
    rm -f "$work/one.idle"
    for _ in 1 2 3; do
      slowest=$(slowest_gets "$keys")
      note slow.idle "$slowest" && note one.idle "$slowest"
    done
    # A checkpoint is due when the log has grown by twice its size, 24 bytes a key.
    redis-benchmark -p 17441 -t set -d 1000000 -r 8 -n $((keys * 2 * 24 / 1000000 + 80)) -c 4 >/dev/null 2>&1
    slowest_gets_beside checkpoint minod_checkpoint_running "$keys" "$round"
    no_checkpoint_under_way
    "$bin/minod-bench" -p 17441 --keys "$keys" --mix set -n $((keys / 2)) -c 16 -P 64 >/dev/null 2>&1
    no_checkpoint_under_way
    redis-cli -p 17441 config resetstat >/dev/null
    redis-cli -p 17441 bgrewriteaof >/dev/null
    slowest_gets_beside compaction minod_compaction_running "$keys" "$round"
    tell "longest turn of the loop beside a compaction, us" minod "$round" "$(info minod_turn_us_max)"
    for _ in $(seq 300); do [ "$(info aof_rewrite_in_progress)" = 1 ] || break && sleep 0.2; done
  done
  [ ! -s "$work/slow.checkpoint" ] || beside_row checkpoint
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
  tell "$keys keys: longest turn while they are loaded, us" minod 1 "$(info minod_turn_us_max)"
  tell "$keys keys: bytes of index a key" minod 1 "$(info minod_bytes_per_key)"
  say "while loading: the longest turn of the loop $(info minod_turn_us_max) us, what clients sent at once included"
  redis-cli -p 17441 config resetstat >/dev/null
  redis-benchmark -p 17441 -t set -d 1000000 -r 8 -n $((keys * 2 * 24 / 1000000 + 80)) -c 1 >/dev/null 2>&1
  redis-cli -p 17441 config resetstat >/dev/null
  sleep 0.3
  local under_way longest
  under_way=$(info minod_checkpoint_running)
  sleep 1
  longest=$(info minod_turn_us_max)
  say "no clients, checkpoint running: $under_way, then $(info minod_checkpoint_running): the longest turn $longest us"
  [ "$under_way" = 0 ] || tell "$keys keys: longest turn beside a checkpoint, no clients, us" minod 1 "$longest"
  no_checkpoint_under_way
  tell "$keys keys: longest slice of a checkpoint, us" minod 1 "$(info minod_checkpoint_pause_us_max)"
  say "$(info minod_checkpoints_written) checkpoints, the longest slice $(info minod_checkpoint_pause_us_max) us (goal 1000)"
  end_node
  if [ -x "$bin/index_bench" ]; then
    say "growth of the index (processor time of the longest single put in worst_us, puts above a millisecond in over_1ms):"
    "$bin/index_bench" --benchmark_filter='PutTimed/20000000|ExpiryPutTimed' --benchmark_format=csv 2>/dev/null | tail -3
  fi
}

# first_answer LOG COMMAND...: seconds from the start of the process to its first answer.
first_answer() {
  perl -MIO::Socket::INET -MTime::HiRes=time,sleep -e '
    my ($pid_file, $log, @command) = @ARGV;
    my $began = time;
    my $pid = fork;
    if (!$pid) { open STDOUT, ">>", $log; open STDERR, ">&STDOUT"; exec @command; }
    open my $out, ">", $pid_file; print $out $pid; close $out;
    for (;;) {
      my $socket = IO::Socket::INET->new(PeerAddr => "127.0.0.1", PeerPort => 17441);
      if ($socket) {
        print $socket "PING\r\n"; $socket->flush;
        my $line = <$socket>;
        last if defined $line && $line =~ /^\+PONG/;
      }
      sleep 0.001;
    }
    printf "%.3f\n", time - $began;' "$work/pid" "$@"
}
stop_started() {  # SIGNAL
  local started
  started=$(cat "$work/pid")
  kill "-$1" "$started"
  while kill -0 "$started" 2>/dev/null; do sleep 0.02; done
}
has_all() { [ "$(redis-cli -p 17441 dbsize)" = "$1" ] || say "only $(redis-cli -p 17441 dbsize) keys came back" >&2; }
restart() {
  local keys=${RESTART_KEYS:-5000000} round seconds node redis
  node=("$bin/minod" --port 17441 --dir "$work/node/data" --loglevel warning
    --maxmemory "$((128 + keys * 40 / 1048576))mb")
  redis=(redis-server --port 17441 --dir "$work/redis" --loglevel warning --save "" --daemonize no
    --aof-use-rdb-preamble no --auto-aof-rewrite-percentage 0)
  mkdir -p "$work/node" "$work/redis"
  say "== restart with $keys keys of 100-byte values, seconds from the start of the process to the first answer"
  first_answer "$work/node/log" "${node[@]}" >/dev/null
  load "$keys" 100
  no_checkpoint_under_way
  for round in $(seq 1 "$rounds"); do
    stop_started KILL
    tell "restart after kill -9" minod "$round" "$(first_answer "$work/node/log" "${node[@]}")"
  done
  stop_started TERM  # which writes a checkpoint
  for round in $(seq 1 "$rounds"); do
    seconds=$(first_answer "$work/node/log" "${node[@]}")
    has_all "$keys"
    note restart.checkpoint "$seconds" && tell "restart with a checkpoint" minod "$round" "$seconds"
    stop_started KILL
  done
  for round in $(seq 1 "$rounds"); do
    rm -f "$work"/node/data/db*/checkpoint.* "$work"/node/data/db*/*.hint
    seconds=$(first_answer "$work/node/log" "${node[@]}" --checkpoint-bytes 0)
    has_all "$keys"
    note restart.log "$seconds" && tell "restart from the log alone" minod "$round" "$seconds"
    stop_started KILL
  done
  rm -rf "$work/node"
  first_answer "$work/redis/log" "${redis[@]}" --appendonly yes --appendfsync no >/dev/null
  load "$keys" 100
  redis-cli -p 17441 save >/dev/null
  stop_started TERM
  for round in $(seq 1 "$rounds"); do
    seconds=$(first_answer "$work/redis/log" "${redis[@]}" --appendonly no)
    has_all "$keys"
    note restart.rdb "$seconds" && tell "restart with a checkpoint" redis "$round" "$seconds"
    tell "restart after kill -9" redis "$round" "$seconds"
    stop_started KILL
  done
  seconds=$(first_answer "$work/redis/log" "${redis[@]}" --appendonly yes)
  has_all "$keys"
  note restart.aof "$seconds" && tell "restart from the log alone" redis 1 "$seconds"
  stop_started KILL
  say "with a checkpoint $(middle restart.checkpoint), redis from its RDB $(middle restart.rdb);" \
    "from the log alone $(middle restart.log), redis from its AOF $(middle restart.aof)"
}

cache() {
  local equal
  MINOD_BIN=$bin BENCH_DIR=$work "$top/bench/cache.sh" | tee "$work/cache.out"
  for equal in budget data; do
    tell "hit ratio, Zipf 0.99, equal $equal" minod 1 "$(sed -n 's/^minod.*hit ratio \([0-9.]*\).*/\1/p' "$work/cache.out")"
    tell "hit ratio, Zipf 0.99, equal $equal" redis 1 \
      "$(sed -n "s/^redis.*equal $equal .*hit ratio \([0-9.]*\).*/\1/p" "$work/cache.out")"
  done
}

say "machine: $(nproc) cores, $(uname -r); $("$bin/minod" --version | head -1); $(fio --version); $(df --output=fstype "$work" | tail -1)"
for part in "${@:-commit append get restart latency pauses cache}"; do
  for one in $part; do
    begin_step "$one"
    "$one"
    end_step
  done
done
perl "$top/bench/report.pl" "$out"
