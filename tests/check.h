/* SPDX-License-Identifier: MIT */
/*
 * The checks of the test programs. They stand whatever NDEBUG says, and they count: a program that compared nothing fails.
 *
 *     int main(void) { test_a(); test_b(); return check_done("walk"); }
 */
#ifndef FAULTLINE_TESTS_CHECK_H
#define FAULTLINE_TESTS_CHECK_H

#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t check_count, check_failures;

/* One comparison; the rest is a printf format that names the inputs. Goes on after a failure, up to 20 of them. */
#define CHECK(cond, ...)                                                                                               \
    do {                                                                                                               \
        check_count++;                                                                                                 \
        if (!(cond)) {                                                                                                 \
            fprintf(stderr, "%s:%d: %s: ", __FILE__, __LINE__, #cond);                                                 \
            fprintf(stderr, __VA_ARGS__);                                                                              \
            fputc('\n', stderr);                                                                                       \
            if (++check_failures >= 20) {                                                                              \
                fprintf(stderr, "giving up after 20 failures\n");                                                      \
                exit(1);                                                                                               \
            }                                                                                                          \
        }                                                                                                              \
    } while (0)

#define CHECK_EQ(got, want, ...)                                                                                       \
    do {                                                                                                               \
        uint64_t check_got = (uint64_t)(got), check_want = (uint64_t)(want);                                           \
        check_count++;                                                                                                 \
        if (check_got != check_want) {                                                                                 \
            fprintf(stderr, "%s:%d: %s is %#" PRIx64 ", expected %#" PRIx64 ": ", __FILE__, __LINE__, #got, check_got, \
                    check_want);                                                                                       \
            fprintf(stderr, __VA_ARGS__);                                                                              \
            fputc('\n', stderr);                                                                                       \
            if (++check_failures >= 20) {                                                                              \
                fprintf(stderr, "giving up after 20 failures\n");                                                      \
                exit(1);                                                                                               \
            }                                                                                                          \
        }                                                                                                              \
    } while (0)

static inline int check_done(const char *name)
{
    printf("%s: %" PRIu64 " comparisons, %" PRIu64 " failures\n", name, check_count, check_failures);
    if (check_count == 0)
        fprintf(stderr, "%s: compared nothing\n", name);
    return check_failures == 0 && check_count != 0 ? 0 : 1;
}

/* A small deterministic generator for property tests (splitmix64): the same numbers on every machine. */
static inline uint64_t check_random(uint64_t *state)
{
    uint64_t z = (*state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

#endif
