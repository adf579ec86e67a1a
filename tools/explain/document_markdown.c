/* SPDX-License-Identifier: MIT */
/* A document as GitHub's Markdown. */
#include "document.h"

#include <string.h>

/* Outside of code: what Markdown or the HTML in it would take for its own. */
static void escaped(FILE *out, const char *text)
{
    for (const char *p = text; *p; p++) {
        switch (*p) {
        case '<': fputs("&lt;", out); break;
        case '>': fputs("&gt;", out); break;
        case '&': fputs("&amp;", out); break;
        /* A name behind it would call somebody, a number be an issue, escaped or not; a comment between them shows nothing. */
        case '@':
        case '#': fprintf(out, "%s%c<!-- -->", *p == '#' ? "\\" : "", *p); break;
        case '\\':
        case '`':
        case '*':
        case '_':
        case '[':
        case ']':
        case '|':
        case '~':
            fputc('\\', out);
            fputc(*p, out);
            break;
        case '-': /* a list, where a paragraph begins with it */
        case '+':
            if (p == text)
                fputc('\\', out);
            fputc(*p, out);
            break;
        default: fputc(*p, out);
        }
    }
}

static void heading(FILE *out, unsigned level, const char *text)
{
    for (unsigned i = 0; i < level && i < 6; i++)
        fputc('#', out);
    fputc(' ', out);
    escaped(out, text);
    fputs("\n\n", out);
}

/* A fence is longer than any row of backquotes in the lines. */
static size_t write_lines(FILE *out, const struct section *s, size_t from)
{
    size_t end = from, fence = 3;

    for (; end < s->nblocks && s->blocks[end].kind == BLOCK_LINE; end++)
        for (const char *p = s->blocks[end].text; *p; p++)
            if (*p == '`' && strspn(p, "`") >= fence)
                fence = strspn(p, "`") + 1;
    for (size_t i = 0; i < fence; i++)
        fputc('`', out);
    fputs("text\n", out);
    for (size_t i = from; i < end; i++) {
        const struct block *b = &s->blocks[i];

        fprintf(out, "%s%s\n", b->line == DOC_HERE ? "▶ " : b->line == DOC_VERBATIM ? "" : "  ", b->text);
    }
    for (size_t i = 0; i < fence; i++)
        fputc('`', out);
    fputs("\n\n", out);
    return end;
}

static void write_row(FILE *out, const struct block *b)
{
    for (unsigned c = 0; c < b->columns; c++) {
        fputs(c ? " | " : "| ", out);
        if (b->line == DOC_HERE && b->cell[c][0])
            fputs("**", out);
        escaped(out, b->cell[c]);
        if (b->line == DOC_HERE && b->cell[c][0])
            fputs("**", out);
    }
    fputs(" |\n", out);
}

static size_t write_table(FILE *out, const struct section *s, size_t i)
{
    write_row(out, &s->blocks[i]);
    for (unsigned c = 0; c < s->blocks[i].columns; c++)
        fputs("|---", out);
    fputs("|\n", out);
    for (i++; i < s->nblocks && s->blocks[i].kind == BLOCK_ROW; i++)
        write_row(out, &s->blocks[i]);
    fputc('\n', out);
    return i;
}

void document_markdown(const struct document *d, const struct document_style *style, FILE *out)
{
    heading(out, style->heading, document_title(d));
    for (size_t n = 0; n < d->nsections; n++) {
        const struct section *s = &d->sections[n];

        if (s->title[0])
            heading(out, style->heading + 1, s->title);
        for (size_t i = 0; i < s->nblocks;) {
            const struct block *b = &s->blocks[i];

            switch (b->kind) {
            case BLOCK_LINE: i = write_lines(out, s, i); continue;
            case BLOCK_HEADS: i = write_table(out, s, i); continue;
            case BLOCK_ITEM:
                fputs("- **", out);
                escaped(out, b->name);
                fputs("** ", out);
                escaped(out, b->text);
                fputc('\n', out);
                if (i + 1 == s->nblocks || s->blocks[i + 1].kind != BLOCK_ITEM)
                    fputc('\n', out);
                break;
            case BLOCK_ALARM:
                fputs("> **", out);
                escaped(out, b->text);
                fputs("**\n\n", out);
                break;
            default: escaped(out, b->text); fputs("\n\n", out);
            }
            i++;
        }
    }
}
