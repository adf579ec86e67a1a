/* SPDX-License-Identifier: MIT */
/*
 * Text form of scenarios, reading. Line by line; what a line may hold is in the rows of vocabulary.c, and whether a value
 * is legal for this machine is asked of the codec: a value that decoding would have changed is an error at its place.
 */
#include "lexer.h"

#include <inttypes.h>
#include <string.h>

static struct fl_text text_over(char *buf, size_t size)
{
    buf[0] = '\0';
    return (struct fl_text){buf, size, 0};
}

/* "a, b or c" */
static void add_words(struct fl_text *t, const struct fl_word *words)
{
    for (const struct fl_word *w = words; w->text != NULL; w++)
        fl_text_add(t, "%s%s", w == words ? "" : w[1].text != NULL ? ", " : " or ", w->text);
}

static bool fail_value(struct fl_lexer *lx, const struct fl_token *token, const struct fl_item *item)
{
    char buf[FL_EXPECTED_BYTES];
    struct fl_text t = text_over(buf, sizeof(buf));

    if (item->key != NULL)
        fl_text_add(&t, "%s ", item->key);
    switch ((enum fl_item_type)item->type) {
    case FL_ITEM_WORD: add_words(&t, item->words); break;
    case FL_ITEM_SET:
        fl_text_add(&t, "none or, with commas, ");
        add_words(&t, item->words);
        break;
    case FL_ITEM_PROT:
        fl_text_add(&t, "none or letters of ");
        add_words(&t, item->words);
        break;
    case FL_ITEM_HEX: fl_text_add(&t, "a number %" PRIu64 "..%#" PRIx64, item->min, item->max); break;
    default: fl_text_add(&t, "%" PRIu64 "..%" PRIu64, item->min, item->max); break;
    }
    return fl_fail_expected(lx, token, "%s", buf);
}

/* The word of a list that is exactly text[0..len), or NULL. */
static const struct fl_word *find_word(const struct fl_word *words, const char *text, size_t len)
{
    for (const struct fl_word *w = words; w->text != NULL; w++)
        if (strlen(w->text) == len && memcmp(w->text, text, len) == 0)
            return w;
    return NULL;
}

/* Elements are separated by commas (SET) or one letter each (PROT); each at most once. */
static bool parse_set(const struct fl_token *token, const struct fl_item *item, uint64_t *value)
{
    const char *at = token->text, *end = token->text + token->len;
    uint32_t seen = 0;

    if (fl_token_is(token, "none")) {
        *value = 0;
        return true;
    }
    for (;;) {
        const char *comma = item->type == FL_ITEM_SET ? memchr(at, ',', (size_t)(end - at)) : at + 1;
        const char *stop = comma != NULL && comma < end ? comma : end;
        const struct fl_word *w = find_word(item->words, at, (size_t)(stop - at));

        if (w == NULL || (seen & w->value) != 0)
            return false;
        seen |= w->value;
        if (stop == end)
            break;
        at = item->type == FL_ITEM_SET ? stop + 1 : stop;
    }
    *value = seen;
    return true;
}

static bool parse_value(struct fl_lexer *lx, const struct fl_token *token, const struct fl_item *item, void *base)
{
    const struct fl_word *word;
    uint64_t value = 0;

    if (token->len == 0)
        return fail_value(lx, token, item);
    switch ((enum fl_item_type)item->type) {
    case FL_ITEM_WORD:
        word = find_word(item->words, token->text, token->len);
        if (word == NULL)
            return fail_value(lx, token, item);
        value = word->value;
        break;
    case FL_ITEM_SET:
    case FL_ITEM_PROT:
        if (!parse_set(token, item, &value))
            return fail_value(lx, token, item);
        break;
    default:
        if (fl_token_number(token, &value) != FL_NUMBER_OK || value < item->min || value > item->max)
            return fail_value(lx, token, item);
        break;
    }
    fl_item_set(item, base, value);
    return true;
}

static bool parse_code(struct fl_lexer *lx, const struct fl_item *item, void *base)
{
    unsigned char *data = (unsigned char *)base + item->data;
    struct fl_token token;
    uint64_t n = 0, value;

    for (token = fl_lexer_token(lx); token.len != 0; token = fl_lexer_token(lx)) {
        char hex[4] = {'0', 'x'};
        const struct fl_token digits = {hex, sizeof(hex), token.line, token.column};

        if (n == item->max)
            return fl_fail_expected(lx, &token, "at most %" PRIu64 " bytes", item->max);
        if (token.len == 2)
            memcpy(hex + 2, token.text, 2);
        if (token.len != 2 || fl_token_number(&digits, &value) != FL_NUMBER_OK)
            return fl_fail_expected(lx, &token, "a byte as two hexadecimal digits");
        data[n++] = (unsigned char)value;
    }
    if (n < item->min)
        return fl_fail_expected(lx, &token, "at least %" PRIu64 " byte", item->min);
    fl_item_set(item, base, n);
    return true;
}

/* ---- the machine ------------------------------------------------------------------------------------------------ */

struct parser {
    struct fl_lexer lx;
    struct fl_scenario s;
    bool in_records;                     /* the machine is complete */
    struct fl_token given[FL_MAX_ITEMS]; /* values of the machine's items; text == NULL: not given */
};

static const struct fl_item *find_item(const struct fl_item *items, const struct fl_token *token)
{
    for (const struct fl_item *item = items; item->width != 0; item++)
        if (item->key != NULL && fl_token_is(token, item->key))
            return item;
    return NULL;
}

static bool parse_end(struct fl_lexer *lx)
{
    const struct fl_token token = fl_lexer_token(lx);

    return token.len == 0 || fl_fail_expected(lx, &token, "end of line");
}

static bool parse_machine_line(struct parser *p, const struct fl_token *keyword, const struct fl_item *item)
{
    struct fl_token *given = &p->given[item - fl_machine_items];

    if (p->in_records)
        return fl_fail(&p->lx, keyword, "machine key '%s' after the first record: machine keys come first", item->key);
    if (given->text != NULL)
        return fl_fail(&p->lx, keyword, "'%s' given twice, first on line %u", item->key, given->line);
    *given = fl_lexer_token(&p->lx);
    return parse_value(&p->lx, given, item, &p->s.machine) && parse_end(&p->lx);
}

/* Every value that its machine (or the record around it) does not allow is an error where it was given. */
static bool check_rules(struct fl_lexer *lx, const struct fl_item *items, const struct fl_token *given,
                        const void *have, const void *canonical)
{
    for (const struct fl_item *item = items; item->width != 0; item++)
        if (given[item - items].text != NULL && fl_item_get(item, have) != fl_item_get(item, canonical))
            return fl_fail_expected(lx, &given[item - items], "%s", item->rule);
    return true;
}

/* Keys that an SH4 does not have say so themselves: their own rules tell of modes. */
static bool check_arch(struct parser *p, const struct fl_machine *canonical)
{
    for (const struct fl_item *item = fl_machine_items; item->width != 0; item++) {
        const struct fl_token *given = &p->given[item - fl_machine_items];

        if (p->s.machine.sh4 && !item->on_sh4 && given->text != NULL &&
            fl_item_get(item, &p->s.machine) != fl_item_get(item, canonical))
            return fl_fail_expected(&p->lx, given, "no %s with arch sh4", item->key);
    }
    return true;
}

static bool finish_machine(struct parser *p)
{
    struct fl_machine canonical;

    for (const struct fl_item *item = fl_machine_items; item->width != 0; item++)
        if (p->given[item - fl_machine_items].text == NULL)
            fl_item_set(item, &p->s.machine, fl_machine_usual(item, &p->s.machine));
    canonical = p->s.machine;
    fl_machine_canonical(&canonical);
    p->in_records = true;
    if (!check_arch(p, &canonical) || !check_rules(&p->lx, fl_machine_items, p->given, &p->s.machine, &canonical))
        return false;
    p->s.machine = canonical;
    return true;
}

/* ---- records ---------------------------------------------------------------------------------------------------- */

/* What may still come: keys that were not given, ':' or the end of the line. */
static bool fail_key(struct fl_lexer *lx, const struct fl_token *token, const struct fl_item *items,
                     const struct fl_token *given)
{
    char buf[FL_EXPECTED_BYTES];
    struct fl_text t = text_over(buf, sizeof(buf));
    const char *last = "end of line";

    for (const struct fl_item *item = items; item->width != 0; item++) {
        if (item->type == FL_ITEM_CODE)
            last = "':'";
        else if (item->key != NULL && given[item - items].text == NULL)
            fl_text_add(&t, "%s%s", t.len != 0 ? ", " : "", item->key);
    }
    fl_text_add(&t, "%s%s", t.len != 0 ? " or " : "", last);
    return fl_fail_expected(lx, token, "%s", buf);
}

static bool parse_keyed(struct fl_lexer *lx, const struct fl_item *items, struct fl_token *given, struct fl_record *r)
{
    for (;;) {
        struct fl_token token = fl_lexer_token(lx);
        const struct fl_item *item = find_item(items, &token);

        if (token.len == 0)
            return true;
        if (fl_token_is(&token, ":")) {
            for (item = items; item->width != 0 && item->type != FL_ITEM_CODE; item++)
                ;
            if (item->width != 0) {
                given[item - items] = token;
                return parse_code(lx, item, r);
            }
        }
        if (item == NULL || item->width == 0)
            return fail_key(lx, &token, items, given);
        if (given[item - items].text != NULL)
            return fl_fail(lx, &token, "'%s' given twice", item->key);
        if (item->type == FL_ITEM_FLAG) {
            fl_item_set(item, r, item->mask);
        } else {
            token = fl_lexer_token(lx);
            if (!parse_value(lx, &token, item, r))
                return false;
        }
        given[item - items] = token;
        r->u.vma.flags |= item->vma_sets;
    }
}

static bool check_presence(struct fl_lexer *lx, const struct fl_item *items, const struct fl_token *given,
                           const struct fl_record *r)
{
    const struct fl_token end = fl_lexer_token(lx);

    for (const struct fl_item *item = items; item->width != 0; item++) {
        const struct fl_token *token = &given[item - items];
        const bool meaning = item->vma_needs == 0 || (r->u.vma.flags & item->vma_needs) == item->vma_needs;

        if (token->text != NULL && !meaning)
            return fl_fail_expected(lx, token, "%s", item->rule);
        if (token->text == NULL && meaning && item->presence == FL_ITEM_REQUIRED)
            return fl_fail_expected(lx, &end, "%s", item->key != NULL ? item->key : "':'");
    }
    return true;
}

static bool parse_record(struct parser *p, const struct fl_token *keyword, unsigned kind)
{
    const struct fl_item *items = fl_record_spec(kind)->items, *item;
    struct fl_token given[FL_MAX_ITEMS] = {{0}};
    struct fl_record r, canonical;

    if (!p->in_records && !finish_machine(p))
        return false;
    if (p->s.nrecords == FL_MAX_RECORDS)
        return fl_fail(&p->lx, keyword, "more than %d records", FL_MAX_RECORDS);
    memset(&r, 0, sizeof(r));
    r.kind = (uint8_t)kind;
    for (item = items; item->width != 0; item++)
        fl_item_set(item, &r, item->usual);
    for (item = items; item->width != 0 && item->key == NULL && item->type != FL_ITEM_CODE; item++) {
        given[item - items] = fl_lexer_token(&p->lx);
        if (!parse_value(&p->lx, &given[item - items], item, &r))
            return false;
    }
    if (!parse_keyed(&p->lx, items, given, &r) || !check_presence(&p->lx, items, given, &r))
        return false;
    canonical = r;
    fl_record_canonical((enum fl_mode)p->s.machine.mode, &canonical);
    if (!check_rules(&p->lx, items, given, &r, &canonical))
        return false;
    p->s.records[p->s.nrecords++] = canonical;
    return true;
}

/* ---- the whole -------------------------------------------------------------------------------------------------- */

/* Edit distance of at most one insertion, deletion, change or swap? */
static bool is_near(const char *word, const struct fl_token *token)
{
    const size_t n = strlen(word), m = token->len;
    const char *text = token->text;
    size_t head = 0, tail = 0;

    while (head < n && head < m && word[head] == text[head])
        head++;
    while (tail < n - head && tail < m - head && word[n - 1 - tail] == text[m - 1 - tail])
        tail++;
    if (n - head - tail == 2 && m - head - tail == 2)
        return word[head] == text[head + 1] && word[head + 1] == text[head];
    return n - head - tail <= 1 && m - head - tail <= 1;
}

static bool fail_keyword(struct fl_lexer *lx, const struct fl_token *keyword, bool in_records)
{
    const char *near_one = NULL;
    char buf[FL_EXPECTED_BYTES], found[64];
    struct fl_text t = text_over(buf, sizeof(buf)), f = text_over(found, sizeof(found));

    for (const struct fl_item *item = fl_machine_items; item->width != 0 && !in_records; item++)
        if (is_near(item->key, keyword))
            near_one = item->key;
    for (unsigned kind = 0; kind < FL_REC_COUNT; kind++)
        if (is_near(fl_record_spec(kind)->name, keyword))
            near_one = fl_record_spec(kind)->name;
    fl_text_token(&f, keyword);
    if (near_one != NULL)
        return fl_fail(lx, keyword, "unknown keyword %s (did you mean '%s'?)", found, near_one);
    fl_text_add(&t, in_records ? "a record (" : "a machine key or a record (");
    for (unsigned kind = 0; kind < FL_REC_COUNT; kind++)
        fl_text_add(&t, "%s%s", kind != 0 ? " " : "", fl_record_spec(kind)->name);
    fl_text_add(&t, ")");
    return fl_fail_expected(lx, keyword, "%s", buf);
}

static bool parse_line(struct parser *p)
{
    const struct fl_token keyword = fl_lexer_token(&p->lx);
    const struct fl_item *item;

    if (keyword.len == 0)
        return true;
    item = find_item(fl_machine_items, &keyword);
    if (item != NULL)
        return parse_machine_line(p, &keyword, item);
    for (unsigned kind = 0; kind < FL_REC_COUNT; kind++)
        if (fl_token_is(&keyword, fl_record_spec(kind)->name))
            return parse_record(p, &keyword, kind);
    return fail_keyword(&p->lx, &keyword, p->in_records);
}

static bool parse_first_line(struct fl_lexer *lx)
{
    const struct fl_token word = fl_lexer_token(lx);
    const struct fl_token version = fl_lexer_token(lx);
    enum fl_number kind;
    uint64_t number = 0;

    if (!fl_token_is(&word, "faultline-scenario"))
        return fl_fail_expected(lx, &word, "'faultline-scenario %d' as the first line", FL_SCENARIO_VERSION);
    kind = fl_token_number(&version, &number);
    if (kind == FL_NUMBER_HUGE || number > FL_SCENARIO_VERSION) {
        /* A number, so it can be shown as it is; only its length is anybody's guess. */
        return fl_fail(lx, &version, "written by a newer Faultline: version %.*s, this one reads up to %d",
                       version.len < 40 ? (int)version.len : 40, version.text, FL_SCENARIO_VERSION);
    }
    if (kind != FL_NUMBER_OK || number < 1)
        return fl_fail_expected(lx, &version, "version 1..%d", FL_SCENARIO_VERSION);
    return parse_end(lx);
}

bool fl_scenario_parse(const char *text, size_t size, struct fl_scenario *out, struct fl_text_error *error)
{
    const struct fl_token nowhere = {NULL, 0, 1, 1};
    struct fl_text_error ignored;
    struct parser p = {0};
    enum fl_line line;

    fl_lexer_init(&p.lx, text, size, error != NULL ? error : &ignored);
    fl_scenario_default(&p.s);
    line = fl_lexer_line(&p.lx);
    if (line == FL_LINE_NONE)
        return fl_fail(&p.lx, &nowhere, "expected 'faultline-scenario %d' as the first line, found an empty file",
                       FL_SCENARIO_VERSION);
    if (line == FL_LINE_BAD || !parse_first_line(&p.lx))
        return false;
    while ((line = fl_lexer_line(&p.lx)) == FL_LINE_OK)
        if (!parse_line(&p))
            return false;
    if (line == FL_LINE_BAD || (!p.in_records && !finish_machine(&p)))
        return false;
    /* Only what was filled: a scenario is 10 KiB at most, a text mostly needs a few records of it. */
    out->machine = p.s.machine;
    out->nrecords = p.s.nrecords;
    memcpy(out->records, p.s.records, p.s.nrecords * sizeof(p.s.records[0]));
    return true;
}
