# The systems under test: each has a name, by which it is started, measured and stopped. Several stand side by side.
declare -A pid_of port_of
next_port=${BENCH_PORT:-17400}
prefix=()  # what a system is run under

say() { printf 'bench: %s\n' "$*" >&2; }
fail() { say "$*" && exit 1; }

answers() { [ "$(redis-cli -p "$1" ping 2>/dev/null)" = PONG ]; }

# await SECONDS COMMAND...: until the command succeeds.
await() {
  local deadline=$(($(date +%s) + $1))
  shift
  until "$@"; do
    [ "$(date +%s)" -lt "$deadline" ] || return 1
    sleep 0.005
  done
}

# start NAME [OPTION...]: waits until it answers. The name says what it is and how durable; what follows '@' in it only
# tells two of a kind apart. A directory that is there is used again.
start() {
  local name=$1 data=$work/$1 port=$next_port
  shift
  next_port=$((next_port + 1))
  mkdir -p "$data"
  local redis=(redis-server --port "$port" --dir "$data" --daemonize no --loglevel warning --save '')
  local minod=("$bin/minod" --port "$port" --dir "$data/data" --loglevel warning --maxmemory 2gb)
  case ${name%@*} in
    minod) run_server "$name" "${minod[@]}" "$@" ;;
    minod-no) run_server "$name" "${minod[@]}" --appendfsync no "$@" ;;
    redis-noaof) run_server "$name" "${redis[@]}" --appendonly no "$@" ;;
    redis-always | redis-everysec | redis-no)
      local policy=${name%@*}
      run_server "$name" "${redis[@]}" --appendonly yes --appendfsync "${policy#redis-}" "$@"
      ;;
    memcached) run_server "$name" memcached -p "$port" -U 0 -l 127.0.0.1 -u root -m 8192 "$@" ;;
    *) fail "no system is called $name" ;;
  esac
  port_of[$name]=$port
  [ "$name" != memcached ] || { sleep 0.5 && return; }
  await 300 answers "$port" || fail "$name does not answer; see $data/log"
}

run_server() {  # NAME COMMAND...
  local name=$1
  shift
  "${prefix[@]}" "$@" >"$work/$name/log" 2>&1 &
  pid_of[$name]=$!
}

stop() {  # NAME [SIGNAL]
  [ -n "${pid_of[$1]:-}" ] || return 0
  kill "-${2:-KILL}" "${pid_of[$1]}" 2>/dev/null || true
  wait "${pid_of[$1]}" 2>/dev/null || true
  unset "pid_of[$1]"
}

stop_all() {
  local name
  for name in "${!pid_of[@]}"; do stop "$name"; done
  rm -rf "${work:?}"/*
}

rss_mib() { awk '/^VmRSS/ {printf "%.1f", $2 / 1024}' "/proc/${pid_of[$1]}/status"; }

# Seconds of processor time: of all threads of a system; of its busiest shard.
cpu_seconds() { cat "/proc/${pid_of[$1]}"/task/*/schedstat | awk '{sum += $1} END {printf "%.6f", sum / 1e9}'; }
shard_cpu_seconds() {
  local task
  for task in "/proc/${pid_of[$1]}"/task/*; do
    case $(cat "$task/comm") in shard-*) cat "$task/schedstat" ;; esac
  done | awk '{if ($1 > most) most = $1} END {printf "%.6f", most / 1e9}'
}
