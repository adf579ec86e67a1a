/* SPDX-License-Identifier: MIT */
/* Tokens of the binary form of scenarios, as the mutator would make them. */
#include "dictionary.h"

#include "mutator/mutator.h"
#include "scenario/codec.h"

#include <faultline/fuzz/insn.h>

#include <string.h>

#define MAX_TOKENS  512
#define TOKEN_BYTES 32

struct dictionary {
    FILE *out;
    unsigned n;
    struct {
        uint8_t size, bytes[TOKEN_BYTES];
    } token[MAX_TOKENS];
};

static const char *const modes[FL_MODE_COUNT] = {"2level", "pae", "4level", "5level"};

/* Answers false when it is there already, or the dictionary is full. */
static bool add(struct dictionary *d, const char *what, const char *mode, const uint8_t *bytes, size_t size)
{
    if (size == 0 || size > TOKEN_BYTES || d->n == MAX_TOKENS)
        return false;
    for (unsigned i = 0; i < d->n; i++)
        if (d->token[i].size == size && memcmp(d->token[i].bytes, bytes, size) == 0)
            return false;
    d->token[d->n].size = (uint8_t)size;
    memcpy(d->token[d->n].bytes, bytes, size);
    fprintf(d->out, "%s_%s_%u=\"", what, mode, d->n++);
    for (size_t i = 0; i < size; i++)
        fprintf(d->out, "\\x%02x", bytes[i]);
    fprintf(d->out, "\"\n");
    return true;
}

static void add_number(struct dictionary *d, const char *what, const char *mode, uint64_t value, unsigned size)
{
    uint8_t bytes[8];

    store64(bytes, value);
    add(d, what, mode, bytes, size);
}

/* A name of the text form as a name of a dictionary. */
static void add_records(struct dictionary *d, struct fl_mutation *m, const char *mode)
{
    enum { DRAWS = 600 };
    /* Few kinds, and what they do is in a byte of theirs: more of each. */
    const unsigned each = m->target == FL_TARGET_GUP ? 16 : 3;
    unsigned have[FL_REC_COUNT] = {0};

    for (unsigned i = 0; i < DRAWS; i++) {
        enum fl_record_kind kind = fl_kind_for_target(m);
        uint8_t bytes[FL_RECORD_BYTES];
        char name[32];
        struct fl_record r;

        fl_record_random(m, kind, &r);
        if (have[kind] == each)
            continue;
        fl_record_canonical((enum fl_mode)m->machine.mode, &r);
        fl_record_encode(&r, m->machine.mode, bytes);
        snprintf(name, sizeof name, "%s", fl_record_name(kind));
        for (char *p = name; *p; p++)
            if (*p == '-')
                *p = '_';
        have[kind] += add(d, name, mode, bytes, sizeof bytes);
    }
}

static void add_addresses(struct dictionary *d, struct fl_mutation *m, const char *mode)
{
    const uint64_t ends[] = {fl_value_task_size(m),
                             fl_value_task_size(m) - 1,
                             fl_value_vmalloc_start(m),
                             fl_value_vmalloc_end(m),
                             fl_value_vmalloc_end(m) - 1,
                             m->machine.ip,
                             m->machine.sp,
                             m->machine.sp - 65536 - 256,
                             (uint64_t)m->machine.min_addr_pages * 4096,
                             fl_is_ia32e(m) ? FL_VSYSCALL : m->machine.idt,
                             fl_is_ia32e(m) ? FL_TEXT_START : 0xffffffff};

    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++)
        add_number(d, "address", mode, ends[i], 8);
    for (unsigned i = 0; i < 6; i++) {
        add_number(d, "user_page", mode, fl_value_user_page(m), 8);
        add_number(d, "kernel_page", mode, fl_value_kernel_page(m), 8);
    }
}

static void add_code(struct dictionary *d, struct fl_mutation *m, const char *mode)
{
    size_t count;
    const struct fl_insn *insn = fl_insn_rows(&count);
    uint8_t code[FL_MAX_CODE];

    for (size_t i = 0; m->target == FL_TARGET_FAULT && i < count; i++) {
        const struct fl_insn_form *form = fl_insn_form(&insn[i], fl_is_ia32e(m) ? 64 : 32);

        if (form)
            add(d, "insn", mode, form->bytes, form->n);
    }
    for (unsigned i = 0; m->target == FL_TARGET_PREFETCH && i < 40; i++) {
        static const enum fl_idiom idioms[] = {FL_IDIOM_RUN, FL_IDIOM_NEAR, FL_IDIOM_CUT};

        add(d, "prefetch", mode, code, fl_prefetch_bytes(m, FL_PICK(m, idioms), fl_is_ia32e(m) ? 64 : 32, code));
    }
}

void dictionary_print(enum fl_target target, FILE *out)
{
    static struct dictionary dictionary;
    struct fl_scenario usual = {0};

    dictionary.n = 0;
    dictionary.out = out;
    fl_scenario_default(&usual);
    fprintf(out, "# Tokens of the binary form of scenarios, version %d, for target %s: fl-export dict %s.\n",
            FL_SCENARIO_VERSION, fl_target_name(target), fl_target_name(target));
    for (unsigned mode = 0; mode < FL_MODE_COUNT; mode++) {
        struct fl_mutation m = {.rng = mode, .target = target, .machine = usual.machine};

        fl_mutation_set_mode(&m, (enum fl_mode)mode, false);
        add_records(&dictionary, &m, modes[mode]);
        if (target != FL_TARGET_PREFETCH)
            add_addresses(&dictionary, &m, modes[mode]);
        for (unsigned i = 0; target == FL_TARGET_FAULT && i < 60; i++)
            add_number(&dictionary, "code", modes[mode], fl_value_error_code(&m) & 0x3f, 4);
        for (unsigned i = 0; (target == FL_TARGET_WALK || target == FL_TARGET_VMALLOC) && i < 20; i++)
            add_number(&dictionary, "entry_bits", modes[mode], fl_value_entry_bits(&m, 1 + i % 4), 8);
        add_code(&dictionary, &m, modes[mode]);
    }
}
