/* SPDX-License-Identifier: MIT */
/*
 * Does an instruction bring its operand's line into the cache? The child flushes the lines that the operand can name, runs
 * it, and times a load of each (handler.c). One round proves little: the machine has other things to do. So a vote.
 */
#include "native.h"

#include <faultline/oracle/decoder_plugin.h>
#include <stdlib.h>
#include <string.h>

#define ROUNDS 31u
/* Rounds of a vote that may disagree with the rest. */
#define STRAYS (ROUNDS / 4)
/* Controls are repeated this often before they count as failed: a busy machine spoils some. */
#define TRIES 8u

static const struct fl_probe_case load_control = {{0x8a, 0x00}, 2, 64};           /* mov al,[rax] or [bx+si] */
static const struct fl_probe_case prefetch_control = {{0x0f, 0x18, 0x08}, 3, 64}; /* prefetcht0 of the same */
static const struct fl_probe_case nop_control = {{0x90}, 1, 64};

static enum fl_status rounds_of(struct native *n, const struct fl_probe_case *c)
{
    for (unsigned i = 0; i < ROUNDS; i++)
        native_job(&n->share->jobs[i], c, true);
    return native_batch(n, ROUNDS);
}

static void vote(const struct native *n, struct fl_probe_loads *out)
{
    memset(out, 0, sizeof *out);
    out->rounds = ROUNDS;
    for (unsigned i = 0; i < ROUNDS; i++)
        out->hits += n->share->cycles[i] < n->threshold;
    out->loads = out->hits > ROUNDS / 2;
    out->sure = out->hits <= STRAYS || out->hits >= ROUNDS - STRAYS;
}

static int compare_cycles(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return x < y ? -1 : x > y;
}

/* Sorted cycles of a control in 64-bit code. */
static enum fl_status measure(struct native *n, const struct fl_probe_case *c, uint32_t cycles[ROUNDS])
{
    enum fl_status status = rounds_of(n, c);

    if (status != FL_OK)
        return status;
    memcpy(cycles, n->share->cycles, ROUNDS * sizeof *cycles);
    qsort(cycles, ROUNDS, sizeof *cycles, compare_cycles);
    return FL_OK;
}

enum fl_status native_calibrate(struct native *n)
{
    uint32_t hit[ROUNDS], miss[ROUNDS];

    for (unsigned i = 0; i < TRIES; i++) {
        enum fl_status status = measure(n, &load_control, hit);
        if (status == FL_OK)
            status = measure(n, &nop_control, miss);
        if (status != FL_OK)
            return status;
        uint32_t most_hits = hit[ROUNDS - 1 - STRAYS], most_misses = miss[STRAYS];
        if (most_misses > most_hits + most_hits / 4) {
            n->threshold = most_hits + (most_misses - most_hits) / 2;
            return FL_OK;
        }
    }
    return FL_UNSUPPORTED;
}

enum fl_status native_timing_controls(struct native *n)
{
    static const struct {
        const struct fl_probe_case *c;
        const char *name;
        bool loads;
    } controls[] = {{&load_control, "mov from memory", true},
                    {&prefetch_control, "prefetcht0", true},
                    {&nop_control, "nop", false}};

    for (unsigned bits = 16; bits <= 64; bits *= 2) {
        if ((n->base.modes & (bits == 16 ? FL_DECODES_16 : bits == 32 ? FL_DECODES_32 : FL_DECODES_64)) == 0)
            continue;
        for (unsigned i = 0; i < sizeof controls / sizeof controls[0]; i++) {
            struct fl_probe_case c = *controls[i].c;
            struct fl_probe_loads got;
            unsigned tries = 0;

            c.bits = (uint8_t)bits;
            do {
                enum fl_status status = rounds_of(n, &c);
                if (status != FL_OK)
                    return status;
                vote(n, &got);
            } while ((!got.sure || got.loads != controls[i].loads) && ++tries < TRIES);
            if (tries == TRIES)
                return native_fail(n, "control %s in %u-bit code: its line was in the cache %u times of %u",
                                   controls[i].name, bits, got.hits, got.rounds);
            n->base.controls++;
        }
    }
    return FL_OK;
}

/* An operand relative to RIP names the code itself, which is in the cache anyway. */
static bool is_rip_relative(const struct fl_probe_case *c)
{
    static const uint8_t prefixes[] = {0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66, 0x67, 0xf0, 0xf2, 0xf3};
    unsigned i = 0;

    if (c->bits != 64)
        return false;
    while (i < c->n && ((c->bytes[i] & 0xf0) == 0x40 || memchr(prefixes, c->bytes[i], sizeof prefixes) != NULL))
        i++;
    i += i < c->n && c->bytes[i] == 0x0f ? 2 : 1;
    return i < c->n && (c->bytes[i] & 0xc7) == 0x05;
}

enum fl_status native_loads(struct fl_probe *p, const struct fl_probe_case *c, struct fl_probe_loads *out)
{
    struct native *n = (struct native *)p;

    if (p == NULL || c == NULL || out == NULL || !probe_case_valid(c, p->modes))
        return FL_INVALID;
    if (n->failed)
        return FL_FAILED;
    if (!n->timing)
        return FL_UNSUPPORTED;
    if (is_rip_relative(c)) {
        memset(out, 0, sizeof *out);
        return FL_OK;
    }
    enum fl_status status = rounds_of(n, c);
    if (status == FL_OK)
        vote(n, out);
    return status;
}
