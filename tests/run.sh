#!/bin/bash
# Runs every test with the build of $MODE (release, asan, tsan, stress, arm64), or only the
# golden tests named as arguments. `make test` calls it when everything is built.
# Last line: `N passed, N failed`; exit status 1 if anything failed.
set -u
shopt -s nullglob globstar
cd "$(dirname "$0")/.." || exit 2

mode=${MODE:-release}
case $mode in
release) program=build/pipemill ;;
arm64) program=build/arm64/run/pipemill ;; # starts the emulator
*) program=build/$mode/pipemill ;;
esac
limit=20 # seconds that one run of the program may take
unit_limit=120

# Sanitizers get an exit status of their own, so that no expected failure hides a report.
export ASAN_OPTIONS=exitcode=99:detect_stack_use_after_return=1:strict_string_checks=1
export UBSAN_OPTIONS=print_stacktrace=1
export TSAN_OPTIONS=exitcode=99:halt_on_error=1:second_deadlock_stack=1
wrap=()     # what everything runs under
emulator=() # what starts a unit test
left_out=() # tests, and why: `FILE: WHY`
case $mode in
asan | tsan) limit=150 unit_limit=600 ;; # some take half a minute: a busy machine must not make them fail
arm64)
    limit=120 unit_limit=1800
    emulator=(qemu-aarch64 -L build/arm64-root)
    left_out=(
        "tests/unit/resident_test.c: the emulator's memory is counted, too"
        "tests/exec/fails.pipe: to the emulator vfork is fork, and posix_spawn in it does not find out that a command is none"
    )
    ;;
esac
# gcc 12's ThreadSanitizer cannot lay out its memory under strong address randomisation.
if [ "$mode" = tsan ] && setarch -R true 2>/dev/null; then
    wrap=(setarch -R)
fi

passed=0
failed=0
collect=()
jobs=$(nproc 2>/dev/null || echo 2)
logs=$(mktemp -d) || exit 2
log=$logs/log
trap 'rm -rf "$logs"' EXIT

# Takes what is left out from the array of that name.
keep() {
    local -n from=$1
    local i why
    for why in "${left_out[@]}"; do
        for i in "${!from[@]}"; do
            if [ "${from[i]}" = "${why%%:*}" ]; then
                echo "left out: $why"
                unset "from[i]"
            fi
        done
    done
    from=("${from[@]}")
}

# Where an emulator runs them, each part tells of itself: it takes long, and is read for what has run at all.
told=0
told_failed=0
tell_part() {
    if ((${#emulator[@]})); then
        echo "$1 on $mode, under ${emulator[0]}: $((passed - told)) passed, $((failed - told_failed)) not"
        told=$passed told_failed=$failed
    fi
}

# Adds what the last line of the log says, `N passed, N failed`; a log without one failed.
add_last_line() {
    if [[ $(tail -n 1 "$log") =~ ([0-9]+)\ passed,\ ([0-9]+)\ failed$ ]]; then
        passed=$((passed + BASH_REMATCH[1]))
        failed=$((failed + BASH_REMATCH[2]))
    else
        failed=$((failed + 1))
    fi
}

golden() {
    "${wrap[@]}" build/tests/runner --limit "$limit" "${collect[@]}" \
        "$program" "$@" </dev/null 2>&1 |
        tee "$log" | grep -Ev --line-buffered '^[0-9]+ passed, [0-9]+ failed$'
    add_last_line
}

# Runs the unit tests, as many at a time as there are processors, and tells of them in their order.
units() {
    local test name before status
    printf '%s\n' "$@" | xargs -P "$jobs" -I {} bash -c '
        "${@:3}" "$1" </dev/null >"$2/${1##*/}" 2>&1
        echo $? >"$2/${1##*/}.status"' run {} "$logs" "${wrap[@]}" timeout "$unit_limit" "${emulator[@]}"
    for test in "$@"; do
        name=$logs/${test##*/}
        before=$failed
        status=$(cat "$name.status" 2>/dev/null || echo "none")
        cp "$name" "$log" 2>/dev/null || : >"$log"
        add_last_line
        if [ "$status" != 0 ] && ((failed == before)); then # died after its last line: a leak, say
            failed=$((failed + 1))
        fi
        if ((failed > before)); then
            echo "FAIL $test: exit status $status"
            cat "$log"
        fi
    done
}

# A check that prints what is wrong, and nothing if all is well.
silent() {
    if "$@" >"$log" 2>&1 && [ ! -s "$log" ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAIL $*"
        cat "$log"
    fi
}

if (($# > 0)); then
    golden "$@"
else
    tests=(tests/unit/*_test.c)
    keep tests
    tests=("${tests[@]%.c}")
    units "${tests[@]/#/build/$mode/}"
    tell_part "checks of ${#tests[@]} unit tests"
    [ "$mode" != release ] || collect=(--bytecode build/tests/bytecode.txt)
    files=(tests/**/*.pipe examples/**/*.pipe README.md grammar/README.md)
    keep files
    golden "${files[@]}"
    tell_part "golden tests"
    collect=()
    # The last level of those that the processor has is the best: the run above had it.
    for level in $("$program" --version | sed -n 's/.*this processor has \(.*\), .*/\1/p' | tr -d ,); do
        export PIPEMILL_SIMD=$level
        golden tests/csv/**/*.pipe
        tell_part "those of csv with PIPEMILL_SIMD=$level"
    done
    unset PIPEMILL_SIMD
    if [ "$mode" = release ]; then # these look at the sources and at what the program says of itself
        silent tests/layers.sh
        silent tests/headers.sh
        silent tests/coverage.sh
        silent bash -c '"$1" help --man | diff -u docs/pipemill.1 - || echo "make man makes it again"' man "$program"
        silent tests/completions.sh
        silent tests/editors.sh
    fi
fi
echo "$passed passed, $failed failed"
((failed == 0))
