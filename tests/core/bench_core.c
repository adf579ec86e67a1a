/* SPDX-License-Identifier: MIT */
/* Decisions and walks a second, through the vtable, with a world that costs next to nothing. */
#define _POSIX_C_SOURCE 200809L
#include "check.h"
#include "fake.h"

#include <time.h>

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void bench_fault(void)
{
    struct fl_fault f = fake_fault();
    struct fake k = fake_world();
    uint64_t n = 4000000, handled = 0;
    double start = now(), seconds;

    for (uint64_t i = 0; i < n; i++) {
        struct fl_outcome out;

        k.ntrace = 0;
        f.cr2 = 0x7ff000 | (i & 0xfff);
        fl_core()->fault(&f, &fake_ops, &k, &out);
        handled += out.action == FL_ACT_HANDLED;
    }
    seconds = now() - start;
    CHECK_EQ(handled, n, "handled");
    printf("fault: %.1f M decisions/s\n", (double)n / seconds / 1e6);
}

struct flat {
    uint64_t entry[5];
};

static bool flat_read(void *ctx, uint64_t paddr, unsigned size, uint64_t *value)
{
    const struct flat *flat = ctx;

    (void)size;
    *value = flat->entry[paddr >> 12 & 3];
    return true;
}

static void bench_walk(void)
{
    struct fl_cpu cpu = {.mode = FL_MODE_4LEVEL, .maxphyaddr = 40, .efer = 0x800};
    struct flat flat = {{0x1027, 0x2027, 0x3027, 0x4027, 0}};
    struct fl_ops ops = fake_ops;
    struct fl_access a = {.kind = FL_WRITE, .priv = FL_USER};
    uint64_t n = 4000000, mapped = 0;
    double start, seconds;

    ops.read_entry = flat_read;
    start = now();
    for (uint64_t i = 0; i < n; i++) {
        struct fl_walk w;
        uint32_t code;
        bool faults = true;

        fl_core()->walk(&cpu, &ops, &flat, i & 0xfff, &w);
        fl_core()->permits(&cpu, &w, &a, &faults, &code);
        mapped += !faults;
    }
    seconds = now() - start;
    CHECK_EQ(mapped, n, "mapped");
    printf("walk and permits, 4 levels: %.1f M/s\n", (double)n / seconds / 1e6);
}

int main(void)
{
    bench_fault();
    bench_walk();
    return check_done("bench core");
}
