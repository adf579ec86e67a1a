/* SPDX-License-Identifier: MIT */
/* Text form of scenarios, writing: rows of vocabulary.c in their order, so that the text is canonical. */
#include "internal.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

void fl_text_add(struct fl_text *t, const char *format, ...)
{
    va_list args;
    int n;

    va_start(args, format);
    n = vsnprintf(t->buf + t->len, t->size - t->len, format, args);
    va_end(args);
    if (n < 0)
        t->buf[t->len] = '\0';
    else if ((size_t)n < t->size - t->len)
        t->len += (size_t)n;
    else
        t->len = t->size - 1;
}

static void print_set(struct fl_text *t, const struct fl_item *item, uint64_t value)
{
    const char *separator = item->type == FL_ITEM_SET ? "," : "";
    bool first = true;

    for (const struct fl_word *w = item->words; w->text != NULL; w++) {
        if (value & w->value) {
            fl_text_add(t, "%s%s", first ? "" : separator, w->text);
            first = false;
        }
    }
    if (first)
        fl_text_add(t, "none");
}

static void print_code(struct fl_text *t, const struct fl_item *item, const void *base)
{
    const unsigned char *data = (const unsigned char *)base + item->data;
    uint64_t n = fl_item_get(item, base);

    fl_text_add(t, ":");
    for (uint64_t i = 0; i < n && i < FL_MAX_CODE; i++)
        fl_text_add(t, " %02x", data[i]);
}

void fl_text_item(struct fl_text *t, const struct fl_item *item, const void *base)
{
    const uint64_t value = fl_item_get(item, base);
    const char *word;

    if (item->type == FL_ITEM_CODE) {
        print_code(t, item, base);
        return;
    }
    fl_text_add(t, "%s%s", t->len != 0 ? " " : "", item->key != NULL ? item->key : "");
    if (item->type == FL_ITEM_FLAG)
        return;
    if (item->key != NULL)
        fl_text_add(t, " ");
    switch ((enum fl_item_type)item->type) {
    case FL_ITEM_DEC: fl_text_add(t, "%" PRIu64, value); break;
    case FL_ITEM_HEX: fl_text_add(t, "%#" PRIx64, value); break;
    case FL_ITEM_WORD:
        word = fl_item_word(item, value);
        fl_text_add(t, "%s", word != NULL ? word : "?");
        break;
    default: print_set(t, item, value); break;
    }
}

void fl_record_print(const struct fl_record *r, char *buf, size_t size)
{
    struct fl_text t = {buf, size, 0};

    if (size == 0)
        return;
    buf[0] = '\0';
    fl_text_add(&t, "%s", fl_record_name((enum fl_record_kind)r->kind));
    if (r->kind >= FL_REC_COUNT)
        return;
    for (const struct fl_item *item = fl_record_spec(r->kind)->items; item->width != 0; item++)
        if (fl_item_printed(item, r))
            fl_text_item(&t, item, r);
}

bool fl_scenario_print(const struct fl_scenario *s, FILE *out)
{
    char line[512];

    if (fprintf(out, "faultline-scenario %d\n", FL_SCENARIO_VERSION) < 0)
        return false;
    for (const struct fl_item *item = fl_machine_items; item->width != 0; item++) {
        struct fl_text t = {line, sizeof(line), 0};

        if (item->presence == FL_ITEM_OPTIONAL && fl_item_get(item, &s->machine) == fl_machine_usual(item, &s->machine))
            continue;
        fl_text_item(&t, item, &s->machine);
        if (fprintf(out, "%s\n", line) < 0)
            return false;
    }
    for (uint32_t i = 0; i < s->nrecords && i < FL_MAX_RECORDS; i++) {
        fl_record_print(&s->records[i], line, sizeof(line));
        if (fprintf(out, "%s%s\n", i == 0 ? "\n" : "", line) < 0)
            return false;
    }
    return fflush(out) == 0 && !ferror(out);
}
