/* SPDX-License-Identifier: MIT */
/*
 * From answers to classes: made-up columns that follow a known law are taken apart into the classes of that law; and for
 * laws drawn at random, classes partition the strings, are uniform, and cannot be wider.
 */
#include "check.h"

#include "conform/report.h"
#include "conform/state.h"

#include <unistd.h>

static struct batch batch;

typedef uint8_t (*law)(const struct batch *b, unsigned i, uint64_t seed);

static bool has_feature(cell_key k, const char *name)
{
    for (unsigned f = 0; f < FL_FEATURE_MAX; f++)
        if (fl_prefix_feature_name(f) && strcmp(fl_prefix_feature_name(f), name) == 0)
            return key_get(k, ATTR_FEATURES + f);
    return false;
}

/* Silicon, nearly. */
static uint8_t lawful(const struct batch *b, unsigned i, uint64_t seed)
{
    cell_key k = b->key[i];

    (void)seed;
    if (key_get(k, ATTR_MODE) != 2 && (has_feature(k, "REX") || has_feature(k, "REX-EARLY")))
        return V_OTHER;
    return has_feature(k, "LOCK") || (!key_get(k, ATTR_OPCODE) && key_get(k, ATTR_REGISTER)) ? V_INVALID : V_RAN;
}

/* A verdict by a few bits of the key that seed chooses: a different law for each seed. */
static uint8_t random_law(const struct batch *b, unsigned i, uint64_t seed)
{
    uint64_t picked = b->key[i] & check_random(&seed) & check_random(&seed);

    return (uint8_t)(V_PREFETCH + (picked * UINT64_C(0x9e3779b97f4a7c15) >> 62));
}

static struct cells table_of(law l, uint64_t seed, unsigned most)
{
    static uint8_t answers[BATCH_STRINGS][MAX_COLUMNS];
    const struct space s = {.prefixes = most};
    struct cells t = {.capacity = 1 << 16};

    t.cell = calloc(t.capacity, sizeof *t.cell);
    for (unsigned mode = 0; mode < 3; mode++)
        for (uint32_t u = 0; u < axis_units(&s, AXIS_SPACE); u++) {
            axis_fill(&s, AXIS_SPACE, mode, u, &batch);
            for (unsigned i = 0; i < batch.n; i++)
                answers[i][0] = l(&batch, i, seed);
            cells_add_batch(&t, &batch, (uint64_t)u * BATCH_STRINGS, answers);
        }
    CHECK(!t.full, "the table is large enough");
    return t;
}

static bool in_class(const struct class *c, cell_key k)
{
    for (unsigned a = 0; a < ATTR_COUNT; a++)
        if (!(c->set[a] >> key_get(k, a) & 1))
            return false;
    return true;
}

/* Each cell is in a class that says of it what it is; classes count every string once; no two say the same of sets that
 * could be one. */
static void check_partition(const struct cells *t, const struct class *classes, uint32_t n, uint64_t strings)
{
    uint64_t sum = 0;

    for (uint32_t i = 0; i < n; i++) {
        uint64_t of_answers = 0;

        for (unsigned a = 0; a < classes[i].nanswers; a++)
            of_answers += classes[i].answers[a].count;
        CHECK_EQ(of_answers, classes[i].count, "class %u", i);
        CHECK_EQ(classes[i].nanswers, 1, "class %u is uniform", i);
        sum += classes[i].count;
    }
    CHECK_EQ(sum, strings, "strings of all classes");
    for (uint32_t i = 0; i < t->capacity; i++) {
        bool found = false;

        if (!t->cell[i].count)
            continue;
        for (uint32_t k = 0; k < n; k++) {
            if (!in_class(&classes[k], t->cell[i].key))
                continue;
            found = true;
            CHECK(memcmp(classes[k].answers[0].answer, t->cell[i].answer, MAX_COLUMNS) == 0,
                  "a class holds a cell of other answers");
        }
        CHECK(found, "a cell is in no class");
    }
}

static void test_known_law(void)
{
    struct cells t = table_of(lawful, 0, 2);
    struct cell *sorted = cells_sorted(&t);
    uint32_t n, ran = 0, invalid = 0, other = 0;
    struct class *classes = classes_of(sorted, t.used, &n);

    check_partition(&t, classes, n, UINT64_C(3) * 757 * 512);
    for (uint32_t i = 0; i < n; i++) {
        char form[128], modes[16], prefixes[160];

        class_form(&classes[i], form, sizeof form);
        class_modes(&classes[i], modes, sizeof modes);
        class_prefixes(&classes[i], prefixes, sizeof prefixes);
        switch (classes[i].answers[0].answer[0]) {
        case V_RAN:
            ran++;
            CHECK(strstr(prefixes, "no LOCK") != NULL, "%s, %s: %s", form, modes, prefixes);
            break;
        case V_INVALID: invalid++; break;
        default:
            other++;
            CHECK(strstr(prefixes, "REX") != NULL && strstr(modes, "64") == NULL, "%s, %s: %s", form, modes, prefixes);
        }
    }
    /* 0D mem and 18, each in 64-bit code and in the others; LOCK and 0D with a register; two kinds of INC. */
    CHECK(n <= 12 && ran >= 2 && invalid >= 2 && other >= 1, "%u classes: %u ran, %u invalid, %u other", n, ran,
          invalid, other);
    printf("%u cells, %u classes\n", t.used, n);
    free(classes);
    free(sorted);
    free(t.cell);
}

static void test_random_laws(void)
{
    for (uint64_t seed = 1; seed <= 25; seed++) {
        struct cells t = table_of(random_law, seed, 1);
        struct cell *sorted = cells_sorted(&t);
        uint32_t n;
        struct class *classes = classes_of(sorted, t.used, &n);

        check_partition(&t, classes, n, UINT64_C(3) * 28 * 512);
        CHECK(n <= t.used, "seed %" PRIu64, seed);
        free(classes);
        free(sorted);
        free(t.cell);
    }
}

/* The same cells in whatever order: the same sorted array, the same classes. */
static void test_order(void)
{
    struct cells t = table_of(random_law, 7, 1), u = {.capacity = 1 << 14};
    struct cell *a = cells_sorted(&t), *b;

    u.cell = calloc(u.capacity, sizeof *u.cell);
    CHECK(cells_merge(&u, &t) && !u.full, "merged");
    b = cells_sorted(&u);
    CHECK_EQ(t.used, u.used, "cells");
    CHECK(memcmp(a, b, t.used * sizeof *a) == 0, "another order of places");
    free(a);
    free(b);
    free(t.cell);
    free(u.cell);
}

static void test_full(void)
{
    struct cells t = {.capacity = 64}, whole = table_of(random_law, 3, 1);

    t.cell = calloc(t.capacity, sizeof *t.cell);
    CHECK(!cells_merge(&t, &whole) && t.full, "a full table says so");
    free(t.cell);
    free(whole.cell);
}

/* A state goes to a file and comes back; another run's, or a damaged one, is refused and changes nothing. */
static void test_state(void)
{
    struct column column = {.kind = COLUMN_DECODER, .name = "made-up", .version = "1"};
    const struct space s = {.modes = 7, .prefixes = 1, .axes = 1};
    struct cells t = table_of(random_law, 5, 1);
    struct state a, b;
    char path[] = "conform-state-XXXXXX";
    struct incident x = {.column = 0, .axis = 1, .mode = 2, .hung = true, .unit = 7, .place = 9, .length = 3};

    close(mkstemp(path));
    state_open(&a, &s, &column, 1, 5);
    cells_merge(&a.cells, &t);
    a.done[1] = a.done[4] = 1;
    a.fired[3] = 77;
    state_add_incidents(&a, &x, 1);
    CHECK(state_save(&a, path), "saved");
    state_open(&b, &s, &column, 1, 5);
    CHECK_EQ(state_add_file(&b, path), STATE_READ, "read");
    CHECK(memcmp(a.done, b.done, 5) == 0 && b.fired[3] == 77 && b.nincidents == 1 && b.incident[0].place == 9,
          "the same");
    CHECK_EQ(b.cells.used, t.used, "cells");
    CHECK_EQ(state_add_file(&b, path), STATE_REFUSED, "the same blocks twice");
    CHECK_EQ(b.cells.used, t.used, "nothing changed");
    CHECK_EQ(state_add_file(&b, "no-such-file"), STATE_MISSING, "missing");
    state_close(&b);

    struct column other = column;
    strcpy(other.version, "2");
    state_open(&b, &s, &other, 1, 5);
    CHECK_EQ(state_add_file(&b, path), STATE_REFUSED, "another version");
    CHECK_EQ(b.cells.used, 0, "nothing changed");
    state_close(&b);
    /* Cut off anywhere, or a byte changed: refused, or (a digit of a count) another number; never a crash. */
    FILE *f = fopen(path, "rb");
    static char text[1 << 20];
    size_t size = fread(text, 1, sizeof text, f);
    fclose(f);
    CHECK(size > 1000 && size < sizeof text, "%zu bytes", size);
    for (unsigned i = 0; i < 40; i++) {
        uint64_t r = i;
        size_t cut = check_random(&r) % size;

        f = fopen(path, "wb");
        fwrite(text, 1, i & 1 ? cut : size, f);
        if (!(i & 1)) {
            fseek(f, (long)cut, SEEK_SET);
            fputc((int)(check_random(&r) & 127), f);
        }
        fclose(f);
        state_open(&b, &s, &column, 1, 5);
        enum state_read got = state_add_file(&b, path);
        CHECK(got == STATE_REFUSED || (got == STATE_READ && !(i & 1)), "damage %u", i);
        state_close(&b);
    }
    unlink(path);
    state_close(&a);
    free(t.cell);
}

int main(void)
{
    test_known_law();
    test_random_laws();
    test_order();
    test_full();
    test_state();
    return check_done("conform classes");
}
