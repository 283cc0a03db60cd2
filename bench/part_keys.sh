# What grows with the number of keys: memory, the time of a restart, the cost of a request.

# timed_start ROW METRIC SYSTEM ROUND OPTION...: seconds from the start of the process to its first answer.
timed_start() {
  local began
  began=$(date +%s.%N)
  start "$3" "${@:5}"
  note "$1" "${3%@*}" "$4" "$2" "$(difference "$(date +%s.%N)" "$began")"
}

# Waits until the node has written what it writes by itself: hints of what is sealed, a checkpoint when one is due.
settle_minod() {
  local before=- now
  for _ in $(seq 60); do
    now=$(cd "$work/minod/data/db0-0" && { ls -l --time-style=+ ./*.hint checkpoint.* 2>/dev/null || true; } | md5sum)
    [ "$now" != "$before" ] || return 0
    before=$now
    sleep 1
  done
}

note_requests() {  # ROW SYSTEM ROUND
  local operation
  for operation in get set; do
    measure "$1, $operation" "$2" "$3" --mix "$operation" --pipeline 16 --lockstep
  done
}

# The index must fit --maxmemory, with room for little more: what it is for is data that is larger than memory.
keys_of_minod() {  # ROUND
  local row="$keys keys" derived=$work/minod/data/db0-0 aside=$work/aside
  local options=(--maxmemory "$((128 + keys * 40 / 1048576))mb")
  start minod "${options[@]}"
  load minod -c 16
  settle_minod
  note "$row" minod "$1" rss "$(rss_mib minod)"
  note_requests "$row" minod "$1"
  settle_minod
  stop minod
  timed_start "$row" restart_kill minod "$1" "${options[@]}"
  settle_minod
  stop minod
  mkdir -p "$aside" && mv "$derived"/checkpoint.* "$derived"/*.hint "$aside/" 2>/dev/null || true
  timed_start "$row" restart_log minod "$1" "${options[@]}" --checkpoint-bytes 0
  stop minod
  rm -rf "$work/minod" "$aside"
}

keys_of_redis() {  # ROUND
  local row="$keys keys"
  start redis-no --aof-use-rdb-preamble no --auto-aof-rewrite-percentage 0
  load redis-no -c 16
  note "$row" redis-no "$1" rss "$(rss_mib redis-no)"
  note_requests "$row" redis-no "$1"
  redis-cli -p "${port_of[redis-no]}" save >/dev/null
  mkdir -p "$work/redis-noaof" && mv "$work/redis-no/dump.rdb" "$work/redis-noaof/"
  stop redis-no
  timed_start "$row" restart_kill redis-no "$1" --aof-use-rdb-preamble no --auto-aof-rewrite-percentage 0
  stop redis-no
  timed_start "$row" restart_kill redis-noaof "$1"
  stop redis-noaof
  rm -rf "$work/redis-no" "$work/redis-noaof"
}

# Does not speak the Redis protocol: only its memory is looked at.
keys_of_memcached() {  # ROUND
  start memcached
  perl -MIO::Socket::INET -e '
    my $socket = IO::Socket::INET->new(PeerAddr => "127.0.0.1", PeerPort => $ARGV[0]) or die "memcached: $!";
    printf $socket "set key:%012d 0 0 100 noreply\r\n%s\r\n", $_, "x" x 100 for 0 .. $ARGV[1] - 1;
    print $socket "version\r\n"; $socket->flush; <$socket>' "${port_of[memcached]}" "$keys"
  note "$keys keys" memcached "$1" rss "$(rss_mib memcached)"
  stop memcached
}

part_keys() {
  local round keys redis_keys_max
  redis_keys_max=$(awk '/^MemAvailable/ {print int($2 / 2 / 0.25)}' /proc/meminfo)  # 250 bytes each, half of the memory
  for keys in $key_counts; do
    # The greatest numbers take minutes to load, and vary little.
    for round in $(seq "$([ "$keys" -gt 20000000 ] && echo 1 || echo "$rounds")"); do
      keys_of_minod "$round"
      [ "$keys" -gt "$redis_keys_max" ] || keys_of_redis "$round"
      if [ "$keys" -le 10000000 ] && command -v memcached >/dev/null; then keys_of_memcached "$round"; fi
    done
  done
}
