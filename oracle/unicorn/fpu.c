/* SPDX-License-Identifier: MIT */
/* The x87 and vector registers in a saved context: where they lie, and a digest of what they hold. */
#include "engine.h"

#include <string.h>

/* The one place in the saved context that holds both of two samples written to the register; 0: none or several. */
static size_t find(struct engine *e, int reg, unsigned size)
{
    uint8_t sample[2][16];
    size_t found = 0;
    unsigned n = 0;

    for (unsigned round = 0; round < 2; round++) {
        for (unsigned i = 0; i < sizeof sample[round]; i++)
            sample[round][i] = (uint8_t)(0x53 + 0x25 * i + 0x69 * round);
        if (uc_reg_write(e->uc, reg, sample[round]) != UC_ERR_OK ||
            uc_context_save(e->uc, round == 0 ? e->now : e->seen) != UC_ERR_OK)
            return 0;
    }
    for (size_t at = 4; at + 16 <= e->at.size; at += 4)
        if (memcmp(bytes_of(e->now) + at, sample[0], size) == 0 &&
            memcmp(bytes_of(e->seen) + at, sample[1], size) == 0) {
            found = at;
            n++;
        }
    return n == 1 ? found : 0;
}

/* Places of a row of registers, which lie at equal distances. */
static bool find_row(struct engine *e, int reg, unsigned n, unsigned size, size_t *first, size_t *stride)
{
    for (unsigned i = 0; i < n; i++) {
        size_t at = find(e, reg + (int)i, size);

        if (at == 0)
            return false;
        if (i == 0)
            *first = at;
        else if (i == 1)
            *stride = at - *first;
        if (at != *first + i * *stride)
            return false;
    }
    return true;
}

const char *fpu_find(struct engine *e)
{
    if (!find_row(e, UC_X86_REG_XMM0, 16, 16, &e->at.xmm, &e->at.xmm_stride))
        return "the XMM registers were not found in the context";
    if (!find_row(e, UC_X86_REG_FP0, 8, 10, &e->at.x87, &e->at.x87_stride))
        return "the x87 registers were not found in the context";
    return NULL;
}

static uint64_t mix(uint64_t h, uint64_t word)
{
    h = (h ^ word) * 0x9e3779b97f4a7c15ull;
    return h ^ h >> 32;
}

uint64_t fpu_digest(struct engine *e)
{
    uint16_t status = 0, control = 0, tag = 0;
    uint32_t mxcsr = 0;
    uint64_t h;

    uc_reg_read(e->uc, UC_X86_REG_FPSW, &status);
    uc_reg_read(e->uc, UC_X86_REG_FPCW, &control);
    uc_reg_read(e->uc, UC_X86_REG_FPTAG, &tag);
    uc_reg_read(e->uc, UC_X86_REG_MXCSR, &mxcsr);
    h = mix(1, (uint64_t)mxcsr << 32 | status);
    h = mix(h, (uint64_t)control << 16 | tag);
    for (unsigned i = 0; i < 8; i++) {
        size_t at = e->at.x87 + i * e->at.x87_stride;

        h = mix(h, get64(e->seen, at));
        h = mix(h, get32(e->seen, at + 8) & 0xffff);
    }
    for (unsigned i = 0; i < 16; i++) {
        size_t at = e->at.xmm + i * e->at.xmm_stride;

        h = mix(h, get64(e->seen, at));
        h = mix(h, get64(e->seen, at + 8));
    }
    return h != 0 ? h : 1;
}
