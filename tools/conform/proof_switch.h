/* SPDX-License-Identifier: MIT */
/*
 * A core call as a coroutine. The core runs on a stack of its own; each op that it calls switches back to the caller, who
 * looks at the core's whole state, changes it for another one if it likes, and lets it go on. x86-64 only.
 */
#ifndef FAULTLINE_TOOLS_CONFORM_PROOF_SWITCH_H
#define FAULTLINE_TOOLS_CONFORM_PROOF_SWITCH_H

#include <faultline/core.h>

#include <stddef.h>

#define SWITCH_SAVED 6 /* rbx rbp r12 r13 r14 r15: what a call preserves beside the stack pointer */

/* Where the core stopped. op is the index of the entry of struct fl_ops, or SWITCH_RETURNED. */
#define SWITCH_RETURNED 255u
struct switch_frame {
    uint64_t host_stack; /* the assembler text knows the order of these fields */
    uint64_t stack;
    uint64_t saved[SWITCH_SAVED];
    uint64_t argument[4];
    uint64_t answer; /* [IN] of the op, [OUT] the core's status when it returned */
    uint64_t op;
};

#define SWITCH_OP(name) (offsetof(struct fl_ops, name) / sizeof(void (*)(void)))
#define SWITCH_OPS      (sizeof(struct fl_ops) / sizeof(void (*)(void)))

/* The core's stack. Its top holds *ignore between bytes of a pattern, so that a write beside it shows. */
#define SWITCH_STACK_SIZE (64u << 10)
#define SWITCH_TOP_BYTES  64u
struct switch_stack {
    uint8_t *low, *top;  /* [low, top), pages without access on both sides */
    uint8_t *dirty_from; /* from here on it is cleared before each leg */
    bool *ignore;
};

/* One call is under way at a time. */
extern struct switch_frame switch_frame;

bool switch_open(struct switch_stack *stack);
void switch_close(struct switch_stack *stack);

/* An op for each entry that comes back to the caller of switch_start() or switch_resume(). */
void switch_ops(struct fl_ops *ops);

/* For messages: "probe_byte". */
const char *switch_op_name(uint64_t op);

/* Calls prefetch on a cleared stack, up to its first op or its end. What happened is in switch_frame. */
void switch_start(struct switch_stack *stack, const struct fl_core *core, const struct fl_fault *fault,
                  const struct fl_ops *ops, void *ctx);

/* Goes on with switch_frame.answer as what the op answers. Below the stack pointer the stack is zero, registers that a call
 * may change are zero as well: nothing but the state lives on. */
void switch_resume(struct switch_stack *stack);

/* Where the stack pointer was at the last stop is inside the core's own stack. */
bool switch_stack_known(const struct switch_stack *stack);

/* Was the stack used below dirty_from? Then what was done so far does not count: dirty_from has moved. */
bool switch_stack_grew(struct switch_stack *stack);

/* Did the core write beside *ignore? */
bool switch_top_broken(const struct switch_stack *stack);

/* memcpy that no sanitizer looks at: stacks have parts that they forbid. */
void switch_copy(void *to, const void *from, size_t n);

#endif
