#!/bin/sh
# Takes whatever lies in the inbox to the desk. An empty inbox is no failure.
set -eu
mkdir -p out/post/inbox out/post/desk
n=0
for letter in out/post/inbox/*.txt; do
    [ -e "$letter" ] || continue
    mv "$letter" out/post/desk/
    n=$((n + 1))
done
echo "look ${HANDMILL_PASS:-}: $n new"
