/* SPDX-License-Identifier: MIT */
#include "facts.h"

enum {
    PAGE = 4096,
    /* "enter $65535, $31" stores 32 words and then moves the stack pointer by 65535: Linux do_page_fault,
     * 2.6.25 (2008), Intel SDM vol. 2A, ENTER. */
    CUSHION_BYTES = 65536,
    CUSHION_WORDS = 32,
};

/* RFLAGS, Intel SDM vol. 1, 3.4.3. */
static const uint64_t FLAG_IF = UINT64_C(1) << 9, FLAG_VM = UINT64_C(1) << 17;

static uint64_t word_of(const struct fl_snapshot *s, uint64_t value)
{
    return s->kernel.word == 4 ? (uint32_t)value : value;
}

bool fl_policy_user_mode(const struct fl_regs *regs)
{
    return (regs->cs & 3) == 3 || (regs->flags & FLAG_VM) != 0;
}

const struct fl_extable_entry *fl_policy_fixup(const struct fl_snapshot *s)
{
    uint64_t ip = word_of(s, s->regs.ip);
    for (size_t i = 0; i < s->nextable; i++)
        if (s->extable[i].ip == ip)
            return &s->extable[i];
    return NULL;
}

/* What keeps vma, the n-th, from growing down to new_start. */
static uint64_t growth_facts(const struct fl_snapshot *s, size_t n, uint64_t new_start)
{
    const struct fl_vma *vma = &s->vmas[n];
    uint64_t facts = 0;

    /* Above a stack pointer near the top of the address space the sum is not representable: then it is not
     * below it. */
    uint64_t reach = s->cr2 + CUSHION_BYTES + (uint64_t)CUSHION_WORDS * s->kernel.word;
    if (reach >= s->cr2 && reach < word_of(s, s->regs.gpr[FL_RSP]))
        facts |= F_BEYOND_CUSHION;

    if (vma->end - new_start > s->task.stack_limit)
        facts |= F_OVER_STACK;
    if (new_start < s->kernel.mmap_min_addr)
        facts |= F_BELOW_MIN;
    if (n > 0 && !s->vmas[n - 1].growsdown && new_start - s->vmas[n - 1].end < s->kernel.guard_gap)
        facts |= F_IN_GUARD;

    uint64_t pages = (vma->start - new_start) / PAGE;
    for (size_t i = 0; i < s->nvmas; i++)
        pages += (s->vmas[i].end - s->vmas[i].start) / PAGE;
    if (pages > s->task.as_limit / PAGE)
        facts |= F_OVER_AS;
    if (s->expand_refused)
        facts |= F_REFUSED;
    return facts;
}

static uint64_t vma_facts(const struct fl_snapshot *s, uint64_t new_start)
{
    size_t n = 0;
    while (n < s->nvmas && s->vmas[n].end <= s->cr2)
        n++;
    if (n == s->nvmas)
        return 0;
    const struct fl_vma *vma = &s->vmas[n];
    uint64_t facts = F_VMA;
    if (vma->start <= s->cr2)
        facts |= F_INSIDE;
    else if (vma->growsdown)
        facts |= growth_facts(s, n, new_start);
    if (vma->growsdown)
        facts |= F_GROWSDOWN;
    if (vma->write)
        facts |= F_WRITE;
    if (vma->read || vma->write || vma->exec)
        facts |= F_ANY_ACCESS;
    return facts;
}

uint64_t fl_policy_facts(const struct fl_snapshot *s, uint64_t *new_start)
{
    static const uint32_t answers[FL_MM_COUNT] = {
        [FL_MM_MINOR] = F_MM_MINOR, [FL_MM_MAJOR] = F_MM_MAJOR, [FL_MM_OOM] = F_MM_OOM, [FL_MM_SIGBUS] = F_MM_SIGBUS};
    uint64_t facts = answers[s->mm_result];

    *new_start = s->cr2 & ~(uint64_t)(PAGE - 1);
    if (s->error_code & EC_P)
        facts |= F_P;
    if (s->error_code & EC_W)
        facts |= F_W;
    if (s->error_code & EC_U)
        facts |= F_U;
    if (s->error_code & EC_RSVD)
        facts |= F_RSVD;
    /* Virtual-8086 code runs with a virtual IF; a 32-bit kernel counts it as interruptible whatever IF says. A 64-bit
     * kernel has no such mode and looks at IF alone. */
    if ((s->regs.flags & FLAG_IF) || (s->kernel.word == 4 && (s->regs.flags & FLAG_VM)))
        facts |= F_IRQ_WAS_ON;
    if (fl_policy_user_mode(&s->regs))
        facts |= F_USER_REGS;
    if (s->task.in_atomic)
        facts |= F_ATOMIC;
    if (s->task.faults_disabled)
        facts |= F_FAULTS_OFF;
    if (!s->task.has_mm)
        facts |= F_NO_MM;
    if (s->lock_contended)
        facts |= F_CONTENDED;
    if (s->cr2 >= s->kernel.task_size)
        return facts | F_KERNEL_ADDR;
    return facts | vma_facts(s, *new_start);
}
