#!/bin/sh
# Draws the cover of the booklet in one of three colours.
# usage: sh steps/cover.sh COLOUR
set -eu
case "${1:-}" in
    blue | green | red) ;;
    *)
        echo "cover: unknown colour '${1:-}'. The paint box holds: blue, green, red." >&2
        echo "cover: edit this node's command to name one of them, then press Shift+R." >&2
        exit 3
        ;;
esac
mkdir -p out/booklet
{
    echo '+----------------------------------------+'
    echo '|                                        |'
    printf '|%26s%14s|\n' 'T H E   M I L L' ''
    echo '|                                        |'
    printf '|%23s%17s|\n' "in $1" ''
    echo '+----------------------------------------+'
} > out/booklet/cover.txt
echo "cover: drawn in $1"
