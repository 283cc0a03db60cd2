# Small writes that are on the disk when they are acknowledged, by 50 clients, against other stores of this kind. The
# tools differ, as do the interfaces: RocksDB is a library, and its figures have no network in them.

rocksdb_puts() {  # ROUND
  local threads line
  for threads in 1 50; do
    line=$(db_bench --benchmarks=fillrandom --sync=1 --threads="$threads" --num="$((seconds_whole * 1500))" \
      --key_size=16 --value_size=100 --compression_type=none --histogram=1 --db="$work/rocksdb" 2>&1)
    note "c=$threads" rocksdb "$1" rps "$(sed -n 's/^fillrandom .* \([0-9]*\) ops\/sec.*/\1/p' <<<"$line" | head -1)"
    note "c=$threads" rocksdb "$1" p50 "$(sed -n 's/^Percentiles: P50: \([0-9.]*\).*/\1/p' <<<"$line" | head -1)"
    note "c=$threads" rocksdb "$1" p99 "$(sed -n 's/^Percentiles:.* P99: \([0-9.]*\).*/\1/p' <<<"$line" | head -1)"
    rm -rf "$work/rocksdb"
  done
}

# Its own load of this name offers 8000 writes a second, more than it takes here.
etcd_puts() {
  local client=http://127.0.0.1:$((next_port + 1)) peer=http://127.0.0.1:$((next_port + 2)) found
  next_port=$((next_port + 3))
  mkdir -p "$work/etcd"
  run_server etcd etcd --data-dir "$work/etcd/data" --listen-client-urls "$client" --advertise-client-urls "$client" \
    --listen-peer-urls "$peer" --initial-advertise-peer-urls "$peer" --initial-cluster "default=$peer"
  export ETCDCTL_API=3
  await 30 etcdctl --endpoints "$client" endpoint health >/dev/null 2>&1 || fail "etcd does not answer"
  found=$({ etcdctl --endpoints "$client" check perf --load=l 2>&1 || true; } | tr '\r' '\n' |
    sed -n 's/.*[Tt]hroughput.* \([0-9]*\) writes\/s.*/\1/p' | tail -1)
  note "c=200 (etcdctl check perf)" etcd 1 rps "$found"
  stop etcd
}

part_durable() {
  local system round clients seconds_whole=${seconds%.*}
  [ "${seconds_whole:-0}" -gt 0 ] || seconds_whole=1
  for system in minod redis-always; do start "$system"; done
  for round in $(seq "$rounds"); do
    for clients in 1 50; do
      for system in minod redis-always; do
        measure "c=$clients" "$system" "$round" --mix set --connections "$clients"
      done
    done
    if command -v db_bench >/dev/null; then rocksdb_puts "$round"; fi
  done
  if [ $quick = no ] && command -v etcd >/dev/null && command -v etcdctl >/dev/null; then etcd_puts; fi
}
