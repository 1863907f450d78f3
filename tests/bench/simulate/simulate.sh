#!/bin/bash
# How well `simulate --from` the trace of a run predicts a run with other workers: records,
# predicts, runs, five times, and prints medians. README.md beside it says what was seen.
#
#   ROUNDS=5 WRAP='chrt -r 10' tests/bench/simulate/simulate.sh
#
# WRAP is put before every run: on a busy machine, what gives it the processors.
set -eu
cd "$(dirname "$0")/../../.."
pipemill=$PWD/build/pipemill
rounds=${ROUNDS:-5}
wrap=${WRAP:-}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"

cat > jobs.pipe <<'PIPE'
op nap { sleep 20ms }
op short_nap { sleep 5ms }
op crunch {
  derive a = upper("item {value} of the list")
  derive b = length(replace(a, "I", "xyz")) + value ** 2 % 7
  derive c = sqrt(float(value)) * 3.5 + value / 7
}
op more { derive d = lower(a); where b % 3 != 0 }

# Waits only.
job sleeps { range 1..400 batch 4 | map nap | map short_nap }
# Waits, and one at a time at the end.
job sleeps_capped { range 1..400 batch 4 | map nap | map short_nap @max_concurrent(1) }
# Works only.
job cpu { range 1..2000000 batch 20000 | map crunch | map more }
# Works, and folds in key order.
job cpu_collect {
  range 1..2000000 batch 20000 | map crunch | map more
    | collect { group by b { n = count(), total = sum(c) }; sort by b } | write csv "out.csv"
}
# Both, and more workers than processors.
job mixed { range 1..800000 batch 20000 | map crunch | map nap }
PIPE

# time_us TRACE: how long the recorded run took
time_us() { sed -n 's/.*"time_us":\([0-9]*\).*/\1/p' "$1" | head -n 1; }
median() { sort -n | sed -n "$((rounds / 2 + 1))p"; }

# job, workers of the recorded run, workers to predict
measure() {
    rm -f recorded predicted measured
    for ((k = 0; k < rounds; k++)); do
        $wrap "$pipemill" run jobs.pipe "$1" -q -j "$2" --trace from.json
        "$pipemill" simulate jobs.pipe "$1" --from from.json -j "$3" --json |
            sed -n 's/.*"makespan_us": \([0-9]*\).*/\1/p' >> predicted
        $wrap "$pipemill" run jobs.pipe "$1" -q -j "$3" --trace to.json
        time_us from.json >> recorded
        time_us to.json >> measured
    done
    awk -v job="$1" -v from="$2" -v to="$3" -v r="$(median < recorded)" \
        -v p="$(median < predicted)" -v m="$(median < measured)" 'BEGIN {
        printf "%-14s %2d -> %-2d %10.1f %12.1f %11.1f %+8.1f %%\n",
               job, from, to, r / 1000, p / 1000, m / 1000, 100 * (p - m) / m
    }'
}

echo "$(nproc) processors; medians of $rounds, ms"
printf '%-14s %8s %10s %12s %11s %10s\n' job workers recorded predicted measured error
measure sleeps 4 8
measure sleeps_capped 4 8
measure cpu 1 2
measure cpu 4 2
measure cpu_collect 1 2
measure mixed 2 8
