/* What a library for a Cortex-M was compiled for, as a part of a symbol's name: a program that was compiled for something else
 * does not link, and the linker's message names what it wanted. On other processors this is nothing.
 *
 *     undefined reference to `habit_init_for_v7em_hard_sp'     the program is for an M4 or M7 with float registers
 *
 * <architecture>_<float ABI>[_<FPU>]; v6m M0, M0+, M1; v7m M3; v7em M4, M7; v8mbase M23; v8mmain M33, M35P, M55, M85.
 * soft: no FPU is used; softfp: it is used, but floats are passed in core registers; hard: they are passed in its registers.
 * sp, dp: precision of the FPU.
 *
 * Compilers do not tell fpv4-sp-d16 from fpv5-sp-d16: the library of an M7 with single precision links with a program for an
 * M4, where its instructions are missing. Neither wchar_t nor the size of enums matters: the interface has no wchar_t, and its
 * enums have 32 bits with and without -fshort-enums. */
#ifndef HABIT_ABI_H
#define HABIT_ABI_H

#if defined(__ARM_EABI__) && defined(__ARM_ARCH_PROFILE) && __ARM_ARCH_PROFILE == 'M' && defined(__GNUC__)

#if defined(__ARM_ARCH_6M__)
#define HABIT_ABI_ARCHITECTURE v6m
#elif defined(__ARM_ARCH_7M__)
#define HABIT_ABI_ARCHITECTURE v7m
#elif defined(__ARM_ARCH_7EM__)
#define HABIT_ABI_ARCHITECTURE v7em
#elif defined(__ARM_ARCH_8M_BASE__)
#define HABIT_ABI_ARCHITECTURE v8mbase
#else /* v8.1 too: not every compiler tells, and the libraries need no more */
#define HABIT_ABI_ARCHITECTURE v8mmain
#endif

#if !defined(__ARM_FP)
#define HABIT_ABI_FLOAT soft
#elif defined(__ARM_PCS_VFP) && (__ARM_FP & 8)
#define HABIT_ABI_FLOAT hard_dp
#elif defined(__ARM_PCS_VFP)
#define HABIT_ABI_FLOAT hard_sp
#elif __ARM_FP & 8
#define HABIT_ABI_FLOAT softfp_dp
#else
#define HABIT_ABI_FLOAT softfp_sp
#endif

#define HABIT_ABI_JOIN_(name, architecture, floats) name##_for_##architecture##_##floats
#define HABIT_ABI_JOIN(name, architecture, floats)  HABIT_ABI_JOIN_(name, architecture, floats)
#define HABIT_ABI_STRING_(text)                     #text
#define HABIT_ABI_STRING(text)                      HABIT_ABI_STRING_(text)

/* Behind a declaration: the function's name in the library. */
#define HABIT_ABI_SYMBOL(name) __asm__(HABIT_ABI_STRING(HABIT_ABI_JOIN(name, HABIT_ABI_ARCHITECTURE, HABIT_ABI_FLOAT)))

#else
#define HABIT_ABI_SYMBOL(name)
#endif

#endif
