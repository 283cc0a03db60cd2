# Requests a second and the server's processor time: closed loop, pipelines as redis-benchmark sends them.

part_kv() {
  local systems="minod minod-no redis-always redis-everysec redis-no redis-noaof" system shape operation round
  for system in $systems; do start "$system" && load "$system"; done
  for round in $(seq "$rounds"); do
    for shape in "50 1" "50 16" "50 64" "1 1"; do
      for operation in set get; do
        for system in $systems; do
          measure "$operation c=${shape% *} P=${shape#* }" "$system" "$round" --mix "$operation" \
            --connections "${shape% *}" --pipeline "${shape#* }" --lockstep
        done
      done
    done
  done
}

# One shard and two. On two processors the generator takes what the second shard would need, so requests a second say
# little; what a shard can do is found from the processor time that the busiest of them took for each request, which is
# the reciprocal of what all together would answer with a generator elsewhere.
part_shards() {
  local shards operation pipeline round row before requests
  for round in $(seq "$rounds"); do
    for shards in 1 2; do
      start "minod@$shards" --shards "$shards" --partitions 2 --disk-poll-us 0
      load "minod@$shards"
      for operation in get set; do
        for pipeline in 1 16 64; do
          row="$operation c=50 P=$pipeline"
          before=$(shard_cpu_seconds "minod@$shards")
          settle=0 measure "$row" "minod@$shards" "$round" --mix "$operation" --pipeline "$pipeline" --lockstep
          requests=$(grep '^    "all"' "$work/report.json" | sed 's/.*"count": \([0-9]*\).*/\1/')
          note "$row" "minod@$shards" "$round" capacity "$(awk -v n="$requests" \
            -v s="$(difference "$(shard_cpu_seconds "minod@$shards")" "$before")" 'BEGIN {printf "%.0f", n / s}')"
        done
      done
      stop "minod@$shards"
      rm -rf "$work/minod@$shards"
    done
  done
}
