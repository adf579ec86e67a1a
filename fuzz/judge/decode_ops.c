/* SPDX-License-Identifier: MIT */
#include <faultline/fuzz/decode_ops.h>

bool fl_decode_byte(void *ctx, uint64_t linear, bool user, uint8_t *byte)
{
    const struct decode_bytes *b = ctx;
    uint64_t offset = (linear - b->linear) & b->wrap;

    (void)user;
    if (offset >= b->n)
        return false;
    *byte = b->code[offset];
    return true;
}

static bool probe_byte(void *ctx, uint64_t linear, bool user, uint8_t *byte)
{
    struct fl_effects *e = &((struct decode_bytes *)ctx)->effects;

    e->calls++;
    if (e->probes < FL_EFFECTS_PROBES)
        e->probe_at[e->probes] = linear;
    e->probes++;
    if (user)
        e->probe_user = true;
    else
        e->probe_kernel = true;
    return fl_decode_byte(ctx, linear, user, byte);
}

/* ---- the ops that a decoder has no business with: the comparer tells by the count of calls ------------------------ */

static void call(void *ctx)
{
    ((struct decode_bytes *)ctx)->effects.calls++;
}
static bool no_read_entry(void *ctx, uint64_t paddr, unsigned size, uint64_t *value)
{
    (void)paddr, (void)size, (void)value;
    call(ctx);
    return false;
}
static bool no_write_entry(void *ctx, uint64_t paddr, unsigned size, uint64_t value, enum fl_set how)
{
    (void)paddr, (void)size, (void)value, (void)how;
    call(ctx);
    return false;
}
static void no_pgd_lock(void *ctx, bool irqsave)
{
    (void)irqsave;
    call(ctx);
}
static bool no_pgd_next(void *ctx, unsigned i, uint64_t *root)
{
    (void)i, (void)root;
    call(ctx);
    return false;
}
static bool no_kprobe(void *ctx)
{
    call(ctx);
    return false;
}
static uint64_t no_ldt(void *ctx, unsigned index)
{
    (void)index;
    call(ctx);
    return 0;
}
static bool no_extable(void *ctx, uint64_t ip, uint64_t *fixup)
{
    (void)ip, (void)fixup;
    call(ctx);
    return false;
}
static bool no_vma_find(void *ctx, uint64_t addr, struct fl_vma *vma)
{
    (void)addr, (void)vma;
    call(ctx);
    return false;
}
static enum fl_status no_vma_expand(void *ctx, uint32_t generation, uint64_t start, struct fl_vma *now)
{
    (void)generation, (void)start, (void)now;
    call(ctx);
    return FL_STALE;
}
static enum fl_mm_result no_mm_fault(void *ctx, uint32_t generation, uint64_t addr, unsigned flags)
{
    (void)generation, (void)addr, (void)flags;
    call(ctx);
    return FL_MM_SIGBUS;
}
static bool no_user_word(void *ctx, uint64_t addr, uint64_t *value)
{
    (void)addr, (void)value;
    call(ctx);
    return false;
}
static bool no_vsyscall(void *ctx, unsigned nr)
{
    (void)nr;
    call(ctx);
    return false;
}
static bool no_ratelimit(void *ctx, enum fl_limit limit)
{
    (void)limit;
    call(ctx);
    return false;
}
static void no_log(void *ctx, const char *text, size_t n)
{
    (void)text, (void)n;
    call(ctx);
}
static bool no_symbol(void *ctx, uint64_t ip, char *buf, size_t size)
{
    (void)ip, (void)buf, (void)size;
    call(ctx);
    return false;
}
static void no_file_name(void *ctx, uint8_t file, char *buf, size_t size)
{
    (void)file, (void)buf, (void)size;
    call(ctx);
}
static void no_die(void *ctx, enum fl_die what, uint64_t error_code)
{
    (void)what, (void)error_code;
    call(ctx);
}

const struct fl_ops *fl_decode_ops(void)
{
    static const struct fl_ops ops = {
        .probe_byte = probe_byte,
        .read_entry = no_read_entry,
        .write_entry = no_write_entry,
        .flush_lazy = call,
        .warn_nmi = call,
        .pgd_lock = no_pgd_lock,
        .pgd_unlock = call,
        .pgd_next = no_pgd_next,
        .kprobe = no_kprobe,
        .ldt = no_ldt,
        .irq_enable = call,
        .extable = no_extable,
        .lock_try = no_kprobe,
        .lock_take = call,
        .lock_drop = call,
        .vma_find = no_vma_find,
        .vma_expand = no_vma_expand,
        .mm_fault = no_mm_fault,
        .yield = call,
        .fatal_signal = no_kprobe,
        .user_word = no_user_word,
        .vsyscall = no_vsyscall,
        .ratelimit = no_ratelimit,
        .log = no_log,
        .symbol = no_symbol,
        .file_name = no_file_name,
        .die = no_die,
    };
    return &ops;
}
