#!/usr/bin/env bash
# minod beside its peers, in one run and in alternating rounds; writes docs/BENCHMARKS.md. Nothing here is a test.
#   bench/run.sh [--quick] [--rounds N] [--seconds S] [--keys "N N ..."] [--dir DIR] [PART...]
# --quick: short, with few keys, into build/bench instead of docs. --dir: where servers keep their data. A part's numbers
# stay in docs/bench/PART.tsv, so the parts can be run one by one, on different days; `report` writes the page again.
set -euo pipefail

top=$(cd "$(dirname "$0")/.." && pwd)
bin=${MINOD_BIN:-$top/build/release/bin}
all_parts="kv beside curve compaction keys shards durable cost"
quick=no rounds= seconds= key_counts= directory=$top/build parts=()
while [ $# != 0 ]; do
  case $1 in
    --quick) quick=yes ;;
    --rounds) rounds=$2 && shift ;;
    --seconds) seconds=$2 && shift ;;
    --keys) key_counts=$2 && shift ;;
    --dir) directory=$2 && shift ;;
    all) parts+=($all_parts) ;;
    restart | memory | growth) parts+=(keys) ;;
    kv | beside | curve | compaction | keys | shards | durable | cost | report) parts+=("$1") ;;
    *)
      printf 'bench: no part %s; there are all, %s, storage, report\n' "$1" "${all_parts// /, }" >&2
      exit 2
      ;;
  esac
  shift
done
[ ${#parts[@]} != 0 ] || parts=($all_parts)
if [ $quick = yes ]; then
  out=$top/build/bench
  : "${rounds:=1}" "${seconds:=0.5}" "${key_counts:=20000 100000}"
  keys=50000 settle=0.2
else
  out=$top/docs
  : "${rounds:=5}" "${seconds:=2}" "${key_counts:=100000 1000000 10000000}"
  keys=1000000 settle=0.5
fi
mkdir -p "$out/bench"
work=$(mktemp -d "$directory/bench.XXXXXX")

# shellcheck source=/dev/null
for library in table servers measure part_kv part_load part_keys part_durable part_cost; do . "$top/bench/$library.sh"; done
trap 'stop_all; rm -rf "$work"' EXIT

for part in "${parts[@]}"; do
  [ "$part" != report ] || continue
  began=$SECONDS
  say "$part, $rounds rounds"
  begin_part "$part"
  "part_$part"
  stop_all
  end_part
  say "$part took $((SECONDS - began)) s"
done
perl "$top/bench/report.pl" "$out"
say "see $out/BENCHMARKS.md"
