/* SPDX-License-Identifier: MIT */
/*
 * The little world of C programs is the judge's: every scenario of the corpus is cut off behind each of its events, and the
 * last call of the core in it is made again in that world. This tree's core is right about all of them, so every fact has to
 * be as expected.
 *   test_world FOLDER...
 */
#include "explain/program.h"

#include "command.h"

#include "../check.h"

struct tally {
    unsigned files, events, calls[8], programs;
    unsigned unlisted;
};

/* The call again; what is wrong goes to the text. */
static unsigned again(const struct program *p, char *text, size_t size)
{
    FILE *out = fmemopen(text, size, "w");
    unsigned wrong = repro_run(&p->repro, fl_core(), out);

    fclose(out);
    return wrong;
}

static void event(const char *path, const struct fl_scenario *s, unsigned record, struct tally *t)
{
    const struct explain_options options = {
        .target = FL_TARGET_ALL, .no_executor = s->records[record].kind != FL_REC_EXEC, .no_decoders = true};
    struct capture *c = capture_run(s, &options, FL_TARGET_ALL);
    struct program *p = calloc(1, sizeof *p);
    static char text[16384];
    char why[512];
    struct subject x;

    CHECK(c && p, "%s: record %u", path, record + 1);
    CHECK(!capture_diverges(c), "%s: record %u: %s", path, record + 1, c->key);
    subject_open(&x, s, c, NULL, &options, FL_TARGET_ALL);
    t->events++;
    /* Tables in each other's way are not compared by the judge either. */
    if (x.call && !strstr(c->said, "not compared") && program_fill(p, &x, why)) {
        t->calls[x.call->kind]++;
        t->programs++;
        memset(text, 0, sizeof text);
        CHECK(again(p, text, sizeof text - 1) == 0, "%s: record %u, call of %s:\n%s", path, record + 1,
              call_name((enum call_kind)x.call->kind), text);
        if (strstr(text, "is not in the recorded world")) {
            t->unlisted++;
            fprintf(stderr, "%s: record %u: %s\n", path, record + 1, text);
        }
    }
    free(p);
    capture_free(c);
}

static bool file(const char *path, void *ctx)
{
    struct tally *t = ctx;
    struct fl_scenario *s = malloc(sizeof *s);
    unsigned all;

    CHECK(s && load_scenario(path, s), "%s", path);
    t->files++;
    all = s->nrecords;
    for (unsigned i = 0; i < all; i++)
        if (fl_record_is_event((enum fl_record_kind)s->records[i].kind)) {
            s->nrecords = i + 1;
            event(path, s, i, t);
        }
    free(s);
    return true;
}

int main(int argc, char **argv)
{
    struct tally t = {0};

    CHECK(for_each_file(argv + 1, (size_t)(argc - 1), file, &t), "the corpus cannot be read");
    printf("%u files, %u events, %u calls made again: %u fault, %u walk, %u prefetch, %u sync_all, %u p3_sync; "
           "%u asked for what is not recorded\n",
           t.files, t.events, t.programs, t.calls[CALL_FAULT], t.calls[CALL_WALK], t.calls[CALL_PREFETCH],
           t.calls[CALL_SYNC_ALL], t.calls[CALL_P3_SYNC], t.unlisted);
    CHECK(t.programs > 100 && t.calls[CALL_FAULT] > 50 && t.calls[CALL_WALK] > 5 && t.calls[CALL_PREFETCH] > 5 &&
              t.calls[CALL_SYNC_ALL] > 2 && t.calls[CALL_P3_SYNC] > 2,
          "too few calls: that shows nothing");
    CHECK_EQ(t.unlisted, 0, "a right core asks for nothing that is not recorded");
    return check_done("explain-world");
}
