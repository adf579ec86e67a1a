/* SPDX-License-Identifier: MIT */
/* DECODE events: the core's prefetch decoder against the rule, and the rule against disassemblers. */
#include <faultline/fuzz/decode_ops.h>
#include "internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define ERROR_FETCH 0x10u /* SDM vol. 3, 4.7: I/D flag of the error code */
#define RFLAGS_VM   (UINT64_C(1) << 17)

static void hex(const uint8_t *code, unsigned n, char *buf, size_t size)
{
    size_t used = 0;

    buf[0] = 0;
    for (unsigned i = 0; i < n && used + 4 < size; i++)
        used += (size_t)snprintf(buf + used, size - used, i ? " %02x" : "%02x", code[i]);
}

static enum fl_event_end by_decoders(struct fl_judge *j, const struct fl_record *r, bool rule)
{
    for (unsigned i = 0; i < j->ndecoders; i++) {
        struct fl_decoder *d = j->decoder[i];
        struct fl_decoded said = d->decode(d, r->u.decode.code, r->u.decode.n, r->u.decode.bits);
        const struct fl_decode_row *row = NULL;

        j->stats->compared[FL_CHECK_DECODER]++;
        switch (fl_decode_judge(d, r->u.decode.code, r->u.decode.n, r->u.decode.bits, rule, said, &row)) {
        case FL_DECODE_AGREE: break;
        case FL_DECODE_EXPECTED:
            j->stats->decoder_expected++;
            fl_judge_say(j, "%s: expected difference %s", d->name, row->id);
            break;
        default: {
            char text[64];

            hex(r->u.decode.code, r->u.decode.n, text, sizeof text);
            return fl_judge_diverge(j, FL_CHECK_DECODER, d->name, rule ? "prefetch" : "not-prefetch",
                                    fl_decode_class_name((enum fl_decode_class)said.cls),
                                    "%u-bit code %s: the rule says %s, %s %s says %s (length %u)", r->u.decode.bits,
                                    text, rule ? "prefetch" : "no prefetch", d->name, d->version,
                                    fl_decode_class_name((enum fl_decode_class)said.cls), said.length);
        }
        }
    }
    return FL_EVENT_GOES_ON;
}

enum fl_event_end fl_judge_decode(struct fl_judge *j, const struct fl_record *r)
{
    unsigned bits = r->u.decode.bits, n = r->u.decode.n;
    uint64_t code = r->u.decode.fetch ? ERROR_FETCH : 0;
    struct fl_fault fault;
    struct fl_snapshot snapshot;
    struct decode_bytes bytes = {.code = r->u.decode.code, .n = n};
    bool want, got = false, rule;
    enum fl_status status;
    char text[64];
    size_t used;

    fl_world_set_user_mode(j->world, r->u.decode.user);
    fl_world_snapshot(j->world, 0, code, &fault, &snapshot);
    /* The code size is the record's, not that of a selector in the LDT or of virtual-8086 mode. */
    fault.regs.cs = snapshot.regs.cs = r->u.decode.user ? 0x33 : 0x10;
    fault.regs.flags &= ~RFLAGS_VM;
    snapshot.regs.flags = fault.regs.flags;
    fault.codeseg.bits = snapshot.codeseg.bits = (uint8_t)bits;
    bytes.wrap = bits == 64 ? UINT64_MAX : UINT32_MAX;
    if (bits == 64)
        bytes.linear = fault.regs.ip;
    else
        bytes.linear =
            (uint32_t)(fault.codeseg.base + (bits == 16 ? (uint16_t)fault.regs.ip : (uint32_t)fault.regs.ip));
    snapshot.byte = fl_decode_byte;
    snapshot.ctx = &bytes;

    rule = fl_prefetch_rule(r->u.decode.code, n, bits, &used);
    fl_judge_cell(j,
                  fl_cell_decode(bits, rule, used > 2 ? (unsigned)used - 2 : 0, used ? r->u.decode.code[used - 1] : 0));
    if (fl_policy_prefetch(&snapshot, &want) != FL_OK)
        return fl_judge_diverge(j, FL_CHECK_PREFETCH, "policy", "answers", "refused",
                                "the policy refused a prefetch question: a fault of the harness");
    status = j->core->prefetch(&fault, fl_decode_ops(), &bytes, &got);
    j->stats->mode_priv[fault.cpu.mode][r->u.decode.user]++;
    j->stats->compared[FL_CHECK_PREFETCH]++;
    hex(r->u.decode.code, n, text, sizeof text);
    if (status != FL_OK)
        return fl_judge_diverge(j, FL_CHECK_PREFETCH, "status", "ok", "status",
                                "core->prefetch answered status %d for %u-bit code %s", (int)status, bits, text);
    j->stats->compared[FL_CHECK_CONTRACT]++;
    j->stats->compared[FL_CHECK_BOUND] += bytes.effects.probes != 0;
    if (fl_compare_prefetch(&snapshot, want, got, &bytes.effects, &j->divergence)) {
        size_t used_up = strlen(j->divergence.detail), room = sizeof j->divergence.detail - used_up;

        snprintf(j->divergence.detail + used_up, room, "\n%u-bit %s code %s at linear %#" PRIx64, bits,
                 r->u.decode.user ? "user" : "kernel", text, bytes.linear);
        return FL_EVENT_DIVERGED;
    }
    fl_judge_say(j, "%u-bit code %s: rule %s, core agrees", bits, text, rule ? "prefetch" : "no prefetch");
    fl_judge_ended(j, rule ? "prefetch" : "no prefetch");
    return by_decoders(j, r, rule);
}
