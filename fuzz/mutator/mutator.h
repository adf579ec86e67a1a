/* SPDX-License-Identifier: MIT */
/* What the parts of the mutator share. Everything that a mutation draws from is in struct fl_mutation. */
#ifndef FAULTLINE_FUZZ_MUTATOR_H
#define FAULTLINE_FUZZ_MUTATOR_H

#include <faultline/fuzz/mutate.h>

/* What a mutation may do. The test counts that each happens. */
enum fl_mutation_op {
    FL_OP_FIELD,     /* one field of one record gets an interesting value */
    FL_OP_BYTES,     /* random bytes of one record */
    FL_OP_INSERT,    /* a new record */
    FL_OP_DELETE,    /* one record, or a short run */
    FL_OP_DUPLICATE, /* a record once more, behind itself */
    FL_OP_COPY,      /* a record over another one */
    FL_OP_SWAP,      /* two records */
    FL_OP_MACHINE,   /* one field of the machine, the mode stays */
    FL_OP_MODE,      /* another mode: every record is made canonical for it */
    FL_OP_IDIOM,     /* records that belong together */
    /* Traces of pinning (trace_pin.c): */
    FL_OP_PIN_SWAP,       /* an act or a call and the next one change places */
    FL_OP_PIN_DUPLICATE,  /* a call once more, with what waits for it */
    FL_OP_PIN_MOVE_RACE,  /* a race runs at another point, or in another call */
    FL_OP_PIN_TURN,       /* an act becomes a race of a call, or the other way round */
    FL_OP_PIN_CHANGE_ACT, /* somebody does something else there */
    FL_OP_PIN_AIM,        /* an act or a call aims at another page */
    FL_OP_PIN_SPLICE,     /* a piece of the trace once more, at other memory */
    FL_OP_COUNT
};

enum fl_idiom {
    FL_IDIOM_WALK,         /* map, entries on its path changed, accesses of each kind */
    FL_IDIOM_TWINS,        /* two mappings that share tables, accesses that cross from one to the other */
    FL_IDIOM_EXEC,         /* code VMA, data VMA, a catalogue instruction aimed at it */
    FL_IDIOM_KERNEL,       /* the same from kernel code, with an exception-table entry */
    FL_IDIOM_FETCH,        /* code that straddles a page edge or jumps where it must not */
    FL_IDIOM_RAW,          /* a VMA and raw faults at its edges */
    FL_IDIOM_STACK,        /* a growing stack and faults below it */
    FL_IDIOM_CHANGE,       /* fault, then unmap, protect or zap, then the same fault */
    FL_IDIOM_FIXUP,        /* a raw kernel fault with an exception-table entry */
    FL_IDIOM_INJECT,       /* a keyed answer in front of an event */
    FL_IDIOM_RETRY,        /* handle_mm_fault asks for another try, then anything */
    FL_IDIOM_STARVED,      /* init without memory, and what happens while it waits */
    FL_IDIOM_POISON,       /* no page, or a poisoned one, with and without a prefetch at ip */
    FL_IDIOM_EARLY,        /* refused before the lock: SMAP, a kernel fetch from user space; or by a protection key */
    FL_IDIOM_HIGH,         /* faults at kernel addresses */
    FL_IDIOM_SPURIOUS,     /* the same where the tables permit the access, or nearly */
    FL_IDIOM_STEP,         /* faults as if absent where the page directory has the reference's entry already */
    FL_IDIOM_ERRATUM,      /* 93 and 100 of the K8, Pentium F00F */
    FL_IDIOM_VSYSCALL,     /* calls of the vsyscall page */
    FL_IDIOM_VM86,         /* the screen of a virtual-8086 task */
    FL_IDIOM_SEGMENT,      /* a prefetch in a segment of the LDT */
    FL_IDIOM_REPORT,       /* what is printed: corrupt tables, oopses, segfault lines */
    FL_IDIOM_KPROBE,       /* faults of a kprobe */
    FL_IDIOM_RUN,          /* prefix run and prefetch opcode */
    FL_IDIOM_NEAR,         /* nearly that */
    FL_IDIOM_CUT,          /* that, cut off or too long */
    FL_IDIOM_EDGE_IP,      /* a prefetch at the edge of user space, of a segment or of the address space */
    FL_IDIOM_LATE,         /* a kernel mapping made after the fork, touched from both sides */
    FL_IDIOM_LARGE,        /* large leaves across the edge of what an address space has of its own */
    FL_IDIOM_LAG,          /* touched in the middle of a context switch, or by a kernel thread */
    FL_IDIOM_REMAP,        /* unmapped, and mapped again in another size */
    FL_IDIOM_STALE,        /* junk where the copy belongs */
    FL_IDIOM_LIMITS,       /* around the ends of the vmalloc range */
    FL_IDIOM_SYNC,         /* sync-all between the changes */
    FL_IDIOM_LOST,         /* the reference itself leads to where no memory is */
    FL_IDIOM_P3,           /* SH4: the coherent-DMA part and its end */
    FL_IDIOM_PIN_PLAIN,    /* an area and a call */
    FL_IDIOM_PIN_FORCED,   /* a read-only private area, written to by force, while pages go */
    FL_IDIOM_PIN_FORKED,   /* a page that a fork shares */
    FL_IDIOM_PIN_HUGE,     /* a huge page that is split, collapsed, moved */
    FL_IDIOM_PIN_FAST,     /* the fast path, and who runs beside it */
    FL_IDIOM_PIN_AWAY,     /* swapped out, migrating, poisoned, hinted at */
    FL_IDIOM_PIN_ANSWERED, /* answers and signals */
    FL_IDIOM_PIN_EDGES,    /* ends of areas and of user space, the gate page */
    FL_IDIOM_COUNT
};

struct fl_mutation {
    uint64_t rng;     /* splitmix64 */
    uint8_t *records; /* encoded */
    uint32_t n, max;  /* records there are, and may be */
    enum fl_target target;
    struct fl_machine machine;
    bool machine_changed;
    uint32_t ops; /* bit sets of what was done */
    uint64_t idioms;
};

/* ---- the generator ---------------------------------------------------------------------------------------------- */

static inline uint64_t fl_draw(struct fl_mutation *m)
{
    uint64_t z = (m->rng += UINT64_C(0x9e3779b97f4a7c15));

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

/* 0 .. n - 1, n < 2^32. */
static inline uint32_t fl_below(struct fl_mutation *m, uint32_t n)
{
    return (uint32_t)((fl_draw(m) >> 32) * n >> 32);
}

static inline bool fl_one_in(struct fl_mutation *m, uint32_t n)
{
    return fl_below(m, n) == 0;
}

/* One draw an expression: operands are evaluated in any order, and results must not depend on the compiler. */
#define FL_PICK(m, array) ((array)[fl_below(m, sizeof(array) / sizeof((array)[0]))])

/* ---- records in place (mutate.c) -------------------------------------------------------------------------------- */

void fl_record_load(const struct fl_mutation *m, uint32_t i, struct fl_record *r);
void fl_record_store(struct fl_mutation *m, uint32_t i, const struct fl_record *r); /* makes it canonical */

/* Puts records in front of record `at`. Where there is no room, they overwrite from as far forward as is needed. */
void fl_records_insert(struct fl_mutation *m, uint32_t at, const struct fl_record *r, uint32_t count);

/* Another mode or arch: fields that do not exist there become usual, and every record canonical for it. */
void fl_mutation_set_mode(struct fl_mutation *m, enum fl_mode mode, bool sh4);
/* Makes sure of an x86 with (or without) IA-32e mode where that costs little: in an empty trace, or one time in four.
 * Answers whether it is one now. */
bool fl_want_wide(struct fl_mutation *m, bool wide);
bool fl_want_sh4(struct fl_mutation *m);

/* fl_mutate, and what it did. */
size_t fl_mutate_traced(uint8_t *data, size_t size, size_t max_size, uint32_t seed, enum fl_target target,
                        uint32_t *ops, uint64_t *idioms);

/* Where a 64-bit kernel lies, and a few pages of 32-bit ones (fuzz/world). A wrong value here would only make worse
 * inputs. */
#define FL_TEXT_START    UINT64_C(0xffffffff81000000)
#define FL_TEXT_END      UINT64_C(0xffffffff82000000) /* both inclusive */
#define FL_MODULES_START UINT64_C(0xffffffffa0000000)
#define FL_MODULES_END   UINT64_C(0xffffffffff000000)
#define FL_IDT           0xfffbf000u
#define FL_VSYSCALL      UINT64_C(0xffffffffff600000)
/* Frames: mm 0's root, the reference's, the first one that is given out. */
#define FL_FRAME_ROOT      1u
#define FL_FRAME_REFERENCE 3u
#define FL_FRAME_POOL      4u

/* ---- values that matter (values.c) ------------------------------------------------------------------------------ */

static inline bool fl_is_ia32e(const struct fl_mutation *m)
{
    return m->machine.mode == FL_MODE_4LEVEL || m->machine.mode == FL_MODE_5LEVEL;
}

/* What each address space has of its own of the kernel's tables: shift of the index of its entries. */
static inline unsigned fl_own_shift(const struct fl_mutation *m)
{
    static const uint8_t shifts[FL_MODE_COUNT] = {22, 21, 39, 48};

    return shifts[m->machine.mode & 3];
}

/* ... and their level. */
static inline unsigned fl_own_level(const struct fl_mutation *m)
{
    static const uint8_t levels[FL_MODE_COUNT] = {2, 2, 4, 5};

    return levels[m->machine.mode & 3];
}

uint64_t fl_value_task_size(const struct fl_mutation *m);
uint64_t fl_value_vmalloc_start(const struct fl_mutation *m);     /* as the machine says, or where the mode has it */
uint64_t fl_value_vmalloc_end(const struct fl_mutation *m);       /* exclusive */
uint64_t fl_value_vmalloc_page(struct fl_mutation *m);            /* page aligned, in the vmalloc range or beside it */
uint64_t fl_value_vmalloc_edge(struct fl_mutation *m);            /* a byte beside an end or an edge inside */
uint64_t fl_value_address(struct fl_mutation *m);                 /* anywhere that matters */
uint64_t fl_value_user_page(struct fl_mutation *m);               /* page aligned, mappable in user space */
uint64_t fl_value_kernel_page(struct fl_mutation *m);             /* page aligned, above user space, canonical */
uint64_t fl_value_nudge(struct fl_mutation *m, uint64_t address); /* a few bytes beside a page edge of address */
uint32_t fl_value_error_code(struct fl_mutation *m);
uint32_t fl_value_flags(struct fl_mutation *m); /* RFLAGS */
uint32_t fl_value_pages(struct fl_mutation *m);
uint32_t fl_value_number(struct fl_mutation *m);                     /* small, powers of two, all ones, anything */
uint64_t fl_value_entry_bits(struct fl_mutation *m, unsigned level); /* a bit, or few, of a table entry */
uint8_t fl_value_bits(struct fl_mutation *m);                        /* code size that the mode has, mostly its own */
uint8_t fl_value_ldt_bits(struct fl_mutation *m);                    /* of a descriptor: 64 in any mode */

/* ---- records (fields.c), machine (machine.c) and idioms ---------------------------------------------------------- */

enum fl_record_kind fl_kind_for_target(struct fl_mutation *m);
void fl_record_random(struct fl_mutation *m, enum fl_record_kind kind, struct fl_record *r);
void fl_record_change_field(struct fl_mutation *m, struct fl_record *r);
void fl_machine_change_field(struct fl_mutation *m);
void fl_machine_changed(struct fl_mutation *m); /* after any change of m->machine */
void fl_machine_settle(struct fl_mutation *m);  /* a task that may sleep in handle_mm_fault */
void fl_machine_amd(struct fl_mutation *m);     /* mostly a K8, where a prefetch may fault */

#define FL_IDIOM_MAX_RECORDS 20

/* Records of one idiom, in order. */
struct fl_idiom_out {
    struct fl_record r[FL_IDIOM_MAX_RECORDS];
    uint32_t n;
};

/* A new record of that kind behind the others, all zero. */
struct fl_record *fl_idiom_add(struct fl_idiom_out *out, enum fl_record_kind kind);

void fl_idiom_walk(struct fl_mutation *m, enum fl_idiom idiom, struct fl_idiom_out *out);
void fl_idiom_exec(struct fl_mutation *m, enum fl_idiom idiom, struct fl_idiom_out *out);
void fl_idiom_fault(struct fl_mutation *m, enum fl_idiom idiom, struct fl_idiom_out *out);
void fl_idiom_kernel(struct fl_mutation *m, enum fl_idiom idiom, struct fl_idiom_out *out);
void fl_idiom_segment(struct fl_mutation *m, struct fl_idiom_out *out);
void fl_idiom_vm86_prefetch(struct fl_mutation *m, struct fl_idiom_out *out);
void fl_idiom_report(struct fl_mutation *m, struct fl_idiom_out *out);
void fl_idiom_kprobe(struct fl_mutation *m, struct fl_idiom_out *out);
void fl_idiom_step(struct fl_mutation *m, struct fl_idiom_out *out);
void fl_idiom_lost(struct fl_mutation *m, struct fl_idiom_out *out);
void fl_idiom_vmalloc(struct fl_mutation *m, enum fl_idiom idiom, struct fl_idiom_out *out);
/* Records of target gup; r->kind says which. */
void fl_pin_record_random(struct fl_mutation *m, struct fl_record *r);
void fl_pin_record_change(struct fl_mutation *m, struct fl_record *r);
void fl_pin_random_area(struct fl_mutation *m, struct fl_record *r);
void fl_pin_random_pin(struct fl_mutation *m, struct fl_record *r);
void fl_pin_random_answer(struct fl_mutation *m, struct fl_record *r);
void fl_idiom_pin(struct fl_mutation *m, enum fl_idiom idiom, struct fl_idiom_out *out);
uint64_t fl_pin_some_va(struct fl_mutation *m);                     /* in an area of the trace, mostly */
uint8_t fl_pin_some_act(struct fl_mutation *m);                     /* enum fl_act */
void fl_pin_some_point(struct fl_mutation *m, struct fl_record *r); /* where a race runs */
bool fl_trace_pin(struct fl_mutation *m, enum fl_mutation_op op);   /* false: there is nothing to do it to */
void fl_idiom_prefetch(struct fl_mutation *m, enum fl_idiom idiom, struct fl_idiom_out *out);

/* Records that many idioms begin with. */
struct fl_record *fl_add_vma(struct fl_idiom_out *out, uint64_t start, uint32_t pages, unsigned flags);
struct fl_record *fl_add_fault(struct fl_idiom_out *out, uint64_t cr2, uint32_t code);
struct fl_record *fl_add_regs(struct fl_mutation *m, struct fl_idiom_out *out, uint64_t ip, uint64_t sp, bool user);
void fl_add_touch(struct fl_mutation *m, struct fl_idiom_out *out, uint64_t va);
void fl_add_inject(struct fl_idiom_out *out, enum fl_inject_op op);
void fl_add_kernel_map(struct fl_mutation *m, struct fl_idiom_out *out, uint64_t va, unsigned level, unsigned flags);
struct fl_record *fl_add_leaves(struct fl_mutation *m, struct fl_idiom_out *out, uint64_t va, unsigned level,
                                unsigned leaves);
void fl_add_fork(struct fl_idiom_out *out, unsigned mm);
/* CR3 is late one time in that many; 0: never. */
void fl_add_switch(struct fl_mutation *m, struct fl_idiom_out *out, unsigned mm, unsigned lag);
void fl_add_sync(struct fl_idiom_out *out);
struct fl_record *fl_add_entry(struct fl_idiom_out *out, uint64_t va, unsigned level, uint64_t value); /* as a whole */
/* The entry at that index of the table in that frame, by way of a page table of user space that is made that table. */
void fl_add_entry_of(const struct fl_mutation *m, struct fl_idiom_out *out, unsigned frame, unsigned index,
                     uint64_t value);
void fl_add_ldt(struct fl_idiom_out *out, unsigned index, unsigned bits, uint32_t base, uint32_t limit);
void fl_add_cs(struct fl_idiom_out *out, unsigned selector);
/* A prefetch there, and accesses that bring its pages in: without them no byte of it can be read. */
void fl_add_prefetch(struct fl_mutation *m, struct fl_idiom_out *out, uint64_t va, unsigned bits);
void fl_add_extable(struct fl_idiom_out *out, uint64_t ip, uint64_t fixup);

/* Instruction bytes for a DECODE record, or any other record that holds code. Answers how many, 0..15. */
unsigned fl_prefetch_bytes(struct fl_mutation *m, enum fl_idiom idiom, unsigned bits, uint8_t code[FL_MAX_CODE]);

#endif
