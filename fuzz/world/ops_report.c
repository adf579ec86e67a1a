/* SPDX-License-Identifier: MIT */
/* The services for reports. */
#include "state.h"

#include <stdio.h>

bool op_ratelimit(void *ctx, enum fl_limit limit)
{
    struct fl_world *w = ctx;
    struct fl_effects *e = op_unlocked(w, "ratelimit");

    w->ending = true;
    if (limit >= FL_LIMIT_COUNT)
        return false;
    e->limits[limit]++;
    if (answers_take(w, FL_INJ_RATELIMITED))
        return false;
    if (limit != FL_LIMIT_ERRATUM93)
        return true;
    bool first = !w->answers.warned93;
    w->answers.warned93 = true;
    return first;
}

static void append(struct fl_effects *e, const char *text, size_t n)
{
    if (e->nlog < FL_LOG_MAX) {
        size_t room = FL_LOG_MAX - e->nlog;
        memcpy(e->log + e->nlog, text, n < room ? n : room);
    }
    e->nlog = n > UINT32_MAX - e->nlog ? UINT32_MAX : e->nlog + (unsigned)n;
}

void op_log(void *ctx, const char *text, size_t n)
{
    struct fl_world *w = ctx;
    struct fl_effects *e = op_unlocked(w, "log");

    w->ending = true;
    append(e, text, n);
}

/* Kernel text is full of functions of one page each, all of the same name. */
bool world_symbol(void *ctx, uint64_t ip, char *buf, size_t size)
{
    const struct fl_world *w = ctx;
    const struct fl_kernel *k = &w->kernel;

    if (size == 0 || ip < k->text_start || ip > k->text_end)
        return false;
    snprintf(buf, size, "text_fn+0x%x/0x%x", (unsigned)(ip & (PAGE_SIZE - 1)), PAGE_SIZE);
    return true;
}

bool op_symbol(void *ctx, uint64_t ip, char *buf, size_t size)
{
    op_unlocked(ctx, "symbol");
    return world_symbol(ctx, ip, buf, size);
}

void world_file_name(void *ctx, uint8_t file, char *buf, size_t size)
{
    static const char *const names[] = {"cat", "libc-2.7.so", "%s[\x7f\n<0>", "a b.so (deleted)"};

    (void)ctx;
    if (size != 0)
        snprintf(buf, size, "%s", names[file & 3]);
}

void op_file_name(void *ctx, uint8_t file, char *buf, size_t size)
{
    op_unlocked(ctx, "file-name");
    world_file_name(ctx, file, buf, size);
}

void op_die(void *ctx, enum fl_die what, uint64_t error_code)
{
    struct fl_world *w = ctx;
    struct fl_effects *e = op_unlocked(w, "die");

    w->ending = true;
    e->dies++;
    e->die = (uint8_t)what;
    e->die_code = error_code;
    append(e, FL_LOG_DIE, sizeof(FL_LOG_DIE) - 1);
}
