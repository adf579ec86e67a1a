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

static void put(struct text *t, char c)
{
    if (t->n == sizeof t->buf)
        flush(t);
    t->buf[t->n++] = c;
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

void core_text_bounded(struct text *t, const char *s, size_t max)
{
    for (size_t i = 0; i < max && s[i]; i++)
        put(t, s[i]);
}

void core_text_string(struct text *t, const char *s)
{
    core_text_bounded(t, s, SIZE_MAX);
}

void core_text_hex(struct text *t, uint64_t value, unsigned width)
{
    for (unsigned digit = HEX_DIGITS; digit-- > 0;) {
        uint64_t rest = value >> 4 * digit;

        if (rest || digit < width)
            put(t, "0123456789abcdef"[rest & 15]);
    }
}

void core_text_decimal(struct text *t, int32_t value)
{
    /* The magnitude as unsigned: the most negative value has none in int32_t. */
    uint32_t rest = value < 0 ? 0 - (uint32_t)value : (uint32_t)value;
    char digits[DECIMAL_DIGITS];
    unsigned n = 0;

    if (value < 0)
        put(t, '-');
    do
        digits[n++] = (char)('0' + rest % 10);
    while (rest /= 10);
    while (n)
        put(t, digits[--n]);
}
