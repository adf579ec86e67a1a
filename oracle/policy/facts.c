/* SPDX-License-Identifier: MIT */
/*
 * The facts of a fault that stay the same whatever pass it is in, and those that are worked out on demand.
 */
#include "facts.h"
#include "segment.h"

#include <faultline/oracle/arch.h>

/* RFLAGS, Intel SDM vol. 1, 3.4.3. */
static const uint64_t FLAG_IF = UINT64_C(1) << 9, FLAG_VM = UINT64_C(1) << 17, FLAG_AC = UINT64_C(1) << 18;
/* Intel SDM vol. 3A, 2.5 and 2.2.1. */
static const uint64_t CR4_SMAP = UINT64_C(1) << 21, CR4_PKE = UINT64_C(1) << 22, EFER_NXE = UINT64_C(1) << 11;

enum {
    PAGE = 4096,
    USER32_CS = 0x23,     /* of 64-bit Linux: arch/x86/include/asm/segment.h; GDT entry 4, RPL 3 */
    SELECTOR_TI = 1 << 2, /* Intel SDM vol. 3A, 3.4.2: the selector is one of the LDT */
    IDT_GATE = 8,         /* bytes of a gate of a 32-bit IDT: Intel SDM vol. 3A, 6.11 */
    VECTOR_UD = 6,        /* Intel SDM vol. 3A, 6.15 */
};

/* The vsyscalls lie 1 KiB apart, four of which fit; the fourth was never given: Linux
 * arch/x86/kernel/vsyscall_64.c addr_to_vsyscall_nr (2011). */
static const uint64_t VSYSCALL_SLOT = 0xc00;
enum { VSYSCALL_SHIFT = 10, VSYSCALL_UNUSED = 3 };

static uint64_t word_of(const struct fl_snapshot *s, uint64_t value)
{
    return s->kernel.word == 4 ? (uint32_t)value : value;
}

bool fl_policy_user_mode(const struct fl_regs *regs)
{
    return (regs->cs & 3) == 3 || (regs->flags & FLAG_VM) != 0;
}

static uint64_t code_facts(const struct fl_snapshot *s)
{
    uint64_t code = s->error_code, facts = 0;
    if (code & EC_P)
        facts |= F_P;
    if (code & EC_W)
        facts |= F_W;
    if (code & EC_U)
        facts |= F_U;
    if (code & EC_RSVD)
        facts |= F_RSVD;
    if (code & EC_I)
        facts |= F_I;
    if (code == (EC_P | EC_W) || code == (EC_P | EC_I))
        facts |= F_STALE_CODE;
    if ((code & EC_I) || !(s->cpu.efer & EFER_NXE))
        facts |= F_FETCHED;
    return facts;
}

static uint64_t context_facts(const struct fl_snapshot *s)
{
    uint64_t facts = 0;
    if (fl_policy_user_mode(&s->regs))
        facts |= F_USER_REGS;
    if (s->regs.flags & FLAG_AC)
        facts |= F_AC;
    /* Virtual-8086 code runs with a virtual IF; a 32-bit kernel counts it as interruptible whatever IF says. A 64-bit
     * kernel has no such mode and looks at IF alone. */
    if ((s->regs.flags & FLAG_IF) || (s->kernel.word == 4 && (s->regs.flags & FLAG_VM)))
        facts |= F_IRQ_WAS_ON;
    if (s->regs.cs == USER32_CS || (s->regs.cs & SELECTOR_TI))
        facts |= F_COMPAT_CS;
    return facts;
}

static uint64_t task_facts(const struct fl_snapshot *s)
{
    uint64_t facts = 0;
    if (s->task.kprobe_running && s->kprobe_claims)
        facts |= F_CLAIMED;
    if (s->task.in_atomic || s->task.in_nmi)
        facts |= F_ATOMIC;
    if (s->task.faults_disabled)
        facts |= F_FAULTS_OFF;
    if (!s->task.has_mm)
        facts |= F_NO_MM;
    if (s->lock_contended)
        facts |= F_CONTENDED;
    if (s->fatal_signal)
        facts |= F_FATAL;
    if (s->task.pid == 1)
        facts |= F_INIT;
    if (s->task.segv_unhandled)
        facts |= F_UNHANDLED;
    if (s->ratelimited[FL_LIMIT_SIGNAL])
        facts |= F_SIGNAL_LIMITED;
    return facts;
}

static uint64_t kernel_facts(const struct fl_snapshot *s)
{
    const struct fl_kernel *k = &s->kernel;
    bool wide = k->word == 8;
    uint64_t facts = 0;
    if (wide)
        facts |= F_WIDE;
    if (k->spurious_check)
        facts |= F_SPURIOUS_CHECK;
    if (wide && k->vsyscall_emulation && k->vsyscall != 0)
        facts |= F_VSYSCALL;
    if (s->vsyscall_fails)
        facts |= F_VSYSCALL_FAILS;
    if (k->no_user_fetch)
        facts |= F_NO_USER_FETCH;
    if (k->smap && (s->cpu.cr4 & CR4_SMAP))
        facts |= F_SMAP;
    /* Protection keys exist in IA-32e mode only: Intel SDM vol. 3A, 4.6.2. */
    if (k->pku && (s->cpu.cr4 & CR4_PKE) && (s->cpu.mode == FL_MODE_4LEVEL || s->cpu.mode == FL_MODE_5LEVEL))
        facts |= F_KEYS;
    if (k->show_unhandled)
        facts |= F_SHOW;
    if (!wide && k->f00f_bug)
        facts |= F_F00F;
    if (s->cpu.vendor == FL_VENDOR_AMD && s->cpu.family == 15)
        facts |= F_AMD15;
    if (s->ratelimited[FL_LIMIT_ERRATUM93])
        facts |= F_93_LIMITED;
    return facts;
}

static uint64_t address_facts(const struct fl_snapshot *s)
{
    const struct fl_kernel *k = &s->kernel;
    uint64_t at = s->cr2, facts = 0;
    if (at >= k->task_size)
        facts |= F_KERNEL_ADDR;
    if (at >> 32 != 0)
        facts |= F_HIGH;
    if (at == word_of(s, s->regs.ip))
        facts |= F_AT_IP;
    if (at >= k->vsyscall && at - k->vsyscall < PAGE)
        facts |= F_IN_VSYSCALL;
    if ((at & ~VSYSCALL_SLOT) == k->vsyscall && (at & VSYSCALL_SLOT) >> VSYSCALL_SHIFT != VSYSCALL_UNUSED)
        facts |= F_VSYSCALL_ENTRY;
    uint64_t slot = word_of(s, k->idt) + VECTOR_UD * IDT_GATE;
    if (at >= slot && at - slot < IDT_GATE)
        facts |= F_IDT_SLOT;
    uint64_t high = at | UINT64_C(0xffffffff00000000);
    if ((high >= k->text_start && high <= k->text_end) || (high >= k->modules_start && high <= k->modules_end))
        facts |= F_KERNEL_TEXT;
    return facts;
}

uint64_t fl_policy_fault_facts(const struct fl_snapshot *s)
{
    return code_facts(s) | context_facts(s) | task_facts(s) | kernel_facts(s) | address_facts(s);
}

uint64_t fl_policy_facts(const struct fl_snapshot *s, uint64_t *new_start)
{
    const struct fl_policy_pass first = {.gone = FL_NO_VMA, .readonly = FL_NO_VMA, .grown = FL_NO_VMA};
    uint64_t facts = fl_policy_fault_facts(s);
    size_t vma;
    *new_start = fl_policy_page(s);
    if (facts & F_KERNEL_ADDR)
        return facts;
    return facts | fl_policy_pass_facts(s, &first, &vma);
}

/* ---- on demand -------------------------------------------------------------------------------------------------- */

const struct fl_extable_entry *fl_policy_fixup(const struct fl_snapshot *s)
{
    uint64_t ip = word_of(s, s->regs.ip);
    for (size_t i = 0; i < s->nextable; i++)
        if (s->extable[i].ip == ip)
            return &s->extable[i];
    return NULL;
}

/* The processor's own accesses from user mode (to descriptor tables) heed SMAP whatever AC says: Intel SDM vol. 3A,
 * 4.6.1. Taken for explicit ones they would be permitted here, and fault again. */
bool fl_policy_permitted(const struct fl_snapshot *s)
{
    struct fl_access access = {.va = s->cr2,
                               .kind = s->error_code & EC_I   ? FL_FETCH
                                       : s->error_code & EC_W ? FL_WRITE
                                                              : FL_READ,
                               .priv = fl_policy_user_mode(&s->regs) ? FL_IMPLICIT : FL_SUPERVISOR,
                               .ac = (s->regs.flags & FLAG_AC) != 0};
    struct fl_arch_result walk;
    return fl_arch_walk(&s->cpu, &access, s->read, s->ctx, &walk) == FL_OK && walk.kind == FL_ARCH_OK;
}

bool fl_policy_code64(const struct fl_snapshot *s)
{
    struct fl_codeseg seg;
    return fl_policy_code_segment(s, &seg) && seg.bits == 64;
}
