/* SPDX-License-Identifier: MIT */
/* known: what is passed over from the start of a campaign, and what never is. */
#include "triage_test.h"

#include "campaign/campaign.h"

static void put(struct store *s, const char *key, enum bucket_status status, const char *reason, const char *of)
{
    struct bucket b = {.status = status, .count = 1, .target = FL_TARGET_ALL};

    snprintf(b.key, sizeof b.key, "%s", key);
    snprintf(b.reason, sizeof b.reason, "%s", reason);
    snprintf(b.duplicate_of, sizeof b.duplicate_of, "%s", of);
    CHECK(store_bucket_put(s, &b), "put");
}

static bool is_passed_over(const struct campaign *c, const char *key)
{
    char line[STORE_KEY + 2];
    FILE *in = fopen(c->known, "r");
    bool found = false;

    CHECK(in, "%s is not there", c->known);
    while (in && fgets(line, sizeof line, in)) {
        line[strcspn(line, "\n")] = 0;
        found |= strcmp(line, key) == 0;
    }
    if (in)
        fclose(in);
    return found;
}

static void test_begin(struct campaign *c)
{
    static const struct {
        const char *key;
        enum bucket_status status;
        const char *reason, *of;
        bool passed_over;
    } cases[] = {
        {"decision/open/a/b", BUCKET_OPEN, "", "", false},
        {"decision/fixed/a/b", BUCKET_FIXED, "done", "", false},
        {"decision/back/a/b", BUCKET_REGRESSION, "back", "", false},
        {"decision/invalid/a/b", BUCKET_INVALID, "no bug", "", true},
        {"decision/of-open/a/b", BUCKET_DUPLICATE, "rule: same row", "decision/open/a/b", true},
        {"decision/of-fixed/a/b", BUCKET_DUPLICATE, "rule: same row", "decision/fixed/a/b", false},
        {"decision/of-fixed-by-hand/a/b", BUCKET_DUPLICATE, "as said", "decision/fixed/a/b", false},
        {"decision/of-open-by-hand/a/b", BUCKET_DUPLICATE, "as said", "decision/open/a/b", true},
        {"decision/of-of-fixed/a/b", BUCKET_DUPLICATE, "rule: same row", "decision/of-fixed/a/b", false},
        {"decision/of-of-open/a/b", BUCKET_DUPLICATE, "rule: same row", "decision/of-open/a/b", true},
        {"decision/of-nobody/a/b", BUCKET_DUPLICATE, "rule: same row", "decision/nobody/a/b", false},
        {"decision/circle/a/b", BUCKET_DUPLICATE, "rule: same row", "decision/circle/a/b", false},
    };

    CHECK(known_begin(c) && !c->tidy_wanted, "no buckets: nothing to minimise");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        put(c->store, cases[i].key, cases[i].status, cases[i].reason, cases[i].of);
    CHECK(known_begin(c), "begin");
    CHECK(c->tidy_wanted, "what the last run may not have minimised is to be");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        CHECK(is_passed_over(c, cases[i].key) == cases[i].passed_over, "%s is%s passed over", cases[i].key,
              cases[i].passed_over ? " not" : "");
}

static void test_count(struct campaign *c)
{
    for (unsigned i = 1; i < 6; i++) {
        CHECK(known_count(c, "crash/walk/signal-6") == (i >= 3), "artifact %u of a crash", i);
        CHECK(known_count(c, "hang/walk") == (i >= 3), "artifact %u of a hang", i);
        CHECK(!known_count(c, "walk/of/a/b"), "a divergence is passed over instead");
        CHECK(is_passed_over(c, "walk/of/a/b") == (i >= 3), "artifact %u of a divergence", i);
    }
    CHECK(!is_passed_over(c, "crash/walk/signal-6") && !is_passed_over(c, "hang/walk"), "they cannot be");
}

static void test_came_back(void)
{
    struct bucket was = {.key = "decision/back/a/b", .status = BUCKET_REGRESSION}, b = {.key = "decision/new/a/b"};

    CHECK(!known_came_back(&was), "it was one when the run began");
    CHECK(!known_came_back(&b), "it is open");
    b.status = BUCKET_REGRESSION;
    CHECK(known_came_back(&b), "it became one");
    CHECK(!known_came_back(&b), "that is told once");
    b.status = BUCKET_FIXED;
    CHECK(!known_came_back(&b), "fixed again");
    b.status = BUCKET_REGRESSION;
    CHECK(known_came_back(&b), "and back again");
}

int main(void)
{
    static struct campaign_options o;
    static struct campaign c = {.o = &o, .ready = -1};

    make_root();
    o.folder = format_text("%s", at("campaign"));
    c.store = store_open(o.folder, STORE_CREATE);
    c.known = format_text("%s/known", o.folder);
    if (!c.store)
        return 1;
    test_begin(&c);
    test_count(&c);
    test_came_back();
    store_close(c.store);
    free(c.known);
    free(o.folder);
    remove_root();
    return check_done("campaign-known");
}
