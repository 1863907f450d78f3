#!/bin/bash
# Prints every #include that tests/layers.txt does not allow, and every .c file that does
# not include its own header first (graph.h, or graph_int.h of its family). Prints nothing
# when all is well.
cd "$(dirname "$0")/.." || exit 2
shopt -s nullglob

awk '
FILENAME == "tests/layers.txt" {
    if (/^#/ || !NF) next
    from = $1; sub(":", "", from)
    known[from] = 1; allowed[from, from] = 1
    for (i = 2; i <= NF; i++) allowed[from, $i] = 1
    next
}
FNR == 1 {
    n = split(FILENAME, part, "/")
    folder = part[2]; own = folder "/" part[n]; sub(/\.c$/, ".h", own)
    needs_own = FILENAME ~ /\.c$/ && (getline line < ("src/" own)) >= 0
    close("src/" own)
    if (!(folder in known)) print FILENAME ": src/" folder " is not in tests/layers.txt"
}
/^[ \t]*#[ \t]*include[ \t]*["<]/ {
    name = $0; sub(/^[^"<]*["<]/, "", name); sub(/[">].*/, "", name)
    stem = own; sub(/\.h$/, "", stem)
    if (needs_own && index(name, stem) != 1)
        print FILENAME ":" FNR ": its own header " own " comes first"
    needs_own = 0
    if ($0 ~ /</) next
    n = split(name, part, "/")
    if (n == 1) next
    to = part[1]
    if (to == "..") next
    if (!(to in known))
        print FILENAME ":" FNR ": " name " is in no folder of src/"
    else if (!((folder, to) in allowed))
        print FILENAME ":" FNR ": " folder " may not include " to " (" name ")"
}' tests/layers.txt src/*/*.[ch] src/*/*.def
