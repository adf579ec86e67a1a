/* SPDX-License-Identifier: MIT */
/* Holds answers to walk vectors against what the vectors expect. */
#include <faultline/oracle/vectors.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char *const mode_names[FL_MODE_COUNT] = {
    [FL_MODE_2LEVEL] = "2level",
    [FL_MODE_PAE] = "pae",
    [FL_MODE_4LEVEL] = "4level",
    [FL_MODE_5LEVEL] = "5level",
};

/* "ok", "pf:1d", "gp": as the expect column writes it, without a translation. */
static void outcome_name(unsigned kind, uint32_t error_code, char *buf, size_t size)
{
    if (kind == FL_ARCH_PF)
        snprintf(buf, size, "pf:%" PRIx32, error_code);
    else
        snprintf(buf, size, "%s", fl_arch_kind_name((enum fl_arch_kind)kind));
}

void fl_vector_class(const struct fl_vector *v, char buf[FL_VECTOR_CLASS_SIZE])
{
    char outcome[16];

    outcome_name(v->expect, v->error_code, outcome, sizeof outcome);
    snprintf(buf, FL_VECTOR_CLASS_SIZE, "%s %s", v->cpu.mode < FL_MODE_COUNT ? mode_names[v->cpu.mode] : "?", outcome);
}

void fl_vector_judge(const struct fl_vector *v, const struct fl_vector_answer *answer,
                     struct fl_vector_verdict *verdict)
{
    memset(verdict, 0, sizeof *verdict);
    verdict->compared = 1;
    if (v->expect != answer->kind || (v->expect == FL_ARCH_PF && v->error_code != answer->error_code)) {
        char want[16], got[16];

        outcome_name(v->expect, v->error_code, want, sizeof want);
        outcome_name(answer->kind, answer->error_code, got, sizeof got);
        snprintf(verdict->line, sizeof verdict->line, "expected %s, got %s", want, got);
        return;
    }
    if (v->expect == FL_ARCH_OK && v->has_paddr && answer->has_paddr) {
        verdict->compared++;
        if (v->paddr != answer->paddr) {
            snprintf(verdict->line, sizeof verdict->line, "expected translation %" PRIx64 ", got %" PRIx64, v->paddr,
                     answer->paddr);
            return;
        }
    }
    for (unsigned i = 0; i < v->nafter; i++) {
        const struct fl_vector_after *want = &v->after[i];
        uint64_t different = (want->value ^ answer->after[i]) & ~want->ignored;

        verdict->compared++;
        if (different) {
            snprintf(verdict->line, sizeof verdict->line,
                     "expected entry %" PRIx64 ":%" PRIx64 "/%" PRIx64 " afterwards, got %" PRIx64 " (bits %" PRIx64
                     " differ)",
                     want->paddr, want->value, want->ignored, answer->after[i], different);
            return;
        }
    }
    verdict->matches = true;
}

/* The vector's memory while the walk runs over it. */
struct memory {
    uint8_t n;
    struct fl_vector_entry entries[FL_VECTOR_MAX_ENTRIES];
};

static uint64_t *find(struct memory *m, uint64_t paddr)
{
    unsigned low = 0, high = m->n;

    while (low < high) {
        unsigned middle = (low + high) / 2;

        if (m->entries[middle].paddr < paddr)
            low = middle + 1;
        else
            high = middle;
    }
    return low < m->n && m->entries[low].paddr == paddr ? &m->entries[low].value : NULL;
}

static bool read_entry(void *ctx, uint64_t paddr, unsigned size, uint64_t *value)
{
    const uint64_t *entry = find(ctx, paddr);

    (void)size; /* one size per mode, and the reader has checked the alignment */
    *value = entry ? *entry : 0;
    return true;
}

enum fl_status fl_vector_judge_arch(const struct fl_vector *v, struct fl_vector_verdict *verdict)
{
    struct fl_vector_answer answer;
    struct fl_arch_result r;
    struct memory memory;

    if (v->naccesses == 0 || v->naccesses > FL_VECTOR_MAX_ACCESSES)
        return FL_INVALID;
    memory.n = v->nentries;
    memcpy(memory.entries, v->entries, v->nentries * sizeof v->entries[0]);
    for (unsigned i = 0; i < v->naccesses; i++) {
        enum fl_status status = fl_arch_walk(&v->cpu, &v->accesses[i], read_entry, &memory, &r);

        if (status != FL_OK)
            return status;
        for (unsigned w = 0; w < r.nwrites; w++)
            *find(&memory, r.writes[w].paddr) |= r.writes[w].bits; /* a used entry is present, so it is in the list */
    }
    answer.kind = r.kind;
    answer.error_code = r.error_code;
    answer.has_paddr = r.kind == FL_ARCH_OK;
    answer.paddr = r.paddr;
    for (unsigned i = 0; i < v->nafter; i++) {
        const uint64_t *entry = find(&memory, v->after[i].paddr);

        answer.after[i] = entry ? *entry : 0;
    }
    fl_vector_judge(v, &answer, verdict);
    return FL_OK;
}
