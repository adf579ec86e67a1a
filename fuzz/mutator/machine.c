/* SPDX-License-Identifier: MIT */
/* One field of the machine. The mode stays: records were made for it. */
#include "mutator.h"

#include "../scenario/internal.h"

/* Families on both sides of every test that kernels make: K6, K7, K8 (0xf), the ones after it, Intel's 6. */
static const uint8_t families[] = {4, 5, 6, 6, 7, 14, 15, 15, 16, 17, 20, 23, 25, 255};
/* The narrowest and widest there are, what Unicorn has, PSE-36's own limit, and their neighbours. */
static const uint8_t widths[] = {32, 33, 36, 36, 39, 40, 40, 46, 48, 51, 52};

void fl_machine_change_field(struct fl_mutation *m)
{
    struct fl_machine *c = &m->machine;
    uint64_t r = fl_draw(m);
    unsigned field = (unsigned)(r & 31);

    r >>= 8;
    switch (field) {
    case 0:
    case 1: c->vendor ^= 1; break;
    case 2:
    case 3: c->family = r & 15 ? FL_PICK(m, families) : (uint8_t)(4 + (r >> 8) % 252); break;
    case 4:
    case 5: c->maxphyaddr = FL_PICK(m, widths); break;
    case 6: c->pse36 ^= 1; break;
    case 7: c->page1gb ^= 1; break;
    case 8: c->wp ^= 1; break;
    case 9: c->pse ^= 1; break;
    case 10: c->smep ^= 1; break;
    case 11: c->smap ^= 1; break;
    case 12: c->pke ^= 1; break;
    case 13: c->pks ^= 1; break;
    case 14: c->nxe ^= 1; break;
    case 15: c->split = (uint8_t)(r % 3); break;
    case 16:
    case 17: c->code_bits = fl_value_bits(m); break;
    case 18: c->user ^= 1; break;
    case 19:
        if (r & 1)
            c->has_mm ^= 1;
        else if (r & 2)
            c->in_atomic ^= 1;
        else
            c->faults_disabled ^= 1;
        break;
    case 20: c->pid = r & 1 ? 1 : fl_value_number(m); break;
    /* Two bits for each of the 16 keys. */
    case 21: c->pkru = r & 1 ? fl_value_number(m) : c->pkru ^ 1u << (r >> 8 & 31); break;
    case 22: c->pkrs = r & 1 ? fl_value_number(m) : c->pkrs ^ 1u << (r >> 8 & 31); break;
    case 23:
    case 24: c->ip = fl_value_address(m); break;
    case 25: c->sp = fl_value_address(m); break;
    case 26: c->flags = fl_value_flags(m); break;
    case 27: c->seg_base = fl_one_in(m, 2) ? (uint32_t)fl_value_address(m) : fl_value_number(m); break;
    case 28: c->seg_limit = fl_value_number(m); break;
    case 29:
        if (r & 1)
            c->stack_pages = fl_value_number(m);
        else
            c->as_pages = fl_value_number(m);
        break;
    case 30:
        if (r & 1)
            c->guard_pages = (uint16_t)fl_value_number(m);
        else
            c->min_addr_pages = (uint16_t)fl_value_number(m);
        break;
    default: c->gpr_seed = (uint8_t)(r & 3 ? r >> 8 : 0); break;
    }
    fl_machine_canonical(c);
}
