/* SPDX-License-Identifier: MIT */
/*
 * Walk vectors put to an executor. A vector's tables may lie anywhere, so guest memory is one large mapping without
 * reserve: only what a vector touches becomes real, and is given back after it.
 */
#include <faultline/oracle/exec_vectors.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define PAGE 4096u

struct fl_vector_executor {
    struct fl_ram ram;
    struct fl_executor *executor;
    char name[64];
    struct fl_exec_result result;
};

enum fl_status fl_vector_executor_open(struct fl_vector_executor **out, char why[256])
{
    struct fl_vector_executor *x = calloc(1, sizeof *x);
    enum fl_status status;

    if (!x) {
        snprintf(why, 256, "out of memory");
        return FL_FAILED;
    }
    x->ram.size = FL_UNICORN_MAX_RAM;
    x->ram.base = mmap(NULL, x->ram.size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (x->ram.base == MAP_FAILED) {
        snprintf(why, 256,
                 "cannot map %llu GiB of address space without reserve (ulimit -v, or vm.overcommit_memory=2?)",
                 FL_UNICORN_MAX_RAM >> 30);
        free(x);
        return FL_FAILED;
    }
    status = fl_unicorn_open(&x->ram, &x->executor, why);
    if (status != FL_OK) {
        munmap(x->ram.base, x->ram.size);
        free(x);
        return status;
    }
    snprintf(x->name, sizeof x->name, "%s %s", x->executor->name, x->executor->version);
    *out = x;
    return FL_OK;
}

void fl_vector_executor_close(struct fl_vector_executor *x)
{
    x->executor->close(x->executor);
    munmap(x->ram.base, x->ram.size);
    free(x);
}

const char *fl_vector_executor_name(const struct fl_vector_executor *x)
{
    return x->name;
}

static bool read_entry(void *ctx, uint64_t paddr, unsigned size, uint64_t *value)
{
    const struct fl_ram *ram = ctx;
    uint64_t v = 0;

    if (paddr > ram->size - size)
        return false;
    memcpy(&v, ram->base + paddr, size);
    *value = v;
    return true;
}

/* Does everything that the vector names lie in memory? */
static bool fits(const struct fl_vector_executor *x, const struct fl_vector *v)
{
    for (unsigned i = 0; i < v->nentries; i++)
        if (v->entries[i].paddr > x->ram.size - v->entry_size)
            return false;
    for (unsigned i = 0; i < v->nafter; i++)
        if (v->after[i].paddr > x->ram.size - v->entry_size)
            return false;
    return true;
}

static void place(struct fl_vector_executor *x, const struct fl_vector *v, bool clear)
{
    static const uint64_t zero;

    for (unsigned i = 0; i < v->nentries; i++)
        memcpy(x->ram.base + v->entries[i].paddr, clear ? &zero : &v->entries[i].value, v->entry_size);
}

/* Gives back the page that an access went to. */
static void forget(struct fl_vector_executor *x, uint64_t paddr)
{
    if (paddr < x->ram.size)
        madvise(x->ram.base + (paddr & ~(uint64_t)(PAGE - 1)), PAGE, MADV_DONTNEED);
}

/* A processor may set accessed bits of the entries that it passed although the access faults (SDM vol. 3, 4.8): a vector
 * that expects them clear is judged without them. */
static void forgive_accessed(const struct fl_vector *v, const struct fl_arch_result *arch,
                             struct fl_vector_answer *answer, struct fl_vector_verdict *verdict)
{
    for (unsigned i = 0; i < v->nafter; i++)
        for (unsigned k = 0; k < arch->nmaybe; k++)
            if (arch->maybe[k].paddr == v->after[i].paddr && !(v->after[i].value & arch->maybe[k].bits))
                answer->after[i] &= ~arch->maybe[k].bits;
    fl_vector_judge(v, answer, verdict);
}

static enum fl_vector_judged judge(struct fl_vector_executor *x, const struct fl_vector *v,
                                   struct fl_vector_verdict *verdict, const char **reason)
{
    const struct fl_access *judged = &v->accesses[v->naccesses - 1];
    const struct fl_deviation *known;
    struct fl_vector_answer answer = {0};
    struct fl_exec_answer said;
    struct fl_arch_result arch;

    for (unsigned i = 0; i < v->naccesses; i++) {
        if (&v->accesses[i] == judged && fl_arch_walk(&v->cpu, judged, read_entry, &x->ram, &arch) != FL_OK) {
            *reason = "not a machine";
            return FL_VECTOR_UNSUPPORTED;
        }
        switch (x->executor->access(x->executor, &v->cpu, &v->accesses[i], &x->result)) {
        case FL_EXEC_OK: break;
        case FL_EXEC_UNSUPPORTED: *reason = x->result.reason; return FL_VECTOR_UNSUPPORTED;
        default: *reason = x->result.reason; return FL_VECTOR_BROKEN;
        }
    }
    const char *wrong = fl_exec_answer(&x->result, &said);
    if (wrong != NULL) {
        *reason = wrong;
        return FL_VECTOR_BROKEN;
    }
    if (said.kind == FL_ARCH_BUS) {
        *reason = "a table lies outside the executor's memory";
        return FL_VECTOR_UNSUPPORTED;
    }
    answer.kind = said.kind;
    answer.error_code = said.error_code;
    answer.has_paddr = said.has_paddr;
    answer.paddr = said.paddr;
    for (unsigned i = 0; i < v->nafter; i++)
        read_entry(&x->ram, v->after[i].paddr, v->entry_size, &answer.after[i]);
    fl_vector_judge(v, &answer, verdict);
    if (verdict->matches && said.kind == FL_ARCH_PF && said.cr2 != judged->va) {
        verdict->matches = false;
        snprintf(verdict->line, sizeof verdict->line, "expected CR2 %" PRIx64 ", got %" PRIx64, judged->va, said.cr2);
    }
    if (verdict->matches)
        return FL_VECTOR_JUDGED;
    struct fl_deviation_case c = {
        .cpu = &v->cpu,
        .access = judged,
        .bits = v->cpu.mode >= FL_MODE_4LEVEL ? 64 : 32,
        .cr2 = x->result.cr2,
        .error_code = x->result.error_code,
        .arch_kind = arch.kind,
        .arch_code = arch.error_code,
        .arch_level = arch.level,
        .arch_entry = arch.entry,
        .result = &x->result,
    };
    known = fl_deviation_find(x->executor->name, &c);
    if (!known) {
        if (said.kind == FL_ARCH_PF && said.cr2 == judged->va)
            forgive_accessed(v, &arch, &answer, verdict);
        return FL_VECTOR_JUDGED;
    }
    *reason = known->id;
    return FL_VECTOR_KNOWN;
}

enum fl_vector_judged fl_vector_judge_executor(struct fl_vector_executor *x, const struct fl_vector *v,
                                               struct fl_vector_verdict *verdict, const char **reason)
{
    enum fl_vector_judged end;

    if (!fits(x, v)) {
        *reason = "an entry lies outside the executor's memory";
        return FL_VECTOR_UNSUPPORTED;
    }
    place(x, v, false);
    x->result.has_paddr = false;
    end = judge(x, v, verdict, reason);
    if (x->result.has_paddr)
        forget(x, x->result.paddr);
    place(x, v, true);
    return end;
}
