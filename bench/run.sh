#!/usr/bin/env bash
# minod beside Debian's redis-server, in one run, in alternating rounds: medians of requests a second and of the server's
# CPU time per request. Prints a table; nothing here is a test.
#   bench/run.sh [kv] [mixed] [restart]     (default: all)     ROUNDS=3 REQUESTS=... KEYS=5000000 to change the sizes
set -eu

top=$(cd "$(dirname "$0")/.." && pwd)
bin=${MINOD_BIN:-$top/build/release/bin}
rounds=${ROUNDS:-3}
keys=${KEYS:-5000000}
work=$(mktemp -d "${BENCH_DIR:-$top/build}/bench.XXXXXX")
pids=()
trap 'kill -9 "${pids[@]}" 2>/dev/null; wait 2>/dev/null; rm -rf "$work"' EXIT

say() { printf '%s\n' "$*"; }
wait_for() {  # port
  for _ in $(seq 1 15000); do
    [ "$(redis-cli -p "$1" ping 2>/dev/null)" = PONG ] && return 0
    sleep 0.02
  done
  say "the server on port $1 did not answer" >&2
  exit 1
}
start_minod() {  # name port options...
  local name=$1 port=$2
  shift 2
  mkdir -p "$work/$name"
  "$bin/minod" --port "$port" --dir "$work/$name/data" --loglevel warning "$@" >"$work/$name/log" 2>&1 &
  pids+=($!)
  eval "pid_$name=$!"
  wait_for "$port"
}
start_redis() {  # name port options...
  local name=$1 port=$2
  shift 2
  mkdir -p "$work/$name"
  redis-server --port "$port" --dir "$work/$name" --save '' --daemonize no --loglevel warning "$@" >"$work/$name/log" 2>&1 &
  pids+=($!)
  eval "pid_$name=$!"
  wait_for "$port"
}
pid_of() { eval "printf %s \"\$pid_$1\""; }
cpu_ticks() { awk '{print $14 + $15}' "/proc/$(pid_of "$1")/stat"; }
rss_mib() { awk '/VmRSS/ {printf "%.0f", $2 / 1024}' "/proc/$(pid_of "$1")/status"; }
median() { sort -g | awk '{v[NR] = $1} END {print (NR % 2) ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2}'; }

# one measurement: NAME PORT TEST CLIENTS PIPELINE REQUESTS -> "rps cpu_us_per_request" appended to a file
measure() {
  local before after rps
  before=$(cpu_ticks "$1")
  rps=$(redis-benchmark -p "$2" -t "$3" -c "$4" -P "$5" -n "$6" -d 100 -r 1000000 --csv |
    awk -F'"' 'NR > 1 {print $4}')
  after=$(cpu_ticks "$1")
  awk -v rps="$rps" -v ticks=$((after - before)) -v n="$6" 'BEGIN {printf "%s %.3f\n", rps, ticks * 10000 / n}' \
    >>"$work/result.$1.$3.$4.$5"
}
row() {  # TEST CLIENTS PIPELINE NAME...
  local test=$1 clients=$2 pipeline=$3 name
  shift 3
  printf '%-4s c=%-3s P=%-3s' "$test" "$clients" "$pipeline"
  for name; do
    local file="$work/result.$name.$test.$clients.$pipeline"
    printf ' | %-13s %9.0f/s %6.2f us' "$name" "$(cut -d' ' -f1 "$file" | median)" "$(cut -d' ' -f2 "$file" | median)"
  done
  printf '\n'
}

kv() {
  say "== requests a second and server CPU per request (us), medians of $rounds rounds; 100-byte values, 1M keys"
  start_minod minod 17411
  start_redis redis_always 17412 --appendonly yes --appendfsync always
  start_redis redis_noaof 17413 --appendonly no
  local shape test name port round
  for shape in "50 1 200000" "50 16 1000000" "1 1 20000"; do
    set -- $shape
    for test in set get; do
      for round in $(seq 1 "$rounds"); do
        measure minod 17411 $test "$1" "$2" "$3"
        measure redis_always 17412 $test "$1" "$2" "$3"
        measure redis_noaof 17413 $test "$1" "$2" "$3"
      done
      row $test "$1" "$2" minod redis_always redis_noaof
    done
  done
  kill -9 "${pids[@]}" 2>/dev/null || true
  pids=()
}

latency_beside() {  # name port: GET by one client beside 50 SET clients
  redis-benchmark -p "$2" -t set -c 50 -n 100000000 -d 100 -r 1000000 >/dev/null 2>&1 &
  local load=$!
  sleep 1
  redis-benchmark -p "$2" -t get -c 1 -n "${GETS:-20000}" -r 1000000 --csv | awk -F'"' 'NR > 1 {print $10, $14}' \
    >>"$work/beside.$1"  # p50 and p99, ms
  kill $load 2>/dev/null
  wait $load 2>/dev/null || true
}
mixed() {
  say "== GET by one client beside 50 durable SET clients: p50 and p99 in ms, medians of $rounds rounds"
  start_minod minod 17421
  start_redis redis_always 17422 --appendonly yes --appendfsync always
  local round name
  redis-benchmark -p 17421 -t set -c 50 -P 16 -n 500000 -d 100 -r 1000000 >/dev/null
  redis-benchmark -p 17422 -t set -c 50 -P 16 -n 500000 -d 100 -r 1000000 >/dev/null
  for round in $(seq 1 "$rounds"); do
    latency_beside minod 17421
    latency_beside redis_always 17422
  done
  for name in minod redis_always; do
    printf '%-13s p50 %6.3f  p99 %6.3f\n' $name "$(cut -d' ' -f1 "$work/beside.$name" | median)" \
      "$(cut -d' ' -f2 "$work/beside.$name" | median)"
  done
  kill -9 "${pids[@]}" 2>/dev/null || true
  pids=()
}

load_keys() {  # port
  "$bin/minod-bench" -p "$1" --load --keys "$keys" --value 100 --connections 16 --pipeline 64 --duration 0 \
    >/dev/null 2>&1
}
# Seconds from the start of a server to its first PONG, appended to restart.ROW.
timed_start() {  # ROW minod|redis NAME PORT options...
  local row=$1 kind=$2 begin
  shift 2
  begin=$(date +%s.%N)
  "start_$kind" "$@"
  awk -v a="$begin" -v b="$(date +%s.%N)" 'BEGIN {printf "%.3f\n", b - a}' >>"$work/restart.$row"
}
end_of() {  # SIGNAL NAME
  kill "-$1" "$(pid_of "$2")"
  wait "$(pid_of "$2")" 2>/dev/null || true
}
restart_row() {  # ROW
  printf '%-34s %7.2f s\n' "$1" "$(median <"$work/restart.$1")"
}
# Waits until the node has written what it writes by itself: hints of what is sealed, a checkpoint when one is due.
settle_minod() {  # PORT
  local before=-1 now
  for _ in $(seq 1 120); do
    now=$(cd "$work/minod/data/db0-0" && ls -l --time-style=+ ./*.hint checkpoint.* 2>/dev/null | md5sum)
    [ "$now" != "$before" ] || return 0
    before=$now
    sleep 2
  done
}
restart() {
  say "== restart and memory with $keys keys of 100-byte values"
  local minod_options=(--maxmemory 256mb) derived="$work/minod/data/db0-0"
  local aof=(--appendonly yes --appendfsync no --aof-use-rdb-preamble no --auto-aof-rewrite-percentage 0)
  start_minod minod 17431 "${minod_options[@]}"
  start_redis redis_aof 17432 "${aof[@]}"
  load_keys 17431
  load_keys 17432
  say "keys: minod $(redis-cli -p 17431 dbsize), redis $(redis-cli -p 17432 dbsize)"
  say "RSS after loading: minod $(rss_mib minod) MiB (maxmemory 256mb), redis $(rss_mib redis_aof) MiB"
  redis-cli -p 17432 save >/dev/null
  mkdir -p "$work/redis_rdb"
  mv "$work/redis_aof/dump.rdb" "$work/redis_rdb/"
  settle_minod 17431
  end_of KILL minod
  end_of KILL redis_aof
  local round
  for round in $(seq 1 "$rounds"); do
    timed_start minod-after-kill minod minod 17431 "${minod_options[@]}"
    end_of TERM minod
    timed_start minod-after-a-clean-stop minod minod 17431 "${minod_options[@]}"
    settle_minod 17431
    end_of KILL minod
    rm -rf "$work/derived" && mkdir "$work/derived" && mv "$derived"/checkpoint.* "$work/derived/"
    timed_start minod-hints-only minod minod 17431 "${minod_options[@]}" --checkpoint-bytes 0
    end_of KILL minod
    mv "$derived"/*.hint "$work/derived/"
    timed_start minod-log-only minod minod 17431 "${minod_options[@]}" --checkpoint-bytes 0
    end_of KILL minod
    mv "$work/derived"/* "$derived/"
    timed_start redis-RDB redis redis_rdb 17433 --appendonly no
    end_of KILL redis_rdb
    timed_start redis-AOF redis redis_aof 17432 "${aof[@]}"
    [ "$round" = "$rounds" ] || end_of KILL redis_aof
  done
  say "restart, start of the process to PONG, medians of $rounds rounds:"
  local row
  for row in minod-after-kill minod-after-a-clean-stop minod-hints-only minod-log-only redis-RDB redis-AOF; do
    restart_row "$row"
  done
  timed_start last minod minod 17431 "${minod_options[@]}"
  say "RSS after the restart: minod $(rss_mib minod) MiB, redis $(rss_mib redis_aof) MiB"
  redis-benchmark -p 17431 -t get -c 50 -n 200000 -r "$keys" --csv | awk -F'"' 'NR > 1 {print "random GET from disk: " $4 "/s"}'
  say "RSS after reading: minod $(rss_mib minod) MiB"
  redis-cli -p 17431 info memory | grep -E 'minod_|used_memory_human' || true
  kill -9 "${pids[@]}" 2>/dev/null || true
  pids=()
}

say "machine: $(nproc) cores, $(uname -r); $("$bin/minod" --version | head -1); $(redis-server --version | cut -c1-40)"
for part in "${@:-kv mixed restart}"; do
  for one in $part; do "$one"; done
done
