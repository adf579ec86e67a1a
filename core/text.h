/* SPDX-License-Identifier: MIT */
/*
 * text: puts a message together from strings and numbers and hands it to ops->log in as few calls as it fits. There is
 * no format string: what comes from the task (its name, a file's name) is bytes and is never interpreted. Private to
 * core/.
 */
#ifndef FAULTLINE_CORE_TEXT_H
#define FAULTLINE_CORE_TEXT_H

#include <faultline/ops.h>

/* Every message fits whole, but for a segfault line with a long file name. */
#define TEXT_SIZE 256

struct text {
    const struct fl_ops *ops;
    void *ctx;
    size_t n; /* bytes of buf that are not yet logged */
    char buf[TEXT_SIZE];
};

/* Between core_text_begin and core_text_end, and in core_text_end, ops->log may be called: no lock may be held. */
void core_text_begin(struct text *t, const struct fl_ops *ops, void *ctx);
void core_text_end(struct text *t);

/* Up to the terminating zero, but at most max bytes. */
void core_text_bounded(struct text *t, const char *s, size_t max);
void core_text_bytes(struct text *t, const char *s, size_t n);

/* A string literal. */
#define core_text_string(t, literal) core_text_bytes(t, "" literal, sizeof(literal) - 1)

/* Lower-case hexadecimal without a prefix, filled up with zeros to width digits; width 1..16. */
void core_text_hex(struct text *t, uint64_t value, unsigned width);
void core_text_decimal(struct text *t, int32_t value);

#endif
