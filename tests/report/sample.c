/* SPDX-License-Identifier: MIT */
/*
 * Campaign folders as tests need them, made without a campaign.
 *   campaign_sample KIND DIR
 * KIND: plain (an hour on two engines, with findings), short (20 seconds), hostile (whatever text may hold), empty (never
 * started), long (40 days), clean (nothing found), paused; live (plain, whose supervisor is this process: it goes on and writes
 * until it is killed).
 */
#include <errno.h>
#include <faultline/fuzz/scenario.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "command.h"
#include "store/runs.h"

static const char nasty[] = "</script><script>alert(1)</script><img src=x onerror=alert(2)>\"'&<b>";

struct kind {
    const char *name;
    double seconds;
    bool hostile, findings;
};

static const struct kind kinds[] = {
    {"plain", 3600, false, true},      {"short", 20, false, true},   {"hostile", 600, true, true},
    {"long", 40 * 86400, false, true}, {"clean", 300, false, false}, {"paused", 100, false, true},
    {"live", 600, false, true},
};

static void must(bool ok)
{
    if (!ok)
        exit(1);
}

/* How far a growth has come: steep at first, then ever slower. */
static double grown(double at, double half)
{
    return at / (at + half);
}

static struct sample sample_of(enum fl_target t, double at)
{
    double g = grown(at, 12 + 20 * t);

    return (struct sample){
        .at = at,
        .target = t,
        .executions = (uint64_t)(at * (14000 - 2500 * t)),
        .events = (uint64_t)(at * (600000 - 90000 * t)),
        .real_faults = t == FL_TARGET_PREFETCH ? 0 : (uint64_t)(at * 9000),
        .edges = (uint64_t)(g * (420 + 300 * t)),
        .features = (uint64_t)(g * (1900 + 800 * t)),
        .cells = (uint64_t)(g * (120 + 240 * (t == FL_TARGET_FAULT))),
        .corpus_files = (uint64_t)(g * 800) + (uint64_t)(30 * sin(at / 40) * g),
        .corpus_bytes = (uint64_t)(g * 1.4e6),
        .open = at > 8 ? 1 : 0,
    };
}

static void samples(struct store *s, double from, double until)
{
    double last = from > 0 ? from : -1;

    must(store_begin(s));
    /* A long campaign's middle by the hour: that is what would be left of it. */
    for (double at = from; at <= until; at += until - at > 5000 && at > 5000 ? 3600 : .5) {
        struct sample all = {.at = at, .target = FL_TARGET_ALL}, m[FL_TARGET_COUNT];

        if (!store_sample_due(last, at))
            continue;
        last = at;
        for (unsigned t = 0; t < FL_TARGET_ALL; t++) {
            m[t] = sample_of((enum fl_target)t, at);
            all.executions += m[t].executions;
            all.events += m[t].events;
            all.real_faults += m[t].real_faults;
            all.edges += m[t].edges;
            all.features += m[t].features;
            all.cells += m[t].cells;
            all.corpus_files += m[t].corpus_files;
            all.corpus_bytes += m[t].corpus_bytes;
        }
        all.open = at > 300 ? 3 : at > 8 ? 2 : 0;
        all.disk = 20000000 + all.corpus_bytes * 3;
        m[FL_TARGET_ALL] = all;
        must(store_samples_add(s, m, FL_TARGET_COUNT));
    }
    must(store_commit(s));
}

static void cells(struct store *s, double seconds)
{
    static uint8_t cell[FL_CELLS];
    static struct decisions d;
    unsigned n = 0;

    must(store_begin(s));
    for (unsigned m = 0; m < FL_MODE_COUNT; m++)
        for (unsigned a = 0; a < FL_ACT_COUNT; a++)
            for (unsigned e = 0; e < FL_ERROR_BITS; e++) {
                unsigned mix = (m * 31 + a * 17 + e * 7) % 23;

                if (mix % 3 == 2 || (a > 12 && e % 4) || a == FL_ACT_NONE)
                    continue;
                d.count[m][a][e] = (uint64_t)pow(5, (m + 3 * a + e) % 10) + mix;
                cell[fl_cell_action((enum fl_mode)m, (enum fl_action)a, e)] = 1;
                if (++n % 40 == 0)
                    must(store_cells_add(s, cell, FL_TARGET_FAULT, seconds * pow(n / 1200.0, 3), NULL));
            }
    for (unsigned r = 0; r < 40; r++)
        cell[fl_cell_row((enum fl_mode)(r % FL_MODE_COUNT), r % 2, r)] = 1;
    must(store_cells_add(s, cell, FL_TARGET_FAULT, seconds * .9, NULL));
    memset(cell, 0, sizeof cell);
    for (unsigned i = 0; i < 200; i++)
        cell[i] = 1;
    must(store_cells_add(s, cell, FL_TARGET_WALK, seconds * .01, NULL));
    must(store_decisions_put(s, 1, &d));
    must(store_commit(s));
}

static void finding(struct store *s, const char *folder, struct bucket b, const char *text)
{
    char *path = format_text("%s/%s", folder, b.file), *parent = format_text("%s/findings", folder);

    must(make_folder(parent) && write_atomically(path, text, strlen(text)) && store_bucket_put(s, &b));
    free(path);
    free(parent);
}

static void findings(struct store *s, const char *folder, const struct kind *k)
{
    int64_t now = time(NULL);
    struct bucket b = {
        .key = "decision/user-segv-maperr/signal:SEGV_MAPERR/handled",
        .title = "user access to an unmapped address handled where the table says SIGSEGV",
        .severity = SEVERITY_CRITICAL,
        .severity_why = "a task goes on with an access that should have ended it",
        .target = FL_TARGET_FAULT,
        .count = 1234,
        .tries = 3,
        .reproduced = 3,
        .first_seen = now - 3600,
        .last_seen = now - 60,
        .first_build = "e6f1ac2",
        .last_build = "e6f1ac2",
        .found_by = "fault-afl-0",
        .after = 7.5,
        .events = 3000000,
        .detail = "CR2 0x10002000 error 0x4: the policy says signal SEGV_MAPERR, the core says handled",
        .record = 1,
        .nrecords = 2,
        .first_size = 31,
        .minimised = true,
        .file = "findings/decision-user-segv-maperr.scn",
    };
    static const char text[] = "faultline-scenario 1\n# user access to an unmapped address\nmode 4level\n\n"
                               "vma 0x10000000 pages 2 prot rw\nfault cr2 0x10002000 code 0x4\n";

    finding(s, folder, b, text);
    snprintf(b.key, sizeof b.key, "rewalk/synced/present/absent");
    snprintf(b.title, sizeof b.title, "vmalloc fault said to be synced, but the entry is not there");
    snprintf(b.file, sizeof b.file, "findings/rewalk-synced.scn");
    snprintf(b.found_by, sizeof b.found_by, "vmalloc-libfuzzer-0");
    b.severity = SEVERITY_HIGH;
    b.status = BUCKET_REGRESSION;
    b.number = 15;
    b.stage = STAGE_REGRESSION;
    b.count = 88;
    finding(s, folder, b, text);
    snprintf(b.key, sizeof b.key, "prefetch/rule/ignored/not-ignored");
    snprintf(b.title, sizeof b.title, "a prefetch that is not seen as one");
    snprintf(b.file, sizeof b.file, "findings/prefetch-rule.scn");
    b.severity = SEVERITY_LOW;
    b.status = BUCKET_FIXED;
    snprintf(b.reason, sizeof b.reason, "%s", k->hostile ? nasty : "fixed in 1a2b3c4");
    b.count = 1;
    finding(s, folder, b, text);
    snprintf(b.key, sizeof b.key, "executor-crash/unicorn/signal-11");
    snprintf(b.title, sizeof b.title, "the executor ended the process");
    snprintf(b.file, sizeof b.file, "findings/executor-crash.scn");
    b.aside = true;
    b.status = BUCKET_OPEN;
    b.reason[0] = 0;
    finding(s, folder, b, text);
    if (!k->hostile)
        return;
    b.aside = false;
    b.severity = SEVERITY_MEDIUM;
    for (unsigned i = 0; i < 20; i++) {
        snprintf(b.key, sizeof b.key, "decision/%s/%u/x", nasty, i);
        snprintf(b.title, sizeof b.title, "%s title %u \xc3\x28 \x1b[31m \xe2\x80\xae", nasty, i);
        snprintf(b.detail, sizeof b.detail, "%s%0300d", nasty, 0);
        snprintf(b.found_by, sizeof b.found_by, "%.60s", nasty);
        snprintf(b.last_build, sizeof b.last_build, "%.90s", nasty);
        snprintf(b.file, sizeof b.file, "findings/hostile-%u.scn", i);
        finding(s, folder, b, i % 2 ? nasty : text);
    }
}

static void jobs(struct store *s, const struct kind *k)
{
    static const char *const engines[] = {"libfuzzer", "afl"};

    for (unsigned t = 0; t < FL_TARGET_ALL; t++)
        for (unsigned e = 0; e < 2; e++) {
            struct sample m = sample_of((enum fl_target)t, k->seconds);
            struct job j = {.target = (enum fl_target)t,
                            .role = e ? JOB_MAIN : JOB_WORKER,
                            .state = t < 2 ? JOB_WORKING : JOB_IDLE,
                            .pid = t < 2 ? getpid() : 0,
                            .starts = 1 + t,
                            .since = time(NULL),
                            .ran = k->seconds / 2,
                            .executions = m.executions / 2,
                            .events = m.events / 2,
                            .rate = 6543.2,
                            .event_rate = 300000,
                            .edges = m.edges - 10 * e,
                            .corpus = m.corpus_files / 2,
                            .cells = m.cells,
                            .last_new = k->seconds * .8,
                            .share = .125};

            snprintf(j.name, sizeof j.name, "%s-%s-0", fl_target_name((enum fl_target)t), engines[e]);
            snprintf(j.engine, sizeof j.engine, "%s", engines[e]);
            if (t == 1 && e == 1) {
                j.deaths = 2;
                snprintf(j.health, sizeof j.health, "%s", k->hostile ? nasty : "died by signal 9");
            } else if (t == 3 && e == 1) {
                j.state = JOB_FAILED;
                j.deaths = 5;
                snprintf(j.health, sizeof j.health, "afl-fuzz says: no room for its map");
            }
            must(store_job_put(s, &j));
        }
}

static void run(struct store *s, const struct kind *k, struct run *r)
{
    bool live = strcmp(k->name, "live") == 0, paused = strcmp(k->name, "paused") == 0;

    r->state = RUN_RUNNING;
    must(store_run_begin(s, r));
    r->ran = k->seconds;
    r->limit = live || paused ? 2 * k->seconds : k->seconds;
    r->slots = 2;
    r->working = 2;
    r->disk = 31000000;
    r->disk_free = UINT64_C(12300000000);
    r->artifacts = k->findings ? 12033 : 0;
    r->state = live ? RUN_RUNNING : paused ? RUN_PAUSED : RUN_STOPPED;
    snprintf(r->why, sizeof r->why, "%s",
             live         ? ""
             : paused     ? "no space left for the corpus (12 MB are free, 100 MB are wanted)"
             : k->hostile ? nasty
                          : "its time is over");
    must(store_run_put(s, r));
}

/* A supervisor of sorts: until it is killed. */
static void go_on(struct store *s, struct run *r)
{
    double at = r->ran;

    printf("%ld\n", (long)getpid());
    fflush(stdout);
    for (;;) {
        usleep(250000);
        at += 25;
        r->ran = at;
        must(store_run_put(s, r));
        samples(s, at - 24, at);
    }
}

int main(int argc, char **argv)
{
    struct store *s;
    struct run r = {0};
    const struct kind *k = NULL;

    if (argc != 3)
        return 2;
    s = store_open(argv[2], STORE_CREATE);
    must(s != NULL);
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (strcmp(kinds[i].name, argv[1]) == 0)
            k = &kinds[i];
    must(k || strcmp(argv[1], "empty") == 0);
    if (k) {
        must(store_option_set(s, "targets", "walk,fault,prefetch,vmalloc,gup"));
        must(store_option_set(s, "engines", k->hostile ? nasty : "libfuzzer,afl"));
        must(store_option_set(s, "executor", "unicorn 2.1.1 (CPU: any)"));
        must(store_option_set(s, "command", "faultline campaign start"));
        must(store_option_set(s, "cpus", "2"));
        run(s, k, &r);
        samples(s, 0, k->seconds);
        cells(s, k->seconds);
        jobs(s, k);
        if (k->findings)
            findings(s, argv[2], k);
        if (strcmp(k->name, "paused") == 0)
            sleep(3600);
        if (strcmp(k->name, "live") == 0)
            go_on(s, &r);
    }
    store_close(s);
    return 0;
}
