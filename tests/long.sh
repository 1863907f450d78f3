#!/bin/bash
# What takes minutes rather than seconds; `make test-long` calls it when everything is built.
# Last line: `N passed, N failed`; exit status 1 if anything failed. SEEDS=N simulates
# fewer, RACES=N runs fewer under ThreadSanitizer, DOUBLES=N prints and reads fewer,
# EXPRESSIONS=N simplifies fewer, PROGRAMS=N makes fewer programs, ORACLE=N
# has Python compute fewer, RESUMES=N kills and resumes fewer.
set -u
cd "$(dirname "$0")/.." || exit 2

seeds=${SEEDS:-1000000}
races=${RACES:-1000}
doubles=${DOUBLES:-100000000}
jobs=$(nproc 2>/dev/null || echo 2)
passed=0
failed=0
logs=$(mktemp -d) || exit 2
trap 'rm -rf "$logs"' EXIT

# Prints the log of a test that has ended and adds its last line; one without failed.
add() {
    cat "$1"
    if [[ $(tail -n 1 "$1") =~ ([0-9]+)\ passed,\ ([0-9]+)\ failed$ ]]; then
        passed=$((passed + BASH_REMATCH[1]))
        failed=$((failed + BASH_REMATCH[2]))
    else
        failed=$((failed + 1))
    fi
}

# Runs a test on the seeds 1 to $1, a share on each processor: shares SEEDS NAME COMMAND...
shares() {
    local n=$1 name=$2 k
    shift 2
    echo "== $name: $n seeds on $jobs processors"
    for ((k = 0; k < jobs; k++)); do
        "$@" $((n * k / jobs + 1)) $((n * (k + 1) / jobs)) >"$logs/$name.$k" 2>&1 &
    done
    wait
    for ((k = 0; k < jobs; k++)); do
        add "$logs/$name.$k"
    done
}

# Programs that Python computes, too: by_python FIRST LAST
by_python() {
    python3 tests/programs/oracle.py --seed "$1" --n $(($2 - $1 + 1))
}

echo "== models"
tests/models/models.sh >"$logs/models" 2>&1
add "$logs/models"
echo "== every order of small specs"
build/release/tests/unit/sched_explore_test 1 >"$logs/explore" 2>&1
add "$logs/explore"
shares "$seeds" simulations build/release/tests/unit/sched_random_test
# 100,000 doubles a seed.
shares $(((doubles + 99999) / 100000)) doubles build/release/tests/unit/decimal_test
shares "${EXPRESSIONS:-100000}" expressions build/release/tests/unit/simplify_test
shares "${PROGRAMS:-100000}" programs build/release/tests/unit/programs_test
shares "${ORACLE:-20000}" programs_by_python by_python
shares "${RESUMES:-1000}" resumes build/release/tests/unit/resume_test

# gcc 12's ThreadSanitizer cannot lay out its memory under strong address randomisation.
export TSAN_OPTIONS=exitcode=99:halt_on_error=1:second_deadlock_stack=1
wrap=()
if setarch -R true 2>/dev/null; then
    wrap=(setarch -R)
fi
shares "$races" races "${wrap[@]}" build/tsan/tests/unit/pool_test

echo "$passed passed, $failed failed"
((failed == 0))
