#!/usr/bin/env bash
# The hit ratio of minod's cache mode beside redis allkeys-lru, on one trace: GET keys of a Zipf distribution, SET what
# is missing (bench/cache_trace.cc). Two meanings of "equal bytes", because Redis counts memory and minod files:
#   equal budget   maxmemory = maxdisk. Each pays its own overhead out of it: Redis about 100 bytes a key, minod record
#                  headers, the segment being filled, the one prepared ahead, and what it must free in advance.
#   equal data     redis gets so much more maxmemory that it holds as many bytes of keys and values as maxdisk has bytes:
#                  its overhead is free, minod's is not.
#   bench/cache.sh      KEYS=1000000 VALUE=400 REQUESTS=4000000 BUDGET_MB=64 THETA=0.99 to change it
set -eu

top=$(cd "$(dirname "$0")/.." && pwd)
bin=${MINOD_BIN:-$top/build/release/bin}
keys=${KEYS:-1000000} value=${VALUE:-400} requests=${REQUESTS:-4000000} budget_mb=${BUDGET_MB:-64} theta=${THETA:-0.99}
work=$(mktemp -d "${BENCH_DIR:-$top/build}/cache.XXXXXX")
pids=()
trap 'kill -9 "${pids[@]}" 2>/dev/null; wait 2>/dev/null; rm -rf "$work"' EXIT

wait_for() {  # port
  for _ in $(seq 1 600); do
    [ "$(redis-cli -p "$1" ping 2>/dev/null)" = PONG ] && return 0
    sleep 0.05
  done
  echo "the server on port $1 did not answer" >&2
  exit 1
}
field() { redis-cli -p "$1" info | tr -d '\r' | awk -F: -v name="$2" '$1 == name {print $2}'; }
start_redis() {  # port bytes
  redis-server --enable-debug-command local --port "$1" --save '' --appendonly no --maxmemory "$2" --maxmemory-policy allkeys-lru --dir "$work" \
    >"$work/redis.$1.log" 2>&1 &
  pids+=($!)
  wait_for "$1"
}
row() {  # name port bytes
  local ratio refused held
  read -r ratio refused < <("$bin/cache_trace" "$2" "$keys" "$value" "$requests" "$theta")
  held=$(redis-cli -p "$2" dbsize)
  printf '%-34s limit %11d  hit ratio %s  keys held %7d  evicted %8d  refused %d\n' "$1" "$3" "$ratio" "$held" \
    "$(field "$2" evicted_keys)" "$refused"
  last_ratio=$ratio
}

data=$((16 + value))
budget=$((budget_mb << 20))
echo "== $requests requests over $keys keys, Zipf $theta; key and value have $data bytes; second half counted"

# What Redis takes for one key, and for none, measured.
start_redis 17432 0
empty=$(field 17432 used_memory)
redis-cli -p 17432 debug populate 100000 key:000000 "$value" >/dev/null
each=$((($(field 17432 used_memory) - empty) / 100000))
echo "redis takes $each bytes for such a key beside $empty bytes for itself"

"$bin/minod" --port 17431 --dir "$work/minod" --loglevel warning --maxdisk "$budget" --maxdisk-policy allkeys-segment \
  >"$work/minod.log" 2>&1 &
pids+=($!)
wait_for 17431
row "minod allkeys-segment" 17431 "$budget"
minod_ratio=$last_ratio
echo "  minod_disk_bytes $(field 17431 minod_disk_bytes), on disk $(du -sb --apparent-size "$work/minod" | cut -f1)," \
  "kept again $(field 17431 minod_disk_kept_records) records in $(field 17431 minod_disk_evicted_segments) segments"
start_redis 17433 "$budget"
row "redis allkeys-lru, equal budget" 17433 "$budget"
awk -v a="$minod_ratio" -v b="$last_ratio" 'BEGIN {printf "  minod / redis: %.3f\n", a / b}'
equal=$((budget / data * each + empty))
start_redis 17434 "$equal"
row "redis allkeys-lru, equal data" 17434 "$equal"
awk -v a="$minod_ratio" -v b="$last_ratio" 'BEGIN {printf "  minod / redis: %.3f\n", a / b}'
