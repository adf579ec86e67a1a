/* SPDX-License-Identifier: MIT */
/* A document as one HTML element, for a page that has its own head. It is well-formed XML as well. */
#include "document.h"

#include <string.h>

static void escaped(FILE *out, const char *text)
{
    for (const char *p = text; *p; p++) {
        switch (*p) {
        case '<': fputs("&lt;", out); break;
        case '>': fputs("&gt;", out); break;
        case '&': fputs("&amp;", out); break;
        case '"': fputs("&quot;", out); break;
        case '\'': fputs("&#39;", out); break;
        default: fputc(*p, out);
        }
    }
}

static unsigned level(unsigned n)
{
    return n < 1 ? 1 : n > 6 ? 6 : n;
}

static size_t write_lines(FILE *out, const struct section *s, size_t i)
{
    fputs("<pre tabindex=\"0\">", out);
    for (; i < s->nblocks && s->blocks[i].kind == BLOCK_LINE; i++) {
        const struct block *b = &s->blocks[i];

        if (b->line == DOC_HERE)
            fputs("<mark>▶ ", out);
        else if (b->line == DOC_PAST)
            fputs("<span class=\"past\">  ", out);
        else if (b->line == DOC_PLAIN)
            fputs("  ", out);
        escaped(out, b->text);
        if (b->line == DOC_HERE)
            fputs("</mark>", out);
        else if (b->line == DOC_PAST)
            fputs("</span>", out);
        fputc('\n', out);
    }
    fputs("</pre>\n", out);
    return i;
}

static size_t write_table(FILE *out, const struct section *s, size_t i)
{
    fputs("<div class=\"scroll\" tabindex=\"0\"><table>\n<thead><tr>", out);
    for (unsigned c = 0; c < s->blocks[i].columns; c++) {
        fputs("<th scope=\"col\">", out);
        escaped(out, s->blocks[i].cell[c]);
        fputs("</th>", out);
    }
    fputs("</tr></thead>\n<tbody>\n", out);
    for (i++; i < s->nblocks && s->blocks[i].kind == BLOCK_ROW; i++) {
        const struct block *b = &s->blocks[i];

        fputs(b->line == DOC_HERE ? "<tr class=\"here\">" : "<tr>", out);
        for (unsigned c = 0; c < b->columns; c++) {
            fputs("<td>", out);
            escaped(out, b->cell[c]);
            fputs("</td>", out);
        }
        fputs("</tr>\n", out);
    }
    fputs("</tbody></table></div>\n", out);
    return i;
}

static size_t write_items(FILE *out, const struct section *s, size_t i)
{
    fputs("<dl>\n", out);
    for (; i < s->nblocks && s->blocks[i].kind == BLOCK_ITEM; i++) {
        fputs("<dt>", out);
        escaped(out, s->blocks[i].name);
        fputs("</dt><dd>", out);
        escaped(out, s->blocks[i].text);
        fputs("</dd>\n", out);
    }
    fputs("</dl>\n", out);
    return i;
}

void document_html(const struct document *d, const struct document_style *style, FILE *out)
{
    fputs("<article class=\"explain\"", out);
    if (style->ids)
        fprintf(out, " id=\"%s\"", style->ids);
    if (style->key) {
        fputs(" data-key=\"", out);
        escaped(out, style->key);
        fputc('"', out);
    }
    fprintf(out, ">\n<h%u>", level(style->heading));
    escaped(out, document_title(d));
    fprintf(out, "</h%u>\n", level(style->heading));
    for (size_t n = 0; n < d->nsections; n++) {
        const struct section *s = &d->sections[n];

        fprintf(out, "<section class=\"%s\"", s->id);
        if (style->ids)
            fprintf(out, " id=\"%s-%s\"", style->ids, s->id);
        fputs(">\n", out);
        if (s->title[0])
            fprintf(out, "<h%u>%s</h%u>\n", level(style->heading + 1), s->title, level(style->heading + 1));
        for (size_t i = 0; i < s->nblocks;) {
            switch (s->blocks[i].kind) {
            case BLOCK_LINE: i = write_lines(out, s, i); break;
            case BLOCK_HEADS: i = write_table(out, s, i); break;
            case BLOCK_ITEM: i = write_items(out, s, i); break;
            default:
                fputs(s->blocks[i].kind == BLOCK_ALARM ? "<p class=\"alarm\"><strong>" : "<p>", out);
                escaped(out, s->blocks[i].text);
                fputs(s->blocks[i].kind == BLOCK_ALARM ? "</strong></p>\n" : "</p>\n", out);
                i++;
            }
        }
        fputs("</section>\n", out);
    }
    fputs("</article>\n", out);
}
