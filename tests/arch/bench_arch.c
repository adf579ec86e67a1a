/* SPDX-License-Identifier: MIT */
/*
 * Walks per second on one core through the reader callback: per mode, and with the four modes interleaved so that no
 * branch predictor settles on one. The goal is 10 M walks/s. bench_arch [WALKS per row].
 */
#include "check.h"

#include <faultline/oracle/arch.h>

#include <time.h>

#define PAGES  64 /* different leaves and accesses per mode, a power of two */
#define MEMORY 0x40000

struct machine {
    struct fl_cpu cpu;
    struct fl_access accesses[PAGES];
    uint8_t memory[MEMORY];
};

static struct machine machines[FL_MODE_COUNT];
static const char *const names[FL_MODE_COUNT] = {"2level", "pae", "4level", "5level"};

static bool read_memory(void *ctx, uint64_t paddr, unsigned size, uint64_t *value)
{
    const struct machine *m = ctx;
    uint64_t v = 0;

    if (paddr > MEMORY - 8)
        return false;
    if (size == 4)
        memcpy(&v, m->memory + paddr, 4);
    else
        memcpy(&v, m->memory + paddr, 8);
    *value = v;
    return true;
}

static void put(struct machine *m, uint64_t paddr, unsigned size, uint64_t value)
{
    memcpy(m->memory + paddr, &value, size);
}

/* Chains of tables at 0x1000, 0x2000, ..., root first; the last one maps pages of every kind of right. */
static void build(struct machine *m, unsigned mode)
{
    static const unsigned levels[FL_MODE_COUNT] = {2, 3, 4, 5};
    unsigned size = mode == FL_MODE_2LEVEL ? 4 : 8, bits = mode == FL_MODE_2LEVEL ? 10 : 9;
    uint64_t table = 0x1000, va = 0x40000000;

    m->cpu = (struct fl_cpu){.mode = (uint8_t)mode,
                             .maxphyaddr = 40,
                             .family = 6,
                             .pse36 = true,
                             .page1gb = true,
                             .pkru = 0x24,
                             .cr0 = 0x80010001,
                             .cr3 = table,
                             .cr4 = 0x700030,
                             .efer = 0xd00};
    for (unsigned level = levels[mode]; level > 1; level--) {
        unsigned shift = 12 + (level - 1) * bits;
        uint64_t flags = mode == FL_MODE_PAE && level == 3 ? 1 : 0x27;

        put(m, table + ((va >> shift) & ((1u << bits) - 1)) * size, size, (table + 0x1000) | flags);
        table += 0x1000;
    }
    for (unsigned i = 0; i < PAGES; i++) {
        uint64_t state = i, entry = 0x20000 | (uint64_t)i << 12 | 0x20 | (i % 8 != 0) | (i & 6);

        if (size == 8 && i % 5 == 0)
            entry |= UINT64_C(1) << 63;
        if (mode >= FL_MODE_4LEVEL)
            entry |= (uint64_t)(i % 3) << 59;
        put(m, table + i * size, size, entry);
        m->accesses[i] = (struct fl_access){.va = va + i * 0x1000u + i,
                                            .kind = (uint8_t)(check_random(&state) % 3),
                                            .priv = (uint8_t)(check_random(&state) % 2),
                                            .ac = i & 1};
    }
}

static double seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* modes: how many of the machines, from first on, take turns. */
static void run(const char *name, unsigned first, unsigned modes, uint64_t walks)
{
    uint64_t count[FL_ARCH_KIND_COUNT] = {0};
    double start = seconds(), took;

    for (uint64_t i = 0; i < walks; i++) {
        struct machine *m = &machines[first + (modes == 1 ? 0 : i % modes)];
        struct fl_arch_result r;

        if (fl_arch_walk(&m->cpu, &m->accesses[(i / modes) % PAGES], read_memory, m, &r) == FL_OK)
            count[r.kind]++;
    }
    took = seconds() - start;
    CHECK(count[FL_ARCH_OK] && count[FL_ARCH_PF], "%s: both outcomes are measured", name);
    CHECK_EQ(count[FL_ARCH_OK] + count[FL_ARCH_PF], walks, "%s: every walk answers", name);
    printf("%-12s %6.1f M walks/s  (%2.0f%% ok, the rest #PF)\n", name, 1e-6 * (double)walks / took,
           100.0 * (double)count[FL_ARCH_OK] / (double)walks);
}

int main(int argc, char **argv)
{
    uint64_t walks = argc > 1 ? strtoull(argv[1], NULL, 10) : 10000000;

    for (unsigned mode = 0; mode < FL_MODE_COUNT; mode++) {
        build(&machines[mode], mode);
        run(names[mode], mode, 1, walks);
    }
    run("interleaved", 0, FL_MODE_COUNT, walks);
    return check_done("bench-arch");
}
