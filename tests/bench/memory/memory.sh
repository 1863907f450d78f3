#!/bin/sh
# A sort and a group by of 10,000,000 different random keys, without a budget and with --memory 64MB: wall and CPU seconds, the
# most that was resident as seen from outside; the outputs must be the same. Best of N runs, N=3 unless N is set.
# The outputs, 0.5 GB, go to a new folder under TMPDIR, which is removed at the end.
cd "$(dirname "$0")/../../.." || exit 2
make --no-print-directory -s build/release/tests/bench/csv/timed || exit 2
timed=build/release/tests/bench/csv/timed
dir=$(mktemp -d) || exit 2
trap 'rm -rf "$dir"' EXIT INT TERM
rows=${ROWS:-10000000}
read_keys="range 1..$rows batch auto | map { select k = hash(value), v = value }"

best() { # NAME FLOW OPTION...: a line of the table
    name=$1 flow=$2; shift 2
    : > "$dir/times"
    for i in $(seq "${N:-3}"); do
        "$timed" "$dir/one" build/pipemill run -q -j 2 "$@" -e "$flow | write csv \"$dir/$name.csv\"" || exit 1
        cat "$dir/one" >> "$dir/times"
    done
    line=$(sort -n "$dir/times" | head -n 1)
    printf '%-24s %s\n' "$name" "$line"
}

echo "                         wall s, CPU s, resident MB; $rows keys, best of ${N:-3}"
for what in sort group; do
    case $what in
    sort) flow="$read_keys | collect { sort by k }" ;;
    group) flow="$read_keys | collect { group by k { n = count(), s = sum(v) } }" ;;
    esac
    best "${what}_unlimited" "$flow"
    best "${what}_64MB" "$flow" --memory 64MB
    cmp "$dir/${what}_unlimited.csv" "$dir/${what}_64MB.csv" || exit 1
    rm -f "$dir/${what}"_*.csv
done
