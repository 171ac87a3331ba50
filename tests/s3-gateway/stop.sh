#!/usr/bin/env bash
# stop.sh ROOT DIRECTORY
# Ends the processes that start.sh has started, by their ids. Their data is in memory, so that an orderly end, which waits for the other processes, keeps nothing.
set -uo pipefail
for file in "$1/$2"/run/*.pid; do
  [ -e "$file" ] && kill -KILL "$(cat "$file")" 2>/dev/null
done
exit 0
