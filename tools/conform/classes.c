/* SPDX-License-Identifier: MIT */
/*
 * From cells to minimal classes. Strings with the same key have the same form; a class is a product of sets of
 * attributes, grown from one key as far as all its strings get the same answers: attributes that do not matter drop out of
 * its description. Each key is in one class, so counts add up.
 */
#include "report.h"

#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

/* The attributes of a key, one bit for each value: a product of sets is then one mask. */
struct onehot {
    uint64_t word[3];
};

/* Where the bits of an attribute begin. */
struct layout {
    uint8_t at[ATTR_COUNT];
};

/* One key: its cells are cell[first .. first + n). */
struct point {
    struct onehot onehot;
    const struct cell *cell;
    unsigned n;
    uint64_t strings, digest;
    unsigned prefixes; /* features set: classes are grown from the simplest key */
    bool covered;
};

static struct layout layout_of(void)
{
    struct layout l;
    unsigned at = 0;

    for (unsigned a = 0; a < ATTR_COUNT; a++) {
        unsigned values = attribute_values(a);

        /* No attribute lies across two words. */
        if (at / 64 != (at + values - 1) / 64)
            at = (at / 64 + 1) * 64;
        l.at[a] = (uint8_t)at;
        at += values;
    }
    return l;
}

static void set_bit(struct onehot *o, const struct layout *l, unsigned attribute, unsigned value)
{
    unsigned at = l->at[attribute] + value;

    o->word[at / 64] |= UINT64_C(1) << at % 64;
}

static bool inside(const struct onehot *point, const struct onehot *set)
{
    return !((point->word[0] & ~set->word[0]) | (point->word[1] & ~set->word[1]) | (point->word[2] & ~set->word[2]));
}

/* What all strings of a point get, whatever their counts, as a digest: two points with the same are alike. 64 bits for some
 * ten thousand points: that two differ and have the same is as good as impossible, and would only join two classes. */
static uint64_t digest_of(const struct point *p)
{
    unsigned bits = mode_bits(key_get(p->cell->key, ATTR_MODE));
    XXH64_hash_t digest = fl_prefetch_rule(p->cell->example, p->cell->readable, bits, NULL);

    for (unsigned i = 0; i < p->n; i++) /* cells are sorted by answers */
        digest = XXH64(p->cell[i].answer, MAX_COLUMNS, digest);
    return digest;
}

static bool holds(const struct point *points, uint32_t n, const struct point *seed, const struct onehot *set)
{
    for (uint32_t i = 0; i < n; i++)
        if (points[i].digest != seed->digest && inside(&points[i].onehot, set))
            return false;
    return true;
}

/* Orders in which attributes are let go. What can be dropped depends on what was dropped before (a value that no string has
 * together with the others costs nothing), so several orders are tried. */
#define ORDERS 4u

static unsigned order_of(unsigned order, uint8_t attribute[ATTR_COUNT])
{
    static const uint8_t others[] = {ATTR_B, ATTR_A, ATTR_RIP, ATTR_REG, ATTR_REGISTER};
    unsigned n = 0;

    if (order & 1)
        attribute[n++] = ATTR_MODE;
    for (unsigned f = 0; f < FL_FEATURE_MAX; f++)
        attribute[n++] = (uint8_t)(order & 2 ? ATTR_COUNT - 1 - f : ATTR_FEATURES + f);
    for (unsigned i = 0; i < sizeof others; i++)
        attribute[n++] = others[i];
    if (!(order & 1))
        attribute[n++] = ATTR_MODE;
    attribute[n++] = ATTR_OPCODE;
    return n;
}

/* Grows the product around seed, attribute by attribute in that order. */
static struct onehot grow(const struct point *points, uint32_t n, const struct point *seed, const struct layout *l,
                          unsigned order)
{
    uint8_t attribute[ATTR_COUNT];
    unsigned nattributes = order_of(order, attribute);
    struct onehot set = seed->onehot;

    for (unsigned i = 0; i < nattributes; i++) {
        unsigned a = attribute[i];

        for (unsigned v = 0; v < attribute_values(a); v++) {
            struct onehot wider = set;

            set_bit(&wider, l, a, v);
            if (memcmp(&wider, &set, sizeof wider) != 0 && holds(points, n, seed, &wider))
                set = wider;
        }
    }
    return set;
}

/* The product around seed that takes in most strings that are in no class yet. */
static struct onehot widest(const struct point *points, uint32_t n, const struct point *seed, const struct layout *l)
{
    struct onehot best = seed->onehot;
    uint64_t most = 0;

    for (unsigned order = 0; order < ORDERS; order++) {
        struct onehot set = grow(points, n, seed, l, order);
        uint64_t strings = 0;

        for (uint32_t i = 0; i < n; i++)
            if (!points[i].covered && inside(&points[i].onehot, &set))
                strings += points[i].strings;
        if (strings > most) {
            most = strings;
            best = set;
        }
    }
    return best;
}

/* All different answers of one class; more than these a class of real columns never had. */
struct many {
    unsigned n;
    struct answers answers[256];
};

static void add_answers(struct many *m, const struct cell *cell)
{
    struct answers *a = NULL;
    bool better;

    for (unsigned i = 0; i < m->n && !a; i++)
        if (memcmp(m->answers[i].answer, cell->answer, MAX_COLUMNS) == 0)
            a = &m->answers[i];
    if (!a) {
        if (m->n == sizeof m->answers / sizeof *m->answers)
            return;
        a = &m->answers[m->n++];
        *a = (struct answers){.count = 0};
        memcpy(a->answer, cell->answer, MAX_COLUMNS);
    }
    better = a->count == 0 || cell->length < a->length ||
             (cell->length == a->length && memcmp(cell->example, a->example, STRING_BYTES) < 0);
    /* 64-bit code first: the same bytes in two modes. */
    if (better || (cell->length == a->length && memcmp(cell->example, a->example, STRING_BYTES) == 0 &&
                   key_get(cell->key, ATTR_MODE) > a->mode)) {
        memcpy(a->example, cell->example, STRING_BYTES);
        a->length = cell->length;
        a->readable = cell->readable;
        a->mode = (uint8_t)key_get(cell->key, ATTR_MODE);
    }
    a->count += cell->count;
}

static int more_frequent(const void *a, const void *b)
{
    const struct answers *x = a, *y = b;

    if (x->count != y->count)
        return x->count > y->count ? -1 : 1;
    return memcmp(x->answer, y->answer, MAX_COLUMNS);
}

static void make_class(struct class *c, struct point *points, uint32_t n, const struct point *seed,
                       const struct layout *l)
{
    struct onehot set = widest(points, n, seed, l);
    struct many many;

    many.n = 0; /* and no more of it: it is large */
    *c = (struct class){.axis = key_axis(seed->cell->key)};
    for (unsigned a = 0; a < ATTR_COUNT; a++) {
        unsigned at = l->at[a], values = attribute_values(a);
        uint32_t mask = values == 32 ? UINT32_MAX : (1u << values) - 1;

        c->set[a] = (uint32_t)(set.word[at / 64] >> at % 64) & mask;
    }
    for (uint32_t i = 0; i < n; i++) {
        if (points[i].covered || !inside(&points[i].onehot, &set))
            continue;
        points[i].covered = true;
        for (unsigned a = 0; a < ATTR_COUNT; a++)
            c->seen[a] |= 1u << key_get(points[i].cell->key, a);
        for (unsigned k = 0; k < points[i].n; k++) {
            add_answers(&many, &points[i].cell[k]);
            c->count += points[i].cell[k].count;
        }
    }
    qsort(many.answers, many.n, sizeof *many.answers, more_frequent);
    c->nanswers = many.n;
    memcpy(c->answers, many.answers, (many.n < MAX_ANSWERS ? many.n : MAX_ANSWERS) * sizeof *many.answers);
    c->rule = fl_prefetch_rule(c->answers[0].example, c->answers[0].readable, mode_bits(c->answers[0].mode), NULL);
}

static int simplest_first(const void *a, const void *b)
{
    const struct point *x = a, *y = b;

    if (x->prefixes != y->prefixes)
        return x->prefixes < y->prefixes ? -1 : 1;

    unsigned m = key_get(x->cell->key, ATTR_MODE), n = key_get(y->cell->key, ATTR_MODE);

    if (m != n) /* 64-bit code first: what holds there is said there */
        return m > n ? -1 : 1;
    return x->cell->key < y->cell->key ? -1 : x->cell->key > y->cell->key;
}

/* The keys of one axis, from cells[*at] on; *at is moved behind them. */
static struct point *points_of(const struct cell *cells, uint32_t ncells, uint32_t *at, const struct layout *l,
                               uint32_t *count)
{
    enum axis axis = key_axis(cells[*at].key);
    struct point *points = calloc(ncells - *at, sizeof *points);
    uint32_t n = 0;

    if (!points)
        return NULL;
    for (; *at < ncells && key_axis(cells[*at].key) == axis; ++*at) {
        const struct cell *cell = &cells[*at];

        if (n && points[n - 1].cell->key == cell->key) {
            points[n - 1].n++;
            points[n - 1].strings += cell->count;
            continue;
        }
        points[n] = (struct point){.cell = cell, .n = 1, .strings = cell->count};
        for (unsigned a = 0; a < ATTR_COUNT; a++) {
            set_bit(&points[n].onehot, l, a, key_get(cell->key, a));
            points[n].prefixes += a >= ATTR_FEATURES && key_get(cell->key, a);
        }
        n++;
    }
    for (uint32_t i = 0; i < n; i++)
        points[i].digest = digest_of(&points[i]);
    qsort(points, n, sizeof *points, simplest_first);
    *count = n;
    return points;
}

struct class *classes_of(const struct cell *cells, uint32_t ncells, uint32_t *nclasses)
{
    struct layout l = layout_of();
    struct class *classes = NULL;
    uint32_t n = 0, room = 0;

    for (uint32_t at = 0; at < ncells;) {
        uint32_t npoints = 0;
        struct point *points = points_of(cells, ncells, &at, &l, &npoints);

        for (uint32_t i = 0; points && i < npoints; i++) {
            if (points[i].covered)
                continue;
            if (n == room) {
                struct class *more = realloc(classes, (room = room * 2 + 64) * sizeof *more);

                if (!more) {
                    free(points);
                    points = NULL;
                    break;
                }
                classes = more;
            }
            make_class(&classes[n++], points, npoints, &points[i], &l);
        }
        if (!points) {
            free(classes);
            return NULL;
        }
        free(points);
    }
    *nclasses = n;
    return classes ? classes : calloc(1, sizeof *classes);
}
