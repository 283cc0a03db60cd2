# A measurement is a line "row, system, round, metric, value" in the part's table; bench/report.pl makes medians of them.

begin_part() {
  part=$1
  table=$out/bench/$part.new
  {
    printf '# date\t%s\n' "$(date -u +%Y-%m-%d)"
    printf '# machine\t%s x %s, %s GiB, Linux %s, %s\n' "$(nproc)" \
      "$(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -1)" \
      "$(awk '/^MemTotal/ {printf "%.0f", $2 / 1048576}' /proc/meminfo)" "$(uname -r)" \
      "$(df --output=fstype "$work" | tail -1)"
    printf '# versions\t%s\n' "$(versions)"
    printf '# rounds\t%s\n' "$rounds"
    printf '# load\t%s\n' "$(uptime | sed 's/.*load average: //')"
  } >"$table"
}

versions() {
  local commit
  commit=$(git -C "$top" describe --always 2>/dev/null || true)
  # What earlier parts have written to docs/ makes no other program.
  git -C "$top" diff --quiet HEAD -- . ':!docs' 2>/dev/null || commit+=-dirty
  printf '%s %s' "$("$bin/minod" --version | head -1)" "$commit"
  printf '; redis %s' "$(redis-server --version | sed 's/.* v=\([^ ]*\).*/\1/')"
  local package
  for package in memcached etcd-server rocksdb-tools; do
    dpkg-query -W -f '; ${Package} ${Version}' "$package" 2>/dev/null || true
  done
}

# The table of before stays until its successor is whole.
end_part() { mv "$table" "$out/bench/$part.tsv"; }

note() { printf '%s\t%s\t%s\t%s\t%s\n' "$@" >>"$table"; }  # ROW SYSTEM ROUND METRIC VALUE

difference() { awk -v a="$1" -v b="$2" 'BEGIN {printf "%.6f", a - b}'; }

# bench SYSTEM OPTION...: a run of minod-bench, whose report is $work/report.json then.
bench() {
  "$bin/minod-bench" -p "${port_of[$1]}" -k "$keys" --json "$work/report.json" "${@:2}" >/dev/null 2>&1 ||
    say "minod-bench on $1 found errors: $(grep '"errors"' "$work/report.json" | head -c 200)"
}

load() { bench "$1" --load --duration 0 --pipeline 64 "${@:2}"; }

# measure ROW SYSTEM ROUND OPTION...: notes requests a second, latencies, the server's processor time, and how busy the
# generator was.
measure() {
  local row=$1 system=$2 round=$3
  sync -f "$work"  # what another system has left to the page cache is not written back beside this one
  bench "$system" --warmup "$settle" --duration "$seconds" "${@:4}"
  field() { sed -n "s/.*\"$1\": \[*\([0-9.]*\).*/\1/p" "$work/report.json" | head -1; }
  total() { grep '^    "all"' "$work/report.json" | sed -n "s/.*\"$1\": \([0-9.]*\).*/\1/p"; }
  note "$row" "$system" "$round" rps "$(total per_second)"
  note "$row" "$system" "$round" p50 "$(total p50_us)"
  note "$row" "$system" "$round" p99 "$(total p99_us)"
  note "$row" "$system" "$round" p999 "$(total p99.9_us)"
  note "$row" "$system" "$round" cpu "$(field seconds_per_million_requests)"
  note "$row" "$system" "$round" client "$(field cpu_shares)"
}
