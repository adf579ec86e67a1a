/* SPDX-License-Identifier: MIT */
/*
 * Parses one line of the walk-vectors format. Every column is bounded by its length, never by a terminator, so that a
 * NUL byte is a wrong character like any other.
 */
#include "vectors_parse.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define NELEMS(a) (sizeof(a) / sizeof(a)[0])

static const char *const mode_words[] = {"2level", "pae", "4level", "5level"};
_Static_assert(NELEMS(mode_words) == FL_MODE_COUNT, "one word per mode");
static const char *const vendor_words[] = {"intel", "amd"};
_Static_assert(NELEMS(vendor_words) == FL_VENDOR_COUNT, "one word per vendor");

struct parser {
    const char *start, *end; /* the line */
    const char *p, *stop;    /* the rest of the current column and where that ends */
    const char *name;        /* of the column */
    uint32_t *column;
    char *expected;
    size_t size;
};

__attribute__((format(printf, 2, 3))) static bool expected(struct parser *s, const char *format, ...)
{
    va_list args;
    int n = snprintf(s->expected, s->size, "%s: ", s->name);

    *s->column = (uint32_t)(s->p - s->start) + 1;
    va_start(args, format);
    if (n >= 0 && (size_t)n < s->size)
        vsnprintf(s->expected + n, s->size - (size_t)n, format, args);
    va_end(args);
    return false;
}

/* Goes to the next column: one space after the one before, not empty. */
static bool column(struct parser *s, const char *name)
{
    const char *space;

    s->name = name;
    if (s->stop) {
        if (s->stop == s->end) {
            s->p = s->end;
            return expected(s, "column expected, found the end of the line");
        }
        s->p = s->stop + 1;
    }
    space = memchr(s->p, ' ', (size_t)(s->end - s->p));
    s->stop = space ? space : s->end;
    if (s->p == s->stop)
        return expected(s, "exactly one space between columns expected");
    return true;
}

static bool column_ends(struct parser *s)
{
    return s->p == s->stop ? true : expected(s, "end of the column expected");
}

static bool at(const struct parser *s, char c)
{
    return s->p < s->stop && *s->p == c;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* A number of at most bits bits, up to the first character that is no digit. */
static bool hex(struct parser *s, unsigned bits, uint64_t *value)
{
    const char *first = s->p;
    uint64_t v = 0;

    while (s->p < s->stop && hex_digit(*s->p) >= 0) {
        v = v << 4 | (uint64_t)hex_digit(*s->p);
        s->p++;
        if (s->p - first > 16 || (bits < 64 && v >> bits)) {
            s->p = first;
            return expected(s, "a hex number of at most %u bits expected", bits);
        }
    }
    if (s->p == first)
        return expected(s, "a hex digit expected");
    if (s->p - first == 1 && v == 0 && (at(s, 'x') || at(s, 'X')))
        return expected(s, "hex without 0x expected");
    *value = v;
    return true;
}

static bool hex_column(struct parser *s, const char *name, unsigned bits, uint64_t *value)
{
    return column(s, name) && hex(s, bits, value) && column_ends(s);
}

static bool decimal_column(struct parser *s, const char *name, unsigned low, unsigned high, uint8_t *value)
{
    unsigned v = 0;

    if (!column(s, name))
        return false;
    for (const char *p = s->p; p < s->stop; p++) {
        if (*p < '0' || *p > '9' || p - s->p >= 3)
            return expected(s, "a decimal number from %u to %u expected", low, high);
        v = 10 * v + (unsigned)(*p - '0');
    }
    if (v < low || v > high)
        return expected(s, "a decimal number from %u to %u expected", low, high);
    *value = (uint8_t)v;
    return true;
}

static bool word_column(struct parser *s, const char *name, const char *const *words, unsigned n, uint8_t *value)
{
    size_t length;

    if (!column(s, name))
        return false;
    length = (size_t)(s->stop - s->p);
    for (unsigned i = 0; i < n; i++) {
        if (strlen(words[i]) == length && memcmp(words[i], s->p, length) == 0) {
            *value = (uint8_t)i;
            return true;
        }
    }
    return n == 2 ? expected(s, "%s or %s expected", words[0], words[1])
                  : expected(s, "%s, %s, %s or %s expected", words[0], words[1], words[2], words[3]);
}

/* One of the characters of choices, as its index there. */
static bool choice(struct parser *s, const char *choices, const char *what, uint8_t *value)
{
    const char *found = s->p < s->stop && *s->p != '\0' ? strchr(choices, *s->p) : NULL;

    if (!found)
        return expected(s, "%s expected", what);
    *value = (uint8_t)(found - choices);
    s->p++;
    return true;
}

static bool accesses_column(struct parser *s, uint64_t va, bool ac, struct fl_vector *v)
{
    if (!column(s, "access"))
        return false;
    for (v->naccesses = 0;;) {
        struct fl_access *a = &v->accesses[v->naccesses];

        if (v->naccesses == FL_VECTOR_MAX_ACCESSES)
            return expected(s, "at most %u accesses expected", (unsigned)FL_VECTOR_MAX_ACCESSES);
        /* The orders of enum fl_access_priv and enum fl_access_kind. */
        if (!choice(s, "usi", "u, s or i", &a->priv) || !choice(s, "rwx", "r, w or x", &a->kind))
            return false;
        a->va = va;
        a->ac = ac;
        v->naccesses++;
        if (!at(s, '+'))
            return column_ends(s);
        s->p++;
    }
}

static bool nothing(struct parser *s)
{
    if (s->stop - s->p != 1 || *s->p != '-')
        return false;
    s->p++;
    return true;
}

static bool address(struct parser *s, unsigned size, uint64_t *paddr)
{
    const char *first = s->p;

    if (!hex(s, 52, paddr))
        return false;
    if (*paddr % size) {
        s->p = first;
        return expected(s, "an address aligned to %u bytes expected", size);
    }
    if (!at(s, ':'))
        return expected(s, "':' expected");
    s->p++;
    return true;
}

/* Keeps the list sorted by address. The same entry may stand at two places of a walk, with one value. */
static bool insert(struct parser *s, const char *where, struct fl_vector *v, struct fl_vector_entry e)
{
    unsigned i = v->nentries;

    while (i > 0 && v->entries[i - 1].paddr > e.paddr)
        i--;
    if (i > 0 && v->entries[i - 1].paddr == e.paddr) {
        if (v->entries[i - 1].value == e.value)
            return true;
        s->p = where;
        return expected(s, "one value per entry expected");
    }
    if (v->nentries == FL_VECTOR_MAX_ENTRIES) {
        s->p = where;
        return expected(s, "at most %u entries expected", (unsigned)FL_VECTOR_MAX_ENTRIES);
    }
    memmove(&v->entries[i + 1], &v->entries[i], (v->nentries - i) * sizeof v->entries[0]);
    v->entries[i] = e;
    v->nentries++;
    return true;
}

static bool entries_column(struct parser *s, struct fl_vector *v)
{
    v->nentries = 0;
    if (!column(s, "entries"))
        return false;
    if (nothing(s))
        return true;
    for (;;) {
        const char *where = s->p;
        struct fl_vector_entry e;

        if (!address(s, v->entry_size, &e.paddr) || !hex(s, 8u * v->entry_size, &e.value) || !insert(s, where, v, e))
            return false;
        if (!at(s, ','))
            return s->p == s->stop ? true : expected(s, "',' or the end of the column expected");
        s->p++;
    }
}

static bool after_column(struct parser *s, struct fl_vector *v)
{
    v->nafter = 0;
    if (!column(s, "after"))
        return false;
    if (nothing(s))
        return true;
    for (;;) {
        struct fl_vector_after *a = &v->after[v->nafter];

        if (v->nafter == FL_VECTOR_MAX_ENTRIES)
            return expected(s, "at most %u entries expected", (unsigned)FL_VECTOR_MAX_ENTRIES);
        if (!address(s, v->entry_size, &a->paddr) || !hex(s, 8u * v->entry_size, &a->value))
            return false;
        a->ignored = 0;
        if (at(s, '/')) {
            s->p++;
            if (!hex(s, 8u * v->entry_size, &a->ignored))
                return false;
        }
        v->nafter++;
        if (!at(s, ','))
            return s->p == s->stop ? true : expected(s, "',', '/' or the end of the column expected");
        s->p++;
    }
}

static bool literal(struct parser *s, const char *word)
{
    size_t n = strlen(word);

    if ((size_t)(s->stop - s->p) < n || memcmp(s->p, word, n) != 0)
        return false;
    s->p += n;
    return true;
}

static bool expect_column(struct parser *s, struct fl_vector *v)
{
    uint64_t number;

    if (!column(s, "expect"))
        return false;
    v->error_code = 0;
    v->has_paddr = false;
    v->paddr = 0;
    if (literal(s, "pf:")) {
        v->expect = FL_ARCH_PF;
        if (!hex(s, 32, &number))
            return false;
        v->error_code = (uint32_t)number;
    } else if (literal(s, "ok:")) {
        v->expect = FL_ARCH_OK;
        v->has_paddr = true;
        if (!hex(s, 52, &v->paddr))
            return false;
    } else if (literal(s, "ok")) {
        v->expect = FL_ARCH_OK;
    } else if (literal(s, "gp")) {
        v->expect = FL_ARCH_GP;
    } else {
        return expected(s, "ok, ok:paddr, pf:code or gp expected");
    }
    return column_ends(s);
}

bool fl_vector_parse(const char *text, size_t length, struct fl_vector *v, uint32_t *column_out, char *expected_out,
                     size_t size)
{
    struct parser s = {
        .start = text, .end = text + length, .p = text, .column = column_out, .expected = expected_out, .size = size};
    struct fl_cpu *cpu = &v->cpu;
    uint64_t va, pkru, pkrs;
    uint8_t ac;

    if (!word_column(&s, "mode", mode_words, NELEMS(mode_words), &cpu->mode) ||
        !decimal_column(&s, "maxphyaddr", 32, 52, &cpu->maxphyaddr) ||
        !word_column(&s, "vendor", vendor_words, NELEMS(vendor_words), &cpu->vendor) ||
        !hex_column(&s, "cr0", 64, &cpu->cr0) || !hex_column(&s, "cr4", 64, &cpu->cr4) ||
        !hex_column(&s, "efer", 64, &cpu->efer))
        return false;
    if (!column(&s, "ac") || !choice(&s, "01", "0 or 1", &ac) || !column_ends(&s))
        return false;
    if (!hex_column(&s, "pkru", 32, &pkru) || !hex_column(&s, "pkrs", 32, &pkrs) ||
        !hex_column(&s, "cr3", 64, &cpu->cr3) || !hex_column(&s, "va", 64, &va))
        return false;
    cpu->pkru = (uint32_t)pkru;
    cpu->pkrs = (uint32_t)pkrs;
    /* The format's processor has every feature; its family does not matter to a walk. */
    cpu->pse36 = true;
    cpu->page1gb = true;
    cpu->family = cpu->vendor == FL_VENDOR_AMD ? 25 : 6;
    v->entry_size = cpu->mode == FL_MODE_2LEVEL ? 4 : 8;
    if (!accesses_column(&s, va, ac == 1, v) || !entries_column(&s, v) || !expect_column(&s, v) || !after_column(&s, v))
        return false;
    if (s.stop != s.end) {
        s.p = s.stop;
        s.name = "line";
        return expected(&s, "end of the line after 15 columns expected");
    }
    return true;
}
