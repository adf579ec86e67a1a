/* SPDX-License-Identifier: MIT */
/* Scenario facts that follow from the rows of vocabulary.c: names, validity, equality. */
#include "internal.h"

#include <faultline/pin.h>
#include <string.h>

uint64_t fl_item_get(const struct fl_item *item, const void *base)
{
    const unsigned char *field = (const unsigned char *)base + item->offset;
    uint64_t value = 0;
    uint16_t v16;
    uint32_t v32;

    switch (item->width) {
    case 1: value = *field; break;
    case 2:
        memcpy(&v16, field, sizeof(v16));
        value = v16;
        break;
    case 4:
        memcpy(&v32, field, sizeof(v32));
        value = v32;
        break;
    default: memcpy(&value, field, sizeof(value)); break;
    }
    return item->mask != 0 ? value & item->mask : value;
}

void fl_item_set(const struct fl_item *item, void *base, uint64_t value)
{
    unsigned char *field = (unsigned char *)base + item->offset;
    uint16_t v16 = (uint16_t)value;
    uint32_t v32 = (uint32_t)value;

    switch (item->width) {
    case 1:
        if (item->mask != 0)
            *field = (unsigned char)((*field & ~item->mask) | (value & item->mask));
        else
            *field = (unsigned char)value;
        break;
    case 2: memcpy(field, &v16, sizeof(v16)); break;
    case 4: memcpy(field, &v32, sizeof(v32)); break;
    default: memcpy(field, &value, sizeof(value)); break;
    }
}

const char *fl_item_word(const struct fl_item *item, uint64_t value)
{
    for (const struct fl_word *w = item->words; w->text != NULL; w++)
        if (w->value == value)
            return w->text;
    return NULL;
}

bool fl_item_printed(const struct fl_item *item, const void *base)
{
    /* Only records have VMA bits, and only items of the vma record ask for them. */
    const uint8_t needs = item->vma_sets | item->vma_needs;

    if (needs != 0 && (((const struct fl_record *)base)->u.vma.flags & needs) != needs)
        return false;
    return item->presence != FL_ITEM_OPTIONAL || item->vma_sets != 0 || fl_item_get(item, base) != item->usual;
}

uint64_t fl_machine_usual(const struct fl_item *item, const struct fl_machine *m)
{
    const bool wide = m->mode == FL_MODE_4LEVEL || m->mode == FL_MODE_5LEVEL;

    switch (item->offset) {
    case offsetof(struct fl_machine, mode): return m->sh4 ? FL_MODE_2LEVEL : item->usual;
    case offsetof(struct fl_machine, code_bits): return fl_native_bits((enum fl_mode)m->mode);
    case offsetof(struct fl_machine, in_atomic): return m->in_nmi;
    case offsetof(struct fl_machine, idt): return wide ? 0 : item->usual;
    default: return item->usual;
    }
}

bool fl_items_equal(const struct fl_item *items, const void *a, const void *b)
{
    for (const struct fl_item *item = items; item->width != 0; item++) {
        if (fl_item_get(item, a) != fl_item_get(item, b))
            return false;
        if (item->vma_sets != 0 &&
            ((((const struct fl_record *)a)->u.vma.flags ^ ((const struct fl_record *)b)->u.vma.flags) &
             item->vma_sets) != 0)
            return false;
        if (item->type == FL_ITEM_CODE &&
            memcmp((const char *)a + item->data, (const char *)b + item->data, FL_MAX_CODE) != 0)
            return false;
    }
    return true;
}

static bool record_valid(enum fl_mode mode, const struct fl_record *r)
{
    struct fl_record canonical = *r;

    if (r->kind >= FL_REC_COUNT)
        return false;
    fl_record_canonical(mode, &canonical);
    if (!fl_items_equal(fl_record_spec(r->kind)->items, r, &canonical))
        return false;
    switch ((enum fl_record_kind)r->kind) { /* what no row names */
    case FL_REC_VMA: return (r->u.vma.flags & ~FL_VMA_FLAGS) == 0;
    case FL_REC_UNMAP:
    case FL_REC_ZAP: return r->u.range.prot == 0;
    case FL_REC_PROTECT: return (r->u.range.prot & ~FL_PROT_BITS) == 0;
    case FL_REC_FORK: return !r->u.mm.lag;
    case FL_REC_AREA: return (r->u.area.flags & ~FL_AREA_FLAGS) == 0;
    case FL_REC_ACT: return r->u.act.op == 0 && r->u.act.nth == 0 && (r->u.act.arg & ~FL_PROT_BITS) == 0;
    case FL_REC_RACE: return (r->u.act.arg & ~FL_PROT_BITS) == 0;
    case FL_REC_PIN: return (r->u.pin.flags & ~FL_FOLL_BITS) == 0;
    default: return true;
    }
}

bool fl_scenario_valid(const struct fl_scenario *s)
{
    struct fl_machine canonical = s->machine;

    if (s->nrecords > FL_MAX_RECORDS)
        return false;
    fl_machine_canonical(&canonical);
    if (!fl_items_equal(fl_machine_items, &s->machine, &canonical))
        return false;
    for (uint32_t i = 0; i < s->nrecords; i++)
        if (!record_valid((enum fl_mode)s->machine.mode, &s->records[i]))
            return false;
    return true;
}

bool fl_scenario_equal(const struct fl_scenario *a, const struct fl_scenario *b)
{
    if (a->nrecords != b->nrecords || a->nrecords > FL_MAX_RECORDS)
        return false;
    if (!fl_items_equal(fl_machine_items, &a->machine, &b->machine))
        return false;
    for (uint32_t i = 0; i < a->nrecords; i++) {
        const struct fl_record *x = &a->records[i], *y = &b->records[i];

        if (x->kind != y->kind || x->kind >= FL_REC_COUNT)
            return false;
        if (!fl_items_equal(fl_record_spec(x->kind)->items, x, y))
            return false;
    }
    return true;
}

bool fl_record_is_event(enum fl_record_kind kind)
{
    return (unsigned)kind < FL_REC_COUNT && fl_record_spec(kind)->event;
}

const char *fl_record_name(enum fl_record_kind kind)
{
    return (unsigned)kind < FL_REC_COUNT ? fl_record_spec(kind)->name : "?";
}
