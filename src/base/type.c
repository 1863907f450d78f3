#include "base/type.h"

static const char *const NAMES[] = {
#define TYPE(e, name, bytes) [TYPE_##e] = name,
    TYPES(TYPE)
#undef TYPE
};

static const uint32_t BYTES[] = {
#define TYPE(e, name, bytes) [TYPE_##e] = bytes,
    TYPES(TYPE)
#undef TYPE
};

const char *type_name(Type t)
{
    return NAMES[t];
}

uint32_t type_bytes(Type t)
{
    return BYTES[t];
}

bool type_by_name(Str name, Type *out)
{
    for (Type t = TYPE_BOOL; t <= TYPE_TABLE; t++)
        if (str_is(name, NAMES[t])) {
            *out = t;
            return true;
        }
    return false;
}

int32_t schema_find(const Schema *s, Str name)
{
    for (uint32_t i = 0; i < s->n_cols; i++)
        if (str_eq(s->cols[i].name, name))
            return (int32_t)i;
    return -1;
}
