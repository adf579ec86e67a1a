/* SPDX-License-Identifier: MIT */
/* Every way in which a replay can end, and that the next one is as if nothing had happened. */
#include "test_replay.h"

#include "check.h"

#include <signal.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

static const char *folder, *guard_gap, *crash, *hang;

const char handled[] = "faultline-scenario 2\n"
                       "vma 0x10000000 pages 4 prot rw\n"
                       "fault cr2 0x10000000 code 0x6\n";
const char no_vma[] = "faultline-scenario 2\n"
                      "vma 0x10000000 pages 4 prot rw\n"
                      "fault cr2 0x30000000 code 0x6\n";
const char prefixes[] = "faultline-scenario 2\nvendor amd\nfamily 15\n"
                        "decode 64 user: 66 66 66 66 66 66 66 66 66 66 66 66 66 66 66\n";

/* A stack that has to keep its distance from what is below it. */
static const char stack[] = "faultline-scenario 2\n"
                            "vma 0x20000000 pages 4 prot rw\n"
                            "vma 0x20010000 pages 4 prot rw growsdown\n"
                            "regs user bits 64 ip 0x400000 sp 0x20010000\n"
                            "fault cr2 0x2000f000 code 0x6\n"
                            "fault cr2 0x20000000 code 0x6\n";

const struct fl_scenario *scenario(const char *text)
{
    static struct fl_scenario s;
    struct fl_text_error error;

    if (!fl_scenario_parse(text, strlen(text), &s, &error)) {
        fprintf(stderr, "%u:%u: %s\n", error.line, error.column, error.message);
        exit(1);
    }
    return &s;
}

struct replayer *open_core(const char *core, unsigned seconds)
{
    struct replay_options options = {.core = core, .executor = true, .decoders = true, .seconds = seconds};
    char why[512] = "";
    struct replayer *r = replay_open(&options, why);

    if (!r) {
        fprintf(stderr, "%s: %s\n", core ? core : "this tree's core", why);
        exit(1);
    }
    return r;
}

static char *plugin(const char *kind)
{
    static char path[4096];

    snprintf(path, sizeof path, "%s/replay-%s.so", folder, kind);
    return path;
}

static void run(struct replayer *r, const char *text, enum fl_target target, struct replay_result *out)
{
    memset(out, 0xa5, sizeof *out);
    replay_run(r, scenario(text), target, out);
}

static void test_clean(void)
{
    struct replayer *r = open_core(NULL, 0);
    struct replay_result got;

    run(r, handled, FL_TARGET_FAULT, &got);
    CHECK_EQ(got.end, REPLAY_CLEAN, "%s", got.detail);
    CHECK_EQ(got.events, 1, "one event");
    CHECK(!got.key[0] && !got.row[0] && !got.detail[0], "key %s", got.key);
    CHECK(strstr(replay_endings(r), "record 2: "), "endings: %s", replay_endings(r));
    CHECK(strncmp(replay_executor(r), "unicorn ", 8) == 0 || strncmp(replay_executor(r), "none (", 6) == 0, "%s",
          replay_executor(r));

    run(r, handled, FL_TARGET_WALK, &got);
    CHECK_EQ(got.end, REPLAY_NOTHING, "a target that does not judge faults");
    CHECK_EQ(got.events, 0, "none judged");
    CHECK_EQ(replay_endings(r)[0], 0, "%s", replay_endings(r));
    run(r, "faultline-scenario 2\n", FL_TARGET_ALL, &got);
    CHECK_EQ(got.end, REPLAY_NOTHING, "nothing in it");
    run(r, prefixes, FL_TARGET_PREFETCH, &got);
    CHECK_EQ(got.end, REPLAY_CLEAN, "%s %s", got.key, got.detail);
    run(r, stack, FL_TARGET_ALL, &got);
    CHECK_EQ(got.end, REPLAY_CLEAN, "%s %s", got.key, got.detail);
    replay_close(r);
}

static void test_diverged(void)
{
    struct replayer *r = open_core(guard_gap, 0);
    struct replay_result got, all;

    run(r, stack, FL_TARGET_FAULT, &got);
    CHECK_EQ(got.end, REPLAY_DIVERGED, "%s", got.detail);
    CHECK(strcmp(got.key, "decision/stack-guard-gap/refused/served") == 0, "%s", got.key);
    CHECK(strcmp(got.row, "stack-guard-gap") == 0, "%s", got.row);
    CHECK(strcmp(got.expected, "refused") == 0 && strcmp(got.actual, "served") == 0, "%s %s", got.expected, got.actual);
    CHECK_EQ(got.check, FL_CHECK_DECISION, "check");
    CHECK_EQ(got.record, 3, "record");
    CHECK_EQ(got.events, 1, "the one that diverged");
    CHECK(got.detail[0], "detail");
    run(r, stack, FL_TARGET_ALL, &all);
    CHECK(strcmp(got.key, all.key) == 0, "%s, as target all %s", got.key, all.key);
    run(r, handled, FL_TARGET_ALL, &got);
    CHECK_EQ(got.end, REPLAY_CLEAN, "%s", got.key);
    replay_close(r);
}

static void test_crashed(void)
{
    struct replayer *r = open_core(crash, 0);
    struct replay_result got;

    for (unsigned i = 0; i < 3; i++) {
        run(r, no_vma, FL_TARGET_FAULT, &got);
        CHECK_EQ(got.end, REPLAY_CRASHED, "%s", got.key);
        CHECK_EQ(got.signal, SIGSEGV, "signal");
        CHECK(strcmp(got.key, "crash/fault/signal-11") == 0, "%s", got.key);
        CHECK(strstr(got.detail, "signal 11"), "%s", got.detail);
        CHECK_EQ(replay_endings(r)[0], 0, "it did not run to an end");
        run(r, handled, FL_TARGET_FAULT, &got);
        CHECK_EQ(got.end, REPLAY_CLEAN, "%s %s", got.key, got.detail);
    }
    run(r, no_vma, FL_TARGET_ALL, &got);
    CHECK(strcmp(got.key, "crash/all/signal-11") == 0, "%s", got.key);
    replay_close(r);

    r = open_core(plugin("exits"), 0);
    run(r, no_vma, FL_TARGET_FAULT, &got);
    CHECK_EQ(got.end, REPLAY_CRASHED, "%s", got.key);
    CHECK_EQ(got.signal, 0, "no signal");
    CHECK(strcmp(got.key, "crash/fault/exit-3") == 0, "%s", got.key);
    replay_close(r);

    r = open_core(plugin("kills"), 0);
    run(r, no_vma, FL_TARGET_FAULT, &got);
    CHECK(strcmp(got.key, "crash/fault/signal-9") == 0, "%s", got.key);
    replay_close(r);
}

static void test_hung(void)
{
    struct replayer *r = open_core(hang, 1);
    struct replay_result got;

    run(r, prefixes, FL_TARGET_PREFETCH, &got);
    CHECK_EQ(got.end, REPLAY_HUNG, "%s", got.key);
    CHECK(strcmp(got.key, "hang/prefetch") == 0, "%s", got.key);
    CHECK(strstr(got.detail, "within 1 s"), "%s", got.detail);
    run(r, handled, FL_TARGET_FAULT, &got);
    CHECK_EQ(got.end, REPLAY_CLEAN, "%s", got.key);
    replay_limit(r, 0.2);
    run(r, prefixes, FL_TARGET_PREFETCH, &got);
    CHECK(got.end == REPLAY_HUNG && strstr(got.detail, "within 0.2 s"), "%s", got.detail);
    replay_close(r);

    r = open_core(plugin("sleeps"), 1);
    replay_limit(r, 0.1);
    run(r, no_vma, FL_TARGET_FAULT, &got);
    CHECK_EQ(got.end, REPLAY_HUNG, "asleep: %s", got.key);
    replay_close(r);
}

/* What the tested code prints is kept for the detail and goes nowhere else. */
static void test_noise(void)
{
    struct replayer *r = open_core(plugin("noisy"), 0);
    int screen = memfd_create("screen", 0), own = dup(STDERR_FILENO), out = dup(STDOUT_FILENO);
    struct replay_result got;

    fflush(NULL);
    dup2(screen, STDERR_FILENO);
    dup2(screen, STDOUT_FILENO);
    run(r, prefixes, FL_TARGET_PREFETCH, &got);
    fflush(NULL);
    dup2(own, STDERR_FILENO);
    dup2(out, STDOUT_FILENO);
    CHECK_EQ(lseek(screen, 0, SEEK_END), 0, "nothing on the terminal");
    CHECK(strcmp(got.key, "crash/prefetch/signal-6") == 0, "%s", got.key);
    CHECK(strstr(got.detail, ": ?[31mplugin.c:1: prefetch: Assertion `false' failed."), "%s", got.detail);
    run(r, no_vma, FL_TARGET_FAULT, &got);
    CHECK(strcmp(got.key, "crash/fault/signal-6") == 0, "more than is kept: %s", got.key);
    CHECK(strstr(got.detail, "line "), "%s", got.detail);
    replay_close(r);
    close(screen);
    close(own);
    close(out);
}

static void refused(const char *path, const char *word)
{
    struct replay_options options = {.core = path};
    char why[512] = "";

    CHECK(!replay_open(&options, why), "%s opened", path);
    CHECK(strstr(why, path) && strstr(why, word), "%s: \"%s\" does not say \"%s\"", path, why, word);
    CHECK(!strchr(why, '\n'), "%s", why);
}

static void test_does_not_load(void)
{
    char text[4096];
    FILE *out;

    refused("/nowhere/core.so", "no such file");
    refused(plugin("old"), "interface");
    refused(plugin("dies"), "signal 11");
    refused(plugin("dies"), "no such device");
    snprintf(text, sizeof text, "%s/not-a-core.so", folder);
    out = fopen(text, "w");
    CHECK(out && fputs("text\n", out) >= 0 && fclose(out) == 0, "%s", text);
    refused(text, "cannot be loaded");
    unlink(text);
}

/* A core that is gone after it was opened. */
static void test_unable(void)
{
    char copy[4096], command[9000];
    struct replay_result got;
    struct replayer *r;

    snprintf(copy, sizeof copy, "%s/gone-%d.so", folder, (int)getpid());
    snprintf(command, sizeof command, "cp '%s' '%s'", crash, copy);
    CHECK_EQ(system(command), 0, "%s", command);
    r = open_core(copy, 0);
    run(r, no_vma, FL_TARGET_FAULT, &got);
    CHECK_EQ(got.end, REPLAY_CRASHED, "%s", got.key);
    unlink(copy);
    run(r, handled, FL_TARGET_FAULT, &got);
    CHECK_EQ(got.end, REPLAY_UNABLE, "%s", got.key);
    CHECK(strcmp(got.key, "unreplayed/fault") == 0, "%s", got.key);
    CHECK(strstr(got.detail, "no such file"), "%s", got.detail);
    replay_close(r);
}

static void test_executor_off(void)
{
    struct replay_options options = {0};
    char why[512];
    struct replayer *r = replay_open(&options, why);
    struct replay_result got;

    CHECK(r, "%s", why);
    CHECK(strcmp(replay_executor(r), "none (switched off)") == 0, "%s", replay_executor(r));
    run(r, handled, FL_TARGET_FAULT, &got);
    CHECK_EQ(got.end, REPLAY_CLEAN, "%s", got.key);
    replay_close(r);
}

static void test_drop_skipped(void)
{
    struct fl_scenario s = *scenario("faultline-scenario 2\nvma 0x1000000 pages 1 prot rw\nsync-all\n"
                                     "fault cr2 0x1000000 code 0x6\ndecode 64 user: 90\ntouch read user 0x1000000\n");

    replay_drop_skipped(&s, FL_TARGET_ALL);
    CHECK_EQ(s.nrecords, 5, "all judges all");
    replay_drop_skipped(&s, FL_TARGET_FAULT);
    CHECK(s.nrecords == 3 && s.records[0].kind == FL_REC_VMA && s.records[1].kind == FL_REC_FAULT &&
              s.records[2].kind == FL_REC_TOUCH,
          "%u records", s.nrecords);
    CHECK(fl_scenario_valid(&s), "valid");
}

static void test_speed(void)
{
    struct replayer *r = open_core(NULL, 0);
    const struct fl_scenario *s = scenario(stack);
    struct timespec a, b;
    struct replay_result got;
    uint64_t events = 0;
    double seconds;

    clock_gettime(CLOCK_MONOTONIC, &a);
    for (unsigned i = 0; i < 10000; i++) {
        replay_run(r, s, FL_TARGET_FAULT, &got);
        events += got.end == REPLAY_CLEAN ? got.events : 0;
    }
    clock_gettime(CLOCK_MONOTONIC, &b);
    seconds = (double)(b.tv_sec - a.tv_sec) + (double)(b.tv_nsec - a.tv_nsec) * 1e-9;
    printf("10000 replays: %.2f s, %.1f us each\n", seconds, seconds * 100);
    CHECK_EQ(events, 20000, "all of them judged");
    CHECK(seconds < 30, "%.1f s", seconds);
    replay_close(r);
}

int main(int argc, char **argv)
{
    if (argc != 5) {
        fprintf(stderr, "usage: %s FOLDER GUARD-GAP CRASH HANG\n", argv[0]);
        return 2;
    }
    folder = argv[1];
    guard_gap = argv[2];
    crash = argv[3];
    hang = argv[4];
    test_clean();
    test_diverged();
    test_crashed();
    test_hung();
    test_noise();
    test_does_not_load();
    test_unable();
    test_executor_off();
    test_drop_skipped();
    test_process(hang, &check_count, &check_failures);
    test_speed();
    return check_done("replay");
}
