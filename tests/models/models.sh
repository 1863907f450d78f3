#!/bin/bash
# Verifies the models in this folder with spin, and that each of their mutants fails.
# Last line: `N passed, N failed`; exit status 1 if anything failed.
set -u
here=$(cd "$(dirname "$0")" && pwd) || exit 2
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 2

passed=0
failed=0

# Prints how many errors the search found, or why it was not complete.
search() {
    local model=$1
    shift
    rm -f pan pan.c
    if ! spin -a "$@" "$here/$model.pml" >spin.log 2>&1; then
        cat spin.log
    elif ! "${CC:-cc}" -O2 -w -DSAFETY -DVECTORSZ=2048 -o pan pan.c 2>cc.log; then
        cat cc.log
    elif ! ./pan -m1000000 >pan.log 2>&1; then
        tail -n 5 pan.log
    elif grep -q 'max search depth too small' pan.log; then
        echo "not searched to the end"
    else
        sed -n 's/.*errors: \([0-9]*\).*/\1/p' pan.log
    fi
}

# holds MODEL [-DNAME...]; breaks MODEL -DMUTANT [-DNAME...]
holds() {
    local errors
    errors=$(search "$@")
    if [ "$errors" = 0 ]; then
        passed=$((passed + 1))
        echo "$*: holds in $(sed -n 's/ *\([0-9]*\) states, stored.*/\1/p' pan.log) states"
    else
        failed=$((failed + 1))
        echo "FAIL $*: $errors"
        grep '^pan:1:' pan.log
    fi
}
breaks() {
    local errors
    errors=$(search "$@")
    if [ "$errors" = 1 ]; then
        passed=$((passed + 1))
        echo "$*: fails, as it must: $(sed -n 's/^pan:1: //p' pan.log)"
    else
        failed=$((failed + 1))
        echo "FAIL $* should not hold: $errors"
    fi
}

holds credits
holds credits -DK1=1 -DK2=1
holds credits -DORDERED
holds credits -DORDERED -DK2=2
holds credits -DORDERED -DANYONE -DCROWDED
holds credits -DORDERED -DANYONE -DCROWDED -DK2=2
breaks credits -DAT_EMISSION
breaks credits -DONE_POOL -DK1=1 -DK2=1
breaks credits -DONE_POOL -DNO_OVERDRAFT -DK1=1 -DK2=1
breaks credits -DLEAK
breaks credits -DANYONE -DORDERED
breaks credits -DNOT_ITS_TURN -DORDERED
breaks credits -DNO_OVERDRAFT -DORDERED -DANYONE -DCROWDED
breaks credits -DSHALLOW -DORDERED -DANYONE -DCROWDED
breaks credits -DIMPATIENT
breaks credits -DRETRY_GIVES

holds parking -DWORKERS=2
holds parking -DWORKERS=2 -DMORE=2
holds parking
holds parking -DWORKERS=2 -DLENDS=2
holds parking -DRETRIES=0 -DLENDS=2
holds parking -DWORKERS=2 -DREADY=0 -DRETRIES=0 -DBATCHES=2
holds parking -DWORKERS=2 -DREADY=0 -DRETRIES=1 -DBATCHES=1
holds parking -DREADY=0 -DMORE=0 -DRETRIES=0 -DBATCHES=2 -DIS_CALM=true
for mutant in OFFERS_SILENTLY FORGETS_OFFER; do
    breaks parking -D$mutant -DWORKERS=2 -DLENDS=2
done
breaks parking -DNO_HELP_CHAIN -DRETRIES=0 -DLENDS=2
for mutant in NOT_LET_GO HELPS_FIRST AWAITED_IS_IDLE TAKES_AT_ONCE; do
    breaks parking -D$mutant -DWORKERS=2 -DREADY=0 -DRETRIES=0 -DBATCHES=2
done
breaks parking -DFLUSHES_SILENTLY -DWORKERS=2 -DREADY=0 -DRETRIES=1 -DBATCHES=1
for mutant in NO_SECOND_LOOK CALL_UNLOCKED SIGNAL_WATCHER NO_CHAIN FORGETS_EARLIER \
    FORGETS_KEEPER STAYS_CALLING SLEEPS_UNLOCKED; do
    breaks parking -D$mutant -DWORKERS=2
done

echo "$passed passed, $failed failed"
((failed == 0))
