# Latency beside other work: one reader beside durable writers, latency at each rate, and under compaction.

# read_beside ROW SYSTEM ROUND [OPTION...]: GET by one client, beside the load that the options describe.
read_beside() {
  local load_pid=
  if [ $# -gt 3 ]; then
    "$bin/minod-bench" -p "${port_of[$2]}" --mix set --warmup 0 --duration 600 "${@:4}" >/dev/null 2>&1 &
    load_pid=$!
    sleep "$settle"
  fi
  measure "$1" "$2" "$3" --mix get --connections 1
  [ -z "$load_pid" ] || { kill "$load_pid" && wait "$load_pid" 2>/dev/null; } || true
}

part_beside() {
  local systems="minod minod-no redis-always redis-noaof" system round
  for system in $systems; do start "$system" && load "$system"; done
  for round in $(seq "$rounds"); do
    for system in $systems; do read_beside "alone" "$system" "$round"; done
    for system in $systems; do
      read_beside "beside 50 SET clients" "$system" "$round" -c 50 --keys "$keys"
    done
    for system in $systems; do
      read_beside "beside 8 SET clients of 16 KiB values" "$system" "$round" -c 8 --keys 5000 --value 16kb \
        --key-prefix big:
    done
  done
}

# Open loop, so that a latency is what clients see who come at that rate.
part_curve() {
  local systems="minod redis-always redis-noaof" system round rate rates="5000 10000 20000 30000 40000 50000 60000 70000"
  [ $quick = no ] || rates="5000 20000 40000"
  for system in $systems; do start "$system" && load "$system"; done
  for round in $(seq "$rounds"); do
    for operation in set get; do
      for rate in $rates; do
        for system in $systems; do
          measure "$operation at $rate/s" "$system" "$round" --mix "$operation" --rate "$rate" --poisson \
            --pipeline 64
        done
      done
    done
  done
}

# Every key is written again and again, so nearly all of the log is garbage and compaction never rests.
part_compaction() {
  local system length=60 round
  [ $quick = no ] || length=6
  for round in $(seq "$rounds"); do
    for system in minod@compaction minod@no-compaction; do
      start "$system" --segment-bytes 64mb --compaction "$([ "$system" = minod@compaction ] && echo yes || echo no)"
      keys=100000 load "$system" --value 1kb
      keys=100000 seconds=$length measure "get=50,set=50 at 20000/s" "$system" "$round" --mix get=50,set=50 \
        --rate 20000 --poisson --pipeline 64 --value 1kb
      sed -n 's/.*"second": \([0-9]*\), .*"p99_us": \([0-9.]*\).*/\1 \2/p' "$work/report.json" |
        while read -r second p99; do note "second $second" "$system" "$round" p99 "$p99"; done
      note "get=50,set=50 at 20000/s" "$system" "$round" log_mib \
        "$(du -sm "$work/$system/data" | cut -f1)"
      stop "$system"
      rm -rf "${work:?}/$system"
    done
  done
}
