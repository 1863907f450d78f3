#!/bin/bash
# Rewrites the expectations of the tests named as arguments with what happens now.
# Read the difference before you commit it: the expectation is the specification.
set -u
cd "$(dirname "$0")/.." || exit 2
build/tests/runner --bless build/pipemill "$@" </dev/null | grep -v '^[0-9]* passed,'
status=${PIPESTATUS[0]}
git --no-pager diff --stat -- "$@" 2>/dev/null
exit "$status"
