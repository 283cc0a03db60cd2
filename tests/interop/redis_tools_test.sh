#!/usr/bin/env bash
# redis-cli in its modes and redis-benchmark, against minod. Run by ctest, which sets MINOD_BINARY; 77 is a skip.
set -u

for tool in redis-cli redis-benchmark; do
  command -v $tool >/dev/null || { echo "SKIPPED: no $tool"; exit 77; }
done
[ -x "${MINOD_BINARY:-}" ] || { echo "SKIPPED: MINOD_BINARY is not set"; exit 77; }

directory=$(mktemp -d "$PWD/live-XXXXXX")
port=$((20000 + RANDOM % 12000))
"$MINOD_BINARY" --dir "$directory/data" --port $port >"$directory/log" 2>&1 &
server=$!
trap 'kill -9 $server 2>/dev/null; rm -rf "$directory"' EXIT

failures=0
# check WHAT EXPECTED ACTUAL; EXPECTED is a glob
check() {
  # shellcheck disable=SC2053
  if [[ $3 == $2 ]]; then
    echo "ok      $1"
  else
    printf 'FAILED  %s\n  expected %s\n  got      %s\n' "$1" "$2" "${3:0:500}"
    failures=$((failures + 1))
  fi
}
cli() { timeout 20 redis-cli -p $port "$@" 2>&1; }

for _ in $(seq 200); do
  [ "$(cli ping)" = PONG ] && break
  kill -0 $server 2>/dev/null || { cat "$directory/log"; exit 1; }
  sleep 0.05
done

check 'one command' OK "$(cli set greeting hello)"
check 'its reply' hello "$(cli get greeting)"
check 'a null' '' "$(cli get nothing)"
check 'an error' 'ERR value is not an integer or out of range*' "$(cli incr greeting)"
check 'an error code' 1 "$(cli -e incr greeting >/dev/null; echo $?)"
check 'a database' OK "$(cli -n 7 set here 1)"
check 'the other database' '' "$(cli get here)"
check 'binary from stdin' OK "$(head -c 3000 /dev/zero | cli -x set zeros)"
check 'its size' 3000 "$(cli strlen zeros)"
check 'RESP3' '1#*server*proto*3*' "$(cli -3 --no-raw hello | tr '\n' ' ')"
check 'RESP3 values' hello "$(cli -3 get greeting)"
check 'commands from stdin' 'OK 6 ' "$(printf 'set n 5\nincr n\n' | cli | tr '\n' ' ')"
check 'quoted words' 'two words' "$(printf 'set q "two words"\nget q\n' | cli | tail -1)"
check 'repeat' '1 2 3 ' "$(cli -r 3 incr counted | tr '\n' ' ')"
check 'json' '*\"proto\":3*' "$(cli --json hello 3)"

for i in $(seq 1000); do printf 'SET mass:%d value-%d\r\n' "$i" "$i"; done >"$directory/inline"
check 'mass insert of lines' '*errors: 0, replies: 1000*' "$(cli --pipe <"$directory/inline" | tr '\n' ' ')"
perl -e 'for (1 .. 20000) { my $v = "v" x ($_ % 300);
  printf "*3\r\n\$3\r\nSET\r\n\$%d\r\nbulk:%d\r\n\$%d\r\n%s\r\n", length("bulk:$_"), $_, length $v, $v }' >"$directory/resp"
check 'mass insert of requests' '*errors: 0, replies: 20000*' "$(cli --pipe <"$directory/resp" | tr '\n' ' ')"
check 'its last value' 200 "$(cli strlen bulk:20000)"

check 'scan' 1000 "$(cli --scan --pattern 'mass:*' | sort -u | wc -l)"
check 'scan of all' "$(cli dbsize)" "$(cli --scan | sort -u | wc -l)"
check 'biggest keys' '*Biggest string found*zeros*has 3000 bytes*' "$(cli --bigkeys -i 0 | tr '\n' ' ')"
check 'memory by key' '*Biggest string found*bytes*' "$(cli --memkeys -i 0 | tr '\n' ' ')"
# Without a terminal it prints one line: the least, the most, the average, the number of samples.
check 'latency' '[0-9]* [0-9]* [0-9]*.[0-9]* [1-9]*' "$(cli --latency)"
check 'latency history' '*[0-9]* [0-9]* [0-9]*.[0-9]* [1-9]*' \
  "$(timeout -s INT 3 stdbuf -oL redis-cli -p $port --latency-history -i 1 2>&1 | tr '\n' ' ')"
check 'statistics' '*keys*mem*clients*requests*[0-9]*' \
  "$(timeout -s INT 2 stdbuf -oL redis-cli -p $port --stat -i 0.3 2>&1 | tr '\n' ' ')"
check 'help for a command' '*' "$(printf 'help set\n' | cli | head -1)"
check 'info' 'redis_version:7.*' "$(cli info server | tr -d '\r' | grep redis_version)"
check 'commands described' '*' "$(cli command docs get | head -1)"
check 'number of commands' '[1-9]*' "$(cli command count)"

for test in set get incr mset; do
  output=$(timeout 60 redis-benchmark -p $port -q -n 20000 -P 16 -d 100 -r 10000 -t $test 2>&1 | tr '\r' '\n' | grep 'requests per second')
  check "benchmark $test" '*requests per second*' "$output"
  echo "        $output"
done
check 'benchmark of one command' '*requests per second*' \
  "$(timeout 60 redis-benchmark -p $port -q -n 2000 -P 16 getrange greeting 0 -1 2>&1 | tr '\r' '\n' | tail -2 | tr '\n' ' ')"

check 'shutdown' '' "$(cli shutdown)"
wait $server
check 'its exit status' 0 $?
exit $((failures > 0))
