/* SPDX-License-Identifier: MIT */
/* The style sheet and the script of the HTML report, as they stand in page.css and page.js: readable there, and part of the
 * program here, so that the program needs no file beside it. */
    .section .rodata, "a"

    .globl conform_page_css, conform_page_css_end
conform_page_css:
    .incbin "page.css"
conform_page_css_end:

    .globl conform_page_js, conform_page_js_end
conform_page_js:
    .incbin "page.js"
conform_page_js_end:

    .section .note.GNU-stack, "", %progbits
