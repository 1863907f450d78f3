#include "code/code.h"

static const OpcodeInfo INFO[N_OPCODES] = {
#define OP(name_, fmt, types_, effect_)                                                  \
    [OP_##name_] = {                                                                     \
        .name = #name_, .effect = effect_, .types = types_, .format = FMT_##fmt},
#include "code/opcodes.def"
};

const OpcodeInfo *opcode_info(Opcode op)
{
    return &INFO[op];
}
