# The tables that report.pl reads: # NAME<tab>VALUE lines about the run, then ROW, SYSTEM, ROUND, METRIC, VALUE. Sourced
# by what measures, which sets $work and $rounds.

# table_facts VERSIONS
table_facts() {
  printf '# date\t%s\n' "$(date -u +%Y-%m-%d)"
  printf '# machine\t%s x %s, %s GiB, Linux %s, %s\n' "$(nproc)" \
    "$(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -1)" \
    "$(awk '/^MemTotal/ {printf "%.0f", $2 / 1048576}' /proc/meminfo)" "$(uname -r)" \
    "$(df --output=fstype "$work" | tail -1)"
  printf '# versions\t%s\n' "$1"
  printf '# rounds\t%s\n' "$rounds"
  printf '# load\t%s\n' "$(uptime | sed 's/.*load average: //')"
}

# minod_version BIN TOP: what earlier parts have written to docs/ makes no other program.
minod_version() {
  local commit
  commit=$(git -C "$2" describe --always 2>/dev/null || true)
  git -C "$2" diff --quiet HEAD -- . ':!docs' 2>/dev/null || commit+=-dirty
  printf '%s %s' "$("$1/minod" --version | head -1)" "$commit"
}
