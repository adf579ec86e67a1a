/* SPDX-License-Identifier: MIT */
/*
 * The mutator: canonical in, canonical out; the same result for the same arguments; never larger than permitted; every
 * operator, idiom and kind of record turns up; from the empty input too.
 *
 *     test_mutator         the properties
 *     test_mutator bench   nanoseconds a mutation
 */
#include "check.h"
#include "reach.h"
#include "reach_gup.h"

#include "mutator/mutator.h"

#include <faultline/oracle/decode.h>
#include <time.h>

static struct fl_scenario scenario;
static uint8_t encoded[FL_SCENARIO_MAX_BYTES];

static bool canonical(const uint8_t *data, size_t size)
{
    fl_scenario_decode(data, size, &scenario);
    return fl_scenario_valid(&scenario) && fl_scenario_encode(&scenario, encoded, sizeof(encoded)) == size &&
           memcmp(encoded, data, size) == 0;
}

/* ---- chains of mutations ---------------------------------------------------------------------------------------- */

struct seen {
    uint64_t mutations, records;
    uint64_t op[FL_OP_COUNT], idiom[FL_IDIOM_COUNT], kind[FL_REC_COUNT], mode[FL_MODE_COUNT];
    uint64_t decodes, prefetches, rex_not_last;
    uint64_t reach[REACH_COUNT], reach_sync[REACH_SYNC_COUNT], generation[FL_GEN_COUNT], sh4;
    struct reach_gup gup;
    uint32_t most;
};

static void look(struct seen *seen)
{
    seen->mode[scenario.machine.mode]++;
    seen->records += scenario.nrecords;
    seen->generation[scenario.machine.generation]++;
    seen->sh4 += scenario.machine.sh4;
    reach_look(&scenario, seen->reach);
    reach_look_sync(&scenario, seen->reach_sync);
    reach_look_gup(&scenario, &seen->gup);
    seen->most = scenario.nrecords > seen->most ? scenario.nrecords : seen->most;
    for (uint32_t i = 0; i < scenario.nrecords; i++) {
        const struct fl_record *r = &scenario.records[i];
        size_t used;

        seen->kind[r->kind]++;
        if (r->kind != FL_REC_DECODE)
            continue;
        seen->decodes++;
        if (!fl_prefetch_rule(r->u.decode.code, r->u.decode.n, r->u.decode.bits, &used))
            continue;
        seen->prefetches++;
        for (size_t at = 0; at + 3 < used && r->u.decode.bits == 64; at++)
            if ((r->u.decode.code[at] & 0xf0) == 0x40) {
                seen->rex_not_last++;
                break;
            }
    }
}

/* Mutates over and over from the empty input, each chain a few dozen steps long, as an engine does. */
static void chains(enum fl_target target, uint32_t steps, size_t max_size, struct seen *seen)
{
    static uint8_t data[FL_SCENARIO_MAX_BYTES], before[FL_SCENARIO_MAX_BYTES];
    uint64_t random = target + max_size;
    size_t size = 0;

    for (uint32_t i = 0; i < steps; i++) {
        uint32_t seed = (uint32_t)check_random(&random), ops;
        uint64_t idioms;
        size_t size_before = size, again;

        if (seed % 48 == 0)
            size_before = size = 0;
        memcpy(before, data, size);
        size = fl_mutate_traced(data, size, max_size, seed, target, &ops, &idioms);
        CHECK(size <= max_size && size <= FL_SCENARIO_MAX_BYTES, "target %d seed %#x: %zu bytes", target, seed, size);
        CHECK(size >= FL_MACHINE_BYTES, "target %d seed %#x: %zu bytes", target, seed, size);
        CHECK(ops != 0, "target %d seed %#x did nothing", target, seed);
        CHECK(canonical(data, size), "target %d seed %#x ops %#x idioms %#" PRIx64 ": not canonical", target, seed, ops,
              idioms);
        again = fl_mutate(before, size_before, max_size, seed, target);
        CHECK(again == size && memcmp(before, data, size) == 0, "target %d seed %#x: not the same twice", target, seed);
        look(seen);
        for (unsigned op = 0; op < FL_OP_COUNT; op++)
            seen->op[op] += ops >> op & 1;
        for (unsigned idiom = 0; idiom < FL_IDIOM_COUNT; idiom++)
            seen->idiom[idiom] += idioms >> idiom & 1;
        seen->mutations++;
    }
}

static void print_seen(const char *name, const struct seen *seen)
{
    printf("%s: %.1f records on average, at most %u; kinds in per cent:", name,
           (double)seen->records / (double)seen->mutations, seen->most);
    for (unsigned k = 0; k < FL_REC_COUNT; k++)
        if (seen->kind[k])
            printf(" %s %.1f", fl_record_name((enum fl_record_kind)k),
                   100.0 * (double)seen->kind[k] / (double)seen->records);
    printf("\n");
}

static void print_reach(const char *const names[], const uint64_t *reach, unsigned count, const struct seen *seen)
{
    for (unsigned i = 0; i < count; i++)
        printf("  %-38s %8.2f in 1000 mutations\n", names[i], 1000.0 * (double)reach[i] / (double)seen->mutations);
}

static void test_chains(void)
{
    static const enum fl_idiom first[FL_TARGET_COUNT] = {FL_IDIOM_WALK, FL_IDIOM_EXEC,      FL_IDIOM_RUN,
                                                         FL_IDIOM_LATE, FL_IDIOM_PIN_PLAIN, FL_IDIOM_WALK};
    static const enum fl_idiom last[FL_TARGET_COUNT] = {FL_IDIOM_TWINS, FL_IDIOM_KPROBE,    FL_IDIOM_EDGE_IP,
                                                        FL_IDIOM_P3,    FL_IDIOM_PIN_EDGES, FL_IDIOM_PIN_EDGES};
    static const enum fl_record_kind judged[FL_TARGET_COUNT] = {FL_REC_ACCESS, FL_REC_FAULT, FL_REC_DECODE,
                                                                FL_REC_TOUCH,  FL_REC_PIN,   FL_REC_FAULT};

    for (unsigned t = 0; t <= FL_TARGET_ALL; t++) {
        const char *name = fl_target_name((enum fl_target)t);
        struct seen seen = {0};

        chains((enum fl_target)t, 60000, 4096, &seen);
        print_seen(name, &seen);
        if (t == FL_TARGET_FAULT)
            print_reach(reach_names, seen.reach, REACH_COUNT, &seen);
        if (t == FL_TARGET_VMALLOC)
            print_reach(reach_sync_names, seen.reach_sync, REACH_SYNC_COUNT, &seen);
        if (t == FL_TARGET_GUP) {
            print_reach(reach_gup_names, seen.gup.shape, REACH_GUP_SHAPES, &seen);
            reach_check_gup(&seen.gup, seen.mutations);
        }
        CHECK(strstr(FL_TARGET_LIST, name) != NULL || t == FL_TARGET_ALL, "%s is not in the list for help texts", name);
        for (unsigned op = 0; op < FL_OP_COUNT; op++)
            if (op <= FL_OP_IDIOM || t == FL_TARGET_GUP)
                CHECK(seen.op[op] > seen.mutations / 200, "%s: operator %u: %" PRIu64 " times", name, op, seen.op[op]);
            else
                CHECK_EQ(seen.op[op] > seen.mutations / 2000, t == FL_TARGET_ALL, "%s: operator %u", name, op);
        for (unsigned i = 0; i < FL_IDIOM_COUNT; i++) {
            if (i >= first[t] && i <= last[t])
                CHECK(seen.idiom[i] > seen.mutations / 2000, "%s: idiom %u: %" PRIu64 " times", name, i, seen.idiom[i]);
            else
                CHECK_EQ(seen.idiom[i], 0, "%s: idiom %u", name, i);
        }
        for (unsigned mode = 0; mode < FL_MODE_COUNT; mode++)
            CHECK(seen.mode[mode] > seen.mutations / 20, "%s: mode %u: %" PRIu64, name, mode, seen.mode[mode]);
        CHECK(seen.kind[judged[t]] > seen.records / (t == FL_TARGET_ALL ? 25 : 20), "%s: %" PRIu64 " of its events",
              name, seen.kind[judged[t]]);
        CHECK(seen.records > 3 * seen.mutations && seen.records < 64 * seen.mutations, "%s: traces of %.1f records",
              name, (double)seen.records / (double)seen.mutations);
        for (unsigned k = 0; k < FL_REC_COUNT && t == FL_TARGET_ALL; k++)
            CHECK(seen.kind[k] > seen.records / 500, "%s records: %" PRIu64, fl_record_name((enum fl_record_kind)k),
                  seen.kind[k]);
        for (unsigned i = 0; i < REACH_COUNT && t == FL_TARGET_FAULT; i++)
            CHECK(seen.reach[i] > seen.mutations / 1000, "fault: %s: %" PRIu64 " times", reach_names[i], seen.reach[i]);
        for (unsigned i = 0; i < REACH_SYNC_COUNT && t == FL_TARGET_VMALLOC; i++)
            CHECK(seen.reach_sync[i] > seen.mutations / 1000, "vmalloc: %s: %" PRIu64 " times", reach_sync_names[i],
                  seen.reach_sync[i]);
        for (unsigned g = 0; g < FL_GEN_COUNT && t == FL_TARGET_VMALLOC; g++)
            CHECK(seen.generation[g] > seen.mutations / 50, "vmalloc: generation %u: %" PRIu64 " times", g,
                  seen.generation[g]);
        if (t == FL_TARGET_VMALLOC)
            CHECK(seen.sh4 > seen.mutations / 50 && seen.sh4 < seen.mutations / 4, "SH4 %" PRIu64 " times", seen.sh4);
        else if (t != FL_TARGET_ALL)
            CHECK_EQ(seen.sh4, 0, "%s: SH4", name);
        if (t == FL_TARGET_PREFETCH) {
            printf("prefetch: %.1f per cent of the DECODE records are prefetches, %.1f have a REX that is not last\n",
                   100.0 * (double)seen.prefetches / (double)seen.decodes,
                   100.0 * (double)seen.rex_not_last / (double)seen.decodes);
            CHECK(seen.prefetches > seen.decodes / 4 && seen.prefetches < seen.decodes * 9 / 10, "%" PRIu64,
                  seen.prefetches);
            CHECK(seen.rex_not_last > seen.decodes / 20, "%" PRIu64, seen.rex_not_last);
        }
    }
}

/* ---- sizes ------------------------------------------------------------------------------------------------------ */

static void test_sizes(void)
{
    static const size_t sizes[] = {
        96, 97, 127, 128, 129, 159, 160, 232, 1000, FL_SCENARIO_MAX_BYTES, FL_SCENARIO_MAX_BYTES + 1, 20000};
    uint64_t random = 7;

    for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
        struct seen seen = {0};

        if (sizes[s] <= FL_SCENARIO_MAX_BYTES)
            chains(FL_TARGET_ALL, 2000, sizes[s], &seen);
    }
    /* Any bytes of any size in a buffer of exactly max_size bytes. */
    for (unsigned i = 0; i < 20000; i++) {
        size_t max_size = i & 1 ? check_random(&random) % 200 : sizes[check_random(&random) % 12];
        size_t size = check_random(&random) % (max_size + 1), got;
        uint8_t *data = malloc(max_size ? max_size : 1), machine[FL_MACHINE_BYTES] = {0};
        uint32_t seed = (uint32_t)check_random(&random), ops;
        uint64_t idioms;

        for (size_t at = 0; at < size; at++)
            data[at] = (uint8_t)check_random(&random);
        memcpy(machine, data, size < FL_MACHINE_BYTES ? size : FL_MACHINE_BYTES);
        got = fl_mutate_traced(data, size, max_size, seed, (enum fl_target)(seed % FL_TARGET_COUNT), &ops, &idioms);
        CHECK(got <= max_size && got <= FL_SCENARIO_MAX_BYTES, "%zu of %zu bytes became %zu", size, max_size, got);
        if (max_size >= FL_MACHINE_BYTES) {
            CHECK(got >= FL_MACHINE_BYTES && (got - FL_MACHINE_BYTES) % FL_RECORD_BYTES == 0, "%zu bytes", got);
            if (size < FL_MACHINE_BYTES || (ops & (1u << FL_OP_MACHINE | 1u << FL_OP_MODE)))
                CHECK(canonical(data, FL_MACHINE_BYTES), "the machine is not canonical, seed %#x", seed);
            else
                CHECK(memcmp(data, machine, FL_MACHINE_BYTES) == 0, "nobody changed the machine, seed %#x", seed);
        } else {
            CHECK_EQ(got, max_size, "a part of a machine");
        }
        free(data);
    }
    CHECK_EQ(fl_mutate(NULL, 0, 0, 1, FL_TARGET_WALK), 0, "no room at all");
}

/* ---- crossover -------------------------------------------------------------------------------------------------- */

static bool has_record(const uint8_t *data, size_t size, const uint8_t *record)
{
    for (size_t at = FL_MACHINE_BYTES; at < size; at += FL_RECORD_BYTES)
        if (memcmp(data + at, record, FL_RECORD_BYTES) == 0)
            return true;
    return false;
}

static void test_crossover(void)
{
    static uint8_t a[2048], b[2048], out[FL_SCENARIO_MAX_BYTES], out2[FL_SCENARIO_MAX_BYTES];
    uint64_t random = 11;
    unsigned mixed = 0, total = 0;
    size_t a_size = 0, b_size = 0;

    for (unsigned i = 0; i < 30000; i++) {
        uint32_t seed = (uint32_t)check_random(&random);
        size_t max_size = i % 3 ? sizeof(out) : check_random(&random) % 1000, got;
        bool from_a = false, from_b = false;

        a_size = fl_mutate(a, i % 100 ? a_size : 0, sizeof(a), seed, FL_TARGET_ALL);
        b_size = fl_mutate(b, i % 130 ? b_size : 0, sizeof(b), seed + 1, FL_TARGET_ALL);
        got = fl_crossover(a, a_size, b, b_size, out, max_size, seed);
        CHECK(got <= max_size, "%zu bytes where %zu fit", got, max_size);
        CHECK_EQ(fl_crossover(a, a_size, b, b_size, out2, max_size, seed), got, "seed %#x", seed);
        CHECK(memcmp(out, out2, got) == 0, "not the same twice, seed %#x", seed);
        if (max_size < FL_MACHINE_BYTES)
            continue;
        CHECK(canonical(out, got), "seed %#x: not canonical", seed);
        CHECK(memcmp(out, a, FL_MACHINE_BYTES) == 0 || memcmp(out, b, FL_MACHINE_BYTES) == 0, "seed %#x: machine",
              seed);
        if (a[0] != b[0])
            continue; /* other modes: addresses may have been shortened */
        for (size_t at = FL_MACHINE_BYTES; at < got; at += FL_RECORD_BYTES) {
            bool in_a = has_record(a, a_size, out + at), in_b = has_record(b, b_size, out + at);

            CHECK(in_a || in_b, "seed %#x: a record of neither", seed);
            from_a |= in_a && !in_b;
            from_b |= in_b && !in_a;
        }
        total++;
        mixed += from_a && from_b;
    }
    printf("crossover: %u of %u results have records of both\n", mixed, total);
    CHECK(mixed > total / 4, "%u of %u", mixed, total);
    CHECK_EQ(fl_crossover(NULL, 0, NULL, 0, out, sizeof(out), 3), FL_MACHINE_BYTES, "of nothing");
}

/* ---- benchmark -------------------------------------------------------------------------------------------------- */

static double seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static void bench(void)
{
    static uint8_t data[4096];

    for (unsigned t = 0; t < FL_TARGET_ALL; t++) {
        const uint32_t n = 2000000;
        uint64_t records = 0;
        size_t size = 0;
        double start = seconds(), took;

        for (uint32_t i = 0; i < n; i++) {
            size = fl_mutate(data, i % 48 ? size : 0, sizeof(data), i * 2654435761u, (enum fl_target)t);
            records += (size - FL_MACHINE_BYTES) / FL_RECORD_BYTES;
        }
        took = seconds() - start;
        printf("mutate %-8s %6.0f ns, traces of %.1f records\n", fl_target_name((enum fl_target)t), took * 1e9 / n,
               (double)records / n);
    }
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "bench") == 0) {
        bench();
        return 0;
    }
    test_chains();
    test_sizes();
    test_crossover();
    return check_done("mutator");
}
