/* SPDX-License-Identifier: MIT */
/* The sections of an explanation, one file each. Private to explain. */
#ifndef FAULTLINE_EXPLAIN_SECTIONS_H
#define FAULTLINE_EXPLAIN_SECTIONS_H

#include "capture.h"
#include "document.h"

/* What everybody looks at: the scenario, what its judging showed, and what the failing event was about. */
struct subject {
    const struct fl_scenario *scenario;
    struct capture *capture;
    const struct bucket *bucket; /* NULL: none */
    const struct explain_options *options;
    enum fl_target target;
    bool has_event; /* some event was judged: record is its record */
    bool pin;       /* it is one of pinning, or the finding is about one */
    const struct fl_record *record;
    const struct seen_call *call;      /* the last call of the core in it, PERMITS apart; NULL: none */
    const struct seen_snapshot *state; /* the machine before that call, or before the event */
    bool after; /* the tables are those after the call: it is about what the handler left behind */
    bool
        of_run; /* it is about a run of instructions as a whole: no call of the core failed, and which access did is not known */
    bool has_access; /* it is about an access to one address */
    struct fl_access access;
    bool has_arch; /* x86: the arch walk of that access, over the tables before the call */
    struct fl_arch_result arch;
};

void subject_open(struct subject *x, const struct fl_scenario *s, struct capture *c, const struct bucket *bucket,
                  const struct explain_options *options, enum fl_target target);

/* ---- entry.c: page-table entries by name ---- */
struct entry_format {
    unsigned levels, size, index_bits; /* index_bits of the tables below the root */
    const char *name[6];               /* of an entry of that level */
};
const struct entry_format *entry_format(enum fl_mode mode);
unsigned entry_shift(enum fl_mode mode, unsigned level); /* address bits below those that choose the entry */
unsigned entry_count(enum fl_mode mode, unsigned level); /* entries in a table of that level */
unsigned entry_index(enum fl_mode mode, unsigned level, uint64_t va);
uint64_t entry_root(enum fl_mode mode, uint64_t cr3); /* where the top table lies */
bool entry_present(uint64_t entry);
bool entry_is_leaf(const struct fl_cpu *cpu, unsigned level, uint64_t entry); /* of a present one */
uint64_t entry_address(const struct fl_cpu *cpu, unsigned level, uint64_t entry);
uint64_t entry_reserved(const struct fl_cpu *cpu, unsigned level, uint64_t entry); /* those of them that are set */
bool entry_denies(const struct fl_cpu *cpu, unsigned level, uint64_t entry, const struct fl_access *a,
                  const char **what);
/* "P R/W U/S A D PS G NX key 3, reserved 0x100". */
void entry_flags(const struct fl_cpu *cpu, unsigned level, uint64_t entry, char *buf, size_t size);
void entry_flags_sh4(unsigned level, uint64_t entry, char *buf, size_t size);
void error_code_text(uint64_t code, char *buf, size_t size);                 /* "P W/R U/S" (SDM 4.7); "none" for 0 */
const char *register_bits(const struct fl_cpu *cpu, char *buf, size_t size); /* "CR0.WP CR4.PSE ..." */

/* ---- one function a section ---- */
void tell_machine(struct document *d, const struct subject *x);
void tell_tables(struct document *d, const struct subject *x);
void tell_reference(struct document *d, const struct subject *x); /* called by tell_tables */
void tell_space(struct document *d, const struct subject *x);
void tell_timeline(struct document *d, const struct subject *x);
void tell_calls(struct document *d, const struct subject *x);
void tell_oracles(struct document *d, const struct subject *x);

/* Of a finding of pinning. */
void tell_pin_machine(struct document *d, const struct subject *x);
void tell_pin_areas(struct document *d, const struct subject *x);
void tell_pin_story(struct document *d, const struct subject *x);
void tell_pin_lanes(struct document *d, const struct subject *x);
void tell_pin_tables(struct document *d, const struct subject *x);
void tell_pin_frames(struct document *d, const struct subject *x);
void tell_pin_calls(struct document *d, const struct subject *x);
void tell_pin_oracles(struct document *d, const struct subject *x);

/* ---- words ---- */
char *machine_unusual(const struct fl_machine *m); /* "vendor amd, family 15"; to be freed, may be NULL */
const char *call_name(enum call_kind kind);
const char *check_meaning(unsigned check); /* one sentence */
const char *mode_text(enum fl_mode mode);
void size_text(uint64_t bytes, char *buf, size_t size); /* "12 KiB" */
void mm_flags_text(unsigned flags, char *buf, size_t size);
const char *mm_result_name(unsigned result);
const char *set_name(unsigned how);
/* "signal 11 (SIGSEGV) code 1 (SEGV_MAPERR)" and the like; "handled", ... */
void outcome_text(const struct fl_outcome *o, char *buf, size_t size);
void title_of(const struct capture *c, char title[200]);

#endif
