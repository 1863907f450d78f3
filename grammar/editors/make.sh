#!/bin/sh
# make.sh OUT VERSION - copies vscode/ and vim/ to OUT with the words of the language in the places that are marked
# so: @STMT@ is the words of keywords.def of that class, apart by `|` in JSON and by `\|` in Vim.
set -eu
here=$(dirname "$0")
top=$here/../..
out=$1
version=$2

words() { # of a class of keywords.def
    sed -nE "s/^KEYWORD\([A-Z]+, *\"([a-z]+)\", *$1\)/\1/p" "$top/grammar/keywords.def"
}
functions() { # AGG: aggregates, else all others
    sed -nE 's/^BUILTIN\([A-Z_0-9]+, "([a-z_0-9]+)", [A-Z]+, ([A-Z]+),.*/\1 \2/p' "$top/src/base/builtins.def" |
        awk -v kind="$1" '(kind == "AGG") == ($2 == "AGG") { print $1 }' | sort -u
}
annotations() { sed -nE 's/^ANNOT\([A-Z_]+, *"([a-z_]+)",.*/\1/p' "$top/src/lang/annot.def"; }
types() { # those that a program may name, from bool to table
    sed -nE 's/^ *TYPE\([A-Z]+, *"([a-z]+)",.*/\1/p' "$top/src/base/type.h" | sed -n '/^bool$/,/^table$/p'
}
join() { paste -sd '|' - | sed "s/|/$1/g"; }

script() { # sed commands, with what stands between two words
    for class in DECL STMT CLAUSE; do printf '%s\n' "s/@$class@/$(words $class | join "$1")/g"; done
    printf '%s\n' "s/@CONSTANT@/$(words RESERVED | grep -xE 'true|false|null' | join "$1")/g"
    printf '%s\n' "s/@RESERVED@/$(words RESERVED | grep -vxE 'true|false|null' | join "$1")/g"
    printf '%s\n' "s/@FUNCTION@/$(functions SCALAR | join "$1")/g"
    printf '%s\n' "s/@AGGREGATE@/$(functions AGG | join "$1")/g"
    printf '%s\n' "s/@ANNOTATION@/$(annotations | join "$1")/g"
    printf '%s\n' "s/@TYPE@/$(types | join "$1")/g"
    printf '%s\n' "s/@VERSION@/$version/g"
}

rm -rf "$out"
for file in $(cd "$here" && find vscode vim -type f); do
    mkdir -p "$out/$(dirname "$file")"
    case $file in
    *.vim) script '\\\\|' >"$out/script" ;; # each sed takes half of them
    *) script '|' >"$out/script" ;;
    esac
    sed -f "$out/script" "$here/$file" >"$out/$file"
    if grep -n '@[A-Z]*@' "$out/$file" /dev/null >&2; then
        echo "$file: a mark was not replaced" >&2
        exit 1
    fi
done
rm "$out/script"
