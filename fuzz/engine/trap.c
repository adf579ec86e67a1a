/* SPDX-License-Identifier: MIT */
/*
 * One trap for each divergence class. Who looks at what:
 *
 *   sanitizers, libFuzzer   the three frames on top (DEDUP_TOKEN)
 *   ClusterFuzz             the same; two stacks are one bug if they share two of the three, in order, or if the names are
 *                           alike by four fifths on the average (edit distance). So one frame of its own is not enough,
 *                           nor are three with like names: the lower two have names without any meaning
 *   honggfuzz               a hash over the frames' addresses
 *   AFL++                   new edges: each class has one of its own on the way
 *
 * A trap instruction rather than abort(), which would put the C library's frames on top.
 */
#include "trap.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* No two of them may become one, in the compiler, by link-time optimisation or by the linker (identical code folding):
 * each has a number in its code that no other has. */
#ifdef __clang__
#    define OWN_FRAME __attribute__((noinline, noreturn, cold))
#else
#    define OWN_FRAME __attribute__((noipa, noreturn, cold))
#endif
#define OWN_CODE(number) __asm__ volatile("" : : "r"(number))

enum {
#define FL_CLASS(name, second, third) NUMBER_##name,
#include "classes.def"
#undef FL_CLASS
    NUMBER_END
};

#define FL_CLASS(name, second, third)                                                                                  \
    OWN_FRAME static void die_##name(void)                                                                             \
    {                                                                                                                  \
        OWN_CODE(NUMBER_##name);                                                                                       \
        __builtin_trap();                                                                                              \
    }                                                                                                                  \
    OWN_FRAME static void second(void)                                                                                 \
    {                                                                                                                  \
        OWN_CODE(NUMBER_END + NUMBER_##name);                                                                          \
        die_##name();                                                                                                  \
    }                                                                                                                  \
    OWN_FRAME static void third(void)                                                                                  \
    {                                                                                                                  \
        OWN_CODE(2 * NUMBER_END + NUMBER_##name);                                                                      \
        second();                                                                                                      \
    }
#include "classes.def"
#undef FL_CLASS

static const char *const names[] = {
#define FL_CLASS(name, second, third) #name,
#include "classes.def"
#undef FL_CLASS
};

static bool same_word(const char *name, const char *word, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (name[i] != (word[i] == '-' ? '_' : word[i]))
            return false;
    return true;
}

/* name is "check__row", or "check". */
static bool is_class(const char *name, const char *check, const char *row)
{
    size_t ncheck = strlen(check), nrow = strlen(row), n = strlen(name);

    if (n < ncheck || !same_word(name, check, ncheck))
        return false;
    if (nrow == 0)
        return n == ncheck;
    return n == ncheck + 2 + nrow && memcmp(name + ncheck, "__", 2) == 0 && same_word(name + ncheck + 2, row, nrow);
}

/* NUMBER_END: not listed. */
static unsigned number_of(const char *check, const char *row)
{
    for (unsigned i = 0; i < NUMBER_END; i++)
        if (is_class(names[i], check, row))
            return i;
    return NUMBER_END;
}

_Noreturn void fl_trap(const char *check, const char *row)
{
    unsigned number = number_of(check, row);

    if (number == NUMBER_END)
        number = number_of(check, "");
    /* Not a table of functions: AFL++ does not instrument a function that does nothing but die, but it does each case. */
    switch (number) {
#define FL_CLASS(name, second, third)                                                                                  \
    case NUMBER_##name:                                                                                                \
        third();
#include "classes.def"
#undef FL_CLASS
    default: break;
    }
    __builtin_trap();
}
