#!/bin/bash
# Prints where Vim, if it is installed, shows or indents a program otherwise than expected; nothing when all is well.
# (unit/editors_test.c holds the TextMate grammar against the compiler's scanner.)
cd "$(dirname "$0")/.." || exit 2
command -v vim >/dev/null || exit 0
vim --version | grep -q '+syntax' && vim --version | grep -q '+eval' || exit 0 # vim.tiny
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
make -s build/editors/vscode/package.json >/dev/null || exit 2

# do SCRIPT FILE: Vim commands on a program, with nothing of the user's.
vim_do() {
    {
        echo 'set nocompatible'
        echo "set runtimepath^=$PWD/build/editors/vim"
        echo 'filetype plugin indent on'
        echo 'syntax on'
        echo "edit $2"
        cat "$work/$1"
        echo 'qall!'
    } >"$work/script"
    timeout 20 vim -es -u NONE -N -S "$work/script" </dev/null || echo "vim: exit status $?"
}

# The group of each word, a line of them for each line of the program.
cat >"$work/groups" <<'END'
syntax sync fromstart
let out = []
for l in range(1, line('$'))
  let [words, last] = ['', '']
  for c in range(1, len(getline(l)))
    let group = substitute(synIDattr(synID(l, c, 1), 'name'), '^pipe', '', '')
    if group !=# last && group !=# '' | let words .= ' ' . group . ':' | endif
    let words .= group ==# '' ? '' : getline(l)[c - 1]
    let last = group
  endfor
  call add(out, words[1:])
endfor
call writefile(out, 'out.groups')
END
sed -i "s|'out.groups'|'$work/out'|" "$work/groups"
cat >"$work/a.pipe" <<'END'
# a comment
param source: string = "data/{x + 1}\n"
@priority(1)
op strong(n: duration = 1h30m) {
  where hp >= 1_000 and range is not null
  group by type1 { n = count(), m = round(mean(hp), 1) }
  left join types on type1 == types.name
  select batch, skip, `a b`, *
}
job main {
  let t = read csv source with (null: "NA") as dex batch 64kB
  range 1..10 | map where mine(value) | collect sort by value desc | write csv 'o
u' with (header: false)
}
END
cat >"$work/wanted" <<'END'
Comment:# a comment
Declaration:param Argument:source Type:string Operator:= String:"data/ Delimiter:{ Name:x Interpolation:  Operator:+ Interpolation:  Number:1 Delimiter:} Escape:\n String:"
Annotation:@priority Number:1
Declaration:op Call:strong Argument:n Type:duration Operator:= Number:1h30m
Statement:where Name:hp Operator:>= Number:1_000 Reserved:and Name:range Reserved:is Reserved:not Constant:null
Statement:group Clause:by Name:type1 Name:n Operator:= Aggregate:count Name:m Operator:= Function:round Aggregate:mean Name:hp Number:1
Statement:left Statement:join Name:types Clause:on Name:type1 Operator:== Name:types Name:name
Statement:select Name:batch Name:skip Quoted:`a b` Operator:*

Declaration:job Name:main
Declaration:let Name:t Operator:= Statement:read Clause:csv Name:source Clause:with Argument:null String:"NA" Clause:as Name:dex Clause:batch Number:64kB
Statement:range Number:1 Operator:.. Number:10 Operator:| Statement:map Statement:where Call:mine Name:value Operator:| Statement:collect Statement:sort Clause:by Name:value Clause:desc Operator:| Statement:write Clause:csv Raw:'o
Raw:u' Clause:with Argument:header Constant:false

END
vim_do groups "$work/a.pipe"
diff "$work/wanted" "$work/out"

# What `fmt` wrote is indented as it is. (wrong.pipe has comments at the start of lines that mean something to the tests.)
cat >"$work/indent" <<'END'
silent normal! gg=G
END
echo "write! $work/out" >>"$work/indent"
for file in examples/*.pipe; do
    [ "$file" = examples/wrong.pipe ] || ! build/pipemill fmt --check -q "$file" >/dev/null 2>&1 && continue
    vim_do indent "$file"
    diff "$file" "$work/out" >"$work/diff" || { echo "$file:"; cat "$work/diff"; }
done
