/* SPDX-License-Identifier: MIT */
/*
 * What the HTML pages of `conform` and `report` share: text.c, and base.css, which both embed.
 *
 * End tags that HTML lets a writer leave out may be left out. Nothing is fetched: style sheet and script are inside a page, and it
 * forbids itself any address.
 */
#ifndef FAULTLINE_TOOLS_HTML_H
#define FAULTLINE_TOOLS_HTML_H

#include <stdint.h>
#include <stdio.h>

/* Markup as it stands, then text of anybody, escaped: safe between tags and in attributes in quotes. Whatever is not UTF-8
 * or is a control character comes out as U+FFFD, so that the page is always one that can be read. */
void html_put(FILE *out, const char *markup, const char *text);
/* Markup, then a figure with a comma between thousands. */
void html_count(FILE *out, const char *markup, uint64_t n);
/* "1 class", "2 classes": a figure and the word for it. */
void html_counted(FILE *out, const char *markup, uint64_t n, const char *one, const char *many);

/* Up to and with <style> and base.css; the page's own rules, </style> and <body> come next. title is escaped. */
void html_head(FILE *out, const char *title);

#endif
