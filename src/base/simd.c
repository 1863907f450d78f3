#include "base/simd.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

const char *simd_name(SimdLevel level)
{
    switch (level) {
    case SIMD_PORTABLE: return "portable";
    case SIMD_SSE2: return "sse2";
    case SIMD_AVX2: return "avx2";
    case SIMD_AVX512: return "avx512";
    case SIMD_NEON: return "neon";
    case N_SIMD_LEVELS: break;
    }
    return "";
}

#if defined(__x86_64__)
static bool has_avx2(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") &&
           __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("popcnt") &&
           __builtin_cpu_supports("pclmul");
}

static bool has_avx512(void)
{
    return has_avx2() && __builtin_cpu_supports("avx512f") &&
           __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
           __builtin_cpu_supports("avx512vbmi2") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512ifma");
}
#endif

bool simd_has(SimdLevel level)
{
    switch (level) {
    case SIMD_PORTABLE: return true;
#if defined(__x86_64__)
    case SIMD_SSE2: return true;
    case SIMD_AVX2: return has_avx2();
    case SIMD_AVX512: return has_avx512();
    case SIMD_NEON: return false;
#elif defined(__aarch64__)
    case SIMD_NEON: return true;
    case SIMD_SSE2:
    case SIMD_AVX2:
    case SIMD_AVX512: return false;
#else
    case SIMD_SSE2:
    case SIMD_AVX2:
    case SIMD_AVX512:
    case SIMD_NEON: return false;
#endif
    case N_SIMD_LEVELS: break;
    }
    return false;
}

bool simd_has_fast_extract(void)
{
#if defined(__x86_64__)
    return simd_has(SIMD_AVX2) && !__builtin_cpu_is("bdver4") && !__builtin_cpu_is("znver1") &&
           !__builtin_cpu_is("znver2");
#else
    return false;
#endif
}

static SimdLevel choose(void)
{
    const char *want = getenv("PIPEMILL_SIMD");
    SimdLevel best = SIMD_PORTABLE;
    for (int i = 0; i < N_SIMD_LEVELS; i++) {
        SimdLevel level = (SimdLevel)i;
        if (!simd_has(level))
            continue;
        best = level;
        if (want && strcmp(want, simd_name(level)) == 0)
            break;
    }
    return best;
}

/* 1 + the level; 0: not asked yet. Several threads may find it at the same time: they find the
 * same, and it carries nothing but itself. */
static _Atomic int known;

SimdLevel simd_level(void)
{
    int level = atomic_load_explicit(&known, memory_order_relaxed);
    if (level == 0) {
        level = 1 + (int)choose();
        atomic_store_explicit(&known, level, memory_order_relaxed);
    }
    return (SimdLevel)(level - 1);
}

void simd_use(SimdLevel level)
{
    atomic_store_explicit(&known, 1 + (int)level, memory_order_relaxed);
}
