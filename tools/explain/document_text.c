/* SPDX-License-Identifier: MIT */
/* A document as plain text: wrapped to the terminal, and in ASCII where that is all there is. */
#include "document.h"

#include <string.h>

struct writer {
    FILE *out;
    const struct document_style *style;
};

/* What stands for the few characters beyond ASCII that reports use. */
static const struct {
    const char *utf8, *ascii;
} plain[] = {{"─", "-"},  {"│", "|"},   {"├", "|"}, {"└", "`"},  {"▶", ">"},  {"◀", "<"}, {"≠", "!="},
             {"→", "->"}, {"…", "..."}, {"·", "."}, {"✓", "ok"}, {"✗", "!!"}, {"–", "-"}};

static void put(const struct writer *w, const char *text, size_t n)
{
    if (!w->style->ascii) {
        fwrite(text, 1, n, w->out);
        return;
    }
    for (size_t i = 0; i < n;) {
        size_t length = 1;

        if ((unsigned char)text[i] < 0x80) {
            fputc(text[i++], w->out);
            continue;
        }
        while (i + length < n && ((unsigned char)text[i + length] & 0xc0) == 0x80)
            length++;
        const char *instead = "?";
        for (size_t k = 0; k < sizeof plain / sizeof plain[0]; k++)
            if (strlen(plain[k].utf8) == length && memcmp(plain[k].utf8, text + i, length) == 0)
                instead = plain[k].ascii;
        fputs(instead, w->out);
        i += length;
    }
}

static size_t wide(const struct writer *w, const char *text, size_t n)
{
    size_t columns = document_columns(text, n);

    if (w->style->ascii)
        for (size_t i = 0; i < n; i++)
            for (size_t k = 0; k < sizeof plain / sizeof plain[0]; k++)
                if ((unsigned char)text[i] >= 0xc0 && strncmp(text + i, plain[k].utf8, strlen(plain[k].utf8)) == 0)
                    columns += strlen(plain[k].ascii) - 1;
    return columns;
}

static void pad(const struct writer *w, size_t n)
{
    while (n--)
        fputc(' ', w->out);
}

static void colour(const struct writer *w, const char *sequence)
{
    if (w->style->colour)
        fputs(sequence, w->out);
}

/* From column `at` on, further lines from column `hang` on. Breaks at blanks, and where a word is longer than a line in
 * the middle of it. Ends the line. */
static void wrapped(const struct writer *w, const char *text, size_t at, size_t hang)
{
    size_t width = w->style->width;

    if (hang + 20 > width)
        hang = width > 24 ? width - 24 : 0;
    for (;;) {
        size_t room = width > at ? width - at : 1, n = strlen(text), take = n;

        if (wide(w, text, n) > room) {
            size_t fits = 0, blank = 0;

            for (size_t i = 1; i <= n; i++) {
                if (((unsigned char)text[i] & 0xc0) == 0x80)
                    continue;
                if (wide(w, text, i) > room)
                    break;
                fits = i;
                if (text[i] == ' ' && strspn(text, " ") < i)
                    blank = i;
            }
            take = blank ? blank : fits ? fits : 1;
        }
        put(w, text, take);
        text += take;
        text += strspn(text, " ");
        if (*text == 0)
            break;
        fputc('\n', w->out);
        pad(w, hang);
        at = hang;
    }
    fputc('\n', w->out);
}

static size_t table_end(const struct section *s, size_t from)
{
    size_t end = from + 1;

    while (end < s->nblocks && s->blocks[end].kind == BLOCK_ROW)
        end++;
    return end;
}

static void write_row(const struct writer *w, const struct block *b, const size_t widths[DOC_COLUMNS])
{
    size_t at = 2;

    if (b->line == DOC_HERE)
        colour(w, "\033[1m");
    put(w, b->line == DOC_HERE ? "▶ " : "  ", b->line == DOC_HERE ? strlen("▶ ") : 2);
    for (unsigned c = 0; c < b->columns; c++) {
        if (c + 1 == b->columns) {
            wrapped(w, b->cell[c], at, at);
        } else {
            put(w, b->cell[c], strlen(b->cell[c]));
            size_t used = wide(w, b->cell[c], strlen(b->cell[c]));
            pad(w, widths[c] - used + 2);
            at += widths[c] + 2;
        }
    }
    if (b->line == DOC_HERE)
        colour(w, "\033[0m");
}

static void write_table(const struct writer *w, const struct section *s, size_t from, size_t end)
{
    size_t widths[DOC_COLUMNS] = {0};

    for (size_t i = from; i < end; i++)
        for (unsigned c = 0; c < s->blocks[i].columns; c++) {
            size_t n = wide(w, s->blocks[i].cell[c], strlen(s->blocks[i].cell[c]));

            if (n > widths[c])
                widths[c] = n;
        }
    for (size_t i = from; i < end; i++) {
        if (i == from)
            colour(w, "\033[4m");
        write_row(w, &s->blocks[i], widths);
        if (i == from)
            colour(w, "\033[0m");
    }
}

static void write_line(const struct writer *w, const struct block *b)
{
    const char *mark = b->line == DOC_HERE ? "▶ " : "  ";
    size_t indent = strspn(b->text, " ");

    if (b->line == DOC_VERBATIM) {
        put(w, b->text, strlen(b->text));
        fputc('\n', w->out);
        return;
    }
    colour(w, b->line == DOC_HERE ? "\033[1m" : b->line == DOC_PAST ? "\033[2m" : "");
    put(w, mark, strlen(mark));
    wrapped(w, b->text, 2, 2 + indent + 4);
    colour(w, b->line != DOC_PLAIN ? "\033[0m" : "");
}

static void write_section(const struct writer *w, const struct section *s)
{
    size_t names = 0;

    for (size_t i = 0; i < s->nblocks; i++)
        if (s->blocks[i].name && wide(w, s->blocks[i].name, strlen(s->blocks[i].name)) > names)
            names = wide(w, s->blocks[i].name, strlen(s->blocks[i].name));
    for (size_t i = 0; i < s->nblocks; i++) {
        const struct block *b = &s->blocks[i];
        bool alone = b->kind == BLOCK_PARAGRAPH || b->kind == BLOCK_ALARM;

        if (i != 0 && (alone || b->kind == BLOCK_HEADS || s->blocks[i - 1].kind != b->kind))
            fputc('\n', w->out);
        switch (b->kind) {
        case BLOCK_ALARM:
            colour(w, "\033[1m");
            put(w, "▶ ", strlen("▶ "));
            wrapped(w, b->text, 2, 2);
            colour(w, "\033[0m");
            break;
        case BLOCK_PARAGRAPH:
            pad(w, 2);
            wrapped(w, b->text, 2, 2);
            break;
        case BLOCK_ITEM:
            pad(w, 2);
            put(w, b->name, strlen(b->name));
            pad(w, names - wide(w, b->name, strlen(b->name)) + 2);
            wrapped(w, b->text, names + 4, names + 4);
            break;
        case BLOCK_LINE: write_line(w, b); break;
        case BLOCK_HEADS:
            write_table(w, s, i, table_end(s, i));
            i = table_end(s, i) - 1;
            break;
        case BLOCK_ROW: break;
        }
    }
}

void document_text(const struct document *d, const struct document_style *style, FILE *out)
{
    const struct writer w = {out, style};
    const char *title = document_title(d);

    colour(&w, "\033[1m");
    wrapped(&w, title, 0, 0);
    colour(&w, "\033[0m");
    for (size_t s = 0; s < d->nsections; s++) {
        fputc('\n', out);
        if (d->sections[s].title[0]) {
            colour(&w, "\033[1m");
            put(&w, d->sections[s].title, strlen(d->sections[s].title));
            fputc('\n', out);
            for (size_t i = wide(&w, d->sections[s].title, strlen(d->sections[s].title)); i--;)
                put(&w, "─", strlen("─"));
            fputc('\n', out);
            colour(&w, "\033[0m");
        }
        write_section(&w, &d->sections[s]);
    }
}
