/* SPDX-License-Identifier: MIT */
/* The proof in words and as JSON. */
#include "proof.h"

#include <inttypes.h>

const char *proof_verdict_name(enum proof_verdict verdict)
{
    switch (verdict) {
    case PROOF_PROVEN: return "proven";
    case PROOF_REFUTED: return "refuted";
    case PROOF_UNPROVEN: return "unproven";
    case PROOF_UNSUPPORTED: return "unsupported";
    }
    return "?";
}

static void print_counts(FILE *out, const struct proof_result *r)
{
    fprintf(out,
            "  %" PRIu32 " configurations, %" PRIu64 " states, %" PRIu64 " transitions (257 from each state), %" PRIu64
            " answers, %" PRIu64 " probes\n",
            r->configurations, r->states, r->transitions, r->answers, r->probes);
    if (r->stride > 1)
        fprintf(out, "  only one configuration of %" PRIu32 " was looked at\n", r->stride);
    fprintf(out, "  a state is up to %" PRIu32 " bytes of stack and %" PRIu32 " bytes of data\n", r->stack, r->data);
}

static void print_example(FILE *out, unsigned i, const struct proof_example *e)
{
    fprintf(out, "  %u. %s/%s/%s/%s: ", i + 1, e->check, e->row, e->expected, e->actual);
    if (e->bits)
        fprintf(out, "%u-bit code ", e->bits);
    fprintf(out, "%s\n     %s", e->bytes, e->configuration);
    if (e->configurations > 1)
        fprintf(out, " (and %" PRIu32 " other configurations)", e->configurations - 1);
    fprintf(out, "\n     %s\n", e->detail);
}

void proof_print(FILE *out, const struct proof_result *r)
{
    switch (r->verdict) {
    case PROOF_PROVEN:
        fprintf(
            out,
            "%s: PROVEN: in every configuration its prefetch decoder equals the rule on every byte string, with every "
            "byte readable or not\n",
            r->core);
        break;
    case PROOF_REFUTED:
        fprintf(out, "%s: REFUTED: %u difference%s from the rule%s, in %" PRIu32 " of %" PRIu32 " configurations\n",
                r->core, r->nexamples, r->nexamples == 1 ? "" : "s", r->more ? " and more" : "", r->refuted,
                r->configurations);
        break;
    case PROOF_UNPROVEN:
        fprintf(out, "%s: UNPROVEN: %s\n", r->core, r->reason);
        if (r->strings)
            fprintf(out,
                    "  in %" PRIu32 " configurations a bounded check took the proof's place: %" PRIu64
                    " strings, and nothing was found; %" PRIu32 " are proven\n",
                    r->bounded, r->strings, r->proven);
        break;
    case PROOF_UNSUPPORTED: fprintf(out, "%s: UNSUPPORTED: %s\n", r->core, r->reason); return;
    }
    print_counts(out, r);
    if (r->verdict == PROOF_REFUTED && r->bounded)
        fprintf(out, "  %" PRIu32 " configurations are not proven: %s\n", r->bounded, r->reason);
    if (r->not_tried)
        fprintf(out, "  %" PRIu32 " configurations were not tried, after a crash or a hang\n", r->not_tried);
    for (unsigned i = 0; i < r->nexamples; i++)
        print_example(out, i, &r->example[i]);
}

static json_t *json_of(const struct proof_example *e)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:i, s:s, s:i, s:s, s:s, s:i}", "check", e->check, "row", e->row, "expected",
                     e->expected, "actual", e->actual, "bits", (int)e->bits, "bytes", e->bytes, "length", (int)e->n,
                     "configuration", e->configuration, "detail", e->detail, "configurations", (int)e->configurations);
}

json_t *proof_json(const struct proof_result *r)
{
    json_t *examples = json_array();

    for (unsigned i = 0; examples && i < r->nexamples; i++) {
        if (json_array_append_new(examples, json_of(&r->example[i])) != 0) {
            json_decref(examples);
            return NULL;
        }
    }
    return json_pack("{s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:b, s:o}",
                     "core", r->core, "verdict", proof_verdict_name(r->verdict), "reason", r->reason, "configurations",
                     (json_int_t)r->configurations, "stride", (json_int_t)r->stride, "proven", (json_int_t)r->proven,
                     "refuted", (json_int_t)r->refuted, "bounded", (json_int_t)r->bounded, "not_tried",
                     (json_int_t)r->not_tried, "states", (json_int_t)r->states, "transitions",
                     (json_int_t)r->transitions, "answers", (json_int_t)r->answers, "probes", (json_int_t)r->probes,
                     "strings", (json_int_t)r->strings, "stack", (json_int_t)r->stack, "data", (json_int_t)r->data,
                     "more", r->more, "examples", examples);
}
