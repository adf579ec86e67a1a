/* SPDX-License-Identifier: MIT */
/* page.css and page.js as part of the program, so that it needs no file beside it. */
    .section .rodata, "a"

    .globl report_page_css, report_page_css_end
report_page_css:
    .incbin "page.css"
report_page_css_end:

    .globl report_page_js, report_page_js_end
report_page_js:
    .incbin "page.js"
report_page_js_end:

    .section .note.GNU-stack, "", %progbits
