#include "base/profile.h"

Profile *profile_copy(Arena *a, const Profile *p)
{
    Profile *copy = arena_new(a, Profile);
    *copy = *p;
    copy->lines = arena_array(a, ProfileLine, p->n_lines);
    for (uint32_t i = 0; i < p->n_lines; i++) {
        copy->lines[i] = p->lines[i];
        copy->lines[i].name = arena_str(a, p->lines[i].name);
        copy->lines[i].text = arena_str(a, p->lines[i].text);
    }
    return copy;
}

const char *profile_kind_name(ProfileKind k)
{
    switch (k) {
    case PROFILE_STEP: return "step";
    case PROFILE_INSTR: return "instruction";
    case PROFILE_WORK: return "work";
    case PROFILE_REST: return "rest";
    case PROFILE_WAIT: return "wait";
    }
    return "";
}
