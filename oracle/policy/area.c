/* SPDX-License-Identifier: MIT */
/*
 * The facts of one pass over the address space: the VMA at the address as the passes before have left it, whether a
 * stack may grow to it, and what mm_fault will answer.
 */
#include "facts.h"

enum {
    PAGE = 4096,
    /* "enter $65535, $31" stores 32 words and then moves the stack pointer by 65535: Linux do_page_fault,
     * 2.6.25 (2008), Intel SDM vol. 2A, ENTER. */
    CUSHION_BYTES = 65536,
    CUSHION_WORDS = 32,
};

/* Protection-key rights, two bits a key: Intel SDM vol. 3A, 4.6.2. */
enum { KEY_AD = 1, KEY_WD = 2, KEY_BITS = 2, KEY_MASK = 15 };

uint64_t fl_policy_page(const struct fl_snapshot *s)
{
    return s->cr2 & ~(uint64_t)(PAGE - 1);
}

static uint64_t start_of(const struct fl_snapshot *s, const struct fl_policy_pass *pass, size_t i)
{
    return i == pass->grown ? fl_policy_page(s) : s->vmas[i].start;
}

static size_t find(const struct fl_snapshot *s, const struct fl_policy_pass *pass)
{
    for (size_t i = 0; i < s->nvmas; i++)
        if (i != pass->gone && s->vmas[i].end > s->cr2)
            return i;
    return FL_NO_VMA;
}

static bool in_guard(const struct fl_snapshot *s, const struct fl_policy_pass *pass, size_t n, uint64_t new_start)
{
    size_t below = n; /* one more than the index of the VMA below */
    if (below > 0 && below - 1 == pass->gone)
        below--;
    if (below == 0)
        return false;
    const struct fl_vma *vma = &s->vmas[below - 1];
    return !vma->growsdown && new_start - vma->end < s->kernel.guard_gap;
}

/* What keeps the n-th VMA from growing down to the address. */
static uint64_t growth_facts(const struct fl_snapshot *s, const struct fl_policy_pass *pass, size_t n)
{
    const struct fl_vma *vma = &s->vmas[n];
    uint64_t new_start = fl_policy_page(s), facts = 0;

    /* Above a stack pointer near the top of the address space the sum is not representable: then it is not
     * below it. */
    uint64_t sp = s->kernel.word == 4 ? (uint32_t)s->regs.gpr[FL_RSP] : s->regs.gpr[FL_RSP];
    uint64_t reach = s->cr2 + CUSHION_BYTES + (uint64_t)CUSHION_WORDS * s->kernel.word;
    if (reach >= s->cr2 && reach < sp)
        facts |= F_BEYOND_CUSHION;

    if (vma->end - new_start > s->task.stack_limit)
        facts |= F_OVER_STACK;
    if (new_start < s->kernel.mmap_min_addr)
        facts |= F_BELOW_MIN;
    if (in_guard(s, pass, n, new_start))
        facts |= F_IN_GUARD;

    uint64_t pages = (vma->start - new_start) / PAGE;
    for (size_t i = 0; i < s->nvmas; i++)
        if (i != pass->gone)
            pages += (s->vmas[i].end - start_of(s, pass, i)) / PAGE;
    if (pages > s->task.as_limit / PAGE)
        facts |= F_OVER_AS;
    if (s->expand_refused)
        facts |= F_REFUSED;
    return facts;
}

static bool key_denies(const struct fl_snapshot *s, unsigned key)
{
    unsigned rights = s->cpu.pkru >> (KEY_BITS * (key & KEY_MASK));
    return (s->error_code & EC_PK) || (rights & KEY_AD) || ((s->error_code & EC_W) && (rights & KEY_WD));
}

static uint64_t vma_facts(const struct fl_snapshot *s, const struct fl_policy_pass *pass, size_t n)
{
    const struct fl_vma *vma = &s->vmas[n];
    bool write = vma->write && n != pass->readonly;
    uint64_t facts = F_VMA;
    if (start_of(s, pass, n) <= s->cr2)
        facts |= F_INSIDE;
    else if (vma->growsdown)
        facts |= growth_facts(s, pass, n);
    if (vma->growsdown)
        facts |= F_GROWSDOWN;
    if (write)
        facts |= F_WRITE;
    if (vma->read || write || vma->exec)
        facts |= F_ANY_ACCESS;
    if (key_denies(s, vma->pkey))
        facts |= F_KEY_DENIES;
    return facts;
}

static uint64_t answer_facts(const struct fl_snapshot *s, const struct fl_policy_pass *pass)
{
    static const uint8_t answers[FL_MM_COUNT] = {
        [FL_MM_MINOR] = ANSWER_MINOR,
        [FL_MM_MAJOR] = ANSWER_MAJOR,
        [FL_MM_OOM] = ANSWER_OOM,
        [FL_MM_SIGBUS] = ANSWER_SIGBUS,
        [FL_MM_HWPOISON] = ANSWER_HWPOISON,
        [FL_MM_HWPOISON_LARGE] = ANSWER_HWPOISON_LARGE,
        [FL_MM_SIGSEGV] = ANSWER_SIGSEGV,
        [FL_MM_RETRY] = ANSWER_RETRY,
        [FL_MM_RETRY_MAJOR] = ANSWER_RETRY_MAJOR,
    };
    uint64_t facts = pass->asked < FL_MM_ANSWERS ? F_ANSWER(answers[s->mm_result[pass->asked]]) : 0;
    if (s->kernel.fault_retry && !pass->retried)
        facts |= F_MAY_RETRY;
    if (pass->was_major)
        facts |= F_WAS_MAJOR;
    return facts;
}

uint64_t fl_policy_pass_facts(const struct fl_snapshot *s, const struct fl_policy_pass *pass, size_t *vma)
{
    *vma = find(s, pass);
    return answer_facts(s, pass) | (*vma != FL_NO_VMA ? vma_facts(s, pass, *vma) : 0);
}
