/* SPDX-License-Identifier: MIT */
#include "runs.h"

static const char *folder;
static struct fl_judge *judge;
static struct fl_judge *second; /* whose digests are asked for while the first one explores */
static enum fl_target target;
void (*runs_seen)(const struct fl_scenario *s, const struct trace *t);

void runs_load(const char *name, struct fl_scenario *s)
{
    char *path = format_text("%s/%s.scn", folder, name);

    if (!load_scenario(path, s))
        exit(1);
    free(path);
}

static struct fl_judge *open_one(const struct fl_gup *gup)
{
    struct fl_judge_options options = {.target = target, .gup = gup, .endings = true};
    struct fl_judge *j;
    char why[256];

    if (fl_judge_open(&options, &j, why) != FL_OK) {
        fprintf(stderr, "%s\n", why);
        exit(1);
    }
    return j;
}

void runs_open(const char *dir, enum fl_target t, const struct fl_gup *gup)
{
    folder = dir;
    target = t;
    judge = open_one(gup);
    second = open_one(gup);
}

void runs_close(void)
{
    fl_judge_close(judge);
    fl_judge_close(second);
}

/* ---- digests ------------------------------------------------------------------------------------------------------ */

static void mix(uint64_t *h, uint64_t value)
{
    *h = (*h ^ value) * 0x9e3779b97f4a7c15u;
    *h ^= *h >> 29;
}

static void mix_calls(void *ctx, unsigned record, const struct fl_judge_calls *calls)
{
    uint64_t *h = ctx;

    (void)record; /* records that are put in move the others */
    for (unsigned i = 0; i < calls->npin; i++) {
        const struct fl_pin_op_call *c = &calls->pin[i];

        mix(h, (uint64_t)c->op << 16 | (uint64_t)c->nth << 8 | c->locks);
        mix(h, c->object);
        mix(h, c->answer);
    }
    for (unsigned i = 0; i < calls->nasks; i++)
        mix(h, (uint64_t)calls->asks[i].op << 8 | calls->asks[i].n);
    mix(h, 77);
}

static void mix_text(uint64_t *h, const char *text)
{
    for (; *text; text++)
        mix(h, (uint8_t)*text);
}

/* "record 7: done": the number goes, for the same reason. */
static void mix_endings(uint64_t *h, const char *text)
{
    while (*text) {
        size_t n = strcspn(text, "\n"), skip = strcspn(text, ":");

        for (size_t i = skip < n ? skip : 0; i < n; i++)
            mix(h, (uint8_t)text[i]);
        text += n + (text[n] == '\n');
    }
}

uint64_t runs_digest(const struct fl_scenario *s)
{
    uint64_t h = 1;
    struct fl_divergence d;
    unsigned record;
    char key[256];

    fl_judge_set_calls(second, mix_calls, &h);
    if (fl_judge_scenario(second, s, &d, &record)) {
        fl_divergence_key(&d, key, sizeof key);
        mix_text(&h, key);
    }
    mix_endings(&h, fl_judge_endings(second));
    return h;
}

/* ---- exploring ---------------------------------------------------------------------------------------------------- */

static struct explored *into;

static void add(uint64_t digest)
{
    into->digest = grow_array(into->digest, into->n, sizeof into->digest[0]);
    into->digest[into->n++] = digest;
}

static void found(void *ctx, const struct fl_scenario *s, const struct fl_divergence *d, unsigned record)
{
    (void)ctx, (void)s, (void)d, (void)record;
}

static void ran(void *ctx, const struct fl_scenario *s, const struct trace *t)
{
    (void)ctx;
    add(runs_digest(s));
    if (runs_seen)
        runs_seen(s, t);
}

static int compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return x < y ? -1 : x > y;
}

void runs_explore(const struct fl_scenario *s, unsigned preempt, bool pairs, uint64_t limit, struct explored *out)
{
    static struct explore x;
    struct inject_state *state = calloc(1, sizeof *state);

    if (!state)
        exit(1);
    x = (struct explore){.judge = judge,
                         .target = target,
                         .preempt = preempt,
                         .pairs = pairs,
                         .limit = limit,
                         .state = state,
                         .found = found,
                         .ran = ran};
    *out = (struct explored){.n = 0};
    into = out;
    inject_explore(&x, s);
    out->counts = state->counts;
    qsort(out->digest, out->n, sizeof out->digest[0], compare);
    inject_explore_free(&x);
    free(state);
}

bool explored_has(const struct explored *e, uint64_t digest)
{
    return bsearch(&digest, e->digest, e->n, sizeof digest, compare) != NULL;
}

void runs_before_last(struct fl_scenario *s, const struct fl_record *r)
{
    s->records[s->nrecords] = s->records[s->nrecords - 1];
    s->records[s->nrecords - 1] = *r;
    s->nrecords++;
}
