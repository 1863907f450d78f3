/* vec.h - a typed growing array in an arena: Vec(T) is a struct with ptr, n, cap.
 *
 *   typedef Vec(Stmt *) StmtList;
 *   vec_push(arena, &list, stmt);
 *   for (size_t i = 0; i < list.n; i++) use(list.ptr[i]);
 */
#ifndef PIPE_BASE_VEC_H
#define PIPE_BASE_VEC_H

#include "base/arena.h"

#define Vec(T)                                                                           \
    struct {                                                                             \
        T *ptr;                                                                          \
        size_t n, cap;                                                                   \
    }

#define vec_push(a, v, item)                                                             \
    ((v)->ptr = arena_grow((a), (v)->ptr, (v)->n, &(v)->cap, sizeof *(v)->ptr),          \
     (v)->ptr[(v)->n++] = (item))

#endif
