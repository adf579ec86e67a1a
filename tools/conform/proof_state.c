/* SPDX-License-Identifier: MIT */
/* The state of a core that waits for a byte: its stack, the registers that live on, and what a shared object may write. */
#include "proof_internal.h"

#if defined(__x86_64__)

#    include <elf.h>
#    include <inttypes.h>
#    include <limits.h>
#    include <link.h>
#    include <stdlib.h>
#    include <string.h>
#    include <unistd.h>

#    define XXH_INLINE_ALL
#    include <xxhash.h>

/* More than this no decoder keeps, and digesting it would take for ever. */
#    define MAX_DATA (256u << 10)

/* What __tls_get_addr() wants; it makes the thread's block of a module when there is none yet. */
struct tls_index {
    unsigned long module, offset;
};
void *__tls_get_addr(struct tls_index *);

struct search {
    const char *path;
    struct machine *m;
    bool found, full;
};

static bool same_file(const char *a, const char *b)
{
    char whole_a[PATH_MAX], whole_b[PATH_MAX];

    if (strcmp(a, b) == 0)
        return true;
    return realpath(a, whole_a) && realpath(b, whole_b) && strcmp(whole_a, whole_b) == 0;
}

static void add_segment(struct search *s, uintptr_t from, uintptr_t to)
{
    struct machine *m = s->m;

    if (from >= to)
        return;
    if (m->nsegments == sizeof m->segment / sizeof *m->segment) {
        s->full = true;
        return;
    }
    m->segment[m->nsegments++] =
        (struct segment){.at = (uint8_t *)from, .size = (size_t)(to - from), .offset = m->data};
    m->data += (size_t)(to - from);
}

/* Writable segments, without what the loader makes read-only once it has relocated it. */
static int look(struct dl_phdr_info *info, size_t size, void *ctx)
{
    struct search *s = ctx;
    uintptr_t relro = 0, relro_end = 0, page = (uintptr_t)sysconf(_SC_PAGESIZE);

    (void)size;
    if (!info->dlpi_name || !*info->dlpi_name || !same_file(info->dlpi_name, s->path))
        return 0;
    s->found = true;
    for (unsigned i = 0; i < info->dlpi_phnum; i++)
        if (info->dlpi_phdr[i].p_type == PT_GNU_RELRO) {
            relro = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;
            relro_end = (relro + info->dlpi_phdr[i].p_memsz) & ~(page - 1);
        }
    for (unsigned i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *h = &info->dlpi_phdr[i];
        uintptr_t from = info->dlpi_addr + h->p_vaddr, to = from + h->p_memsz;

        if (h->p_type == PT_LOAD && h->p_flags & PF_W) {
            if (relro_end > from && relro <= from)
                from = relro_end < to ? relro_end : to;
            add_segment(s, from, to);
        } else if (h->p_type == PT_TLS && info->dlpi_tls_modid) {
            struct tls_index index = {.module = info->dlpi_tls_modid};
            uintptr_t block = (uintptr_t)__tls_get_addr(&index);

            add_segment(s, block, block + h->p_memsz);
        }
    }
    return 1;
}

static void read_segments(const struct machine *m, uint8_t *image)
{
    for (unsigned i = 0; i < m->nsegments; i++)
        switch_copy(image + m->segment[i].offset, m->segment[i].at, m->segment[i].size);
}

static void write_segments(const struct machine *m, const uint8_t *image)
{
    for (unsigned i = 0; i < m->nsegments; i++)
        switch_copy(m->segment[i].at, image + m->segment[i].offset, m->segment[i].size);
}

bool machine_open(struct machine *m, const struct fl_core *core, const char *path, char *why, size_t size)
{
    struct search s = {.path = path, .m = m};

    memset(m, 0, sizeof *m);
    m->core = core;
    if (path) {
        dl_iterate_phdr(look, &s);
        if (!s.found || s.full || m->data > MAX_DATA) {
            snprintf(why, size,
                     s.found ? "%s has more writable data than a state can hold: %zu bytes in %u places"
                             : "%s is not among the objects that are loaded (%zu bytes, %u places)",
                     path, m->data, m->nsegments);
            return false;
        }
    }
    m->data_before = malloc(m->data + 1);
    m->scratch = malloc(sizeof(struct knowledge) + sizeof(struct switch_frame) + SWITCH_STACK_SIZE + m->data);
    if (!m->data_before || !m->scratch || !switch_open(&m->stack)) {
        free(m->data_before);
        free(m->scratch);
        snprintf(why, size, "no memory for the proof");
        return false;
    }
    read_segments(m, m->data_before);
    switch_ops(&m->given_before.ops);
    for (unsigned i = 0; i < sizeof m->given.ctx / sizeof *m->given.ctx; i++)
        m->given_before.ctx[i] = UINT64_C(0x5a5a5a5a5a5a5a5a);
    return true;
}

void machine_close(struct machine *m)
{
    switch_close(&m->stack);
    free(m->data_before);
    free(m->scratch);
}

void machine_configure(struct machine *m, const struct config *c)
{
    /* memcpy: padding is compared as well. */
    memcpy(&m->given_before.fault, &c->fault, sizeof c->fault);
}

void machine_reset(struct machine *m)
{
    memcpy(&m->given, &m->given_before, sizeof m->given);
}

void machine_start(struct machine *m)
{
    machine_reset(m);
    write_segments(m, m->data_before);
    switch_start(&m->stack, m->core, &m->given.fault, &m->given.ops, m->given.ctx);
}

void machine_answer(struct machine *m, uint64_t answer, uint8_t byte)
{
    if (switch_frame.op == SWITCH_OP(probe_byte)) {
        m->probes++;
        if (answer)
            *(volatile uint8_t *)(uintptr_t)switch_frame.argument[3] = byte;
    }
    switch_frame.answer = answer;
    switch_resume(&m->stack);
}

const char *machine_trespass(const struct machine *m)
{
    const struct given *is = &m->given, *was = &m->given_before;

    if (memcmp(is, was, sizeof *is) == 0)
        return NULL;
    if (memcmp(&is->fault, &was->fault, sizeof is->fault) != 0)
        return "the fault";
    return memcmp(&is->ops, &was->ops, sizeof is->ops) != 0 ? "the ops" : "ctx";
}

const char *machine_kept(const struct machine *m, char line[200])
{
    for (unsigned i = 0; i < m->nsegments; i++) {
        const struct segment *s = &m->segment[i];

        switch_copy(m->scratch, s->at, s->size);
        if (memcmp(m->scratch, m->data_before + s->offset, s->size) == 0)
            continue;
        for (size_t at = 0; at < s->size; at++)
            if (m->scratch[at] != m->data_before[s->offset + at]) {
                snprintf(line, 200, "byte %zu of its %u. piece of writable data was %#x before the call and is %#x now",
                         at, i + 1, m->data_before[s->offset + at], m->scratch[at]);
                return line;
            }
    }
    return NULL;
}

static size_t stack_bytes(const struct machine *m)
{
    return (size_t)((uintptr_t)m->stack.top - switch_frame.stack);
}

/* The byte goes where the state is, or it would be kept where nobody sees it. */
bool machine_visible(const struct machine *m)
{
    uint64_t byte = switch_frame.argument[3];

    if (!switch_stack_known(&m->stack))
        return false;
    if (byte >= switch_frame.stack && byte < (uintptr_t)m->stack.top)
        return true;
    for (unsigned i = 0; i < m->nsegments; i++)
        if (byte - (uintptr_t)m->segment[i].at < m->segment[i].size)
            return true;
    return false;
}

struct digest machine_digest(struct machine *m, const struct knowledge *k)
{
    size_t stack = stack_bytes(m), n = 0;
    /* The user argument is a bool: the rest of its register is nobody's. */
    uint64_t head[2 + SWITCH_SAVED + 2] = {switch_frame.stack, switch_frame.argument[1]};
    XXH128_hash_t hash;

    memcpy(head + 2, switch_frame.saved, sizeof switch_frame.saved);
    head[2 + SWITCH_SAVED] = switch_frame.argument[2] & 0xff;
    head[3 + SWITCH_SAVED] = switch_frame.argument[3];
    memcpy(m->scratch, head, sizeof head);
    n += sizeof head;
    memcpy(m->scratch + n, k, sizeof *k);
    n += sizeof *k;
    read_segments(m, m->scratch + n);
    n += m->data;
    switch_copy(m->scratch + n, (const void *)(uintptr_t)switch_frame.stack, stack);
    n += stack;
    hash = XXH3_128bits(m->scratch, n);
    if (stack > m->most_stack)
        m->most_stack = stack;
    return (struct digest){hash.low64, hash.high64};
}

void machine_save(struct machine *m, struct stop *stop)
{
    stop->frame = switch_frame;
    stop->stack = stack_bytes(m);
    switch_copy(stop->bytes, (const void *)(uintptr_t)switch_frame.stack, stop->stack);
    read_segments(m, stop->bytes + SWITCH_STACK_SIZE);
}

void machine_restore(struct machine *m, const struct stop *stop)
{
    uint64_t host = switch_frame.host_stack;

    switch_frame = stop->frame;
    switch_frame.host_stack = host;
    switch_copy((void *)(uintptr_t)switch_frame.stack, stop->bytes, stop->stack);
    write_segments(m, stop->bytes + SWITCH_STACK_SIZE);
}

#endif /* __x86_64__ */
