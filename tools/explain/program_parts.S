/* SPDX-License-Identifier: MIT */
/* The parts of a C program about a finding that are always the same, as they stand beside: compiled into the command, which
 * runs them before it hands them out, and here as text. */
    .section .rodata, "a"

    .globl program_types_text, program_types_text_end
program_types_text:
    .incbin "program_types.h"
program_types_text_end:

    .globl program_world_text, program_world_text_end
program_world_text:
    .incbin "program_world.c"
program_world_text_end:

    .globl program_kernel_text, program_kernel_text_end
program_kernel_text:
    .incbin "program_kernel.c"
program_kernel_text_end:

    .globl program_facts_text, program_facts_text_end
program_facts_text:
    .incbin "program_facts.c"
program_facts_text_end:

    .section .note.GNU-stack, "", %progbits
