/* SPDX-License-Identifier: MIT */
#include "fake.h"

#include <limits.h>
#include <string.h>

/* struct fl_ops is nothing but function pointers: fake_ops_without counts on it. */
_Static_assert(sizeof(struct fl_ops) % sizeof(void (*)(void)) == 0, "ops");

static void note(struct fake *k, char letter)
{
    if (letter == 'l' && k->ntrace && k->trace[k->ntrace - 1] == 'l')
        return;
    if (k->ntrace + 1 < sizeof k->trace)
        k->trace[k->ntrace++] = letter;
}

static void misused(struct fake *k, bool wrong, const char *what)
{
    if (wrong && !k->misuse)
        k->misuse = what;
}

static void need_lock(struct fake *k, const char *what)
{
    misused(k, !k->locked, what);
}

static void need_no_lock(struct fake *k, const char *what)
{
    misused(k, k->locked || k->pgd_locked, what);
}

/* ---- tables ---- */

uint64_t fake_entry(const struct fake *k, uint64_t paddr)
{
    for (unsigned i = k->nentries; i-- > 0;)
        if (k->entry[i].paddr == paddr)
            return k->entry[i].value;
    return 0;
}

void fake_set_entry(struct fake *k, uint64_t paddr, uint64_t value)
{
    for (unsigned i = k->nentries; i-- > 0;)
        if (k->entry[i].paddr == paddr) {
            k->entry[i].value = value;
            return;
        }
    if (k->nentries < FAKE_ENTRIES)
        k->entry[k->nentries++] = (struct fake_entry){.paddr = paddr, .value = value};
    else
        misused(k, true, "more entries than the fake has");
}

static bool memory_at(const struct fake *k, uint64_t paddr)
{
    return paddr < k->ram_end && !(paddr >= k->hole && paddr < k->hole_end);
}

static bool fake_read_entry(void *ctx, uint64_t paddr, unsigned size, uint64_t *value)
{
    struct fake *k = ctx;

    note(k, 'r');
    misused(k, (size != 4 && size != 8) || paddr % size, "read_entry: size or alignment");
    if (k->reads < FAKE_READS)
        k->read_paddr[k->reads] = paddr;
    k->reads++;
    k->read_size = size;
    if (!memory_at(k, paddr))
        return false;
    *value = fake_entry(k, paddr);
    if (size == 4)
        *value = (uint32_t)*value;
    return true;
}

static bool fake_write_entry(void *ctx, uint64_t paddr, unsigned size, uint64_t value, enum fl_set how)
{
    struct fake *k = ctx;
    struct fake_write write = {.paddr = paddr, .value = value, .size = size, .how = how};

    note(k, how == FL_SET_PLAIN ? 'w' : how == FL_SET_PMD ? 'P' : 'G');
    misused(k, (size != 4 && size != 8) || paddr % size || (size == 4 && value >> 32), "write_entry: size or value");
    if (k->nwrites < FAKE_WRITES)
        k->write[k->nwrites] = write;
    k->nwrites++;
    if (!memory_at(k, paddr) || (paddr >= k->read_only && paddr < k->rom_end))
        return false;
    if (k->lazy && how != FL_SET_PLAIN) {
        misused(k, k->nqueue == FAKE_WRITES, "more queued writes than the fake has");
        if (k->nqueue < FAKE_WRITES)
            k->queue[k->nqueue++] = write;
    } else {
        fake_set_entry(k, paddr, value);
    }
    return true;
}

static void fake_flush_lazy(void *ctx)
{
    struct fake *k = ctx;

    note(k, 'F');
    k->nflushes++;
    for (unsigned i = 0; i < k->nqueue; i++)
        fake_set_entry(k, k->queue[i].paddr, k->queue[i].value);
    k->nqueue = 0;
}

static void fake_warn_nmi(void *ctx)
{
    note(ctx, 'N');
    need_no_lock(ctx, "warn_nmi with a lock");
}

static void fake_pgd_lock(void *ctx, bool irqsave)
{
    struct fake *k = ctx;

    note(k, '(');
    misused(k, k->pgd_locked || k->locked, "pgd_lock with a lock");
    k->pgd_locked = true;
    k->pgd_irqsave = irqsave;
}

static void fake_pgd_unlock(void *ctx)
{
    struct fake *k = ctx;

    note(k, ')');
    misused(k, !k->pgd_locked, "pgd_unlock without the lock");
    k->pgd_locked = false;
}

static bool fake_pgd_next(void *ctx, unsigned i, uint64_t *root)
{
    struct fake *k = ctx;

    note(k, 'n');
    misused(k, !k->pgd_locked, "pgd_next without the lock");
    if (i >= k->npgds)
        return false;
    *root = k->pgd[i];
    return true;
}

/* ---- the interrupted context ---- */

static bool fake_kprobe(void *ctx)
{
    struct fake *k = ctx;

    misused(k, k->ntrace, "kprobe after another op");
    note(k, 'k');
    return k->kprobe_claims;
}

static bool fake_probe_byte(void *ctx, uint64_t linear, bool user, uint8_t *byte)
{
    struct fake *k = ctx;
    unsigned index = k->probes++;
    uint64_t offset = linear - k->code_at;

    note(k, 'p');
    need_no_lock(k, "probe_byte with a lock");
    if (index < FAKE_BYTES) {
        k->probe_linear[index] = linear;
        k->probe_user[index] = user;
    }
    if (index == k->fail_probe || offset >= k->ncode || (k->user_only && !user))
        return false;
    *byte = k->code[offset];
    return true;
}

static uint64_t fake_ldt(void *ctx, unsigned index)
{
    struct fake *k = ctx;
    unsigned offset = index - k->ldt_first;

    note(k, 'L');
    need_no_lock(k, "ldt with a lock");
    k->ldt_index = index;
    misused(k, offset >= FAKE_LDT, "ldt: no such descriptor");
    return offset < FAKE_LDT ? k->ldt[offset] : 0;
}

static void fake_irq_enable(void *ctx)
{
    struct fake *k = ctx;

    note(k, 'i');
    need_no_lock(k, "irq_enable with a lock");
    misused(k, k->irqs_on, "irq_enable twice");
    k->irqs_on = true;
}

static bool fake_extable(void *ctx, uint64_t ip, uint64_t *fixup)
{
    struct fake *k = ctx;

    note(k, 'x');
    need_no_lock(k, "extable with a lock");
    k->extable_ip = ip;
    if (!k->has_fixup || (k->fixup_at && ip != k->fixup_at))
        return false;
    *fixup = k->fixup;
    return true;
}

/* ---- the address space ---- */

static bool fake_lock_try(void *ctx)
{
    struct fake *k = ctx;
    unsigned index = k->tries++;
    bool refused = index < 32 && (k->refuse_try >> index & 1);

    note(k, refused ? 'f' : 't');
    need_no_lock(k, "lock_try with a lock");
    if (refused)
        return false;
    k->locked = true;
    return true;
}

static void fake_lock_take(void *ctx)
{
    struct fake *k = ctx;

    note(k, 'T');
    need_no_lock(k, "lock_take with a lock");
    k->locked = true;
}

static void fake_lock_drop(void *ctx)
{
    struct fake *k = ctx;

    note(k, 'd');
    need_lock(k, "lock_drop without the lock");
    k->locked = false;
}

static bool fake_vma_find(void *ctx, uint64_t addr, struct fl_vma *vma)
{
    struct fake *k = ctx;
    const struct fl_vma *found = NULL;

    note(k, 'v');
    need_lock(k, "vma_find without the lock");
    k->found = addr;
    if (!k->no_vma && addr < k->vma.end)
        found = &k->vma;
    if (addr < k->code_vma.end && (!found || k->code_vma.end < found->end))
        found = &k->code_vma;
    if (found)
        *vma = *found;
    return found;
}

static enum fl_status fake_vma_expand(void *ctx, uint32_t generation, uint64_t start, struct fl_vma *now)
{
    struct fake *k = ctx;

    note(k, 'e');
    need_lock(k, "vma_expand without the lock");
    k->expand_generation = generation;
    k->expand_start = start;
    if (k->expand == FL_OK) {
        k->vma.start = start;
        k->vma.generation++;
        *now = k->vma;
    }
    return k->expand;
}

static void become(struct fake *k, const struct fl_vma *vma)
{
    if (!vma)
        return;
    k->vma = *vma;
    k->no_vma = vma->end == 0;
}

static enum fl_mm_result fake_mm_fault(void *ctx, uint32_t generation, uint64_t addr, unsigned flags)
{
    struct fake *k = ctx;
    unsigned last = k->nmm ? k->nmm - 1 : 0;
    enum fl_mm_result answer = k->mm[k->mm_calls < last ? k->mm_calls : last];

    note(k, 'm');
    need_lock(k, "mm_fault without the lock");
    misused(k, k->no_vma || generation != k->vma.generation || addr < k->vma.start || addr >= k->vma.end,
            "mm_fault: not that VMA");
    if (k->mm_calls < FAKE_MM)
        k->mm_flags[k->mm_calls] = flags;
    k->mm_calls++;
    k->mm_generation = generation;
    k->mm_addr = addr;
    /* A RETRY that was not allowed is hostile: the lock stays, whoever believes the answer drops it twice or takes it
     * twice. */
    if ((answer == FL_MM_RETRY || answer == FL_MM_RETRY_MAJOR) && (flags & FL_MM_ALLOW_RETRY)) {
        k->locked = false;
        become(k, k->after_retry);
    }
    return answer;
}

static void fake_yield(void *ctx)
{
    struct fake *k = ctx;

    note(k, 'y');
    need_no_lock(k, "yield with a lock");
    become(k, k->after_yield);
}

static bool fake_fatal_signal(void *ctx)
{
    struct fake *k = ctx;

    note(k, 's');
    need_no_lock(k, "fatal_signal with a lock");
    return k->fatal;
}

static bool fake_user_word(void *ctx, uint64_t addr, uint64_t *value)
{
    struct fake *k = ctx;

    note(k, 'u');
    need_no_lock(k, "user_word with a lock");
    k->word_asked = addr;
    if (!k->has_word || addr != k->word_at)
        return false;
    *value = k->word;
    return true;
}

static bool fake_vsyscall(void *ctx, unsigned nr)
{
    struct fake *k = ctx;

    note(k, 'V');
    need_no_lock(k, "vsyscall with a lock");
    k->vsyscall_nr = nr;
    return !k->vsyscall_fails;
}

/* ---- reports ---- */

static bool fake_ratelimit(void *ctx, enum fl_limit limit)
{
    struct fake *k = ctx;

    note(k, 'R');
    need_no_lock(k, "ratelimit with a lock");
    misused(k, (unsigned)limit >= FL_LIMIT_COUNT, "ratelimit: no such limit");
    k->limit_asked[limit % FL_LIMIT_COUNT]++;
    return !k->limited[limit % FL_LIMIT_COUNT];
}

static void append(struct fake *k, const char *text, size_t n)
{
    size_t room = sizeof k->log - 1 - k->nlog;

    misused(k, n > room, "more text than the fake has");
    if (n > room)
        n = room;
    memcpy(k->log + k->nlog, text, n);
    k->nlog += n;
    k->log[k->nlog] = 0;
}

static void fake_log(void *ctx, const char *text, size_t n)
{
    note(ctx, 'l');
    need_no_lock(ctx, "log with a lock");
    append(ctx, text, n);
}

static void answer_text(const char *text, char *buf, size_t size)
{
    size_t n = strlen(text);

    if (n > size - 1)
        n = size - 1;
    memcpy(buf, text, n);
    buf[n] = 0;
}

static bool fake_symbol(void *ctx, uint64_t ip, char *buf, size_t size)
{
    struct fake *k = ctx;

    note(k, 'S');
    need_no_lock(k, "symbol with a lock");
    misused(k, size == 0, "symbol: no room");
    k->symbol_ip = ip;
    if (!k->symbol || size == 0)
        return false;
    answer_text(k->symbol, buf, size);
    return true;
}

static void fake_file_name(void *ctx, uint8_t file, char *buf, size_t size)
{
    struct fake *k = ctx;

    note(k, 'A');
    need_no_lock(k, "file_name with a lock");
    misused(k, size == 0, "file_name: no room");
    k->file_asked = file;
    if (size)
        answer_text(k->file ? k->file : "", buf, size);
}

static void fake_die(void *ctx, enum fl_die what, uint64_t error_code)
{
    struct fake *k = ctx;

    note(k, 'D');
    need_no_lock(k, "die with a lock");
    k->die_what = what;
    k->die_code = error_code;
    append(k, FAKE_DIE, sizeof FAKE_DIE - 1);
}

const struct fl_ops fake_ops = {
    .read_entry = fake_read_entry,
    .write_entry = fake_write_entry,
    .flush_lazy = fake_flush_lazy,
    .warn_nmi = fake_warn_nmi,
    .pgd_lock = fake_pgd_lock,
    .pgd_unlock = fake_pgd_unlock,
    .pgd_next = fake_pgd_next,
    .kprobe = fake_kprobe,
    .probe_byte = fake_probe_byte,
    .ldt = fake_ldt,
    .irq_enable = fake_irq_enable,
    .extable = fake_extable,
    .lock_try = fake_lock_try,
    .lock_take = fake_lock_take,
    .lock_drop = fake_lock_drop,
    .vma_find = fake_vma_find,
    .vma_expand = fake_vma_expand,
    .mm_fault = fake_mm_fault,
    .yield = fake_yield,
    .fatal_signal = fake_fatal_signal,
    .user_word = fake_user_word,
    .vsyscall = fake_vsyscall,
    .ratelimit = fake_ratelimit,
    .log = fake_log,
    .symbol = fake_symbol,
    .file_name = fake_file_name,
    .die = fake_die,
};

struct fl_ops fake_ops_without(unsigned i)
{
    struct fl_ops ops = fake_ops;
    void (*none)(void) = NULL;

    memcpy((char *)&ops + i * sizeof none, &none, sizeof none);
    return ops;
}

void fake_forget(struct fake *k)
{
    bool locked = k->locked, pgd_locked = k->pgd_locked;

    memset(k->trace, 0, sizeof *k - offsetof(struct fake, trace));
    k->locked = locked;
    k->pgd_locked = pgd_locked;
}

struct fake fake_world(void)
{
    struct fake k;

    memset(&k, 0, sizeof k);
    k.ram_end = UINT64_C(1) << 40;
    k.vma = (struct fl_vma){.start = 0x7ff000,
                            .end = 0x800000,
                            .generation = 7,
                            .read = true,
                            .write = true,
                            .growsdown = true,
                            .total_pages = 1};
    k.fail_probe = UINT_MAX;
    k.fixup = 0xffffffff81000000;
    return k;
}
