#!/bin/sh
# One cell of a rod, one step of time: the mean of itself and its neighbours a step before.
# usage: sh steps/heat.sh STEP CELL    cells 1 to 20; step 0 lays the hot end down
set -eu
step=$1
cell=$2
mkdir -p out/heat
if [ "$step" -eq 0 ]; then
    degrees=20
    if [ "$cell" -le 5 ]; then degrees=100; fi
else
    before=$((step - 1))
    set --
    for near in $((cell - 1)) "$cell" $((cell + 1)); do
        if [ "$near" -ge 1 ] && [ "$near" -le 20 ]; then set -- "$@" "out/heat/$before-$near"; fi
    done
    degrees=$(LC_ALL=C awk '{ sum += $1 } END { printf "%.3f", sum / NR }' "$@")
fi
echo "$degrees" > "out/heat/$step-$cell"
echo "step $step, cell $cell: $degrees degrees"
