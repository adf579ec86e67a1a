/* SPDX-License-Identifier: MIT */
/*
 * Where an executor is known to differ from the processor. A row is data; which cases it covers is its predicate, as
 * narrow as the cause. A row that no longer fires fails tests/exec.
 */
#include <faultline/oracle/arch.h>
#include <faultline/oracle/exec.h>

#include <string.h>

/* Page-fault error code (SDM vol. 3, 4.7) and the entry bits (4.5) that the predicates name. */
#define CODE_P    0x1u
#define CODE_W    0x2u
#define CODE_U    0x4u
#define CODE_RSVD 0x8u
#define ENTRY_PS  0x80ull
#define ENTRY_G   0x100ull

/* ---- the instruction, as far as the predicates ask
 * ---------------------------------------------------------------- */

struct insn {
    bool valid, two_byte, lock, has_modrm, memory, rep;
    uint8_t opcode, reg;
    bool stack_base; /* the address is formed from rSP or rBP, so the segment is SS */
};

static bool has_modrm(const struct insn *in)
{
    uint8_t op = in->opcode;

    if (!in->two_byte)
        return (op < 0x40 && (op & 7) < 4) || (op >= 0x80 && op <= 0x8f) || op == 0xc0 || op == 0xc1 || op == 0xc6 ||
               op == 0xc7 || (op >= 0xd0 && op <= 0xd3) || (op >= 0xd8 && op <= 0xdf) || op == 0xf6 || op == 0xf7 ||
               op >= 0xfe || op == 0x63 || op == 0x69 || op == 0x6b;
    return (op >= 0x10 && op <= 0x17) || op == 0x28 || op == 0x29 || op == 0xae || op == 0xab || op == 0xb3 ||
           op == 0xbb || op == 0xba || op == 0xb0 || op == 0xb1 || (op >= 0xc0 && op <= 0xc1) || op == 0xc7 ||
           op == 0xa4 || op == 0xa5 || op == 0xac || op == 0xad || op == 0x6f || op == 0x7f;
}

static struct insn decode(const struct fl_deviation_case *c)
{
    struct insn in = {0};
    size_t i = 0;
    bool narrow = c->bits == 16, segment = false;

    if (c->insn == NULL)
        return in;
    for (; i < c->insn_len; i++) {
        uint8_t b = c->insn[i];
        if (b == 0x67)
            narrow = c->bits != 16 && c->bits != 64;
        else if (b == 0xf0)
            in.lock = true;
        else if (b == 0xf2 || b == 0xf3)
            in.rep = true;
        else if (b == 0x26 || b == 0x2e || b == 0x36 || b == 0x3e || b == 0x64 || b == 0x65)
            segment = true;
        else if (b != 0x66 && !(c->bits == 64 && (b & 0xf0) == 0x40))
            break;
    }
    if (i < c->insn_len && c->insn[i] == 0x0f) {
        in.two_byte = true;
        i++;
    }
    if (i >= c->insn_len)
        return in;
    in.opcode = c->insn[i++];
    in.has_modrm = has_modrm(&in);
    if (in.has_modrm) {
        if (i >= c->insn_len)
            return in;
        uint8_t modrm = c->insn[i++], mod = modrm >> 6, rm = modrm & 7;
        in.reg = modrm >> 3 & 7;
        in.memory = mod != 3;
        if (in.memory && !segment) {
            if (narrow)
                in.stack_base = rm == 2 || rm == 3 || (rm == 6 && mod != 0);
            else if (rm == 4 && i < c->insn_len)
                in.stack_base = (c->insn[i] & 7) == 4 || ((c->insn[i] & 7) == 5 && mod != 0);
            else
                in.stack_base = rm == 5 && mod != 0;
        }
    }
    in.valid = true;
    return in;
}

/* Reads memory, then writes the same place. */
static bool is_rmw(const struct insn *in)
{
    uint8_t op = in->opcode;

    if (!in->valid || !in->memory)
        return false;
    if (in->two_byte)
        return op == 0xab || op == 0xb3 || op == 0xbb || (op == 0xba && in->reg >= 5) || op == 0xb0 || op == 0xb1 ||
               op == 0xc0 || op == 0xc1 || (op == 0xc7 && in->reg == 1) || op == 0xa4 || op == 0xa5 || op == 0xac ||
               op == 0xad;
    return (op < 0x38 && (op & 7) < 2) || ((op == 0x80 || op == 0x81 || op == 0x83) && in->reg != 7) || op == 0x86 ||
           op == 0x87 || op == 0xc0 || op == 0xc1 || (op >= 0xd0 && op <= 0xd3) ||
           ((op == 0xf6 || op == 0xf7) && (in->reg == 2 || in->reg == 3)) ||
           ((op == 0xfe || op == 0xff) && in->reg < 2);
}

/* Pushes or pops without naming a memory operand on the stack. */
static bool uses_stack(const struct insn *in)
{
    uint8_t op = in->opcode;

    if (!in->valid)
        return false;
    if (in->two_byte)
        return op == 0xa0 || op == 0xa1 || op == 0xa8 || op == 0xa9;
    return (op >= 0x50 && op <= 0x5f) || op == 0x68 || op == 0x6a || op == 0x8f || op == 0x9c || op == 0x9d ||
           op == 0xc2 || op == 0xc3 || op == 0xc8 || op == 0xc9 || op == 0xe8 ||
           (op == 0xff && (in->reg == 2 || in->reg == 6));
}

static bool is_movaps(const struct insn *in)
{
    return in->valid && in->two_byte && in->memory && (in->opcode == 0x28 || in->opcode == 0x29);
}

/* ---- predicates
 * -------------------------------------------------------------------------------------------------- */

static bool faulted(const struct fl_deviation_case *c)
{
    return c->result->end == FL_END_FAULT;
}

static bool raised(const struct fl_deviation_case *c, uint8_t vector)
{
    return c->result->end == FL_END_EXCEPTION && c->result->vector == vector;
}

static bool long_mode(const struct fl_deviation_case *c)
{
    return c->cpu->mode == FL_MODE_4LEVEL || c->cpu->mode == FL_MODE_5LEVEL;
}

/* The engine reads first and faults on the read; all but the W bit of the code is right. */
static bool rmw_reads_first(const struct fl_deviation_case *c)
{
    struct insn in = decode(c);

    return is_rmw(&in) && faulted(c) && c->arch_kind == FL_ARCH_PF && (c->arch_code ^ c->error_code) == CODE_W &&
           (c->arch_code & CODE_W);
}

/* The first page can be read but not written, the second faults on the read. */
static bool rmw_crossing(const struct fl_deviation_case *c)
{
    struct insn in = decode(c);

    return is_rmw(&in) && faulted(c) && c->arch_kind == FL_ARCH_PF &&
           (c->arch_code & (CODE_P | CODE_W)) == (CODE_P | CODE_W) && !(c->error_code & (CODE_P | CODE_W)) &&
           (c->cr2 & 0xfff) < 16;
}

static bool noncanonical(const struct fl_deviation_case *c, uint64_t va)
{
    int64_t above = (int64_t)va >> (c->cpu->mode == FL_MODE_5LEVEL ? 56 : 47);

    return above != 0 && above != -1;
}

static bool stack_noncanonical(const struct fl_deviation_case *c)
{
    struct insn in = decode(c);
    const uint64_t *gpr = c->result->regs.gpr;
    bool stack = uses_stack(&in) && (noncanonical(c, gpr[FL_RSP]) || noncanonical(c, gpr[FL_RSP] - 8) ||
                                     (in.opcode == 0xc9 && noncanonical(c, gpr[FL_RBP])));

    return long_mode(c) && c->bits == 64 && raised(c, 13) && c->arch_kind == FL_ARCH_GP &&
           (stack || (in.memory && in.stack_base));
}

static bool across_canonical_edge(const struct fl_deviation_case *c)
{
    uint64_t edge = c->cpu->mode == FL_MODE_5LEVEL ? 1ull << 56 : 1ull << 47;

    return long_mode(c) && c->insn != NULL && faulted(c) && c->arch_kind == FL_ARCH_GP && c->cr2 < edge &&
           edge - c->cr2 < 64;
}

static bool branch_noncanonical(const struct fl_deviation_case *c)
{
    struct insn in = decode(c);
    bool branch = in.valid && !in.two_byte &&
                  (in.opcode == 0xc2 || in.opcode == 0xc3 || (in.opcode == 0xff && (in.reg == 2 || in.reg == 4)));

    return long_mode(c) && branch && raised(c, 13) && noncanonical(c, c->result->regs.ip);
}

static bool movaps_alignment(const struct fl_deviation_case *c)
{
    struct insn in = decode(c);

    return is_movaps(&in) && c->arch_kind == FL_ARCH_GP &&
           (faulted(c) ? (c->cr2 & 15) != 0 : c->result->end == FL_END_DONE);
}

static bool clflush_silent(const struct fl_deviation_case *c)
{
    struct insn in = decode(c);

    return in.valid && in.two_byte && in.opcode == 0xae && in.memory && in.reg == 7 && c->arch_kind == FL_ARCH_PF &&
           !(c->arch_code & CODE_W) && c->result->end == FL_END_DONE;
}

/* A store of 16 bytes or more over a page end, first part done. */
static bool wide_store_partial(const struct fl_deviation_case *c)
{
    struct insn in = decode(c);
    bool wide = in.valid && in.two_byte && in.memory &&
                (in.opcode == 0x11 || in.opcode == 0x7f || in.opcode == 0x29 || (in.opcode == 0xae && in.reg == 0));

    return wide && faulted(c) && c->arch_kind == FL_ARCH_PF && (c->arch_code & CODE_W) &&
           c->error_code == c->arch_code && (c->cr2 & 0xfff) == 0 && c->result->nstores != 0;
}

static bool enter_no_probe(const struct fl_deviation_case *c)
{
    struct insn in = decode(c);

    return in.valid && !in.two_byte && in.opcode == 0xc8 && c->arch_kind == FL_ARCH_PF && (c->arch_code & CODE_W) &&
           c->result->end == FL_END_DONE;
}

/* EIP after the run, or the linear address (base + offset) of a fault. */
static bool linear_no_wrap(const struct fl_deviation_case *c)
{
    return c->access == NULL && c->bits != 64 && (c->result->regs.ip >> 32 != 0 || c->cr2 >> 32 != 0);
}

static bool far_return_as_supervisor(const struct fl_deviation_case *c)
{
    struct insn in = decode(c);

    return in.valid && !in.two_byte && (in.opcode == 0xcf || in.opcode == 0xca || in.opcode == 0xcb) && faulted(c) &&
           c->arch_kind == FL_ARCH_PF && (c->arch_code ^ c->error_code) == CODE_U && (c->arch_code & CODE_U);
}

static bool icebp_invalid(const struct fl_deviation_case *c)
{
    struct insn in = decode(c);

    return in.valid && !in.two_byte && in.opcode == 0xf1 && raised(c, 6);
}

/* In PAE paging nothing else is #GP: a 32-bit address is always canonical. */
static bool pae_pdpte_on_demand(const struct fl_deviation_case *c)
{
    return c->cpu->mode == FL_MODE_PAE && c->cpu->vendor == FL_VENDOR_INTEL && c->arch_kind == FL_ARCH_GP &&
           c->arch_level == 3 && !raised(c, 13);
}

static bool pae_pdpte_low_bits(const struct fl_deviation_case *c)
{
    return c->cpu->mode == FL_MODE_PAE && c->cpu->vendor == FL_VENDOR_AMD && c->arch_kind == FL_ARCH_PF &&
           c->arch_level == 3 && (c->arch_code & CODE_RSVD) && (c->arch_entry & 0x1e6) && c->arch_entry >> 40 == 0;
}

static bool amd_upper_global(const struct fl_deviation_case *c)
{
    return long_mode(c) && c->cpu->vendor == FL_VENDOR_AMD && c->arch_kind == FL_ARCH_PF && c->arch_level >= 4 &&
           (c->arch_code & CODE_RSVD) && (c->arch_entry & ENTRY_G) && !(c->arch_entry & ENTRY_PS) &&
           (c->arch_entry >> 40 & 0xfff) == 0;
}

/* The fault is right; only the accessed bit of the entry is there that should not be. */
static bool large_pdpte_accessed(const struct fl_deviation_case *c)
{
    return c->access != NULL && long_mode(c) && faulted(c) && c->arch_kind == FL_ARCH_PF && c->arch_level == 3 &&
           (c->arch_entry & ENTRY_PS) && c->error_code == c->arch_code && c->cr2 == c->access->va;
}

/*
 * Which rows the judge can use: those with FL_SEEN_ACCESS for an access, those with FL_SEEN_FAULT for a fault of a run. The
 * others are about what a run does instead of the fault that a processor would raise: another code or address, both right
 * under these tables; another exception; none at all. Nothing but a processor can tell, since arch knows accesses, not
 * instructions. So the judge takes how a run ends for what it is and holds nothing against it, and these rows are for the
 * executors that run the same code on a processor, and for people who read a trace.
 */

/* ---- the list
 * ---------------------------------------------------------------------------------------------------- */

#define MEASURED                                                                                                       \
    "measured: the same code in user mode on an AMD family 25 processor, by SIGSEGV's error code and address"

static const struct fl_deviation rows[] = {
    {"rmw-reads-first", "unicorn",
     "a read-modify-write (also LOCK, XCHG, CMPXCHG, BTS) that faults on its read reports a read; the processor checks "
     "for writing at once and sets W",
     MEASURED, FL_SEEN_RUN},
    {"rmw-crossing-second-page", "unicorn",
     "a read-modify-write over a page end, first page read-only, second absent: the absent read of the second page is "
     "reported; the processor reports the write to the first",
     MEASURED, FL_SEEN_RUN},
    {"stack-noncanonical-gp", "unicorn",
     "a non-canonical address through the stack segment raises #GP; the processor #SS",
     MEASURED "; SDM vol. 3, 6.15, interrupt 12", FL_SEEN_RUN},
    {"across-canonical-edge", "unicorn",
     "an access that begins below the end of the lower half and ends above it faults on its first page; the processor "
     "raises #GP for the whole access",
     MEASURED, FL_SEEN_RUN},
    {"branch-noncanonical-ip", "unicorn",
     "#GP of a branch to a non-canonical address is raised at the target; the processor raises it at the branch",
     MEASURED "; SDM vol. 2, JMP and CALL", FL_SEEN_RUN},
    {"movaps-alignment", "unicorn", "MOVAPS does not check alignment; the processor raises #GP before any page fault",
     MEASURED "; SDM vol. 2, MOVAPS", FL_SEEN_RUN},
    {"clflush-silent", "unicorn", "CLFLUSH of an absent page does nothing; the processor raises #PF as for a read",
     MEASURED "; SDM vol. 2, CLFLUSH", FL_SEEN_RUN},
    {"wide-store-partial", "unicorn",
     "a store of 16 bytes or more (also FXSAVE) over a page end writes its first part before the second page faults; the "
     "processor writes nothing, and FXSAVE reports its last byte",
     MEASURED, FL_SEEN_RUN},
    {"enter-no-probe", "unicorn",
     "ENTER does not check that the new top of the stack can be written; the processor faults there",
     "SDM vol. 2, ENTER: #PF if a write using the final value of the stack pointer would fault", FL_SEEN_RUN},
    {"linear-no-wrap", "unicorn",
     "outside 64-bit code EIP and linear addresses run on past 4 GiB; the processor wraps them",
     "SDM vol. 1, 3.5: EIP has 32 bits in 32-bit code; SDM vol. 3, 3.3.1: linear addresses wrap at 4 GiB",
     FL_SEEN_FAULT | FL_SEEN_RUN},
    {"far-return-as-supervisor", "unicorn",
     "IRET and far RET pop as supervisor whatever the privilege level: the error code lacks U; the processor pops with the "
     "current privilege",
     "SDM vol. 3, 4.6.1: only the accesses listed there are implicit supervisor accesses", FL_SEEN_RUN},
    {"icebp-invalid", "unicorn", "INT1 (F1) raises #UD; the processor raises #DB", "SDM vol. 2, INT n/INTO/INT3/INT1",
     FL_SEEN_RUN},
    {"pae-pdpte-on-demand", "unicorn",
     "PDPTEs of PAE paging are read by each walk, and a reserved bit is #PF, seen only where the walk goes; the processor "
     "loads all four with CR3 and raises #GP",
     "SDM vol. 3, 4.4.1", FL_SEEN_ACCESS | FL_SEEN_FAULT},
    {"pae-pdpte-low-bits", "unicorn", "bits 1, 2 and 5 to 8 of a PAE PDPTE are not checked; they are reserved",
     "APM vol. 2, 5.2.3", FL_SEEN_ACCESS | FL_SEEN_FAULT},
    {"amd-upper-global", "unicorn", "bit 8 of PML4E and PML5E is ignored, as on Intel; AMD reserves it",
     "APM vol. 2, 5.3.3", FL_SEEN_ACCESS | FL_SEEN_FAULT},
    {"large-pdpte-accessed-early", "unicorn",
     "a PDPTE that maps a 1 GiB page is marked accessed before its reserved bits and its rights are checked; the fault is "
     "right",
     "QEMU 5.0, target/i386/excp_helper.c, handle_mmu_fault; SDM vol. 3, 4.8", FL_SEEN_ACCESS},
};

static bool (*const covers[])(const struct fl_deviation_case *) = {
    rmw_reads_first,     rmw_crossing,       stack_noncanonical,       across_canonical_edge,
    branch_noncanonical, movaps_alignment,   clflush_silent,           wide_store_partial,
    enter_no_probe,      linear_no_wrap,     far_return_as_supervisor, icebp_invalid,
    pae_pdpte_on_demand, pae_pdpte_low_bits, amd_upper_global,         large_pdpte_accessed,
};

_Static_assert(sizeof covers / sizeof covers[0] == sizeof rows / sizeof rows[0], "one predicate for each row");

const struct fl_deviation *fl_deviation_find(const char *executor, const struct fl_deviation_case *c)
{
    if (executor == NULL || c == NULL || c->cpu == NULL || c->result == NULL)
        return NULL;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (strcmp(rows[i].executor, executor) == 0 && covers[i](c))
            return &rows[i];
    return NULL;
}

const struct fl_deviation *fl_deviation_rows(size_t *count)
{
    *count = sizeof rows / sizeof rows[0];
    return rows;
}
