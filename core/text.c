/* SPDX-License-Identifier: MIT */
#include "text.h"

#define HEX_DIGITS     16 /* of 64 bits */
#define DECIMAL_DIGITS 10 /* of 32 bits */

static void flush(struct text *t)
{
    if (t->n)
        t->ops->log(t->ctx, t->buf, t->n);
    t->n = 0;
}

void core_text_begin(struct text *t, const struct fl_ops *ops, void *ctx)
{
    t->ops = ops;
    t->ctx = ctx;
    t->n = 0;
}

void core_text_end(struct text *t)
{
    flush(t);
}

/* Room for n bytes in one piece; n at most TEXT_SIZE. */
static char *room(struct text *t, size_t n)
{
    if (sizeof t->buf - t->n < n)
        flush(t);
    t->n += n;
    return t->buf + t->n - n;
}

void core_text_bytes(struct text *t, const char *s, size_t n)
{
    /* Full pieces first: how many bytes an op gets at a time is nobody's business, but it stays bounded. */
    while (n > sizeof t->buf - t->n) {
        size_t part = sizeof t->buf - t->n;

        __builtin_memcpy(t->buf + t->n, s, part);
        t->n += part;
        s += part;
        n -= part;
        flush(t);
    }
    __builtin_memcpy(t->buf + t->n, s, n);
    t->n += n;
}

void core_text_bounded(struct text *t, const char *s, size_t max)
{
    size_t n = 0;

    while (n < max && s[n])
        n++;
    core_text_bytes(t, s, n);
}

void core_text_hex(struct text *t, uint64_t value, unsigned width)
{
    unsigned digits = value ? (HEX_DIGITS * 4 + 3 - (unsigned)__builtin_clzll(value)) / 4 : 1;
    char *out;

    digits = digits < width ? width : digits;
    out = room(t, digits);
    while (digits-- > 0)
        *out++ = "0123456789abcdef"[value >> 4 * digits & 15];
}

void core_text_decimal(struct text *t, int32_t value)
{
    /* The magnitude as unsigned: the most negative value has none in int32_t. */
    uint32_t rest = value < 0 ? 0 - (uint32_t)value : (uint32_t)value;
    char digits[DECIMAL_DIGITS + 1];
    unsigned at = sizeof digits;

    do
        digits[--at] = (char)('0' + rest % 10);
    while (rest /= 10);
    if (value < 0)
        digits[--at] = '-';
    core_text_bytes(t, digits + at, sizeof digits - at);
}
