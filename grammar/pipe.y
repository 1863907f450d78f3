/* pipe.y - the grammar of .pipe files. It only builds nodes (lang/ast.h).
 *
 * src/lang/parse.c pushes the tokens: it drops the line ends that do not end anything,
 * tells the wildcard * from the product, and after a mistake skips to the next resting
 * place and pushes RESYNC, which closes the `error` rules below. What the message says
 * is decided in src/lang/syntax_error.c. The first token chooses what is parsed.
 *
 * How to add a word: keywords.def, %token here, and `plain` or `stword` at the end.
 */
%require "3.8"
%define api.prefix {pipe_}
%define api.token.prefix {TOK_}
%define api.pure full
%define api.push-pull push
%define api.location.type {Span}
%define api.value.type union
%define api.header.include {"pipe_parse.h"}
%define parse.error custom
%define parse.lac full
%locations
%expect 0
%param {Parse *p}

%code requires {
#include "lang/parse_state.h"
}

%code {
/* An empty rule lies at the end of what stands before it. */
#define YYLLOC_DEFAULT(cur, rhs, n) \
    do { \
        if (n) { \
            (cur).lo = YYRHSLOC(rhs, 1).lo; \
            (cur).hi = YYRHSLOC(rhs, n).hi; \
        } else { \
            (cur).lo = (cur).hi = YYRHSLOC(rhs, 0).hi; \
        } \
    } while (0)

#define PUSH(list, item) vec_push(p->arena, (list), (item))

/* Only ever "memory exhausted": the stack is bounded, and so is nesting. */
static void pipe_error(Span *span, Parse *p, const char *text)
{
    (void)text;
    parse_too_deep(p, *span);
}
}

%token START_FILE START_FLOWS
%token RESYNC "resynchronisation"
%token END 0 "end of file"
%token NEWLINE "end of line"
/* The lexer has said what is wrong; nothing accepts it. */
%token BAD "invalid text"

%token <const Token *> NAME "name" QNAME "name in backticks"
%token <const Token *> INT "integer" FLOAT "number" DURATION "duration" SIZE "size"
%token <const Token *> RAW "raw string"
%token SBEG "string" SEND "end of string" IOPEN "{ in string" ICLOSE "} in string"
%token <const Token *> STEXT "string text"

%token EQ "==" NE "!=" LE "<=" GE ">=" LT "<" GT ">" COALESCE "??"
%token PLUS "+" MINUS "-" STAR "*" SLASH "/" IDIV "//" PERCENT "%" POW "**"
%token ARROW "->" DOTDOT ".." ELLIPSIS "..." ALL "* (all columns)"
%token LPAREN "(" RPAREN ")" LBRACK "[" RBRACK "]" LBRACE "{" RBRACE "}"
%token PIPE "|" COMMA "," COLON ":" DOT "." ASSIGN "=" AT "@"
%token QUESTION "?" TILDE "~"

%token <const Token *>
    AND "and" OR "or" NOT "not" IN "in" IS "is" BETWEEN "between"
    IF "if" THEN "then" ELSE "else" TRUE "true" FALSE "false" NULL "null"
    USE "use" PARAM "param" LET "let" SCHEMA "schema" FN "fn" OP "op" JOB "job"
    READ "read" RANGE "range" FILES "files" WHERE "where" SELECT "select" DROP "drop"
    RENAME "rename" DERIVE "derive" EXPLODE "explode" SORT "sort" TAKE "take"
    SKIP "skip" TOP "top" DISTINCT "distinct" GROUP "group" AGGREGATE "aggregate"
    JOIN "join" LEFT "left" SEMI "semi" ANTI "anti" UNION "union" SPLIT "split"
    LOG "log" ASSERT "assert" FAIL "fail" SLEEP "sleep" EXEC "exec" WRITE "write"
    MAP "map" COLLECT "collect" BY "by" ON "on" AS "as" WITH "with" BATCH "batch"
    INTO "into" DESC "desc" ASC "asc" TABLE "table" QUERY "query" PERMANENT "permanent"
    CSV "csv" JSON "json" LINES "lines" SQLITE "sqlite"

%type <const Token *> word plain stword
%type <Ident> ident opname schema_opt
%type <IdentList> idents
%type <Decl *> decl op_decl job_decl
%type <AnnotationList> annots stage_annots
%type <Annotation> annot
%type <ParamList> params_opt params params1 fields fields1
%type <Param> prm field
%type <TypeRef> type
%type <StmtList> body stmts
%type <Stmt *> stmt stmt0
%type <Format> format
%type <ReadOpts> read_opts
%type <ArgList> args args1 with_opt
%type <Arg> arg
%type <JoinKind> join_kind
%type <DefList> selects assigns group_keys aggs aggs1
%type <Def> select assign group_key agg
%type <RenameList> renames
%type <SortKeyList> keys
%type <SortKey> key
%type <FlowList> flows flows1
%type <Flow *> job_line flow
%type <Stage *> stage stage0 op_ref
%type <ExprList> elems sparts
%type <Expr *> expr or and not cmp coal add mul unary pow postfix primary literal list
%type <Expr *> string batch_opt
%type <Operator> cmp_op

%%

input:
  START_FILE
| START_FILE decls nl_opt
| START_FLOWS flows                 { p->flows = $flows; }
;

/* The driver never pushes two in a row, nor one at the start or after `{`: so `error`
 * can be shifted where a body begins. */
nl_opt: %empty | NEWLINE ;

/* ---- declarations ---- */

decls:
  decl                              { PUSH(&p->ast->decls, $decl); }
| decls NEWLINE decl                   { PUSH(&p->ast->decls, $decl); }
;

decl:
  "use" string
    { $$ = decl_new(p, DECL_USE, @$); $$->path = $string; }
| "param" ident ":" type
    { $$ = decl_new(p, DECL_PARAM, @$); $$->name = $ident;
      $$->param = param_of($ident, $type, NULL, @$); }
| "param" ident ":" type "=" expr
    { $$ = decl_new(p, DECL_PARAM, @$); $$->name = $ident;
      $$->param = param_of($ident, $type, $expr, @$); }
| "let" ident "=" expr
    { $$ = decl_new(p, DECL_LET, @$); $$->name = $ident;
      $$->param = param_of($ident, (TypeRef){0}, $expr, @$); $$->value = $expr; }
| "schema" ident "{" fields "}"
    { $$ = decl_new(p, DECL_SCHEMA, @$); $$->name = $ident; $$->params = $fields; }
| "schema" ident "{" fields1 field_sep "..." comma_opt nl_opt "}"
    { $$ = decl_new(p, DECL_SCHEMA, @$); $$->name = $ident; $$->params = $fields1;
      $$->is_open = true; }
| "schema" ident "{" "..." comma_opt nl_opt "}"
    { $$ = decl_new(p, DECL_SCHEMA, @$); $$->name = $ident; $$->is_open = true; }
| "fn" ident "(" params ")" "->" type "=" expr
    { $$ = decl_new(p, DECL_FN, @$); $$->name = $ident; $$->params = $params;
      $$->type = $type; $$->value = $expr; }
| op_decl
| annots op_decl
    { $$ = $op_decl; $$->span = @$; $$->annotations = $$->op->annotations = $annots; }
| job_decl
| annots job_decl
    { $$ = $job_decl; $$->span = @$; $$->annotations = $annots; }
| error RESYNC
    { $$ = decl_new(p, DECL_ERROR, @$); yyerrok; }
;

op_decl:
  "op" opname params_opt "{"[open] body "}"[close]
    { $$ = decl_new(p, DECL_OP, @$); $$->name = $opname;
      Op *op = arena_new(p->arena, Op);
      op->name = $opname; op->params = $params_opt; op->body = $body; op->span = @$;
      op->body_span = span_join(@open, @close); $$->op = op; }
;

job_decl:
  "job" ident "{" flows "}"
    { $$ = decl_new(p, DECL_JOB, @$); $$->name = $ident; $$->flows = $flows; }
;

/* Before op and job, annotations may stand on lines of their own. */
annots:
  annot nl_opt                      { $$ = (AnnotationList){0}; PUSH(&$$, $annot); }
| annots[list] annot nl_opt           { $$ = $list; PUSH(&$$, $annot); }
;
annot:
  "@" ident
    { $$ = (Annotation){.name = $ident, .span = @$}; }
| "@" ident "(" args ")"
    { $$ = (Annotation){.name = $ident, .args = $args, .span = @$}; }
;

params_opt:
  %empty                            { $$ = (ParamList){0}; }
| "(" params ")"                    { $$ = $params; }
;
params:
  %empty                            { $$ = (ParamList){0}; }
| params1 comma_opt                 { $$ = $params1; }
;
params1:
  prm                               { $$ = (ParamList){0}; PUSH(&$$, $prm); }
| params1[list] "," prm             { $$ = $list; PUSH(&$$, $prm); }
;
prm:
  ident ":" type                    { $$ = param_of($ident, $type, NULL, @$); }
| ident ":" type "=" expr           { $$ = param_of($ident, $type, $expr, @$); }
;
type: word                          { $$ = (TypeRef){$word->text, @$}; } ;

fields:
  %empty                            { $$ = (ParamList){0}; }
| fields1 nl_opt                    { $$ = $fields1; }
| fields1 ","                       { $$ = $fields1; }
;
fields1:
  field                             { $$ = (ParamList){0}; PUSH(&$$, $field); }
| fields1[list] field_sep field     { $$ = $list; PUSH(&$$, $field); }
;
field_sep: "," | NEWLINE ;
field:
  ident ":" type                    { $$ = param_of($ident, $type, NULL, @$); }
| error RESYNC                      { $$ = (Param){.span = @$}; yyerrok; }
;

/* ---- the body of an op ---- */

body:
  %empty                            { $$ = (StmtList){0}; }
| stmts nl_opt                      { $$ = $stmts; }
;
stmts:
  stmt                              { $$ = (StmtList){0}; PUSH(&$$, $stmt); }
| stmts[list] NEWLINE stmt          { $$ = $list; PUSH(&$$, $stmt); }
;

stmt:
  stmt0
| error RESYNC                      { $$ = stmt_new(p, STMT_ERROR, @$, @$); yyerrok; }
;

stmt0:
  "read"[w] format expr[path] read_opts[o]
    { $$ = stmt_new(p, STMT_READ, @$, @w); $$->format = $format; $$->path = $path;
      $$->with = $o.with; $$->schema = $o.schema; $$->batch = $o.batch; }
| "read"[w] "sqlite" expr[path] "query" expr[query] read_opts[o]
    { $$ = stmt_new(p, STMT_READ, @$, @w); $$->format = FORMAT_SQLITE; $$->path = $path;
      $$->query = $query;
      $$->with = $o.with; $$->schema = $o.schema; $$->batch = $o.batch; }
| "range"[w] expr[a] ".." expr[b] batch_opt
    { $$ = stmt_new(p, STMT_RANGE, @$, @w); PUSH(&$$->exprs, $a); PUSH(&$$->exprs, $b);
      $$->batch = $batch_opt; }
| "files"[w] expr batch_opt
    { $$ = stmt_new(p, STMT_FILES, @$, @w); PUSH(&$$->exprs, $expr);
      $$->batch = $batch_opt; }
| "where"[w] expr
    { $$ = stmt_new(p, STMT_WHERE, @$, @w); PUSH(&$$->exprs, $expr); }
| "select"[w] selects comma_opt
    { $$ = stmt_new(p, STMT_SELECT, @$, @w); $$->defs = $selects; }
| "drop"[w] idents comma_opt
    { $$ = stmt_new(p, STMT_DROP, @$, @w); $$->names = $idents; }
| "rename"[w] renames comma_opt
    { $$ = stmt_new(p, STMT_RENAME, @$, @w); $$->renames = $renames; }
| "derive"[w] assigns comma_opt
    { $$ = stmt_new(p, STMT_DERIVE, @$, @w); $$->defs = $assigns; }
| "explode"[w] ident
    { $$ = stmt_new(p, STMT_EXPLODE, @$, @w); PUSH(&$$->names, $ident); }
| "explode"[w] ident "by" expr
    { $$ = stmt_new(p, STMT_EXPLODE, @$, @w); PUSH(&$$->names, $ident);
      PUSH(&$$->exprs, $expr); }
| "sort"[w] "by"[by] keys comma_opt
    { $$ = stmt_new(p, STMT_SORT, @$, span_join(@w, @by)); $$->keys = $keys; }
| "take"[w] expr
    { $$ = stmt_new(p, STMT_TAKE, @$, @w); PUSH(&$$->exprs, $expr); }
| "skip"[w] expr
    { $$ = stmt_new(p, STMT_SKIP, @$, @w); PUSH(&$$->exprs, $expr); }
| "top"[w] expr "by" keys comma_opt
    { $$ = stmt_new(p, STMT_TOP, @$, @w); PUSH(&$$->exprs, $expr); $$->keys = $keys; }
| "distinct"[w]
    { $$ = stmt_new(p, STMT_DISTINCT, @$, @w); }
| "distinct"[w] idents comma_opt
    { $$ = stmt_new(p, STMT_DISTINCT, @$, @w); $$->names = $idents; }
| "group"[w] "by"[by] group_keys comma_opt "{" aggs "}"
    { $$ = stmt_new(p, STMT_GROUP, @$, span_join(@w, @by)); $$->defs = $group_keys;
      $$->aggs = $aggs; }
| "aggregate"[w] "{" aggs "}"
    { $$ = stmt_new(p, STMT_AGGREGATE, @$, @w); $$->aggs = $aggs; }
| "join"[w] opname "on" expr
    { $$ = stmt_new(p, STMT_JOIN, @$, @w); $$->join = JOIN_INNER;
      $$->table_name = $opname; PUSH(&$$->exprs, $expr); }
| join_kind "join"[w] opname "on" expr
    { $$ = stmt_new(p, STMT_JOIN, @$, span_join(@join_kind, @w)); $$->join = $join_kind;
      $$->table_name = $opname; PUSH(&$$->exprs, $expr); }
| "union"[w] opname
    { $$ = stmt_new(p, STMT_UNION, @$, @w); $$->table_name = $opname; }
| "split"[w] "by" idents comma_opt
    { $$ = stmt_new(p, STMT_SPLIT, @$, @w); $$->names = $idents; }
| "split"[w] "into" expr
    { $$ = stmt_new(p, STMT_SPLIT, @$, @w); $$->is_into = true;
      PUSH(&$$->exprs, $expr); }
| "log"[w] expr
    { $$ = stmt_new(p, STMT_LOG, @$, @w); PUSH(&$$->exprs, $expr); }
| "assert"[w] expr[cond] "," expr[text]
    { $$ = stmt_new(p, STMT_ASSERT, @$, @w); PUSH(&$$->exprs, $cond);
      PUSH(&$$->exprs, $text); }
| "fail"[w] expr
    { $$ = stmt_new(p, STMT_FAIL, @$, @w); PUSH(&$$->exprs, $expr); }
| "fail"[w] "permanent" string
    { $$ = stmt_new(p, STMT_FAIL, @$, @w); $$->is_permanent = true;
      PUSH(&$$->exprs, $string); }
| "sleep"[w] expr
    { $$ = stmt_new(p, STMT_SLEEP, @$, @w); PUSH(&$$->exprs, $expr); }
| "exec"[w] list schema_opt
    { $$ = stmt_new(p, STMT_EXEC, @$, @w); PUSH(&$$->exprs, $list);
      $$->schema = $schema_opt; }
| "write"[w] format expr[path] with_opt
    { $$ = stmt_new(p, STMT_WRITE, @$, @w); $$->format = $format; $$->path = $path;
      $$->with = $with_opt; }
| "write"[w] "sqlite" expr[path] "table" expr[table] with_opt
    { $$ = stmt_new(p, STMT_WRITE, @$, @w); $$->format = FORMAT_SQLITE;
      $$->path = $path; $$->table = $table; $$->with = $with_opt; }
;

format:
  "csv"                             { $$ = FORMAT_CSV; }
| "json"                            { $$ = FORMAT_JSON; }
| "lines"                           { $$ = FORMAT_LINES; }
;
read_opts: with_opt schema_opt batch_opt { $$ = (ReadOpts){$1, $2, $3}; } ;
with_opt:
  %empty                            { $$ = (ArgList){0}; }
| "with" "(" args ")"               { $$ = $args; }
;
schema_opt:
  %empty                            { $$ = (Ident){0}; }
| "as" ident                        { $$ = $ident; }
;
batch_opt:
  %empty                            { $$ = NULL; }
| "batch" expr                      { $$ = expr_batch(p, $expr); }
;
join_kind:
  "left"                            { $$ = JOIN_LEFT; }
| "semi"                            { $$ = JOIN_SEMI; }
| "anti"                            { $$ = JOIN_ANTI; }
;

selects:
  select                            { $$ = (DefList){0}; PUSH(&$$, $select); }
| selects[list] "," select          { $$ = $list; PUSH(&$$, $select); }
;
select:
  ident                             { $$ = (Def){.name = $ident, .span = @$}; }
| assign
| ALL                               { $$ = (Def){.is_wildcard = true, .span = @$}; }
;
assigns:
  assign                            { $$ = (DefList){0}; PUSH(&$$, $assign); }
| assigns[list] "," assign          { $$ = $list; PUSH(&$$, $assign); }
;
assign: ident "=" expr
    { $$ = (Def){.name = $ident, .value = $expr, .span = @$}; } ;

group_keys:
  group_key                         { $$ = (DefList){0}; PUSH(&$$, $group_key); }
| group_keys[list] "," group_key    { $$ = $list; PUSH(&$$, $group_key); }
;
group_key:
  ident                             { $$ = (Def){.name = $ident, .span = @$}; }
| assign
;

/* One a line, or with commas; the driver drops a line end after a comma. */
aggs:
  %empty                            { $$ = (DefList){0}; }
| aggs1 nl_opt                      { $$ = $aggs1; }
| aggs1 ","                         { $$ = $aggs1; }
;
aggs1:
  agg                               { $$ = (DefList){0}; PUSH(&$$, $agg); }
| aggs1[list] "," agg               { $$ = $list; PUSH(&$$, $agg); }
| aggs1[list] NEWLINE agg           { $$ = $list; PUSH(&$$, $agg); }
;
agg:
  assign
| error RESYNC                      { $$ = (Def){.span = @$}; yyerrok; }
;

renames:
  ident[a] "->" ident[b]
    { $$ = (RenameList){0}; PUSH(&$$, ((Rename){$a, $b})); }
| renames[list] "," ident[a] "->" ident[b]
    { $$ = $list; PUSH(&$$, ((Rename){$a, $b})); }
;
keys:
  key                               { $$ = (SortKeyList){0}; PUSH(&$$, $key); }
| keys[list] "," key                { $$ = $list; PUSH(&$$, $key); }
;
key:
  expr        { $$ = (SortKey){.value = $expr, .span = @$}; }
| expr "desc"
    { $$ = (SortKey){.value = $expr, .is_desc = true, .is_explicit = true,
                     .span = @$}; }
| expr "asc"  { $$ = (SortKey){.value = $expr, .is_explicit = true, .span = @$}; }
;
idents:
  ident                             { $$ = (IdentList){0}; PUSH(&$$, $ident); }
| idents[list] "," ident            { $$ = $list; PUSH(&$$, $ident); }
;
comma_opt: %empty | "," ;

/* ---- jobs ---- */

flows:
  %empty                            { $$ = (FlowList){0}; }
| flows1 nl_opt                     { $$ = $flows1; }
;
flows1:
  job_line                          { $$ = (FlowList){0}; PUSH(&$$, $job_line); }
| flows1[list] NEWLINE job_line     { $$ = $list; PUSH(&$$, $job_line); }
;
job_line:
  flow
| "let" opname "=" flow             { $$ = $flow; $$->name = $opname; $$->span = @$; }
;
flow:
  stage
    { $$ = arena_new(p->arena, Flow); $$->span = @$; PUSH(&$$->stages, $stage); }
| flow[list] "|" stage
    { $$ = $list; $$->span = @$; PUSH(&$$->stages, $stage); }
;
stage: stage0 stage_annots
    { $$ = $stage0; $$->annotations = $stage_annots; $$->span = @$; } ;
stage_annots:
  %empty                            { $$ = (AnnotationList){0}; }
| stage_annots[list] annot          { $$ = $list; PUSH(&$$, $annot); }
;
stage0:
  "map"[w] op_ref     { $$ = $op_ref; $$->kind = STAGE_MAP; $$->word_span = @w; }
| "collect"[w] op_ref { $$ = $op_ref; $$->kind = STAGE_COLLECT; $$->word_span = @w; }
| "collect"[w]
    { $$ = arena_new(p->arena, Stage); $$->kind = STAGE_COLLECT; $$->word_span = @w; }
| op_ref
;
op_ref:
  opname                            { $$ = stage_of_op(p, $opname, @$); }
| opname "(" args ")"
    { $$ = stage_of_op(p, $opname, @opname); $$->has_args = true; $$->args = $args; }
| "{" body "}"                      { $$ = stage_of_body(p, $body, @$, true); }
| stmt
    { StmtList one = {0}; PUSH(&one, $stmt); $$ = stage_of_body(p, one, @$, false); }
;

/* ---- expressions, loosest first ---- */

expr:
  "if" expr[c] "then" expr[a] "else" expr[b]
    { $$ = expr_new(p, EXPR_IF, @$); $$->op_span = @1;
      PUSH(&$$->args, $c); PUSH(&$$->args, $a); PUSH(&$$->args, $b);
      $$ = expr_done(p, $$); }
| or
;
or:
  and
| or[a] "or"[o] and[b]              { $$ = expr_binary(p, OPER_OR, @o, $a, $b, @$); }
;
and:
  not
| and[a] "and"[o] not[b]            { $$ = expr_binary(p, OPER_AND, @o, $a, $b, @$); }
;
not:
  cmp
| "not"[o] not[a]                   { $$ = expr_unary(p, OPER_NOT, @o, $a, @$); }
;
cmp:
  coal
| coal[a] cmp_op[o] coal[b]         { $$ = expr_binary(p, $o, @o, $a, $b, @$); }
| coal[a] "in"[o] coal[b]
    { $$ = expr_new(p, EXPR_IN, @$); $$->op_span = @o;
      PUSH(&$$->args, $a); PUSH(&$$->args, $b); $$ = expr_done(p, $$); }
| coal[a] "not"[n] "in"[o] coal[b]
    { $$ = expr_new(p, EXPR_IN, @$); $$->op_span = span_join(@n, @o);
      $$->is_negated = true;
      PUSH(&$$->args, $a); PUSH(&$$->args, $b); $$ = expr_done(p, $$); }
| coal[a] "between"[o] coal[lo] "and" coal[hi]
    { $$ = expr_new(p, EXPR_BETWEEN, @$); $$->op_span = @o;
      PUSH(&$$->args, $a); PUSH(&$$->args, $lo); PUSH(&$$->args, $hi);
      $$ = expr_done(p, $$); }
| coal[a] "not"[n] "between"[o] coal[lo] "and" coal[hi]
    { $$ = expr_new(p, EXPR_BETWEEN, @$); $$->op_span = span_join(@n, @o);
      $$->is_negated = true;
      PUSH(&$$->args, $a); PUSH(&$$->args, $lo); PUSH(&$$->args, $hi);
      $$ = expr_done(p, $$); }
| coal[a] "is"[o] "null"[n]
    { $$ = expr_unary(p, OPER_IS_NULL, span_join(@o, @n), $a, @$); }
| coal[a] "is"[o] "not" "null"[n]
    { $$ = expr_unary(p, OPER_IS_NOT_NULL, span_join(@o, @n), $a, @$); }
;
cmp_op:
  "=="                              { $$ = OPER_EQ; }
| "!="                              { $$ = OPER_NE; }
| "<"                               { $$ = OPER_LT; }
| "<="                              { $$ = OPER_LE; }
| ">"                               { $$ = OPER_GT; }
| ">="                              { $$ = OPER_GE; }
;
coal:
  add
| add[a] "??"[o] coal[b]
    { $$ = expr_binary(p, OPER_COALESCE, @o, $a, $b, @$); }
;
add:
  mul
| add[a] "+"[o] mul[b]              { $$ = expr_binary(p, OPER_ADD, @o, $a, $b, @$); }
| add[a] "-"[o] mul[b]              { $$ = expr_binary(p, OPER_SUB, @o, $a, $b, @$); }
;
mul:
  unary
| mul[a] "*"[o] unary[b]            { $$ = expr_binary(p, OPER_MUL, @o, $a, $b, @$); }
| mul[a] "/"[o] unary[b]            { $$ = expr_binary(p, OPER_DIV, @o, $a, $b, @$); }
| mul[a] "//"[o] unary[b]           { $$ = expr_binary(p, OPER_IDIV, @o, $a, $b, @$); }
| mul[a] "%"[o] unary[b]            { $$ = expr_binary(p, OPER_MOD, @o, $a, $b, @$); }
;
unary:
  pow
| "-"[o] unary[a]                   { $$ = expr_unary(p, OPER_NEG, @o, $a, @$); }
;
pow:
  postfix
| postfix[a] "**"[o] unary[b]       { $$ = expr_binary(p, OPER_POW, @o, $a, $b, @$); }
;
postfix:
  primary
| postfix[a] "."[o] ident           /* t.c: a column of a table */
    { $$ = expr_new(p, EXPR_FIELD, @$); $$->op_span = @o; $$->base = $a;
      $$->name = $ident; $$ = expr_done(p, $$); }
;
primary:
  word                              { $$ = expr_name(p, $word); }
| QNAME                             { $$ = expr_name(p, $QNAME); }
| word "(" args ")"                 { $$ = expr_call(p, ident_of($word), $args, @$); }
| literal
| "(" expr[e] ")"                   { $$ = $e; $$->span = @$; $$->is_parens = true; }
;
args:
  %empty                            { $$ = (ArgList){0}; }
| args1 comma_opt                   { $$ = $args1; }
;
args1:
  arg                               { $$ = (ArgList){0}; PUSH(&$$, $arg); }
| args1[list] "," arg               { $$ = $list; PUSH(&$$, $arg); }
;
arg:
  expr                              { $$ = arg_of((Ident){0}, $expr, @$); }
| word ":" expr                     { $$ = arg_of(ident_of($word), $expr, @$); }
| "null"[w] ":" expr                { $$ = arg_of(ident_of($w), $expr, @$); }
;
literal:
  INT                               { $$ = expr_literal(p, $INT); }
| FLOAT                             { $$ = expr_literal(p, $FLOAT); }
| DURATION                          { $$ = expr_literal(p, $DURATION); }
| SIZE                              { $$ = expr_literal(p, $SIZE); }
| "true"                            { $$ = expr_bool(p, true, @$); }
| "false"                           { $$ = expr_bool(p, false, @$); }
| "null"                            { $$ = expr_null(p, @$); }
| string
| list
;
list:
  "[" "]"                           { $$ = expr_new(p, EXPR_LIST, @$); }
| "[" elems comma_opt "]"
    { $$ = expr_new(p, EXPR_LIST, @$); $$->args = $elems; $$ = expr_done(p, $$); }
;
elems:
  expr                              { $$ = (ExprList){0}; PUSH(&$$, $expr); }
| elems[list] "," expr              { $$ = $list; PUSH(&$$, $expr); }
;
string:
  SBEG sparts SEND                  { $$ = expr_string(p, $sparts, @$); }
| RAW                               { $$ = expr_literal(p, $RAW); $$->is_raw = true; }
;
sparts:
  %empty                            { $$ = (ExprList){0}; }
| sparts[list] STEXT                { $$ = $list; PUSH(&$$, expr_literal(p, $STEXT)); }
| sparts[list] IOPEN expr ICLOSE    { $$ = $list; PUSH(&$$, $expr); }
;

/* ---- names ---- */

ident: word { $$ = ident_of($1); } | QNAME { $$ = ident_of($1); } ;
opname: plain { $$ = ident_of($1); } | QNAME { $$ = ident_of($1); } ;
word: plain | stword ;

/* Never the name of an op or a flow: they begin a statement or a stage. */
stword:
  "let" | "read" | "range" | "files" | "where" | "select" | "drop" | "rename" | "derive"
| "explode" | "sort" | "take" | "skip" | "top" | "distinct" | "group" | "aggregate"
| "join" | "left" | "semi" | "anti" | "union" | "split" | "log" | "assert" | "fail"
| "sleep" | "exec" | "write" | "map" | "collect"
;
plain:
  NAME | "use" | "param" | "schema" | "fn" | "op" | "job" | "by" | "on" | "as" | "with"
| "batch" | "into" | "desc" | "asc" | "table" | "query" | "permanent" | "csv" | "json"
| "lines" | "sqlite"
;

%%

_Static_assert(YYNTOKENS <= PARSE_MAX_EXPECTED, "room for every token");

static int yyreport_syntax_error(const yypcontext_t *ctx, Parse *p)
{
    int expected[YYNTOKENS];
    parse_syntax_error(p, expected, parse_expected(ctx->yyps, expected));
    return 0;
}

size_t parse_expected(const struct pipe_pstate *state, int *expected)
{
    yysymbol_kind_t symbols[YYNTOKENS];
    /* It looks ahead on a scratch stack and changes nothing but its bookkeeping. */
    int n = yypstate_expected_tokens((yypstate *)(uintptr_t)state, symbols, YYNTOKENS);
    /* bison knows symbols, everyone else token kinds. */
    int kinds[YYNTOKENS];
    for (int kind = 0; kind <= YYMAXUTOK; kind++)
        kinds[YYTRANSLATE(kind)] = kind;
    for (int i = 0; i < n; i++)
        expected[i] = kinds[symbols[i]];
    return n < 0 ? 0 : (size_t)n;
}

const char *parse_token_name(int kind)
{
    return yysymbol_name(YYTRANSLATE(kind));
}
