/* SPDX-License-Identifier: MIT */
/* What codec, printer and parser of scenarios share: the vocabulary of the text form as data rows, and record helpers. */
#ifndef FL_SCENARIO_INTERNAL_H
#define FL_SCENARIO_INTERNAL_H

#include <faultline/fuzz/scenario.h>

/* ---- codec ------------------------------------------------------------------------------------------------------ */

/* Brings every field of *m into its range, exactly as decoding would have made it. */
void fl_machine_canonical(struct fl_machine *m);
/* The same for a record of a machine in that (valid) mode. */
void fl_record_canonical(enum fl_mode mode, struct fl_record *r);
/* Code size that a mode's kernel uses itself: 64 in IA-32e modes, else 32. */
uint8_t fl_native_bits(enum fl_mode mode);
/* Where the vmalloc range of that kind of machine lies when its keys do not say; end exclusive. SH4: from behind the
 * coherent-DMA part to the end of P3. */
struct fl_range {
    uint64_t start, end;
};
struct fl_range fl_native_vmalloc(enum fl_mode mode, bool sh4);
/* First address that is not user space. */
uint64_t fl_native_task_size(const struct fl_machine *m);
/* The n-th generation (modulo their number) that such a machine has, and which number it has there (0: none of them). */
uint8_t fl_generation_at(enum fl_mode mode, bool sh4, unsigned n);
uint8_t fl_generation_number(enum fl_mode mode, bool sh4, unsigned generation);

/* ---- vocabulary ------------------------------------------------------------------------------------------------- */

/* One word of the text form and the number that it stands for (SET: the bits). Lists end with text == NULL. */
struct fl_word {
    const char *text;
    uint32_t value;
};

enum fl_item_type {
    FL_ITEM_DEC,  /* a number, printed in decimal */
    FL_ITEM_HEX,  /* a number, printed in hexadecimal */
    FL_ITEM_WORD, /* one of words */
    FL_ITEM_SET,  /* any of words, with commas between them; "none" when empty */
    FL_ITEM_PROT, /* any of words (single letters), glued together; "none" when empty */
    FL_ITEM_FLAG, /* bare word: present sets mask, absent clears it */
    FL_ITEM_CODE, /* ':' and bytes, always last; offset is that of the count, data that of the bytes */
};

enum fl_item_presence {
    FL_ITEM_REQUIRED, /* has to be given */
    FL_ITEM_SHOWN,    /* may be left out, is printed always */
    FL_ITEM_OPTIONAL, /* may be left out, is printed when it is not usual */
};

/* One field in the text form. Printer, parser, comparison and documentation test all read these rows. */
struct fl_item {
    const char *key; /* NULL: positional (in the order of the rows, before all keyed ones), always required */
    uint8_t type;    /* enum fl_item_type */
    uint8_t presence;
    uint8_t width;     /* bytes of the field: 1, 2, 4 or 8 */
    uint16_t offset;   /* in struct fl_machine or struct fl_record */
    uint16_t data;     /* FL_ITEM_CODE: offset of the bytes */
    uint64_t min, max; /* DEC, HEX; CODE: least and greatest count */
    uint64_t usual;    /* value when left out */
    uint32_t mask;     /* SET, PROT, FLAG: the bits of the field that belong to this item */
    uint8_t vma_sets;  /* giving this item sets these bits of u.vma.flags, and it is printed only when they are set */
    uint8_t vma_needs; /* the item has a meaning only with these bits; REQUIRED is then required only with them */
    bool on_sh4;       /* machine: has a meaning with arch sh4 as well; the others are as usual there */
    const struct fl_word *words;
    const char *rule; /* what is wrong when the value is in its range but the machine or another field forbids it */
};

/* Lists of items end with width == 0. */
#define FL_MAX_ITEMS 64

struct fl_record_spec {
    const char *name;
    bool event;
    const struct fl_item *items;
};

extern const struct fl_item fl_machine_items[];
extern const struct fl_record_spec fl_record_specs[FL_REC_AREA];
extern const struct fl_record_spec fl_record_specs_pin[FL_REC_COUNT - FL_REC_AREA];

/* Name and rows of a kind; kind < FL_REC_COUNT. */
static inline const struct fl_record_spec *fl_record_spec(unsigned kind)
{
    return kind < FL_REC_AREA ? &fl_record_specs[kind] : &fl_record_specs_pin[kind - FL_REC_AREA];
}

/* Reads and writes the field of an item (SET, PROT, FLAG: only the bits of its mask). */
uint64_t fl_item_get(const struct fl_item *item, const void *base);
void fl_item_set(const struct fl_item *item, void *base, uint64_t value);
const char *fl_item_word(const struct fl_item *item, uint64_t value); /* NULL: none */

/* Is the item printed for this object? (presence, usual value and VMA bits) */
bool fl_item_printed(const struct fl_item *item, const void *base);

/* What a machine key means when it is left out: mostly the row's usual value, but some depend on other keys. Those that
 * a value depends on come first in the rows, or have a usual value of their own. */
uint64_t fl_machine_usual(const struct fl_item *item, const struct fl_machine *m);

/* Field by field over the rows; for valid objects the same as equality of their bytes. */
bool fl_items_equal(const struct fl_item *items, const void *a, const void *b);

/* ---- bounded text ----------------------------------------------------------------------------------------------- */

/* Appends into a fixed buffer; what does not fit is dropped, the result is always terminated (size > 0). */
struct fl_text {
    char *buf;
    size_t size, len;
};

void fl_text_add(struct fl_text *t, const char *format, ...)
#ifdef __GNUC__
    __attribute__((format(printf, 2, 3)))
#endif
    ;
void fl_text_item(struct fl_text *t, const struct fl_item *item, const void *base);

#endif
