" `:make %` checks the program; the mistakes are in the quickfix list.
if exists('current_compiler')
  finish
endif
let current_compiler = 'pipemill'

CompilerSet makeprg=pipemill\ check\ --error-format\ short
CompilerSet errorformat=%f:%l:%c-%k:\ %trror[%m,%f:%l:%c-%k:\ %tarning[%m,%f:%l:%c:\ %trror[%m,%f:%l:%c:\ %tarning[%m
