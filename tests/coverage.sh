#!/bin/bash
# Prints every word, symbol, function, annotation, option, command and diagnostic of the
# .def files that no test mentions, and every opcode that no test's bytecode contains
# (run.sh leaves the bytecode of all golden tests in build/tests/bytecode.txt).
# Prints nothing when all is well. `make test` must print nothing.
cd "$(dirname "$0")/.." || exit 2
shopt -s nullglob globstar

tests=(tests/**/*.pipe examples/**/*.pipe)
bytecode=build/tests/bytecode.txt
[ -f "$bytecode" ] || bytecode=/dev/null

awk -v bytecode="$bytecode" '
function missing(kind, name) { print kind " " name ": no test mentions it" }
function quoted(n,    part) { split($0, part, "\""); return part[2 * n] }  # the n-th "..."
function has_word(word) { return word in words }
function is_def(name) { return FILENAME ~ ("(^|/)" name "$") }

FILENAME == bytecode { # the opcode is the first word in capitals
    for (i = 1; i <= NF; i++) if ($i ~ /^[A-Z][A-Z0-9_]+$/) ran[$i] = 1
    next
}
FILENAME ~ /\.pipe$/ {
    whole = whole "\n" $0
    is_command = /^#[!$] /
    if (/^#/ && !is_command) next
    if (is_command) commands = commands "\n" $0 " "
    program = program "\n " $0 " "
    line = $0
    while (match(line, /[A-Za-z_][A-Za-z0-9_]*/)) {
        words[substr(line, RSTART, RLENGTH)] = 1
        if (substr(line, RSTART + RLENGTH, 1) == "(") calls[substr(line, RSTART, RLENGTH)] = 1
        if (substr(line, RSTART + RLENGTH, 1) == ":") named[substr(line, RSTART, RLENGTH)] = 1
        if (substr(line, RSTART - 1, 1) == "@") notes[substr(line, RSTART, RLENGTH)] = 1
        line = substr(line, RSTART + RLENGTH)
    }
    next
}
is_def("keywords.def") && /^KEYWORD\(/ { if (!has_word(quoted(1))) missing("word", quoted(1)) }
is_def("pipe.y") && /^%token/ {
    for (i = 1; quoted(i) != ""; i++) {
        s = quoted(i)
        if (s ~ /[A-Za-z ]/) continue
        # Operators stand between blanks, which tells `<` from `<=`.
        if (!index(program, (s ~ /^[-+*\/%<>=!?]+$/) ? " " s " " : s) && s != "?")
            missing("symbol", s)
    }
}
is_def("builtins.def") && /^BUILTIN\(/ {
    if (!(quoted(1) in calls)) missing("function", quoted(1))
}
is_def("annot.def") && /^ANNOT\(/ {
    if (!(quoted(1) in notes)) missing("annotation", "@" quoted(1))
}
is_def("options.def") && /^OPTION\(/ {
    if (!(quoted(1) in named)) missing("option", "with (" quoted(1) ": ...)")
}
is_def("diag_codes.def") && /^DIAG\(/ {
    split($0, part, /, */)
    code = sprintf("%s%04d", part[3] == "SEV_WARNING" ? "W" : "E", part[2])
    if (!index(whole, code)) missing("diagnostic", code)
}
is_def("opcodes.def") && /^(BINARY_|UNARY_)?OP\(/ && bytecode != "/dev/null" {
    name = $0; sub(/^[A-Z_]*\(/, "", name); sub(/[ ,].*/, "", name)
    if (!(name in ran)) missing("opcode", name)
}
is_def("commands.def") && /^(LATER_)?COMMAND\(/ {
    name = quoted(1)
    if (!(index(commands, "#! " name " ") || index(commands, "pipemill " name " ")))
        missing("command", name)
}
is_def("opt.def") && /^(LATER_)?OPT\(/ {
    name = quoted(1)
    used = index(commands, " --" name " ") || index(commands, " --" name "=")
    if (match($0, /\047.\047/) && substr($0, RSTART, RLENGTH) != "0")
        used = used || match(commands, " -" substr($0, RSTART + 1, 1) "[ 0-9]")
    if (!used) missing("option", "--" name)
    if (/ WORD,/) {
        n = split(quoted(3), word, " ")
        for (i = 1; i <= n; i++)
            if (!index(commands, "--" name " " word[i] " ") &&
                !index(commands, "--" name "=" word[i] " "))
                missing("option", "--" name " " word[i])
    }
}
' "$bytecode" "${tests[@]}" grammar/*.def grammar/*.y src/*/*.def
