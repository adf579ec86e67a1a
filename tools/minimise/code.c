/* SPDX-License-Identifier: MIT */
/* Instruction and memory bytes: fewer of them, then plainer ones in their place. */
#include "pass.h"

#include <string.h>

uint8_t *code_of(struct fl_record *r, uint8_t **n)
{
    switch (r->kind) {
    case FL_REC_BYTES: *n = &r->u.bytes.n; return r->u.bytes.data;
    case FL_REC_EXEC: *n = &r->u.exec.n; return r->u.exec.code;
    case FL_REC_DECODE: *n = &r->u.decode.n; return r->u.decode.code;
    default: return NULL;
    }
}

/* Without bytes[first..first + count) of the i-th record. */
static bool try_without(struct work *w, uint32_t i, unsigned first, unsigned count)
{
    struct fl_record *r = &work_begin(w)->records[i];
    uint8_t *n, *code = code_of(r, &n);

    if (first + count > *n || (r->kind == FL_REC_EXEC && count == *n))
        return false; /* at least one byte is run */
    memmove(code + first, code + first + count, *n - first - count);
    *n = (uint8_t)(*n - count);
    memset(code + *n, 0, FL_MAX_CODE - *n);
    return work_try(w);
}

/* Another byte there. True also where it is that one already. */
static bool try_byte(struct work *w, uint32_t i, unsigned at, uint8_t byte)
{
    struct fl_record *r = &work_begin(w)->records[i];
    uint8_t *n, *code = code_of(r, &n);

    if (code[at] == byte)
        return true;
    code[at] = byte;
    return work_try(w);
}

/* The same for the whole run of equal bytes that begins there. */
static bool try_run(struct work *w, uint32_t i, unsigned at, uint8_t byte)
{
    struct fl_record *r = &work_begin(w)->records[i];
    uint8_t *n, *code = code_of(r, &n), old = code[at];

    if (old == byte)
        return true;
    for (; at < *n && code[at] == old; at++)
        code[at] = byte;
    return work_try(w);
}

static void shorten(struct work *w, uint32_t i)
{
    for (unsigned count = FL_MAX_CODE; count >= 1; count--)
        for (unsigned first = FL_MAX_CODE; first-- > 0 && !work_over(w);)
            try_without(w, i, first, count);
}

static void plainer(struct work *w, uint32_t i)
{
    struct fl_record *r = &w->best.records[i];
    uint8_t *n, *code = code_of(r, &n);

    for (unsigned at = 0; at < *n && !work_over(w); at++) {
        if (r->kind == FL_REC_BYTES) {
            if (try_byte(w, i, at, 0))
                continue;
            for (unsigned bit = 8; bit-- > 0;)
                if (code[at] >> bit & 1)
                    try_byte(w, i, at, (uint8_t)(code[at] ^ 1u << bit));
        } else if (!try_byte(w, i, at, PLAIN_NOP) && !try_byte(w, i, at, 0) &&
                   !(at && (try_byte(w, i, at, code[at - 1]) || try_run(w, i, at, code[at - 1])))) {
            if (!try_byte(w, i, at, PLAIN_PREFIX))
                try_run(w, i, at, PLAIN_PREFIX);
        }
    }
}

void pass_code(struct work *w)
{
    for (uint32_t i = 0; i < w->best.nrecords; i++) {
        uint8_t *n;

        if (!code_of(&w->best.records[i], &n))
            continue;
        shorten(w, i);
        plainer(w, i);
    }
}
