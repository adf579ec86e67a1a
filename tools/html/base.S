/* SPDX-License-Identifier: MIT */
/* base.css as part of the program. */
    .section .rodata, "a"

    .globl html_base_css, html_base_css_end
html_base_css:
    .incbin "base.css"
html_base_css_end:

    .section .note.GNU-stack, "", %progbits
