#!/bin/sh
# Lays each letter on the desk into the tray of the person it is for.
set -eu
for letter in out/post/desk/*.txt; do
    [ -e "$letter" ] || continue
    read -r _ person _ < "$letter"
    tray="out/post/trays/${person%,}"
    mkdir -p "$tray"
    mv "$letter" "$tray/"
    echo "sorted: $(basename "$letter") to ${person%,}"
done
