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

# minod_version BIN TOP
minod_version() { printf '%s %s' "$("$1/minod" --version | head -1)" "$(git -C "$2" describe --always --dirty 2>/dev/null || true)"; }
