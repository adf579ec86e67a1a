/* SPDX-License-Identifier: MIT */
/*
 * Events per CPU-second of traces through the judge (decode, world, core, oracles, comparison, counters), beside a bare
 * loop over the same events: the same walks, decisions and comparisons with nothing around them. Goal: 0.7 of the loop.
 */
#include <faultline/core.h>
#include <faultline/fuzz/judge.h>
#include <faultline/fuzz/world.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PAGES  32u
#define ROUNDS 5

static struct fl_scenario scenario;
static uint8_t bytes[FL_SCENARIO_MAX_BYTES];

static double cpu_now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static struct fl_record *add(uint8_t kind)
{
    struct fl_record *r = &scenario.records[scenario.nrecords++];

    memset(r, 0, sizeof *r);
    r->kind = kind;
    return r;
}

/* Pages with all kinds of leaf flags, then accesses of every kind to them. */
static void walk_trace(uint8_t mode)
{
    fl_scenario_default(&scenario);
    scenario.machine.mode = mode;
    scenario.machine.code_bits = mode >= FL_MODE_4LEVEL ? 64 : 32;
    for (unsigned i = 0; i < PAGES; i++) {
        struct fl_record *r = add(FL_REC_MAP);

        r->u.map.va = 0x10000000u + i * 0x1000u;
        r->u.map.frame = (uint16_t)(300 + i);
        r->u.map.level = 1;
        r->u.map.flags = (uint8_t)(i * 5 | FL_MAP_PRESENT * (i % 8 != 0));
    }
    while (scenario.nrecords < FL_MAX_RECORDS) {
        unsigned i = scenario.nrecords;
        struct fl_record *r = add(FL_REC_ACCESS);

        r->u.access.va = 0x10000000u + i * 7 % PAGES * 0x1000u + i;
        r->u.access.kind = (uint8_t)(i % 3);
        r->u.access.priv = (uint8_t)(i / 3 % 2);
    }
}

/* One large mapping and raw faults in it, below it and above it. */
static void fault_trace(uint8_t mode)
{
    struct fl_record *r;

    fl_scenario_default(&scenario);
    scenario.machine.mode = mode;
    scenario.machine.code_bits = mode >= FL_MODE_4LEVEL ? 64 : 32;
    r = add(FL_REC_VMA);
    r->u.vma.start = 0x10000000;
    r->u.vma.pages = PAGES;
    r->u.vma.flags = FL_PROT_READ | FL_PROT_WRITE;
    while (scenario.nrecords < FL_MAX_RECORDS) {
        unsigned i = scenario.nrecords;

        r = add(FL_REC_FAULT);
        r->u.fault.cr2 = 0x10000000u + i * 7 % (PAGES + 8) * 0x1000u;
        r->u.fault.code = (i % 2) * 2 + 4;
    }
}

static unsigned events(void)
{
    unsigned n = 0;

    for (unsigned i = 0; i < scenario.nrecords; i++)
        n += fl_record_is_event((enum fl_record_kind)scenario.records[i].kind);
    return n;
}

/* Events per CPU-second through the judge. */
static double through_judge(struct fl_judge *j, unsigned repeats)
{
    static struct fl_scenario decoded;
    size_t size = fl_scenario_encode(&scenario, bytes, sizeof bytes);
    uint64_t before = fl_judge_stats(j)->events;
    struct fl_divergence d;
    unsigned record;
    double start = cpu_now();

    for (unsigned i = 0; i < repeats; i++) {
        fl_scenario_decode(bytes, size, &decoded);
        if (fl_judge_scenario(j, &decoded, &d, &record)) {
            fprintf(stderr, "bench-trace: diverged at record %u: %s\n", record + 1, d.detail);
            exit(1);
        }
    }
    return (double)(fl_judge_stats(j)->events - before) / (cpu_now() - start);
}

static void die(const char *what)
{
    fprintf(stderr, "bench-trace: %s\n", what);
    exit(1);
}

static void bare_access(struct fl_world *w, const struct fl_record *r)
{
    const struct fl_core *core = fl_core();
    const struct fl_cpu *cpu = fl_world_cpu(w);
    struct fl_access a = {.va = r->u.access.va, .kind = r->u.access.kind, .priv = r->u.access.priv};
    struct fl_walk_claim claim = {.who = "core"};
    struct fl_divergence d;
    struct fl_arch_result want;
    struct fl_walk walk;
    uint32_t code;
    bool faults = false;

    if (fl_arch_walk(cpu, &a, fl_world_read, w, &want) != FL_OK ||
        core->walk(cpu, fl_world_ops(), w, a.va, &walk) != FL_OK ||
        core->permits(cpu, &walk, &a, &faults, &code) != FL_OK)
        die("a walk was refused");
    claim.faults = faults;
    claim.error_code = faults ? code : 0;
    if (fl_compare_walk(FL_CHECK_WALK, cpu, &a, &want, &claim, &d))
        die(d.detail);
    fl_world_apply_writes(w, &want);
}

static void bare_fault(struct fl_world *w, const struct fl_record *r)
{
    struct fl_fault fault;
    struct fl_snapshot snapshot;
    struct fl_expected want;
    struct fl_outcome got = {0};
    struct fl_divergence d;
    enum fl_label label;

    if (fl_arch_label(fl_world_cpu(w), r->u.fault.cr2, r->u.fault.code, false, fl_world_read, w, &label) != FL_OK)
        die("no label");
    fl_world_event_begin(w);
    fl_world_snapshot(w, r->u.fault.cr2, r->u.fault.code, &fault, &snapshot);
    if (fl_policy_decide(&snapshot, &want) != FL_OK || fl_core()->fault(&fault, fl_world_ops(), w, &got) != FL_OK)
        die("a decision was refused");
    if (fl_compare_fault(&snapshot, &want, &got, fl_world_effects(w), &d))
        die(d.detail);
    fl_world_event_end(w);
}

static double bare(struct fl_world *w, unsigned repeats)
{
    double start = cpu_now();
    unsigned n = events();

    for (unsigned i = 0; i < repeats; i++) {
        fl_world_begin(w, &scenario.machine);
        for (unsigned k = 0; k < scenario.nrecords; k++) {
            const struct fl_record *r = &scenario.records[k];

            if (r->kind == FL_REC_ACCESS)
                bare_access(w, r);
            else if (r->kind == FL_REC_FAULT)
                bare_fault(w, r);
            else
                fl_world_apply(w, r);
        }
    }
    return (double)n * repeats / (cpu_now() - start);
}

static int descending(const void *a, const void *b)
{
    return (*(const double *)a < *(const double *)b) - (*(const double *)a > *(const double *)b);
}

static void measure(const char *name, struct fl_judge *j, struct fl_world *w, unsigned repeats)
{
    double judged[ROUNDS], looped[ROUNDS], ratio;

    for (unsigned i = 0; i < ROUNDS; i++) { /* in turn, so that a slow spell hits both */
        judged[i] = through_judge(j, repeats);
        looped[i] = bare(w, repeats);
    }
    qsort(judged, ROUNDS, sizeof judged[0], descending);
    qsort(looped, ROUNDS, sizeof looped[0], descending);
    ratio = judged[ROUNDS / 2] / looped[ROUNDS / 2];
    printf("trace %-13s %6.2f M events/s judged, %6.2f M in a bare loop, ratio %.2f, goal 0.70 %s\n", name,
           judged[ROUNDS / 2] / 1e6, looped[ROUNDS / 2] / 1e6, ratio, ratio >= 0.7 ? "met" : "MISSED");
}

int main(int argc, char **argv)
{
    static const char *const names[FL_MODE_COUNT] = {"2level", "pae", "4level", "5level"};
    struct fl_judge_options options = {.target = FL_TARGET_ALL};
    unsigned repeats = argc > 1 ? (unsigned)atoi(argv[1]) : 1000;
    struct fl_judge *j;
    struct fl_world *w;
    char why[256], name[32];

    if (fl_judge_open(&options, &j, why) != FL_OK || fl_world_open(&w) != FL_OK)
        die("cannot open");
    for (uint8_t mode = 0; mode < FL_MODE_COUNT; mode++) {
        walk_trace(mode);
        snprintf(name, sizeof name, "walk %s", names[mode]);
        measure(name, j, w, repeats);
        fault_trace(mode);
        snprintf(name, sizeof name, "fault %s", names[mode]);
        measure(name, j, w, repeats);
    }
    fl_world_close(w);
    fl_judge_close(j);
    return 0;
}
