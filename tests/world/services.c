/* SPDX-License-Identifier: MIT */
/* User words, names, the log, the crash handler. */
#include "fixture.h"

#define RW   (FL_PROT_READ | FL_PROT_WRITE)
#define BASE UINT64_C(0x10000000)

/* Op and snapshot must say the same; false and *value untouched where the word cannot be read. */
static bool word(struct fl_world *w, uint64_t addr, uint64_t *value)
{
    struct fl_snapshot s;
    struct fl_fault f;
    uint64_t foretold = 0xeee, got = 0xeee, before = fl_world_digest(w);

    fl_world_snapshot(w, 0, 0, &f, &s);
    bool first = s.word(s.ctx, addr, &foretold), second = fl_world_ops()->user_word(w, addr, &got);
    CHECK(first == second && foretold == got, "%#" PRIx64 ": foretold", addr);
    CHECK(first || got == 0xeee, "%#" PRIx64 ": untouched", addr);
    CHECK_EQ(fl_world_digest(w), before, "%#" PRIx64 ": nothing is brought in", addr);
    *value = got;
    return first;
}

static void test_words(struct fl_world *w)
{
    for (unsigned mode = 0; mode < FL_MODE_COUNT; mode++) {
        struct fl_machine m = machine_of(mode);
        uint64_t v = 0, all = mode >= FL_MODE_4LEVEL ? UINT64_MAX : UINT32_MAX;
        unsigned size = mode >= FL_MODE_4LEVEL ? 8 : 4;

        fl_world_begin(w, &m);
        fl_world_event_begin(w);
        uint64_t end = fl_world_kernel(w)->task_size;
        CHECK(!word(w, BASE, &v), "no VMA");
        vma(w, BASE, 2, RW);
        CHECK(word(w, BASE + 5, &v) && v == 0, "demand-zero");
        bytes(w, BASE + PAGE - 4, "abcdefgh");
        CHECK(word(w, BASE + PAGE - 4, &v) && v == (UINT64_C(0x6867666564636261) & all), "across, none mapped");
        touch(w, BASE + PAGE, true);
        CHECK(word(w, BASE + PAGE - 4, &v) && v == (UINT64_C(0x6867666564636261) & all), "across, one mapped");
        CHECK(word(w, BASE + 2 * PAGE - size, &v) && v == 0, "the last word");
        CHECK(!word(w, BASE + 2 * PAGE - size + 1, &v), "one byte too far");
        CHECK(!word(w, BASE - 1, &v), "one byte too low");

        vma(w, end - PAGE, 1, RW);
        CHECK(word(w, end - size, &v), "the end of user space");
        CHECK(!word(w, end - size + 1, &v) && !word(w, end, &v) && !word(w, UINT64_MAX - 2, &v), "beyond it");
        vma(w, BASE + 16 * PAGE, 1, 0);
        CHECK(!word(w, BASE + 16 * PAGE, &v), "no permission");
        vma(w, BASE + 32 * PAGE, 10, FL_PROT_READ | FL_VMA_FILE); /* pages 4 to 13 of a file of 12 */
        CHECK(word(w, BASE + 32 * PAGE, &v) && v != 0, "of a file");
        CHECK(word(w, BASE + 40 * PAGE - size, &v), "its last word");
        CHECK(!word(w, BASE + 40 * PAGE - 1, &v), "beyond it");
        map(w, BASE + 64 * PAGE, 700, 1, FL_MAP_PRESENT | FL_MAP_USER);
        bytes(w, BASE + 64 * PAGE, "mapped!!");
        CHECK(word(w, BASE + 64 * PAGE, &v) && (v & 0xff) == 'm', "mapped without a VMA");
        map(w, BASE + 64 * PAGE, 700, 1, FL_MAP_PRESENT);
        CHECK(!word(w, BASE + 64 * PAGE, &v), "not for users");
        entry(w, BASE + 64 * PAGE, 1, 0x7ffff007, UINT32_MAX);
        CHECK(!word(w, BASE + 64 * PAGE, &v), "outside RAM");

        /* Where no fault can be served, only what is mapped. */
        for (unsigned why = 0; why < 4; why++) {
            m = machine_of(mode);
            m.in_atomic = why == 0;
            m.in_nmi = why == 1;
            m.faults_disabled = why == 2;
            m.has_mm = why != 3;
            fl_world_begin(w, &m);
            vma(w, BASE, 2, RW);
            CHECK(!word(w, BASE, &v), "why %u", why);
            touch(w, BASE, true);
            CHECK(word(w, BASE, &v), "why %u: mapped", why);
        }
    }
}

static void test_names(struct fl_world *w)
{
    const struct fl_ops *ops = fl_world_ops();
    char text[64], seen[4][64];
    struct fl_snapshot s;
    struct fl_fault f;

    for (unsigned mode = 0; mode < FL_MODE_COUNT; mode++) {
        struct fl_machine m = machine_of(mode);
        fl_world_begin(w, &m);
        fl_world_snapshot(w, 0, 0, &f, &s);
        const struct fl_kernel *k = fl_world_kernel(w);
        const struct {
            uint64_t ip;
            const char *want; /* NULL: no name */
        } rows[] = {{k->text_start - 1, NULL},
                    {k->text_start, "text_fn+0x0/0x1000"},
                    {k->text_start + 0x1abc, "text_fn+0xabc/0x1000"},
                    {k->text_end, "text_fn+0x0/0x1000"},
                    {k->text_end + 1, NULL},
                    {BASE, NULL}};
        for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
            memset(text, '#', sizeof(text));
            CHECK_EQ(ops->symbol(w, rows[i].ip, text, sizeof(text)), rows[i].want != NULL, "row %u", i);
            CHECK(rows[i].want ? strcmp(text, rows[i].want) == 0 : text[0] == '#', "row %u: %.20s", i, text);
            CHECK_EQ(s.symbol(s.ctx, rows[i].ip, text, 6), rows[i].want != NULL, "row %u: foretold", i);
            CHECK(!rows[i].want || strcmp(text, "text_") == 0, "row %u: cut off", i);
        }
        CHECK(!ops->symbol(w, k->text_start, text, 0), "no room");
    }
    for (unsigned i = 0; i < 256; i++) {
        ops->file_name(w, (uint8_t)i, text, sizeof(text));
        if (i < 4)
            strcpy(seen[i], text);
        CHECK(strcmp(text, seen[i & 3]) == 0 && strlen(text) > 2 && strlen(text) < 24, "file %u: %s", i, text);
        for (unsigned n = 0; n < i && i < 4; n++)
            CHECK(strcmp(seen[n], seen[i]) != 0, "files %u and %u", n, i);
        s.file_name(s.ctx, (uint8_t)i, text, 3);
        CHECK(strlen(text) == 2 && strncmp(text, seen[i & 3], 2) == 0, "cut off");
        ops->file_name(w, (uint8_t)i, text, 0);
    }
    CHECK(strpbrk(seen[2], "%\n\x7f") != NULL, "one with odd characters");
}

static void test_log(struct fl_world *w)
{
    const struct fl_ops *ops = fl_world_ops();
    const struct fl_effects *e = fl_world_effects(w);
    struct fl_machine m = machine_of(FL_MODE_4LEVEL);
    static char big[2 * FL_LOG_MAX];

    fl_world_begin(w, &m);
    fl_world_event_begin(w);
    CHECK_EQ(e->nlog, 0, "nothing yet");
    ops->log(w, "<1>a%s", 6);
    ops->log(w, "", 0);
    ops->die(w, FL_DIE_BAD_PAGETABLE, UINT64_C(0x123456789));
    ops->log(w, "b\n", 2);
    static const char want[] = "<1>a%s" FL_LOG_DIE "b\n";
    CHECK(e->nlog == sizeof(want) - 1 && memcmp(e->log, want, sizeof(want) - 1) == 0, "%.*s", (int)e->nlog, e->log);
    CHECK(e->dies == 1 && e->die == FL_DIE_BAD_PAGETABLE && e->die_code == UINT64_C(0x123456789), "recorded");
    fl_world_event_begin(w);
    CHECK(e->nlog == 0 && e->dies == 0 && memcmp(e->log, want, 8) == 0, "only the length is cleared");

    memset(big, 'x', sizeof(big));
    ops->log(w, big, FL_LOG_MAX - 1);
    ops->log(w, "yz", 2);
    CHECK(e->nlog == FL_LOG_MAX + 1 && e->log[FL_LOG_MAX - 1] == 'y', "cut off, and counted");
    ops->log(w, big, sizeof(big));
    ops->die(w, FL_DIE_OOPS, 0);
    CHECK(e->nlog == FL_LOG_MAX + 1 + sizeof(big) + strlen(FL_LOG_DIE) && e->log[FL_LOG_MAX - 1] == 'y', "counted");
    fl_world_event_again(w);
    CHECK(e->nlog == 0 && e->calls == 0, "undone");
}

int main(void)
{
    struct fl_world *w = open_world();
    test_words(w);
    test_names(w);
    test_log(w);
    fl_world_close(w);
    return check_done("world services");
}
