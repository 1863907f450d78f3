#!/bin/bash
# Prints what is wrong with the completions and the manual page: a command or an option that one of them lacks, and
# what the shells and mandoc themselves say, where they are installed. Prints nothing when all is well.
cd "$(dirname "$0")/.." || exit 2
program=$PWD/build/pipemill
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT

for shell in bash zsh fish; do
    "$program" completions "$shell" >"$work/$shell" || echo "completions $shell: exit status $?"
done
"$program" help --man >"$work/man" || echo "help --man: exit status $?"
sed 's/\\-/-/g' "$work/man" >"$work/page"

for command in $("$program" help | sed -n '/^Commands/,/^$/s/^  \([a-z]*\) .*/\1/p'); do
    for text in bash zsh fish page; do
        grep -qw -- "$command" "$work/$text" || echo "$text: no command $command"
    done
    for option in $("$program" help "$command" | sed -n 's/^  \(-., \)\{0,1\}--\([a-z-]*\).*/\2/p'); do
        grep -q -- "--$option\b" "$work/bash" || echo "bash: no option --$option"
        grep -q -- "--$option\b" "$work/zsh" || echo "zsh: no option --$option"
        grep -q "seen_subcommand_from $command' -l $option\b" "$work/fish" || echo "fish: no $command --$option"
        case $option in help | color) continue ;; esac # said once, for all commands
        sed -n "/^\.SS pipemill $command$/,/^\.S[SH] /p" "$work/page" | grep -q -- "--$option\b" ||
            echo "man: no $command --$option"
    done
done

bash -n "$work/bash"
if command -v zsh >/dev/null; then
    zsh -n "$work/zsh"
fi
if command -v mandoc >/dev/null; then
    mandoc -T lint -W error "$work/man"
fi
if command -v fish >/dev/null; then
    cd "$work" || exit 2
    printf 'param pause: int = 1\njob first { a }\n@doc("x") job second { a }\n' >p.pipe
    # WORDS | what fish has to offer, one space between
    while IFS='|' read -r line wanted; do
        got=$(PATH=${program%/*}:$PATH HOME=$work fish -c "source fish; complete -C '$line'" | cut -f 1 | paste -sd ' ')
        [ "$got" = "$wanted" ] || echo "fish: '$line' offers '$got', not '$wanted'"
    done <<END
pipemill ru|run
pipemill run p.pipe |first second
pipemill run p.pipe --set |pause=
pipemill dump --format b|bytecode
pipemill completions |bash fish zsh
pipemill help split|split split_part
END
fi
