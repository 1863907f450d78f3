" The language of .pipe files. Made from the tables of pipemill by `make editors`.
if exists('b:current_syntax')
  finish
endif

syntax case match
syntax iskeyword @,48-57,_,128-255

" Later ones win where two begin at one place.
syntax match pipeName '\<\h\k*' contains=NONE
syntax match pipeOperator '==\|!=\|<=\|>=\|??\|\*\*\|//\|->\|\.\.\.\?\|[-+*/%<>=|]'
syntax match pipeNumber '\.\@1<!\<\d[0-9_]*\%(\.\d[0-9_]*\)\?\%([eE][-+]\?\d\+\)\?\%(\%(us\|ms\|s\|m\|h\|d\)\%(\d\+\%(\.\d\+\)\?\%(us\|ms\|s\|m\|h\|d\)\)*\|B\|kB\|MB\|GB\|TB\|KiB\|MiB\|GiB\)\?\>'
syntax match pipeNumber '\%(\.\.\)\@2<=\d[0-9_]*\>'
syntax match pipeClause '\%([[:alnum:]_)\]"'"'"'`]\s\)\@2<=\%(\<\%(and\|or\|not\|in\|is\|if\|then\|else\|between\|where\|select\|derive\|drop\|rename\|distinct\|log\|assert\|take\|skip\|by\|on\)\s\)\@10<!\<\%(@CLAUSE@\)\>\%(\s*\%([-=.:+*/%<>!?)]\|\<\%(and\|or\|not\|in\|is\|between\|then\|else\)\>\)\)\@!'
syntax match pipeReserved '\.\@1<!\<\%(@RESERVED@\)\>'
syntax match pipeConstant '\.\@1<!\<\%(@CONSTANT@\)\>'
syntax match pipeCall '\.\@1<!\<\h\k*\ze('
syntax match pipeFunction '\.\@1<!\<\%(@FUNCTION@\)\ze('
syntax match pipeAggregate '\.\@1<!\<\%(@AGGREGATE@\)\ze('
syntax match pipeArgument '\<\h\k*\ze\s*:'
syntax match pipeType '\%(\%(:\|->\)\s*\)\@10<=\<\%(@TYPE@\)\>'
syntax match pipeStatement '\%(\%(^\|[{;|]\|\<map\|\<collect\|\<left\|\<semi\|\<anti\)\s*\)\@100<=\<\%(@STMT@\)\>\%(\s*\%([,=:.]\|->\)\|(\)\@!'
syntax match pipeDeclaration '^\s*\zsuse\ze\s*["'"'"']'
syntax match pipeDeclaration '\.\@1<!\<\%(@DECL@\)\>\ze\s\+\%(\h\k*\|`[^`]*`\)\s*\%([({:]\|=[^=]\)'
syntax match pipeStatement '\%(\<let\s\+\h\k*\s*=\s*\)\@200<=\<\%(@STMT@\)\>\ze\%(\s\+[^-=*/%+,;|.]\|\s*[{\["]\)'
syntax match pipeAnnotation '@\s*\%(@ANNOTATION@\)\>'
syntax match pipeQuoted '`[^`]\+`'
syntax region pipeString start='"' end='"\|$' oneline contains=pipeEscape,pipeBadEscape,pipeInterpolation
syntax match pipeBadEscape '\\.' contained
syntax match pipeEscape '\\\%([nt"\\]\|u{\x\{1,6}}\)\|{{' contained
syntax region pipeInterpolation matchgroup=pipeDelimiter start='{{\@!' end='}' contained oneline contains=TOP
syntax region pipeRaw start="'" end="'"
syntax match pipeComment '#.*$' contains=pipeTodo,@Spell
syntax keyword pipeTodo TODO FIXME XXX contained

syntax sync minlines=50

highlight default link pipeOperator Operator
highlight default link pipeNumber Number
highlight default link pipeClause Keyword
highlight default link pipeReserved Operator
highlight default link pipeConstant Constant
highlight default link pipeFunction Function
highlight default link pipeAggregate Function
highlight default link pipeArgument Identifier
highlight default link pipeType Type
highlight default link pipeStatement Statement
highlight default link pipeDeclaration Structure
highlight default link pipeAnnotation PreProc
highlight default link pipeString String
highlight default link pipeRaw String
highlight default link pipeEscape SpecialChar
highlight default link pipeBadEscape Error
highlight default link pipeDelimiter Delimiter
highlight default link pipeComment Comment
highlight default link pipeTodo Todo

let b:current_syntax = 'pipe'
