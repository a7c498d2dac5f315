#!/bin/sh
# Puts one letter for each name given into the inbox, a moment apart, as a post office would.
# usage: sh steps/deliver.sh morning anna bert
set -eu
round=$1
shift
mkdir -p out/post/inbox
for name in "$@"; do
    sleep 0.1
    # Written under another name first: nobody finds half a letter.
    printf 'to %s, by the %s post\n' "$name" "$round" > "out/post/.$round-$name"
    mv "out/post/.$round-$name" "out/post/inbox/$round-$name.txt"
    echo "delivered: $round-$name"
done
