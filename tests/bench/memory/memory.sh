#!/bin/sh
# What a budget costs, and memory on a long file: wall and CPU seconds, the most that was resident as seen from outside.
#
# 1. A sort, a group by, a distinct and a join with 10,000,000 different random keys, without a budget and with --memory 64MB; the outputs
#    must be the same. Medians of N runs, N=5 unless N is set; ROWS=1000000 for fewer keys. The bar is 4 times the time; what misses
#    it is marked with `!`, and the exit status is 1.
# 2. W1 to W7 of tests/bench/csv on 0.5 GB and 10 GB (flat.py). MB=50 for a tenth of it, MB=0 for none.
# All files go to a new folder under TMPDIR, which is removed at the end: 11 GB.
cd "$(dirname "$0")/../../.." || exit 2
dir=$(mktemp -d) || exit 2
trap 'rm -rf "$dir"' EXIT INT TERM
cc -O2 -o "$dir/timed" tests/bench/csv/tools/timed.c || exit 2
rows=${ROWS:-10000000}
read_keys="range 1..$rows batch auto | map { select k = hash(value), v = value }"

n=${N:-5}

median() { # NAME PROGRAM OPTION...: a line of the table, and its wall seconds in $wall; {o} of the program is its output
    name=$1; shift
    printf '%s\n' "$1" | sed "s|{o}|$dir/$name.csv|" > "$dir/program.pipe"; shift
    : > "$dir/times"
    for i in $(seq "$n"); do
        "$dir/timed" "$dir/one" build/pipemill run -q -j 2 "$@" "$dir/program.pipe" || exit 1
        cat "$dir/one" >> "$dir/times"
    done
    line=$(sort -n "$dir/times" | sed -n "$(((n + 1) / 2))p")
    wall=${line%% *}
    printf '%-24s %s' "$name" "$line"
}

echo "                         wall s, CPU s, resident MB; $rows keys, medians of $n by wall time"
status=0
for what in sort group distinct join; do
    case $what in
    sort) program="job j { $read_keys | collect { sort by k } | write csv \"{o}\" }" ;;
    group) program="job j { $read_keys | collect { group by k { n = count(), s = sum(v) } } | write csv \"{o}\" }" ;;
    distinct) program="job j { $read_keys | collect { distinct k } | write csv \"{o}\" }" ;;
    join) program="job j {
            let t = $read_keys | collect { where v > 0 }
            range 1..$((rows / 5)) batch auto | map { select k = hash(value * 7) } | map { join t on k == t.k } | map write csv \"{o}\"
        }" ;;
    esac
    median "${what}_unlimited" "$program"
    unlimited=$wall
    echo
    median "${what}_64MB" "$program" --memory 64MB
    awk -v a="$unlimited" -v b="$wall" 'BEGIN { bad = (b > 4 * a); printf "   %.2f times the time%s\n", b / a, (bad ? " !" : ""); exit bad }' || status=1
    cmp "$dir/${what}_unlimited.csv" "$dir/${what}_64MB.csv" || exit 1
    rm -f "$dir/${what}"_*.csv
done
[ "${MB:-500}" -eq 0 ] || python3 tests/bench/memory/flat.py "$dir" "${MB:-500}" 20 || status=1
exit $status
