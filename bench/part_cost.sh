# Instructions per request: by the processor's counters, user and kernel apart; where a virtual machine has none, those
# of the program alone, counted by callgrind. They vary by a percent where times vary by tens.

have_counters() { perf stat -x, -e instructions:u true 2>&1 | grep -q '^[0-9]'; }

counted_by_perf() {  # ROW SYSTEM ROUND OPTION...
  perf stat -x, -e instructions:u,instructions:k -o "$work/perf" -p "${pid_of[$2]}" \
    "$bin/minod-bench" -p "${port_of[$2]}" -k "$keys" --duration 0 --requests "$requests" "${@:4}" >/dev/null 2>&1
  note "$1" "$2" "$3" instructions "$(awk -F, -v n="$requests" '/instructions:u/ {printf "%.0f", $1 / n}' "$work/perf")"
  note "$1" "$2" "$3" kernel "$(awk -F, -v n="$requests" '/instructions:k/ {printf "%.0f", $1 / n}' "$work/perf")"
}

counted_by_callgrind() {  # ROW SYSTEM ROUND OPTION...
  local pid=${pid_of[$2]}
  callgrind_control -z "$pid" >/dev/null 2>&1
  bench "$2" --duration 0 --requests "$requests" "${@:4}"
  rm -f "$work"/callgrind.*
  callgrind_control -d "$pid" >/dev/null 2>&1
  note "$1" "$2" "$3" instructions "$(cat "$work"/callgrind.* | awk -v n="$requests" '/^totals:/ {printf "%.0f", $2 / n}')"
}

# The generators themselves: what twice the requests cost more.
note_generator() {  # ROW NAME ROUND COMMAND...
  local few more
  collected() { valgrind --tool=callgrind --callgrind-out-file=/dev/null "$@" 2>&1 | sed -n 's/.*Collected : //p'; }
  few=$(collected "${@:4}" -n 20000)
  more=$(collected "${@:4}" -n 40000)
  note "$1" "$2" "$3" instructions $(((more - few) / 20000))
}

part_cost() {
  local systems="minod redis-always redis-noaof" system operation pipeline count=counted_by_perf requests=200000
  local rounds=1 keys=100000 options=()
  have_counters || count=counted_by_callgrind
  if [ $count = counted_by_callgrind ]; then
    command -v valgrind >/dev/null || { say "neither counters nor valgrind: no instructions are counted" && return; }
    requests=20000
    prefix=(valgrind --tool=callgrind "--callgrind-out-file=$work/callgrind")
  fi
  printf '# counted\t%s\n' "$([ $count = counted_by_perf ] && echo "by the processor" || echo "by callgrind, user only")" \
    >>"$table"
  for system in $systems; do
    options=()
    [ "$system" != minod ] || options=(--disk-poll-us 0 --write-mode dsync)  # it looks for the disk while it waits
    start "$system" "${options[@]}"
    load "$system"
    for operation in get set; do
      for pipeline in 1 16 64; do
        $count "server, $operation P=$pipeline" "$system" 1 --mix "$operation" --pipeline "$pipeline" --lockstep
      done
    done
    stop "$system"
  done
  prefix=()
  if ! command -v valgrind >/dev/null; then return; fi
  start redis-noaof
  local port=${port_of[redis-noaof]}
  for operation in get set; do
    for pipeline in 1 16; do
      note_generator "generator, $operation P=$pipeline" minod-bench 1 "$bin/minod-bench" -p "$port" -d 0 --lockstep \
        --mix "$operation" -P "$pipeline" -k 100000
      note_generator "generator, $operation P=$pipeline" redis-benchmark 1 redis-benchmark -p "$port" -t "$operation" \
        -P "$pipeline" -c 50 -d 100 -r 100000 -q
    done
  done
}
