/* SPDX-License-Identifier: MIT */
/* decode_ops: services for a prefetch decoder that is asked about the bytes of an instruction alone. */
#ifndef FAULTLINE_FUZZ_DECODE_OPS_H
#define FAULTLINE_FUZZ_DECODE_OPS_H

#include <faultline/ops.h>
#include <faultline/oracle/compare.h>

/* The instruction bytes, readable at the linear ip and nowhere else. */
struct decode_bytes {
    uint64_t linear;
    uint64_t wrap; /* linear addresses of 16- and 32-bit code wrap at 4 GiB */
    const uint8_t *code;
    unsigned n;
    struct fl_effects effects;
};

/* fl_byte_fn; ctx is a struct decode_bytes. */
bool fl_decode_byte(void *ctx, uint64_t linear, bool user, uint8_t *byte);

/* probe_byte as above, recorded; every other op does nothing but count as a call. */
const struct fl_ops *fl_decode_ops(void);

#endif
