/* SPDX-License-Identifier: MIT */
/* The ops that the tested core is given: the world's, each question and answer noted. */
#include "record.h"

#include <string.h>

static const char *const names[OP_COUNT] = {
    [OP_READ_ENTRY] = "read_entry",
    [OP_WRITE_ENTRY] = "write_entry",
    [OP_FLUSH_LAZY] = "flush_lazy",
    [OP_WARN_NMI] = "warn_nmi",
    [OP_PGD_LOCK] = "pgd_lock",
    [OP_PGD_UNLOCK] = "pgd_unlock",
    [OP_PGD_NEXT] = "pgd_next",
    [OP_KPROBE] = "kprobe",
    [OP_PROBE_BYTE] = "probe_byte",
    [OP_LDT] = "ldt",
    [OP_IRQ_ENABLE] = "irq_enable",
    [OP_EXTABLE] = "extable",
    [OP_LOCK_TRY] = "lock_try",
    [OP_LOCK_TAKE] = "lock_take",
    [OP_LOCK_DROP] = "lock_drop",
    [OP_VMA_FIND] = "vma_find",
    [OP_VMA_EXPAND] = "vma_expand",
    [OP_MM_FAULT] = "mm_fault",
    [OP_YIELD] = "yield",
    [OP_FATAL_SIGNAL] = "fatal_signal",
    [OP_USER_WORD] = "user_word",
    [OP_VSYSCALL] = "vsyscall",
    [OP_RATELIMIT] = "ratelimit",
    [OP_LOG] = "log",
    [OP_SYMBOL] = "symbol",
    [OP_FILE_NAME] = "file_name",
    [OP_DIE] = "die",
};

const char *op_name(enum op op)
{
    return op < OP_COUNT ? names[op] : "?";
}

static struct seen_op *note(enum op op, uint64_t a, uint64_t b)
{
    static struct seen_op elsewhere;
    struct capture *c = recorder.c;
    struct seen_op *o = &elsewhere;

    if (recorder.over)
        return memset(o, 0, sizeof *o);
    if (c->nops < SEEN_OPS)
        o = &c->op[c->nops++];
    else
        c->ops_gone++;
    if (c->ncalls)
        c->call[c->ncalls - 1].nops++;
    memset(o, 0, sizeof *o);
    o->op = (uint8_t)op;
    o->a = a;
    o->b = b;
    return o;
}

static bool done(struct seen_op *o, bool ok)
{
    o->returned = true;
    return o->ok = ok;
}

static void keep_text(struct seen_op *o, const char *text, size_t n)
{
    o->ntext = (uint16_t)(n < SEEN_TEXT ? n : SEEN_TEXT);
    memcpy(o->u.text, text, o->ntext);
}

static bool read_entry(void *ctx, uint64_t paddr, unsigned size, uint64_t *value)
{
    struct seen_op *o = note(OP_READ_ENTRY, paddr, size);

    if (!done(o, recorder.ops->read_entry(ctx, paddr, size, value)))
        return false;
    o->r = *value;
    return true;
}

static bool write_entry(void *ctx, uint64_t paddr, unsigned size, uint64_t value, enum fl_set how)
{
    struct seen_op *o = note(OP_WRITE_ENTRY, paddr, size);

    o->c = value;
    o->d = how;
    return done(o, recorder.ops->write_entry(ctx, paddr, size, value, how));
}

#define PLAIN_OP(name, NAME)                                                                                           \
    static void name(void *ctx)                                                                                        \
    {                                                                                                                  \
        struct seen_op *o = note(NAME, 0, 0);                                                                          \
                                                                                                                       \
        recorder.ops->name(ctx);                                                                                       \
        done(o, true);                                                                                                 \
    }
PLAIN_OP(flush_lazy, OP_FLUSH_LAZY)
PLAIN_OP(warn_nmi, OP_WARN_NMI)
PLAIN_OP(pgd_unlock, OP_PGD_UNLOCK)
PLAIN_OP(irq_enable, OP_IRQ_ENABLE)
PLAIN_OP(lock_take, OP_LOCK_TAKE)
PLAIN_OP(lock_drop, OP_LOCK_DROP)
PLAIN_OP(yield, OP_YIELD)

#define ASKING_OP(name, NAME)                                                                                          \
    static bool name(void *ctx)                                                                                        \
    {                                                                                                                  \
        struct seen_op *o = note(NAME, 0, 0);                                                                          \
                                                                                                                       \
        return done(o, recorder.ops->name(ctx));                                                                       \
    }
ASKING_OP(kprobe, OP_KPROBE)
ASKING_OP(lock_try, OP_LOCK_TRY)
ASKING_OP(fatal_signal, OP_FATAL_SIGNAL)

static void pgd_lock(void *ctx, bool irqsave)
{
    struct seen_op *o = note(OP_PGD_LOCK, irqsave, 0);

    recorder.ops->pgd_lock(ctx, irqsave);
    done(o, true);
}

static bool pgd_next(void *ctx, unsigned i, uint64_t *root)
{
    struct seen_op *o = note(OP_PGD_NEXT, i, 0);

    if (!done(o, recorder.ops->pgd_next(ctx, i, root)))
        return false;
    o->r = *root;
    return true;
}

static bool probe_byte(void *ctx, uint64_t linear, bool user, uint8_t *byte)
{
    struct seen_op *o = note(OP_PROBE_BYTE, linear, user);

    if (!done(o, recorder.ops->probe_byte(ctx, linear, user, byte)))
        return false;
    o->r = *byte;
    return true;
}

static uint64_t ldt(void *ctx, unsigned index)
{
    struct seen_op *o = note(OP_LDT, index, 0);

    o->r = recorder.ops->ldt(ctx, index);
    done(o, true);
    return o->r;
}

static bool extable(void *ctx, uint64_t ip, uint64_t *fixup)
{
    struct seen_op *o = note(OP_EXTABLE, ip, 0);

    if (!done(o, recorder.ops->extable(ctx, ip, fixup)))
        return false;
    o->r = *fixup;
    return true;
}

static bool vma_find(void *ctx, uint64_t addr, struct fl_vma *vma)
{
    struct seen_op *o = note(OP_VMA_FIND, addr, 0);

    if (!done(o, recorder.ops->vma_find(ctx, addr, vma)))
        return false;
    o->u.vma = *vma;
    return true;
}

static enum fl_status vma_expand(void *ctx, uint32_t generation, uint64_t start, struct fl_vma *vma)
{
    struct seen_op *o = note(OP_VMA_EXPAND, generation, start);
    enum fl_status status = recorder.ops->vma_expand(ctx, generation, start, vma);

    o->r = status;
    if (done(o, status == FL_OK))
        o->u.vma = *vma;
    return status;
}

static enum fl_mm_result mm_fault(void *ctx, uint32_t generation, uint64_t addr, unsigned flags)
{
    struct seen_op *o = note(OP_MM_FAULT, generation, addr);

    o->c = flags;
    o->r = recorder.ops->mm_fault(ctx, generation, addr, flags);
    done(o, true);
    return (enum fl_mm_result)o->r;
}

static bool user_word(void *ctx, uint64_t addr, uint64_t *value)
{
    struct seen_op *o = note(OP_USER_WORD, addr, 0);

    if (!done(o, recorder.ops->user_word(ctx, addr, value)))
        return false;
    o->r = *value;
    return true;
}

static bool vsyscall(void *ctx, unsigned nr)
{
    struct seen_op *o = note(OP_VSYSCALL, nr, 0);

    return done(o, recorder.ops->vsyscall(ctx, nr));
}

static bool ratelimit(void *ctx, enum fl_limit limit)
{
    struct seen_op *o = note(OP_RATELIMIT, limit, 0);

    return done(o, recorder.ops->ratelimit(ctx, limit));
}

static void log_text(void *ctx, const char *text, size_t n)
{
    struct seen_op *o = note(OP_LOG, n, 0);

    recorder.ops->log(ctx, text, n);
    keep_text(o, text, n);
    done(o, true);
}

static bool symbol(void *ctx, uint64_t ip, char *buf, size_t size)
{
    struct seen_op *o = note(OP_SYMBOL, ip, size);

    if (!done(o, recorder.ops->symbol(ctx, ip, buf, size)))
        return false;
    keep_text(o, buf, strnlen(buf, size));
    return true;
}

static void file_name(void *ctx, uint8_t file, char *buf, size_t size)
{
    struct seen_op *o = note(OP_FILE_NAME, file, size);

    recorder.ops->file_name(ctx, file, buf, size);
    keep_text(o, buf, strnlen(buf, size));
    done(o, true);
}

static void die(void *ctx, enum fl_die what, uint64_t error_code)
{
    struct seen_op *o = note(OP_DIE, what, error_code);

    recorder.ops->die(ctx, what, error_code);
    done(o, true);
}

const struct fl_ops recording_ops = {
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
