#!/bin/sh
# node.sh FILE: runs a test written in JavaScript. node.sh --install: makes node_modules as package-lock.json says.
# 77, a skip, when something from outside is missing.
directory=$(dirname "$0")
skip() { echo "SKIPPED: $1"; exit 77; }

command -v node >/dev/null && command -v npm >/dev/null || skip "no node or no npm"

if [ "$1" = --install ]; then
  installed=$directory/node_modules/.package-lock.json
  [ -f "$installed" ] && [ ! "$directory/package-lock.json" -nt "$installed" ] && exit 0
  cd "$directory" || exit 1
  npm ping >/dev/null 2>&1 || skip "npm's registry can't be reached"
  # Not npm ci: it refuses a lock file that another npm wrote for another platform's optional packages.
  npm install --no-save --ignore-scripts --no-audit --no-fund && touch node_modules/.package-lock.json
  exit
fi

[ -x "$MINOD_BINARY" ] || skip "MINOD_BINARY is not set"
[ -d "$directory/node_modules" ] || skip "no node_modules; run $0 --install"
case $1 in
  keyv*) exec node "$directory/node_modules/vitest/vitest.mjs" run --root "$directory" "$1" ;;
  *) exec node --test "$directory/$1" ;;
esac
