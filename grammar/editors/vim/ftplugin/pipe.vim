" The language of .pipe files: settings. See grammar/editors/README.md of pipemill.
if exists('b:did_ftplugin')
  finish
endif
let b:did_ftplugin = 1

setlocal commentstring=#\ %s
setlocal comments=:#
setlocal formatoptions-=t formatoptions+=croql
setlocal expandtab shiftwidth=2 softtabstop=2 textwidth=100
setlocal formatprg=pipemill\ fmt\ -
setlocal suffixesadd=.pipe

let b:undo_ftplugin = 'setlocal commentstring< comments< formatoptions< expandtab< shiftwidth< softtabstop< textwidth< formatprg< suffixesadd<'
