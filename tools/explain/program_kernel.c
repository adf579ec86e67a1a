/* SPDX-License-Identifier: MIT */
/* The rest of the ops: the address space and reports. Follows program_world.c in the same program. */

/* ---- the address space --------------------------------------------------------------------------------------------- */

static void lock_got(void)
{
    w.deadlock |= w.lock_depth != 0;
    w.lock_depth++;
    w.lock_gets++;
    w.report_gets += w.ending;
}

static bool lock_try(void *ctx)
{
    bool *busy = w.ending ? &w.report_contended : &w.contended;

    (void)ctx;
    called();
    w.lock_asks++;
    ++*(w.ending ? &w.report_tries : &w.lock_tries);
    if (*busy) {
        *busy = false;
        return false;
    }
    lock_got();
    return true;
}

static void lock_take(void *ctx)
{
    (void)ctx;
    called();
    w.lock_asks++;
    ++*(w.ending ? &w.report_takes : &w.lock_takes);
    lock_got();
}

static void lock_lost(void)
{
    w.lock_drops++;
    w.lock_depth -= w.lock_depth != 0;
}

static void lock_drop(void *ctx)
{
    (void)ctx;
    locked();
    lock_lost();
}

static void copy_out(size_t i, struct fl_vma *out)
{
    struct fl_vma copy = w.vma[i];

    copy.prev_end = i ? w.vma[i - 1].end : 0;
    copy.prev_growsdown = i && w.vma[i - 1].growsdown;
    copy.total_pages = 0;
    for (size_t k = 0; k < w.nvmas; k++)
        copy.total_pages += (w.vma[k].end - w.vma[k].start) >> 12;
    *out = copy;
}

static size_t above(uint64_t addr)
{
    size_t i = 0;

    while (i < w.nvmas && w.vma[i].end <= addr)
        i++;
    return i;
}

static size_t by_generation(uint32_t generation)
{
    size_t i = 0;

    while (i < w.nvmas && w.vma[i].generation != generation)
        i++;
    return i;
}

static bool vma_find(void *ctx, uint64_t addr, struct fl_vma *vma)
{
    size_t i = above(addr);

    (void)ctx;
    locked();
    if (i == w.nvmas)
        return false;
    copy_out(i, vma);
    return true;
}

static enum fl_status vma_expand(void *ctx, uint32_t generation, uint64_t start, struct fl_vma *now)
{
    size_t i = by_generation(generation);

    (void)ctx;
    locked();
    if (i == w.nvmas) {
        w.stale = true;
        return FL_STALE;
    }
    if (w.refused) {
        w.refused = false;
        return FL_NO_MEMORY;
    }
    if ((start & 0xfff) || start >= w.vma[i].start || (i && start < w.vma[i - 1].end))
        return FL_NO_MEMORY;
    if (w.vma[i].backing == FL_BACK_FILE)
        w.vma[i].pgoff -= (uint32_t)((w.vma[i].start - start) >> 12);
    w.vma[i].start = start;
    w.vma[i].generation = ++w.generation;
    w.grew = true;
    w.new_start = start;
    copy_out(i, now);
    return FL_OK;
}

static enum fl_mm_result mm_fault(void *ctx, uint32_t generation, uint64_t addr, unsigned flags)
{
    size_t i = by_generation(generation);
    unsigned n = w.mm_calls++;
    enum fl_mm_result result;

    (void)ctx;
    locked();
    if (n < 4)
        w.mm_flags[n] = (uint8_t)flags;
    w.mm_addr = addr;
    if (i == w.nvmas || addr < w.vma[i].start || addr >= w.vma[i].end) {
        w.stale = true;
        return FL_MM_SIGBUS;
    }
    result = n < 4 ? (enum fl_mm_result)w.r->mm_result[n] : FL_MM_MINOR;
    if ((result == FL_MM_RETRY || result == FL_MM_RETRY_MAJOR) && !(flags & FL_MM_ALLOW_RETRY))
        result = FL_MM_MINOR;
    w.ending = result != FL_MM_RETRY && result != FL_MM_RETRY_MAJOR;
    if (!w.ending)
        lock_lost();
    return result;
}

static void yield(void *ctx)
{
    size_t i = above(w.mm_addr);

    (void)ctx;
    unlocked("yield");
    w.ending = false;
    if (w.yields++ != 0 || w.mm_calls == 0 || i == w.nvmas || w.vma[i].start > w.mm_addr)
        return;
    if (w.r->yield == REPRO_YIELD_UNMAP) {
        memmove(&w.vma[i], &w.vma[i + 1], (w.nvmas - i - 1) * sizeof w.vma[0]);
        w.nvmas--;
    } else if (w.r->yield == REPRO_YIELD_PROTECT) {
        w.vma[i].write = false;
        w.vma[i].generation = ++w.generation;
    }
}

static bool fatal_signal(void *ctx)
{
    (void)ctx;
    called();
    return w.fatal_asks++ == 0 && w.r->fatal_signal;
}

static bool user_word(void *ctx, uint64_t addr, uint64_t *value)
{
    (void)ctx;
    unlocked("user_word");
    for (size_t i = 0; i < w.r->nwords; i++)
        if (w.r->words[i].at == addr) {
            *value = w.r->words[i].value;
            return true;
        }
    return false;
}

static bool vsyscall(void *ctx, unsigned nr)
{
    (void)ctx;
    unlocked("vsyscall");
    w.vsyscall_nr = nr;
    return !(w.vsyscalls++ == 0 && w.r->vsyscall_fails);
}

/* ---- reports ------------------------------------------------------------------------------------------------------- */

static bool ratelimit(void *ctx, enum fl_limit limit)
{
    bool again = w.warned93;

    (void)ctx;
    unlocked("ratelimit");
    w.ending = true;
    if (limit >= FL_LIMIT_COUNT)
        return false;
    w.limits[limit]++;
    w.warned93 |= limit == FL_LIMIT_ERRATUM93;
    return !w.r->ratelimited[limit] && !(limit == FL_LIMIT_ERRATUM93 && again);
}

static void append(const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++, w.nlog++)
        if (w.nlog < MOST_LOG)
            w.log[w.nlog] = text[i];
}

static void log_text(void *ctx, const char *text, size_t n)
{
    (void)ctx;
    unlocked("log");
    w.ending = true;
    append(text, n);
}

static bool symbol(void *ctx, uint64_t ip, char *buf, size_t size)
{
    (void)ctx;
    unlocked("symbol");
    if (!w.r->symbol || ip != w.r->fault.regs.ip || size == 0)
        return false;
    snprintf(buf, size, "%s", w.r->symbol);
    return true;
}

static void file_name(void *ctx, uint8_t file, char *buf, size_t size)
{
    (void)ctx;
    unlocked("file_name");
    if (size)
        snprintf(buf, size, "%s", w.r->files[file & 3] ? w.r->files[file & 3] : "");
}

static void die(void *ctx, enum fl_die what, uint64_t error_code)
{
    (void)ctx;
    unlocked("die");
    w.ending = true;
    w.dies++;
    w.die = (uint8_t)what;
    w.die_code = error_code;
    append("{die}\n", 6);
}

static const struct fl_ops ops = {
    .read_entry = read_entry,
    .write_entry = write_entry,
    .flush_lazy = flush_lazy,
    .warn_nmi = warn_nmi,
    .pgd_lock = pgd_lock,
    .pgd_unlock = pgd_unlock,
    .pgd_next = pgd_next,
    .kprobe = kprobe,
    .probe_byte = probe_byte,
    .ldt = ldt,
    .irq_enable = irq_enable,
    .extable = extable,
    .lock_try = lock_try,
    .lock_take = lock_take,
    .lock_drop = lock_drop,
    .vma_find = vma_find,
    .vma_expand = vma_expand,
    .mm_fault = mm_fault,
    .yield = yield,
    .fatal_signal = fatal_signal,
    .user_word = user_word,
    .vsyscall = vsyscall,
    .ratelimit = ratelimit,
    .log = log_text,
    .symbol = symbol,
    .file_name = file_name,
    .die = die,
};

static void begin(const struct repro *r, FILE *out)
{
    unsigned so_far = w.r == r ? w.unknown : 0;

    memset(&w, 0, sizeof w);
    w.r = r;
    w.out = out;
    w.unknown = so_far;
    w.nentries = r->nentries < MOST_ENTRIES ? r->nentries : MOST_ENTRIES;
    if (w.nentries)
        memcpy(w.entry, r->entries, w.nentries * sizeof w.entry[0]);
    w.nvmas = r->nvmas < MOST_VMAS ? r->nvmas : MOST_VMAS;
    if (w.nvmas)
        memcpy(w.vma, r->vmas, w.nvmas * sizeof w.vma[0]);
    for (size_t i = 0; i < w.nvmas; i++)
        if (w.vma[i].generation > w.generation)
            w.generation = w.vma[i].generation;
    w.contended = r->lock_contended;
    w.report_contended = r->report_contended;
    w.refused = r->expand_refused;
}
