/* SPDX-License-Identifier: MIT */
/* Runs, jobs, samples, cells, decisions, shards: what was stored is read back, by another handle; a killed supervisor is told
 * from one that works; samples stay few. */
#include "check.h"
#include "store/runs.h"

#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static char folder[] = "/tmp/faultline-runs-XXXXXX";

static struct store *reopen(struct store *s)
{
    store_close(s);
    s = store_open(folder, STORE_WRITE);
    if (!s)
        exit(1);
    return s;
}

/* ---- options --------------------------------------------------------------------------------------------------------- */

static bool join(const char *name, const char *value, void *ctx)
{
    char *all = ctx;

    sprintf(all + strlen(all), "%s=%s;", name, value);
    return true;
}

static void test_options(struct store *s)
{
    char value[64] = "x", all[500] = "";

    CHECK(!store_option_get(s, "jobs", value, sizeof value) && value[0] == 0, "not there");
    CHECK(store_option_set(s, "jobs", "4") && store_option_set(s, "engines", "afl,libfuzzer"), "set");
    CHECK(store_option_set(s, "jobs", "2"), "set anew");
    CHECK(store_option_get(s, "jobs", value, sizeof value), "there");
    CHECK(strcmp(value, "2") == 0, "%s", value);
    CHECK(store_option_get(s, "engines", value, 5) && strcmp(value, "afl,") == 0, "cut: %s", value);
    CHECK(store_options_each(s, join, all), "each");
    CHECK(strcmp(all, "engines=afl,libfuzzer;jobs=2;") == 0, "%s", all);
}

/* ---- runs ------------------------------------------------------------------------------------------------------------ */

static bool count_run(const struct run *r, void *ctx)
{
    unsigned *n = ctx;

    CHECK_EQ(r->id, ++*n, "in order");
    return true;
}

static void test_process(void)
{
    char boot[40], again[40];
    pid_t child = fork();
    int status;

    if (child == 0)
        _exit(0);
    CHECK(process_born(getpid()) != 0, "this process");
    CHECK(process_born(getpid()) == process_born(getpid()), "does not change");
    CHECK(process_born(1) < process_born(getpid()) || getpid() == 1, "the first process is older");
    usleep(50000);
    CHECK_EQ(process_born(child), 0, "dead, but not waited for");
    waitpid(child, &status, 0);
    CHECK_EQ(process_born(child), 0, "gone");
    CHECK_EQ(process_born(0) + process_born(-1), 0, "no process");
    process_boot(boot);
    process_boot(again);
    CHECK(strcmp(boot, again) == 0, "one boot: %s %s", boot, again);
}

static struct store *test_runs(struct store *s)
{
    struct run first = {.state = RUN_RUNNING, .slots = 2, .limit = 300}, r, second = {.state = RUN_STARTING};
    int64_t now = time(NULL);
    unsigned n = 0;
    bool found;
    pid_t child;
    int status;

    CHECK(store_run_last(s, &r, &found) && !found, "no run yet");
    CHECK_EQ(run_presence(&r, now), PRESENCE_NONE, "none");
    store_close(s);
    /* A supervisor that is killed. */
    child = fork();
    if (child == 0) {
        s = store_open(folder, STORE_WRITE);
        if (!s || !store_run_begin(s, &first))
            _exit(1);
        first.ran = 12.5;
        snprintf(first.why, sizeof first.why, "%s", "no space left");
        first.disk = 1ull << 40;
        _exit(!store_run_put(s, &first));
    }
    waitpid(child, &status, 0);
    CHECK(status == 0, "the child's status is %d", status);
    s = store_open(folder, STORE_READ);
    if (!s)
        exit(1);
    CHECK(store_run_last(s, &r, &found) && found, "there is one");
    CHECK_EQ(run_presence(&r, now), PRESENCE_GONE, "gone");
    CHECK(r.id == 1 && r.pid == child && r.state == RUN_RUNNING && r.ran == 12.5 && r.before == 0 && r.slots == 2 &&
              r.limit == 300 && r.disk == 1ull << 40 && strcmp(r.why, "no space left") == 0 && r.build[0] && r.host[0],
          "run %" PRId64, r.id);
    s = reopen(s);

    CHECK(store_run_begin(s, &second), "resumed");
    CHECK(second.id == 2 && second.before == 12.5 && second.pid == getpid(), "goes on from %g", second.before);
    CHECK_EQ(run_presence(&second, now), PRESENCE_HERE, "here");
    CHECK_EQ(run_presence(&second, now + RUN_SILENT + 5), PRESENCE_SILENT, "silent");
    CHECK_EQ(run_presence(&second, now - 100000), PRESENCE_HERE, "the clock was set back");
    r = second;
    r.born++;
    CHECK_EQ(run_presence(&r, now), PRESENCE_GONE, "its number went to another process");
    r = second;
    r.boot[0] ^= 1;
    CHECK_EQ(run_presence(&r, now), PRESENCE_GONE, "the machine was started anew");
    snprintf(r.host, sizeof r.host, "elsewhere");
    CHECK_EQ(run_presence(&r, now), PRESENCE_HERE, "another machine");
    CHECK_EQ(run_presence(&r, now + RUN_SILENT + 5), PRESENCE_SILENT, "another machine that is silent");
    second.state = RUN_STOPPED;
    second.ran = 7.5;
    CHECK(store_run_put(s, &second) && second.ended >= now, "ended");
    s = reopen(s);
    CHECK(store_run_last(s, &r, &found) && found && r.ended == second.ended, "told after it");
    CHECK_EQ(run_presence(&r, now), PRESENCE_STOPPED, "stopped");
    CHECK(store_runs_each(s, count_run, &n) && n == 2, "%u runs", n);

    struct run third = {.state = RUN_RUNNING};
    CHECK(store_run_begin(s, &third) && third.before == 20, "before the third: %g", third.before);
    third.state = RUN_STOPPED;
    CHECK(store_run_put(s, &third), "ended");
    return s;
}

/* ---- jobs ------------------------------------------------------------------------------------------------------------ */

static bool name_job(const struct job *j, void *ctx)
{
    strcat(strcat(ctx, j->name), ";");
    return true;
}

static struct store *test_jobs(struct store *s)
{
    struct job j = {.name = "fault-afl-0",
                    .target = FL_TARGET_FAULT,
                    .engine = "afl",
                    .role = JOB_SECONDARY,
                    .state = JOB_WORKING,
                    .health = "died once, by signal 9",
                    .pid = 1234,
                    .born = 1ull << 40,
                    .starts = 2,
                    .deaths = 1,
                    .since = 1700000000,
                    .ran = 1.5,
                    .executions = UINT64_C(1) << 50,
                    .events = 3,
                    .real_faults = 4,
                    .rate = 5.5,
                    .event_rate = 6.5,
                    .edges = 7,
                    .corpus = 8,
                    .cells = 9,
                    .last_new = 10.5,
                    .share = .25},
               got, other = {.name = "walk-libfuzzer-0", .target = FL_TARGET_WALK};
    char names[200] = "";
    bool found;

    CHECK(store_job_get(s, j.name, &got, &found) && !found, "not there");
    CHECK(store_job_put(s, &j) && store_job_put(s, &other) && store_job_put(s, &j), "stored");
    s = reopen(s);
    memset(&got, 0, sizeof got);
    CHECK(store_job_get(s, j.name, &got, &found) && found, "there");
    CHECK(strcmp(got.name, j.name) == 0 && strcmp(got.engine, j.engine) == 0 && strcmp(got.health, j.health) == 0,
          "text");
    CHECK(got.target == j.target && got.role == j.role && got.state == j.state && got.pid == j.pid &&
              got.born == j.born && got.starts == j.starts && got.deaths == j.deaths && got.since == j.since &&
              got.ran == j.ran && got.executions == j.executions && got.events == j.events &&
              got.real_faults == j.real_faults && got.rate == j.rate && got.event_rate == j.event_rate &&
              got.edges == j.edges && got.corpus == j.corpus && got.cells == j.cells && got.last_new == j.last_new &&
              got.share == j.share,
          "figures");
    CHECK(store_jobs_each(s, name_job, names), "each");
    CHECK(strcmp(names, "walk-libfuzzer-0;fault-afl-0;") == 0, "%s", names);
    CHECK(store_job_delete(s, other.name), "removed");
    names[0] = 0;
    CHECK(store_jobs_each(s, name_job, names) && strcmp(names, "fault-afl-0;") == 0, "%s", names);
    for (unsigned i = 0; i < JOB_ROLES; i++)
        CHECK(job_role_name((enum job_role)i)[0] != '?', "role %u", i);
    for (unsigned i = 0; i < JOB_STATES; i++)
        CHECK(job_state_name((enum job_state)i)[0] != '?', "state %u", i);
    for (unsigned i = 0; i < RUN_STATES; i++)
        CHECK(run_state_name((enum run_state)i)[0] != '?', "state %u", i);
    return s;
}

static bool check_shard(const struct shard *shard, void *ctx)
{
    unsigned *n = ctx;

    CHECK_EQ(shard->number, ++*n, "in order");
    CHECK(shard->number == 1 ? strcmp(shard->state, "NODE_FAIL") == 0 && shard->starts == 2
                             : strcmp(shard->folder, "shards/2") == 0 && strcmp(shard->host, "n2") == 0,
          "shard %u", shard->number);
    return true;
}

static void test_shards(struct store *s)
{
    struct shard one = {.number = 1, .folder = "shards/1", .host = "n1", .state = "RUNNING", .starts = 1},
                 two = {.number = 2, .folder = "shards/2", .host = "n2", .state = "RUNNING", .starts = 1};
    unsigned n = 0;

    CHECK(store_shard_put(s, &two) && store_shard_put(s, &one), "stored");
    snprintf(one.state, sizeof one.state, "NODE_FAIL");
    one.starts = 2;
    CHECK(store_shard_put(s, &one), "stored anew");
    CHECK(store_shards_each(s, check_shard, &n) && n == 2, "%u shards", n);
}

/* ---- samples --------------------------------------------------------------------------------------------------------- */

struct moments {
    double at[20000];
    unsigned n;
    uint64_t last;
};

static bool take(const struct sample *m, void *ctx)
{
    struct moments *all = ctx;

    if (all->n < 20000)
        all->at[all->n++] = m->at;
    all->last = m->executions;
    return true;
}

static bool add(struct store *s, double at)
{
    struct sample two[2] = {{.at = at, .target = FL_TARGET_FAULT, .executions = (uint64_t)at},
                            {.at = at, .target = FL_TARGET_ALL, .executions = (uint64_t)(2 * at), .disk = 5}};

    return store_samples_add(s, two, 2);
}

static void test_spacing(void)
{
    double day = 86400;

    CHECK(sample_spacing(10, 0) == 1 && sample_spacing(59, 90 * day) == 1, "the first minute stays whole");
    CHECK(sample_spacing(600, day) == 10, "the tenth minute");
    CHECK(sample_spacing(10 * day, 100) == 10, "lately");
    CHECK(sample_spacing(10 * day, 2 * 3600) == 60, "today");
    CHECK(sample_spacing(10 * day, 3 * day) == 600, "this month");
    CHECK(sample_spacing(10 * day, 60 * day) == 3600, "long ago");
    CHECK(store_sample_due(-1, 0) && !store_sample_due(0, .5) && store_sample_due(0, 1), "every second at first");
    CHECK(!store_sample_due(300, 304) && store_sample_due(300, 305.1), "in the fifth minute");
    CHECK(!store_sample_due(90000, 90009) && store_sample_due(90000, 90010), "every ten seconds later");
}

/* A campaign of 32 days. The supervisor samples as store_sample_due says in the first three hours and in the last 26; in between
 * once an hour, so that the test is quick. */
static void test_thinning(struct store *s)
{
    static struct moments m;
    const double hour = 3600, end = 32 * 24 * hour;
    double last = -1;
    unsigned taken = 0, last_hour = 0, whole_minute = 0;
    struct sample newest;
    bool found;

    CHECK(store_begin(s), "begin");
    for (double t = 0; t < end; t += t < 3 * hour || t > end - 26 * hour ? .5 : hour) {
        if (!store_sample_due(last, t))
            continue;
        CHECK(add(s, t), "stored at %g", t);
        last = t;
        taken++;
    }
    CHECK(store_commit(s), "commit");
    CHECK(add(s, last - 5), "an earlier one is passed over");
    CHECK(store_samples_each(s, FL_TARGET_ALL, take, &m), "each");
    CHECK(m.n < 4000 && m.n > 2000, "%u moments are kept of %u", m.n, taken);
    CHECK(m.at[m.n - 1] == last && m.last == (uint64_t)(2 * last), "the last one is there");
    for (unsigned i = 1; i < m.n; i++) {
        double gap = m.at[i] - m.at[i - 1], want = sample_spacing(m.at[i], last - m.at[i]);
        double before = sample_spacing(m.at[i - 1], last - m.at[i - 1]);

        /* What has just come of age is thinned within a minute. */
        CHECK(gap >= want - .1 || i == m.n - 1 || sample_spacing(m.at[i], last - m.at[i] - SAMPLE_THIN - 1) < want,
              "at %g: a gap of %g, %g wanted", m.at[i], gap, want);
        if (m.at[i] < 3 * hour || last - m.at[i] < 24.5 * hour)
            CHECK(gap <= 2 * (want > before ? want : before), "at %g: a gap of %g where %g is wanted", m.at[i], gap,
                  want);
        last_hour += last - m.at[i] < hour;
        whole_minute += m.at[i] <= 60;
    }
    CHECK(last_hour >= 355, "%u of the last hour", last_hour);
    CHECK(whole_minute == 60, "%u of the first minute", whole_minute);
    CHECK(store_sample_last(s, FL_TARGET_FAULT, &newest, &found) && found && newest.at == last, "the last of a target");
    CHECK(store_sample_last(s, FL_TARGET_WALK, &newest, &found) && !found, "none of another target");
    printf("samples: %u moments kept of %u taken\n", m.n, taken);
}

/* ---- cells and decisions --------------------------------------------------------------------------------------------- */

static bool check_cell(unsigned cell, enum fl_target target, double at, void *ctx)
{
    unsigned *n = ctx;

    ++*n;
    CHECK(cell == 5 ? at == 1.5 && target == FL_TARGET_WALK : at == 9 && target == FL_TARGET_FAULT, "cell %u", cell);
    return true;
}

static void test_cells(struct store *s)
{
    static uint8_t cells[FL_CELLS];
    uint64_t fresh = 99, count;
    unsigned n = 0;

    CHECK(store_cells_add(s, cells, FL_TARGET_WALK, 1, &fresh) && fresh == 0, "none");
    cells[5] = 1;
    CHECK(store_cells_add(s, cells, FL_TARGET_WALK, 1.5, &fresh) && fresh == 1, "one");
    CHECK(store_cells_add(s, cells, FL_TARGET_WALK, 3, &fresh) && fresh == 0, "again");
    cells[0] = cells[FL_CELLS - 1] = 1;
    CHECK(store_cells_add(s, cells, FL_TARGET_FAULT, 9, &fresh) && fresh == 2, "two more");
    CHECK(store_cells_count(s, &count) && count == 3, "three");
    CHECK(store_cells_each(s, check_cell, &n) && n == 3, "%u cells", n);
}

static void test_decisions(struct store *s)
{
    static struct decisions d, got;
    struct run r = {.state = RUN_RUNNING};

    CHECK(store_run_begin(s, &r), "a run");
    d.count[1][2][3] = 10;
    d.count[FL_MODE_COUNT - 1][FL_ACT_COUNT - 1][FL_ERROR_BITS - 1] = 1;
    CHECK(store_decisions_put(s, r.id, &d), "stored");
    d.count[1][2][3] = 15;
    CHECK(store_decisions_put(s, r.id, &d), "replaced");
    CHECK(store_decisions_get(s, &got), "read");
    CHECK(memcmp(&got, &d, sizeof d) == 0, "as it was: %" PRIu64, got.count[1][2][3]);
    CHECK(store_run_begin(s, &r), "the next run");
    CHECK(store_decisions_get(s, &got) && got.count[1][2][3] == 15, "kept: %" PRIu64, got.count[1][2][3]);
    CHECK(store_decisions_put(s, r.id, &d), "stored");
    CHECK(store_run_begin(s, &r), "a third");
    d.count[1][2][3] = 3;
    CHECK(store_decisions_put(s, r.id, &d), "stored");
    CHECK(store_decisions_get(s, &got) && got.count[1][2][3] == 33, "added up: %" PRIu64, got.count[1][2][3]);
    r.state = RUN_STOPPED;
    CHECK(store_run_put(s, &r), "ended");
}

int main(void)
{
    struct store *s;
    char command[64];

    if (!mkdtemp(folder) || !(s = store_open(folder, STORE_CREATE)))
        return 1;
    test_process();
    test_options(s);
    s = test_runs(s);
    s = test_jobs(s);
    test_shards(s);
    test_spacing();
    test_thinning(s);
    test_cells(s);
    test_decisions(s);
    store_close(s);
    snprintf(command, sizeof command, "rm -r %s", folder);
    CHECK(system(command) == 0, "%s", command);
    return check_done("runs");
}
