/* SPDX-License-Identifier: MIT */
/* The switch between the prover and the core, and the core's stack. */
#include "proof_switch.h"

#if defined(__x86_64__)

#    include <string.h>
#    include <sys/mman.h>
#    include <unistd.h>

#    if defined(__SANITIZE_ADDRESS__)
#        define UNDER_ASAN 1
#    elif defined(__has_feature)
#        if __has_feature(address_sanitizer)
#            define UNDER_ASAN 1
#        endif
#    endif

#    ifdef UNDER_ASAN
#        include <sanitizer/asan_interface.h>
/* Locals that live in a heap of the sanitizer's instead of on the stack would be no part of the state. */
const char *__asan_default_options(void);
__attribute__((weak)) const char *__asan_default_options(void)
{
    return "detect_stack_use_after_return=0";
}
#    endif

#    define DIRTY_AT_FIRST 512u
#    define PATTERN        UINT64_C(0xa5a5a5a5a5a5a5a5)

__attribute__((visibility("hidden"))) struct switch_frame switch_frame;

_Static_assert(offsetof(struct switch_frame, stack) == 8 && offsetof(struct switch_frame, saved) == 16 &&
                   offsetof(struct switch_frame, argument) == 64 && offsetof(struct switch_frame, answer) == 96 &&
                   offsetof(struct switch_frame, op) == 104,
               "the offsets below");
_Static_assert(SWITCH_OPS <= 32, "the number of doors below");

/* Jumps instead of returns: the processor foresees a return by its call, and these do not go where they came from.
 *
 * switch_enter(stack, argument[4], prefetch), switch_continue(): both come back at the core's next stop. A door is what an
 * entry of struct fl_ops points to; all are 16 bytes. */
__asm__(".text\n"
        ".macro fl_switch_save\n"
        "    pushq %rbx\n    pushq %rbp\n    pushq %r12\n    pushq %r13\n    pushq %r14\n    pushq %r15\n"
        "    leaq switch_frame(%rip), %r11\n"
        "    movq %rsp, 0(%r11)\n"
        ".endm\n"
        ".macro fl_switch_back\n"
        "    movq 0(%r11), %rsp\n"
        "    popq %r15\n    popq %r14\n    popq %r13\n    popq %r12\n    popq %rbp\n    popq %rbx\n"
        "    cld\n"
        "    popq %rcx\n"
        "    jmp *%rcx\n"
        ".endm\n"
        ".macro fl_switch_forget\n"
        "    xorl %r8d, %r8d\n    xorl %r9d, %r9d\n    xorl %r10d, %r10d\n    xorl %r11d, %r11d\n"
        "    pxor %xmm0, %xmm0\n    pxor %xmm1, %xmm1\n    pxor %xmm2, %xmm2\n    pxor %xmm3, %xmm3\n"
        "    pxor %xmm4, %xmm4\n    pxor %xmm5, %xmm5\n    pxor %xmm6, %xmm6\n    pxor %xmm7, %xmm7\n"
        "    pxor %xmm8, %xmm8\n    pxor %xmm9, %xmm9\n    pxor %xmm10, %xmm10\n    pxor %xmm11, %xmm11\n"
        "    pxor %xmm12, %xmm12\n    pxor %xmm13, %xmm13\n    pxor %xmm14, %xmm14\n    pxor %xmm15, %xmm15\n"
        ".endm\n"

        ".p2align 4\n"
        ".type switch_enter, @function\n"
        "switch_enter:\n"
        "    fl_switch_save\n"
        "    movq %rdi, %rsp\n"
        "    movq %rdx, %rax\n"
        "    movq %rsi, %r11\n"
        "    movq 0(%r11), %rdi\n    movq 8(%r11), %rsi\n    movq 16(%r11), %rdx\n    movq 24(%r11), %rcx\n"
        "    xorl %ebx, %ebx\n    xorl %ebp, %ebp\n"
        "    xorl %r12d, %r12d\n    xorl %r13d, %r13d\n    xorl %r14d, %r14d\n    xorl %r15d, %r15d\n"
        "    fl_switch_forget\n"
        "    call *%rax\n"
        "    leaq switch_frame(%rip), %r11\n"
        "    movq %rax, 96(%r11)\n"
        "    movq $255, 104(%r11)\n"
        "    fl_switch_back\n"
        ".size switch_enter, . - switch_enter\n"

        ".p2align 4\n"
        ".type switch_continue, @function\n"
        "switch_continue:\n"
        "    fl_switch_save\n"
        "    movq 16(%r11), %rbx\n    movq 24(%r11), %rbp\n    movq 32(%r11), %r12\n"
        "    movq 40(%r11), %r13\n    movq 48(%r11), %r14\n    movq 56(%r11), %r15\n"
        "    movq 8(%r11), %rsp\n"
        "    movq 96(%r11), %rax\n"
        "    xorl %edx, %edx\n    xorl %esi, %esi\n    xorl %edi, %edi\n"
        "    fl_switch_forget\n"
        "    popq %rcx\n"
        "    jmp *%rcx\n"
        ".size switch_continue, . - switch_continue\n"

        ".p2align 4\n"
        ".type switch_stop, @function\n"
        "switch_stop:\n"
        "    leaq switch_frame(%rip), %r11\n"
        "    movq %rsp, 8(%r11)\n"
        "    movq %rbx, 16(%r11)\n    movq %rbp, 24(%r11)\n    movq %r12, 32(%r11)\n"
        "    movq %r13, 40(%r11)\n    movq %r14, 48(%r11)\n    movq %r15, 56(%r11)\n"
        "    movq %rdi, 64(%r11)\n    movq %rsi, 72(%r11)\n    movq %rdx, 80(%r11)\n    movq %rcx, 88(%r11)\n"
        "    movq %rax, 104(%r11)\n"
        "    fl_switch_back\n"
        ".size switch_stop, . - switch_stop\n"

        ".p2align 4\n"
        ".type switch_doors, @function\n"
        "switch_doors:\n"
        ".set fl_door, 0\n"
        ".rept 32\n"
        "    .p2align 4\n"
        "    endbr64\n"
        "    movl $fl_door, %eax\n"
        "    jmp switch_stop\n"
        "    .set fl_door, fl_door + 1\n"
        ".endr\n"
        ".size switch_doors, . - switch_doors\n");

void switch_enter(void *stack, const uint64_t argument[4], void (*function)(void));
void switch_continue(void);
extern const uint8_t switch_doors[];

void switch_ops(struct fl_ops *ops)
{
    uintptr_t door[SWITCH_OPS];

    for (size_t i = 0; i < SWITCH_OPS; i++)
        door[i] = (uintptr_t)switch_doors + 16 * i;
    memcpy(ops, door, sizeof door);
}

bool switch_open(struct switch_stack *stack)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    uint8_t *at = mmap(NULL, SWITCH_STACK_SIZE + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (at == MAP_FAILED)
        return false;
    stack->low = at + page;
    stack->top = stack->low + SWITCH_STACK_SIZE;
    stack->dirty_from = stack->top - DIRTY_AT_FIRST;
    stack->ignore = (bool *)(stack->top - SWITCH_TOP_BYTES / 2);
    return mprotect(stack->low, SWITCH_STACK_SIZE, PROT_READ | PROT_WRITE) == 0;
}

void switch_close(struct switch_stack *stack)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);

    munmap(stack->low - page, SWITCH_STACK_SIZE + 2 * page);
}

void switch_copy(void *to, const void *from, size_t n)
{
    size_t blocks = n / 32, words = n % 32 / 8, rest = n % 8;

    /* Short runs mostly, for which the string instructions take long to get going. */
    __asm__ volatile("jmp 2f\n"
                     "1:  movups (%[from]), %%xmm0\n    movups 16(%[from]), %%xmm1\n"
                     "    movups %%xmm0, (%[to])\n    movups %%xmm1, 16(%[to])\n"
                     "    addq $32, %[from]\n    addq $32, %[to]\n"
                     "2:  subq $1, %[blocks]\n    jnc 1b\n"
                     "    jmp 4f\n"
                     "3:  movq (%[from]), %%rax\n    movq %%rax, (%[to])\n"
                     "    addq $8, %[from]\n    addq $8, %[to]\n"
                     "4:  subq $1, %[words]\n    jnc 3b\n"
                     "    jmp 6f\n"
                     "5:  movb (%[from]), %%al\n    movb %%al, (%[to])\n"
                     "    addq $1, %[from]\n    addq $1, %[to]\n"
                     "6:  subq $1, %[rest]\n    jnc 5b\n"
                     : [to] "+r"(to), [from] "+r"(from), [blocks] "+r"(blocks), [words] "+r"(words), [rest] "+r"(rest)
                     :
                     : "rax", "xmm0", "xmm1", "memory", "cc");
}

/* words words; both ends may have any alignment. */
static void fill(void *at, uint64_t value, size_t words)
{
    size_t blocks = words / 4, rest = words % 4;

    __asm__ volatile("movq %[value], %%xmm0\n    punpcklqdq %%xmm0, %%xmm0\n"
                     "    jmp 2f\n"
                     "1:  movups %%xmm0, (%[at])\n    movups %%xmm0, 16(%[at])\n    addq $32, %[at]\n"
                     "2:  subq $1, %[blocks]\n    jnc 1b\n"
                     "    jmp 4f\n"
                     "3:  movq %[value], (%[at])\n    addq $8, %[at]\n"
                     "4:  subq $1, %[rest]\n    jnc 3b\n"
                     : [at] "+r"(at), [blocks] "+r"(blocks), [rest] "+r"(rest)
                     : [value] "r"(value)
                     : "xmm0", "memory", "cc");
}

/* Frames that were left behind in the middle of a call have forbidden parts, where others will have their locals. */
static void allow(struct switch_stack *stack)
{
#    ifdef UNDER_ASAN
    __asan_unpoison_memory_region(stack->dirty_from, (size_t)(stack->top - stack->dirty_from));
#    else
    (void)stack;
#    endif
}

void switch_start(struct switch_stack *stack, const struct fl_core *core, const struct fl_fault *fault,
                  const struct fl_ops *ops, void *ctx)
{
    uint64_t argument[4] = {(uintptr_t)fault, (uintptr_t)ops, (uintptr_t)ctx, (uintptr_t)stack->ignore};

    allow(stack);
    fill(stack->dirty_from, 0, (size_t)(stack->top - SWITCH_TOP_BYTES - stack->dirty_from) / 8);
    fill(stack->top - SWITCH_TOP_BYTES, PATTERN, SWITCH_TOP_BYTES / 8);
    switch_enter(stack->top - SWITCH_TOP_BYTES, argument, (void (*)(void))core->prefetch);
}

void switch_resume(struct switch_stack *stack)
{
    uint8_t *at = (uint8_t *)(uintptr_t)switch_frame.stack;

    allow(stack);
    if (at > stack->dirty_from)
        fill(stack->dirty_from, 0, (size_t)(at - stack->dirty_from) / 8);
    switch_continue();
}

bool switch_stack_known(const struct switch_stack *stack)
{
    return switch_frame.stack >= (uintptr_t)stack->low && switch_frame.stack % 8 == 0 &&
           switch_frame.stack <= (uintptr_t)(stack->top - SWITCH_TOP_BYTES - 8);
}

bool switch_stack_grew(struct switch_stack *stack)
{
    uint64_t word[64];
    uint8_t *at = stack->low;

    for (; at < stack->dirty_from; at += sizeof word) {
        uint64_t any = 0;

        switch_copy(word, at, sizeof word);
        for (size_t i = 0; i < sizeof word / sizeof *word; i++)
            any |= word[i];
        if (any) {
            stack->dirty_from = at;
            return true;
        }
    }
    return false;
}

bool switch_top_broken(const struct switch_stack *stack)
{
    const uint64_t *top = (const uint64_t *)(stack->top - SWITCH_TOP_BYTES);

    _Static_assert(SWITCH_TOP_BYTES == 64, "eight words, *ignore is the first byte of the fifth");
    return ((top[0] ^ PATTERN) | (top[1] ^ PATTERN) | (top[2] ^ PATTERN) | (top[3] ^ PATTERN) |
            (top[4] ^ PATTERN) >> 8 | (top[5] ^ PATTERN) | (top[6] ^ PATTERN) | (top[7] ^ PATTERN)) != 0;
}

#endif /* __x86_64__ */

const char *switch_op_name(uint64_t op)
{
#define NAME(name) [SWITCH_OP(name)] = #name
    static const char *const names[SWITCH_OPS] = {
        NAME(read_entry), NAME(write_entry),  NAME(flush_lazy), NAME(warn_nmi), NAME(pgd_lock),   NAME(pgd_unlock),
        NAME(pgd_next),   NAME(kprobe),       NAME(probe_byte), NAME(ldt),      NAME(irq_enable), NAME(extable),
        NAME(lock_try),   NAME(lock_take),    NAME(lock_drop),  NAME(vma_find), NAME(vma_expand), NAME(mm_fault),
        NAME(yield),      NAME(fatal_signal), NAME(user_word),  NAME(vsyscall), NAME(ratelimit),  NAME(log),
        NAME(symbol),     NAME(file_name),    NAME(die),
    };
#undef NAME
    return op < SWITCH_OPS && names[op] ? names[op] : "?";
}
