#!/usr/bin/env bash
# What minod promises, shown on this machine: every package that apt knows goes in as JSON and is read back; then the
# node is killed under load, and every write that it acknowledged must be there when it has started again.
# ./dev demo [SECONDS]: how long it is loaded before it is killed; default 5. Exit status 1: something was missing.
set -euo pipefail
cd "$(dirname "$0")/.."

seconds=${1:-5}
minod=${MINOD_BINARY:-build/release/bin/minod}
[ -x "$minod" ] || { echo "demo: no $minod; build it first: ./dev build" >&2; exit 2; }
for tool in perl apt-cache redis-cli; do
  command -v $tool >/dev/null || { echo "demo: needs $tool" >&2; exit 2; }
done

directory=$(mktemp -d "${TMPDIR:-/tmp}/minod-demo-XXXXXX")
server=
trap '[ -z "$server" ] || kill -9 $server 2>/dev/null; rm -rf "$directory"' EXIT
port=$(perl -MIO::Socket::INET -e 'print IO::Socket::INET->new(Listen => 1, LocalAddr => "127.0.0.1:0")->sockport')

say() { printf '\n%s\n' "$*"; }
now() { date +%s.%N; }
since() { perl -e 'printf "%.2f", $ARGV[1] - $ARGV[0]' "$1" "$(now)"; }
step() { perl tools/demo.pl "$1" "$port" "$directory" "${@:2}"; }
on_disk() { du -sh "$directory/data" | cut -f1; }

start() {
  local begin
  begin=$(now)
  "$minod" --dir "$directory/data" --port "$port" --compression-type zstd "$@" >>"$directory/log" 2>&1 &
  server=$!
  disown  # so that the shell does not tell of its end
  until [ "$(redis-cli -p "$port" ping 2>/dev/null)" = PONG ]; do
    kill -0 $server 2>/dev/null || { cat "$directory/log" >&2; exit 1; }
    sleep 0.01
  done
  echo "  ready after $(since "$begin") s"
}

say "1. Start, appendfsync always: a write is acknowledged when it is on the disk"
start

say "2. Every package that apt knows, as JSON"
apt-cache dumpavail >"$directory/available"
step convert
step load
echo "  on disk, compressed: $(on_disk)"

say "3. Read all of them back"
step compare

say "4. Write for $seconds s from 4 connections, then kill -9"
step write "$seconds" &
writer=$!
sleep "$seconds"
kill -9 $server
wait $writer

say "5. Start again"
start
grep -o 'restart:.*' "$directory/log" | tail -1 | sed 's/^/  /'

say "6. Is every acknowledged write there?"
step check
step compare

say "Nothing is missing. On disk: $(on_disk)"
