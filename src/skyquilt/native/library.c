/* What the loader asks of a library. */
#include <stdint.h>

#include "interface.h"

int64_t interface_version(void)
{
    return SKYQUILT_INTERFACE;
}

#if defined(__x86_64__)

#include <cpuid.h>

/* Registers that the operating system saves for each process: bits of XCR0. */
enum { YMM = 0x6, ZMM = 0xe6 };

static int has_all(unsigned found, unsigned wanted)
{
    return (found & wanted) == wanted;
}

static unsigned saved_registers(void)
{
    unsigned low, high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return low;
}

int64_t processor_level(void)
{
    unsigned eax, ebx, ecx, edx;
    if (!__get_cpuid(1, &eax, &ebx, &ecx, &edx) ||
        !has_all(ecx, bit_FMA | bit_MOVBE | bit_F16C | bit_OSXSAVE))
        return 1;
    unsigned saved = saved_registers();
    if (!has_all(saved, YMM) || !__get_cpuid(0x80000001, &eax, &ebx, &ecx, &edx) ||
        !has_all(ecx, bit_LZCNT))
        return 1;
    if (!__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) ||
        !has_all(ebx, bit_AVX2 | bit_BMI | bit_BMI2))
        return 1;
    unsigned wanted = bit_AVX512F | bit_AVX512BW | bit_AVX512CD | bit_AVX512DQ | bit_AVX512VL;
    return has_all(saved, ZMM) && has_all(ebx, wanted) ? 4 : 3;
}

#else

int64_t processor_level(void)
{
    return 1;
}

#endif
