#!/bin/sh
# A pipeline in a line of the shell: -e takes the body of a job; a flow that ends in no
# `write` is printed as CSV. Run it from the top of the repository:
#
#     PATH="$PWD/build:$PATH" sh examples/oneliner.sh
#
pipemill run -q -e 'read csv stdin | map { where hp > 150; select name, hp }' < data/pokemon.csv
