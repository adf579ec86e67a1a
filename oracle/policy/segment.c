/* SPDX-License-Identifier: MIT */
#include "segment.h"

#include <stddef.h>

/* RFLAGS.VM: Intel SDM vol. 1, 3.4.3. */
static const uint64_t FLAG_VM = UINT64_C(1) << 17;

enum {
    SELECTOR_TI = 1 << 2, /* Intel SDM vol. 3A, 3.4.2 */
    SELECTOR_INDEX = 3,   /* the index begins at this bit */
    VM86_SHIFT = 4,       /* base = selector * 16: Intel SDM vol. 3B, 20.1.1 */
    VM86_LIMIT = 0xffff,
};

/* A segment descriptor as eight bytes of memory: Intel SDM vol. 3A, 3.4.5, figure 3-8. */
enum { DESC_L = 53, DESC_D = 54, DESC_G = 55 };

static struct fl_codeseg decoded(uint64_t raw, bool wide)
{
    uint64_t base = (raw >> 16 & 0xffffff) | (raw >> 56 & 0xff) << 24;
    uint32_t limit = (uint32_t)((raw & 0xffff) | (raw >> 48 & 0xf) << 16);
    if (raw >> DESC_G & 1)
        limit = limit << 12 | 0xfff;
    if (wide && (raw >> DESC_L & 1)) /* 64-bit code is flat: Intel SDM vol. 3A, 3.2.4 */
        return (struct fl_codeseg){.base = 0, .limit = UINT32_MAX, .bits = 64};
    return (struct fl_codeseg){.base = base, .limit = limit, .bits = raw >> DESC_D & 1 ? 32 : 16};
}

bool fl_policy_code_segment(const struct fl_snapshot *s, struct fl_codeseg *seg)
{
    if (s->regs.flags & FLAG_VM) {
        *seg = (struct fl_codeseg){.base = (uint64_t)s->regs.cs << VM86_SHIFT, .limit = VM86_LIMIT, .bits = 16};
        return true;
    }
    if (s->regs.cs & SELECTOR_TI) {
        unsigned index = s->regs.cs >> SELECTOR_INDEX;
        if (index >= s->task.ldt_entries)
            return false;
        *seg = decoded(s->ldt[index], s->kernel.word == 8);
        return true;
    }
    *seg = s->codeseg;
    return true;
}
