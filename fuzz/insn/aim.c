/* SPDX-License-Identifier: MIT */
/* Aiming a catalogue instruction at an address: the records that set its registers and run it. */
#include <faultline/fuzz/insn.h>

#include <string.h>

static uint64_t address_mask(enum fl_mode mode)
{
    return mode == FL_MODE_2LEVEL || mode == FL_MODE_PAE ? UINT32_MAX : UINT64_MAX;
}

static void set_gpr(struct fl_record *r, unsigned index, uint64_t value)
{
    memset(r, 0, sizeof(*r));
    r->kind = FL_REC_GPR;
    r->u.gpr.index = (uint8_t)index;
    r->u.gpr.value = value;
}

size_t fl_insn_records(const struct fl_insn *insn, const struct fl_insn_aim *aim,
                       struct fl_record out[FL_INSN_MAX_RECORDS])
{
    const struct fl_insn_form *form = fl_insn_form(insn, aim->bits);
    const uint64_t mask = address_mask(aim->mode);
    struct fl_record *r = out;
    uint64_t address;

    if (!form)
        return 0;
    address = (aim->target + (insn->below ? form->size : 0)) & mask;
    if (insn->address == FL_RSP) {
        memset(r, 0, sizeof(*r));
        r->kind = FL_REC_REGS;
        r->u.regs.ip = aim->ip & mask;
        r->u.regs.sp = address;
        /* Bit 1 of RFLAGS is always set; VM (bit 17) has no place in a trace that says its code size. */
        r->u.regs.flags = (aim->flags & ~UINT32_C(0x20000)) | 2;
        r->u.regs.user = aim->user;
        r->u.regs.code_bits = aim->bits;
        r++;
    } else {
        set_gpr(r++, insn->address, address);
    }
    if (insn->address2 != FL_INSN_NO_REG)
        set_gpr(r++, insn->address2, aim->target2 & mask);
    if (insn->repeated)
        set_gpr(r++, FL_RCX, aim->count & mask);
    memset(r, 0, sizeof(*r));
    r->kind = FL_REC_EXEC;
    r->u.exec.ip = aim->ip & mask;
    r->u.exec.n = form->n;
    r->u.exec.user = aim->user;
    memcpy(r->u.exec.code, form->bytes, form->n);
    return (size_t)(r + 1 - out);
}
