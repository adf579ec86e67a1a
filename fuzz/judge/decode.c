/* SPDX-License-Identifier: MIT */
/* DECODE events: the core's prefetch decoder against the rule, and the rule against disassemblers. */
#include "internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define ERROR_FETCH 0x10u /* SDM vol. 3, 4.7: I/D flag of the error code */

/* The instruction bytes of the record, readable at the linear ip and nowhere else. */
struct bytes {
    uint64_t linear;
    uint64_t wrap; /* linear addresses of 16- and 32-bit code wrap at 4 GiB */
    const uint8_t *code;
    unsigned n;
    struct fl_effects effects;
};

static bool read_byte(void *ctx, uint64_t linear, bool user, uint8_t *byte)
{
    const struct bytes *b = ctx;
    uint64_t offset = (linear - b->linear) & b->wrap;

    (void)user;
    if (offset >= b->n)
        return false;
    *byte = b->code[offset];
    return true;
}

static bool probe_byte(void *ctx, uint64_t linear, bool user, uint8_t *byte)
{
    struct fl_effects *e = &((struct bytes *)ctx)->effects;

    e->calls++;
    if (e->probes < FL_EFFECTS_PROBES)
        e->probe_at[e->probes] = linear;
    e->probes++;
    if (user)
        e->probe_user = true;
    else
        e->probe_kernel = true;
    return read_byte(ctx, linear, user, byte);
}

/* The ops that a decoder has no business with. */
static void no_call(void *ctx)
{
    ((struct bytes *)ctx)->effects.calls++;
}
static bool no_read(void *ctx, uint64_t paddr, unsigned size, uint64_t *value)
{
    (void)paddr, (void)size, (void)value;
    no_call(ctx);
    return false;
}
static bool no_lock(void *ctx)
{
    no_call(ctx);
    return false;
}
static bool no_vma(void *ctx, uint64_t addr, struct fl_vma *vma)
{
    (void)addr, (void)vma;
    return no_lock(ctx);
}
static enum fl_status no_expand(void *ctx, uint32_t generation, uint64_t start, struct fl_vma *now)
{
    (void)generation, (void)start, (void)now;
    no_call(ctx);
    return FL_STALE;
}
static enum fl_mm_result no_fault(void *ctx, uint32_t generation, uint64_t addr, bool write)
{
    (void)generation, (void)addr, (void)write;
    no_call(ctx);
    return FL_MM_SIGBUS;
}
static bool no_extable(void *ctx, uint64_t ip, uint64_t *fixup)
{
    (void)ip, (void)fixup;
    return no_lock(ctx);
}

static const struct fl_ops decode_ops = {
    .read_entry = no_read,
    .probe_byte = probe_byte,
    .irq_enable = no_call,
    .lock_try = no_lock,
    .lock_take = no_call,
    .lock_drop = no_call,
    .vma_find = no_vma,
    .vma_expand = no_expand,
    .mm_fault = no_fault,
    .extable = no_extable,
};

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
    struct bytes bytes = {.code = r->u.decode.code, .n = n};
    bool want, got = false, rule;
    enum fl_status status;
    char text[64];
    size_t used;

    fl_world_set_user_mode(j->world, r->u.decode.user);
    fl_world_snapshot(j->world, 0, code, &fault, &snapshot);
    fault.codeseg.bits = snapshot.codeseg.bits = (uint8_t)bits;
    bytes.wrap = bits == 64 ? UINT64_MAX : UINT32_MAX;
    if (bits == 64)
        bytes.linear = fault.regs.ip;
    else
        bytes.linear =
            (uint32_t)(fault.codeseg.base + (bits == 16 ? (uint16_t)fault.regs.ip : (uint32_t)fault.regs.ip));
    snapshot.byte = read_byte;
    snapshot.byte_ctx = &bytes;

    rule = fl_prefetch_rule(r->u.decode.code, n, bits, &used);
    fl_judge_cell(j,
                  fl_cell_decode(bits, rule, used > 2 ? (unsigned)used - 2 : 0, used ? r->u.decode.code[used - 1] : 0));
    if (fl_policy_prefetch(&snapshot, &want) != FL_OK)
        return fl_judge_diverge(j, FL_CHECK_PREFETCH, "policy", "answers", "refused",
                                "the policy refused a prefetch question: a fault of the harness");
    status = j->core->prefetch(&fault, &decode_ops, &bytes, &got);
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
    return by_decoders(j, r, rule);
}
