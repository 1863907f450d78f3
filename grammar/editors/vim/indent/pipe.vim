" Indents as `pipemill fmt` does: two blanks inside of brackets, and for the lines that go on with a statement or a flow.
if exists('b:did_indent')
  finish
endif
let b:did_indent = 1

setlocal autoindent
setlocal indentexpr=PipeIndent()
setlocal indentkeys=o,O,0},0),0],0\|,=and,=or,=then,=else,!^F
let b:undo_indent = 'setlocal autoindent< indentexpr< indentkeys<'

if exists('*PipeIndent')
  finish
endif

" A line without its comment and what is in its strings, which may have brackets in them.
function s:Code(lnum)
  let line = substitute(getline(a:lnum), '`[^`]*`\|''[^'']*''\|"\%([^"\\]\|\\.\)*"', '""', 'g')
  return substitute(line, '\s*#.*$', '', '')
endfunction

" The line with the innermost bracket that is open before a line, and the bracket; [0, ''] if there is none.
function s:Opener(lnum)
  let depth = 0
  for lnum in range(a:lnum - 1, max([1, a:lnum - 500]), -1)
    for char in reverse(split(s:Code(lnum), '\zs'))
      if char =~# '[})\]]'
        let depth += 1
      elseif char =~# '[{(\[]'
        if depth == 0
          return [lnum, char]
        endif
        let depth -= 1
      endif
    endfor
  endfor
  return [0, '']
endfunction

function PipeIndent()
  let here = getline(v:lnum)
  let [opener, bracket] = s:Opener(v:lnum)
  if here =~# '^\s*[})\]]'
    return indent(opener)
  endif
  let base = opener > 0 ? indent(opener) + shiftwidth() : 0
  let before = v:lnum - 1
  while before > opener && s:Code(before) =~# '^\s*$'
    let before -= 1
  endwhile
  if here =~# '^\s*|'
    return base + shiftwidth()
  elseif before <= opener || bracket =~# '[(\[]' || getline(opener) =~# '^\s*schema\>'
    return base
  endif
  let goes_on = here =~# '^\s*\%(??\|\%(and\|or\|then\|else\)\>\)' ||
        \ s:Code(before) =~# '\%([,=:.+*/%<>-]\|??\|\<\%(and\|or\|not\|in\|is\|between\|if\|then\|else\)\)$'
  if !goes_on
    return base
  endif
  " The first of such lines is indented below the statement or the stage, the others like it.
  let is_first = indent(before) <= base || getline(before) =~# '^\s*|'
  return indent(before) + (is_first ? shiftwidth() : 0)
endfunction
