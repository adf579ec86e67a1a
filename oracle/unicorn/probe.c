/* SPDX-License-Identifier: MIT */
/*
 * The probe under emulation: each case is one run of the Unicorn executor, in user mode under 4-level tables (compatibility
 * mode for 16- and 32-bit code), with nothing mapped but the code page.
 *
 * The executor does not run some instructions (refuse.c of its folder), and gives up loops after a number of instructions;
 * such a case ends as FL_PROBE_OTHER.
 */
#include "../probe_state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <faultline/oracle/decoder_plugin.h>
#include <faultline/oracle/exec.h>

/* Physical pages. */
#define RAM_SIZE   0x6000u
#define PML4       0x1000u
#define PDPT       0x2000u
#define DIRECTORY  0x3000u
#define TABLE      0x4000u
#define CODE_FRAME 0x5000u

/* Selectors of user mode, as on a 64-bit Linux; the executor takes what they mean from elsewhere. */
#define USER_CS 0x33u
#define USER_DS 0x2bu

/* A string has at most so many instructions unless it loops. */
#define MAX_INSNS (FL_PROBE_BYTES + 2)

struct emulated {
    struct fl_probe base; /* first: the public face */
    struct fl_executor *ex;
    struct fl_ram ram;
    struct fl_cpu cpu;
    uint64_t since;
    bool failed;
    char why[256];
};

static void write_entry(struct emulated *e, uint32_t table, unsigned index, uint64_t value)
{
    memcpy(e->ram.base + table + 8 * (index & 511), &value, 8);
}

static void write_tables(struct emulated *e)
{
    uint64_t code = PROBE_WINDOW + PROBE_CODE;

    /* Present, writable, user, accessed, dirty (SDM vol. 3, 4.5); the code page is not writable, as natively. */
    write_entry(e, PML4, (unsigned)(code >> 39), PDPT | 0x67u);
    write_entry(e, PDPT, (unsigned)(code >> 30), DIRECTORY | 0x67u);
    write_entry(e, DIRECTORY, (unsigned)(code >> 21), TABLE | 0x67u);
    write_entry(e, TABLE, (unsigned)(code >> 12), CODE_FRAME | 0x65u);
    memset(e->ram.base + CODE_FRAME, 0xcc, 4096);
    e->cpu = (struct fl_cpu){.mode = FL_MODE_4LEVEL,
                             .vendor = FL_VENDOR_AMD,
                             .family = 25,
                             .maxphyaddr = 40,
                             .pse36 = true,
                             .page1gb = true,
                             .cr0 = 0x80010001, /* PG, WP, PE */
                             .cr3 = PML4,
                             .cr4 = 0x20,    /* PAE */
                             .efer = 0xd00}; /* NXE, LMA, LME */
}

/* A page fault ends the case. */
static bool decline(void *ctx, uint64_t cr2, uint32_t error_code, struct fl_regs *regs)
{
    (void)ctx;
    (void)cr2;
    (void)error_code;
    (void)regs;
    return false;
}

static enum fl_probe_end end_of(const struct fl_exec_result *r, const struct fl_regs *start,
                                const struct fl_codeseg *cs, uint64_t end)
{
    struct probe_exception x = {
        .ip = r->regs.ip, .cr2 = r->cr2, .error_code = r->error_code, .start = start->ip, .end = end, .base = cs->base};
    uint64_t differs = (r->regs.flags ^ start->flags) & PROBE_FLAGS_SEEN;
    uint64_t mask = cs->bits == 64 ? UINT64_MAX : UINT32_MAX;

    for (unsigned k = 0; k < (cs->bits == 64 ? 16u : 8u); k++)
        differs |= (r->regs.gpr[k] ^ start->gpr[k]) & mask;
    x.same = differs == 0;
    x.same_segment = r->regs.cs == start->cs;
    switch ((enum fl_exec_end)r->end) {
    case FL_END_DONE: x.vector = PROBE_V_BP; break;
    case FL_END_FAULT: x.vector = PROBE_V_PF; break;
    case FL_END_EXCEPTION: x.vector = r->vector; break;
    case FL_END_BUS:
    case FL_END_LIMIT:
    case FL_END_COUNT: return FL_PROBE_OTHER;
    }
    return probe_end(&x);
}

static enum fl_status run_one(struct emulated *e, const struct fl_probe_case *c, uint8_t *end)
{
    static const struct fl_exec_limits limits = {MAX_INSNS, 1};
    struct fl_codeseg cs = {c->bits == 16 ? PROBE_WINDOW : 0, c->bits == 16 ? 0xffff : 0xffffffff, c->bits};
    struct fl_regs regs = {
        .flags = PROBE_FLAGS, .cs = USER_CS, .ss = USER_DS, .ds = USER_DS, .es = USER_DS, .fs = USER_DS, .gs = USER_DS};
    uint64_t behind = PROBE_CODE_END + (c->bits == 16 ? 0 : PROBE_WINDOW);
    uint8_t *page_end = e->ram.base + CODE_FRAME + 4096;
    struct fl_exec_result result;

    for (unsigned k = 0; k < FL_GPR_COUNT; k++)
        regs.gpr[k] = PROBE_REGISTER(k) | (c->bits == 64 ? PROBE_REGISTER_UPPER : 0);
    regs.ip = behind - 1 - c->n;
    memset(page_end - 1 - FL_PROBE_BYTES, 0xcc, FL_PROBE_BYTES);
    memcpy(page_end - 1 - c->n, c->bytes, c->n);
    switch (e->ex->run(e->ex, &e->cpu, &regs, &cs, &limits, decline, NULL, &result)) {
    case FL_EXEC_OK: *end = (uint8_t)end_of(&result, &regs, &cs, behind); return FL_OK;
    case FL_EXEC_UNSUPPORTED: *end = FL_PROBE_OTHER; return FL_OK;
    case FL_EXEC_BROKEN: break;
    }
    e->failed = true;
    snprintf(e->why, sizeof e->why, "the executor broke: %s", result.reason);
    return FL_FAILED;
}

/* Without looking at what the cases are. */
static enum fl_status run_plain(struct fl_probe *p, const struct fl_probe_case *cases, size_t n, uint8_t *ends)
{
    for (size_t i = 0; i < n; i++)
        if (run_one((struct emulated *)p, &cases[i], &ends[i]) != FL_OK)
            return FL_FAILED;
    return FL_OK;
}

static enum fl_status controls(struct emulated *e)
{
    unsigned bits = 0;
    uint8_t end = 0;
    const struct probe_control *bad =
        probe_controls(&e->base, run_plain, e->base.modes, &e->base.controls, &bits, &end);

    e->since = 0;
    if (bad == NULL)
        return FL_OK;
    if (!e->failed)
        snprintf(e->why, sizeof e->why, "control %s in %u-bit code ended as %s, not %s", bad->name, bits,
                 fl_probe_end_name((enum fl_probe_end)end), fl_probe_end_name(bad->end));
    e->failed = true;
    return FL_FAILED;
}

static enum fl_status probe_run(struct fl_probe *p, const struct fl_probe_case *cases, size_t count, uint8_t *ends)
{
    struct emulated *e = (struct emulated *)p;

    if (p == NULL || (count != 0 && (cases == NULL || ends == NULL)))
        return FL_INVALID;
    for (size_t i = 0; i < count; i++)
        if (!probe_case_valid(&cases[i], p->modes))
            return FL_INVALID;
    if (e->failed)
        return FL_FAILED;
    while (count > 0) {
        uint64_t left = FL_PROBE_CONTROL_EVERY - e->since;
        size_t now = count < left ? count : (size_t)left;
        if (run_plain(p, cases, now, ends) != FL_OK)
            return FL_FAILED;
        cases += now;
        ends += now;
        count -= now;
        e->since += now;
        if (e->since >= FL_PROBE_CONTROL_EVERY && controls(e) != FL_OK)
            return FL_FAILED;
    }
    return FL_OK;
}

/* Emulation has no cache. */
static enum fl_status probe_loads(struct fl_probe *p, const struct fl_probe_case *c, struct fl_probe_loads *out)
{
    if (p == NULL || c == NULL || out == NULL || !probe_case_valid(c, p->modes))
        return FL_INVALID;
    return FL_UNSUPPORTED;
}

static const char *probe_why(const struct fl_probe *p)
{
    return ((const struct emulated *)p)->why;
}

static void discard(struct emulated *e)
{
    if (e->ex != NULL)
        e->ex->close(e->ex);
    munmap(e->ram.base, e->ram.size);
    free(e);
}

static enum fl_status probe_close(struct fl_probe *p)
{
    struct emulated *e = (struct emulated *)p;

    if (p == NULL)
        return FL_INVALID;
    enum fl_status status = e->failed ? FL_FAILED : controls(e);
    discard(e);
    return status;
}

enum fl_status fl_unicorn_probe_open(struct fl_probe **out, char why[256])
{
    if (out == NULL || why == NULL)
        return FL_INVALID;
    struct emulated *e = calloc(1, sizeof *e);
    void *ram = mmap(NULL, RAM_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (e == NULL || ram == MAP_FAILED) {
        snprintf(why, 256, "no memory for the Unicorn probe");
        if (ram != MAP_FAILED)
            munmap(ram, RAM_SIZE);
        free(e);
        return FL_FAILED;
    }
    e->ram = (struct fl_ram){ram, RAM_SIZE};
    write_tables(e);
    enum fl_status status = fl_unicorn_open(&e->ram, &e->ex, e->why);
    if (status == FL_OK) {
        e->base = (struct fl_probe){.name = "unicorn",
                                    .version = e->ex->version,
                                    .host = e->ex->host,
                                    .modes = FL_DECODES_ALL,
                                    .run = probe_run,
                                    .loads = probe_loads,
                                    .why = probe_why,
                                    .close = probe_close};
        status = controls(e);
    }
    if (status != FL_OK) {
        snprintf(why, 256, "%s", e->why);
        discard(e);
        return status;
    }
    *out = &e->base;
    return FL_OK;
}
