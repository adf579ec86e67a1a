/* SPDX-License-Identifier: MIT */
/*
 * The little world of a C program about a finding. It answers the core's ops as the world of the finding did; an op is
 * answered from what the program holds (memory, VMAs, keyed answers), whatever order it is asked in, so that a core that
 * is put right, and takes another way, still gets its answers. What the program does not hold is answered so, and told:
 *
 *   read_entry, write_entry   elsewhere than in a table: no memory there; in a table: 0
 *   probe_byte, user_word     not readable
 *   extable, symbol           nothing
 *   ldt                       0
 *   mm_fault                  of no VMA: SIGBUS; RETRY that was not allowed: minor
 */
#include "program_types.h"

#include <inttypes.h>
#include <string.h>

#define MOST_ENTRIES 6144
#define MOST_VMAS    40
#define MOST_WRITES  8192
#define MOST_LOG     1024

static struct world {
    const struct repro *r;
    FILE *out;
    unsigned unknown; /* ops that the program does not hold an answer to */

    struct repro_entry entry[MOST_ENTRIES];
    size_t nentries;
    struct repro_write queue[64];
    unsigned nqueue;
    struct fl_vma vma[MOST_VMAS];
    size_t nvmas;
    uint32_t generation;
    bool contended, refused, yielded, warned93;
    bool report_contended;
    bool ending; /* what follows is about a report */

    /* what was seen */
    unsigned calls, reads, elsewhere, nwrites, flushes, flushed_writes, warns;
    struct repro_write write[MOST_WRITES];
    unsigned pgd_gets, pgd_drops, pgd_depth;
    bool pgd_missing, pgd_irqsave;
    unsigned kprobes, probes, probes_outside, probes_wrong, irq_calls, yields, fatal_asks, vsyscalls, vsyscall_nr, dies;
    bool kprobe_late, ldt_outside, irq_late, irq_locked;
    unsigned lock_depth, lock_asks, lock_tries, lock_takes, lock_gets, lock_drops, report_tries, report_takes,
        report_gets;
    bool lock_missing, deadlock, stale;
    const char *locked_op;
    unsigned mm_calls;
    uint8_t mm_flags[4];
    uint64_t mm_addr, new_start, die_code;
    bool grew;
    uint8_t die;
    unsigned limits[2];
    size_t nlog;
    char log[MOST_LOG];
} w;

static void unknown(const char *op, uint64_t argument, const char *answer)
{
    if (w.unknown++ < 8)
        fprintf(w.out, "  note: %s(%#" PRIx64 ") is not in the recorded world; answered: %s\n", op, argument, answer);
}

static void called(void)
{
    w.calls++;
}

static void unlocked(const char *op)
{
    called();
    if (w.lock_depth && !w.locked_op)
        w.locked_op = op;
}

static void locked(void)
{
    called();
    w.lock_missing |= w.lock_depth == 0;
}

/* ---- tables ------------------------------------------------------------------------------------------------------ */

static struct repro_entry *entry_at(uint64_t paddr, unsigned size)
{
    for (size_t i = 0; i < w.nentries; i++)
        if (w.entry[i].paddr == paddr && w.entry[i].size == size)
            return &w.entry[i];
    return NULL;
}

static bool in_a_table(uint64_t paddr)
{
    for (size_t i = 0; i < w.r->ntables; i++)
        if ((paddr ^ w.r->tables[i]) >> 12 == 0)
            return true;
    return false;
}

static bool read_entry(void *ctx, uint64_t paddr, unsigned size, uint64_t *value)
{
    const struct repro_entry *e = entry_at(paddr, size);

    (void)ctx;
    called();
    w.reads++;
    if (e) {
        w.elsewhere += e->elsewhere;
        if (e->no_memory)
            return false;
        *value = e->value;
        return true;
    }
    if (in_a_table(paddr) && (size == 4 || size == 8) && paddr % size == 0) {
        *value = 0;
        return true;
    }
    unknown("read_entry", paddr, "no memory there");
    return false;
}

static void carry_out(const struct repro_write *q)
{
    struct repro_entry *e = entry_at(q->paddr, q->size);

    if (!e && w.nentries < MOST_ENTRIES)
        e = &w.entry[w.nentries++];
    if (e)
        *e = (struct repro_entry){.paddr = q->paddr, .value = q->value, .size = q->size};
}

static void flush_queue(void)
{
    for (unsigned i = 0; i < w.nqueue; i++)
        carry_out(&w.queue[i]);
    w.nqueue = 0;
}

static bool write_entry(void *ctx, uint64_t paddr, unsigned size, uint64_t value, enum fl_set how)
{
    struct repro_write q = {paddr, size == 4 ? (uint32_t)value : value, (uint8_t)size, (uint8_t)how};

    (void)ctx;
    called();
    if (w.nwrites < MOST_WRITES)
        w.write[w.nwrites] = q;
    w.nwrites++;
    if ((size != 4 && size != 8) || paddr % size != 0)
        return false;
    if (entry_at(paddr, size) && entry_at(paddr, size)->no_memory)
        return false;
    if (!entry_at(paddr, size) && !in_a_table(paddr)) {
        unknown("write_entry", paddr, "no memory there");
        return false;
    }
    if (!w.r->lazy_mmu || how == FL_SET_PLAIN) {
        carry_out(&q);
        return true;
    }
    if (w.nqueue == sizeof w.queue / sizeof w.queue[0])
        flush_queue();
    w.queue[w.nqueue++] = q;
    return true;
}

static void flush_lazy(void *ctx)
{
    (void)ctx;
    called();
    w.flushes++;
    w.flushed_writes = w.nwrites;
    flush_queue();
}

static void warn_nmi(void *ctx)
{
    (void)ctx;
    called();
    w.warns++;
}

static void pgd_lock(void *ctx, bool irqsave)
{
    (void)ctx;
    called();
    w.pgd_gets++;
    w.pgd_depth++;
    w.pgd_irqsave |= irqsave;
}

static void pgd_unlock(void *ctx)
{
    (void)ctx;
    called();
    w.pgd_drops++;
    w.pgd_missing |= w.pgd_depth == 0;
    w.pgd_depth -= w.pgd_depth != 0;
}

static bool pgd_next(void *ctx, unsigned i, uint64_t *root)
{
    (void)ctx;
    called();
    w.pgd_missing |= w.pgd_depth == 0;
    if (i >= w.r->npgds)
        return false;
    *root = w.r->pgd[i];
    return true;
}

/* ---- the interrupted context --------------------------------------------------------------------------------------- */

static bool kprobe(void *ctx)
{
    (void)ctx;
    w.kprobe_late |= w.calls != 0;
    called();
    return w.kprobes++ == 0 && w.r->kprobe_claims;
}

static bool probe_byte(void *ctx, uint64_t linear, bool user, uint8_t *byte)
{
    bool inside = false;

    (void)ctx;
    unlocked("probe_byte");
    w.ending = true;
    w.probes++;
    for (size_t i = 0; i < w.r->nwindow; i++)
        inside |= w.r->window[i] == linear;
    w.probes_outside += !inside;
    w.probes_wrong += user != w.r->probe_user;
    for (size_t i = 0; i < w.r->nbytes; i++)
        if (w.r->bytes[i].linear == linear && w.r->bytes[i].user == user) {
            *byte = w.r->bytes[i].byte;
            return true;
        }
    return false;
}

static uint64_t ldt(void *ctx, unsigned index)
{
    (void)ctx;
    unlocked("ldt");
    w.ending = true;
    if (index < w.r->fault.task.ldt_entries)
        return w.r->ldt[index];
    w.ldt_outside = true;
    return 0;
}

static void irq_enable(void *ctx)
{
    (void)ctx;
    called();
    if (w.irq_calls++ == 0)
        w.irq_late = w.lock_asks != 0;
    w.irq_locked |= w.lock_depth != 0;
}

static bool extable(void *ctx, uint64_t ip, uint64_t *fixup)
{
    (void)ctx;
    unlocked("extable");
    if (w.lock_asks == 0 || w.lock_gets != 0)
        w.ending = true;
    for (size_t i = 0; i < w.r->nextable; i++)
        if (w.r->extable[i].at == ip) {
            *fixup = w.r->extable[i].value;
            return true;
        }
    return false;
}
