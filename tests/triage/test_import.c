/* SPDX-License-Identifier: MIT */
/* Folders as engines leave them: what in them is an input, of which engine, and of which target. */
#include "triage_test.h"

#include "triage/import.h"

static void spill(const char *name, const char *text)
{
    char path[512];
    FILE *out;

    snprintf(path, sizeof path, "%s/%s", root, name);
    for (char *p = path + strlen(root) + 1; (p = strchr(p, '/')); p++) {
        *p = 0;
        mkdir(path, 0777);
        *p = '/';
    }
    out = fopen(path, "w");
    if (!out || fputs(text, out) < 0 || fclose(out) != 0)
        exit(1);
}

#define SCN "faultline-scenario 2\nmode 4level\n"

/* Everything that is spilled, and what it is to be taken for; NULL target: no input. */
static const struct {
    const char *name, *text;
    const char *target; /* "all": nothing tells */
    enum import_kind kind;
    bool limit;
} files[] = {
    /* An AFL++ instance whose statistics name the target, and a sync folder with two. */
    {"afl/default/crashes/id:000000,sig:04,src:000000,time:1,execs:2,op:havoc,rep:8", "x", "walk", IMPORT_AFL, false},
    {"afl/default/crashes/README.txt", "Command line used to find this crash", NULL, 0, false},
    {"afl/default/hangs/id:000000,src:000000", "x", "walk", IMPORT_AFL, true},
    {"afl/default/crashes.2026-11-28-12:00:00/id:000001,sig:06", "x", "walk", IMPORT_AFL, false},
    {"afl/default/queue/id:000000,time:0,orig:seed", "x", NULL, 0, false},
    {"afl/default/fuzzer_stats", "command_line : afl-fuzz -i in -o out -- build/afl/fl-walk\n", NULL, 0, false},
    {"afl/default/plot_data", "x", NULL, 0, false},
    {"afl/default/.cur_input", "x", NULL, 0, false},
    {"sync/main/fuzzer_stats", "command_line : afl-fuzz -M main -- ./other\n", NULL, 0, false},
    {"sync/main/crashes/id:000000,sig:11", "x", "all", IMPORT_AFL, false},
    {"sync/main/queue/id:000000", "x", NULL, 0, false},
    {"sync/s1/fuzzer_stats", "command_line : afl-fuzz -S s1 -- /x/fl-vmalloc @@\n", NULL, 0, false},
    {"sync/s1/crashes/id:000007,sig:11", "x", "vmalloc", IMPORT_AFL, false},
    {"fault-afl-1/crashes/id_000000_00", "x", "fault", IMPORT_AFL, false},
    /* libFuzzer: artifacts beside logs and the program. */
    {"prefetch-libfuzzer-0/crash-da39a3ee5e6b4b0d3255bfef95601890afd80709", "x", "prefetch", IMPORT_LIBFUZZER, false},
    {"prefetch-libfuzzer-0/timeout-da39a3ee", "x", "prefetch", IMPORT_LIBFUZZER, true},
    {"prefetch-libfuzzer-0/oom-da39a3ee", "x", "prefetch", IMPORT_LIBFUZZER, true},
    {"prefetch-libfuzzer-0/leak-da39a3ee", "x", "prefetch", IMPORT_LIBFUZZER, false},
    {"prefetch-libfuzzer-0/slow-unit-da39a3ee", "x", "prefetch", IMPORT_LIBFUZZER, true},
    {"prefetch-libfuzzer-0/fuzz-0.log", "x", NULL, 0, false},
    /* honggfuzz */
    {"hf/SIGSEGV.PC.555555.STACK.18ec.CODE.1.ADDR.0.INSTR.mov.fuzz", "x", "fault", IMPORT_HONGGFUZZ, false},
    {"hf/HONGGFUZZ.REPORT.TXT", "fuzzTarget : ./fl-fault ___FILE___\n", NULL, 0, false},
    /* ClusterFuzz downloads */
    {"cf/clusterfuzz-testcase-minimized-fl-vmalloc-5081436589572096", "x", "vmalloc", IMPORT_CLUSTERFUZZ, false},
    {"cf/clusterfuzz-testcase-fl-walk-123", "x", "walk", IMPORT_CLUSTERFUZZ, false},
    {"cf/clusterfuzz-testcase-minimized-5081436589572096", "x", "all", IMPORT_CLUSTERFUZZ, false},
    {"cf/clusterfuzz-testcase-minimized-other_fuzzer-1", "x", "all", IMPORT_CLUSTERFUZZ, false},
    /* anything else */
    {"mixed/a.scn", SCN, "all", IMPORT_SCENARIO, false},
    {"mixed/fl-walk/b.scn", SCN, "all", IMPORT_SCENARIO, false},
    {"mixed/0001", "x", "all", IMPORT_OTHER, false},
    {"mixed/fl-walker-crash", "x", "all", IMPORT_OTHER, false},
    {"mixed/notes.md", "x", NULL, 0, false},
    {"mixed/.hidden/crash-1", "x", NULL, 0, false},
    /* A campaign folder as a source */
    {"campaign/campaign.db", "x", NULL, 0, false},
    {"campaign/findings/f.scn", SCN, "all", IMPORT_SCENARIO, false},
    {"campaign/artifacts/crash_walk/0123456789abcdef", "x", "all", IMPORT_OTHER, false},
    {"campaign/corpus/walk/abc", "x", NULL, 0, false},
};
#define NFILES (sizeof files / sizeof files[0])

static void test_folders(void)
{
    char *paths[] = {root};
    bool seen[NFILES] = {false};
    struct import import;
    size_t inputs = 0;

    for (size_t i = 0; i < NFILES; i++) {
        spill(files[i].name, files[i].text);
        inputs += files[i].target != NULL;
    }
    spill("mixed/program", "\177ELF");
    chmod(at("mixed/program"), 0755);
    CHECK(symlink("..", at("mixed/loop")) == 0, "link");
    CHECK(import_find(paths, 1, &import), "find");
    CHECK_EQ(import.n, inputs, "inputs");
    CHECK(import.left_out > 5 && import.unreadable == 0, "%" PRIu64 " left out", import.left_out);
    for (size_t k = 0; k < import.n; k++) {
        const struct import_file *f = &import.files[k];
        size_t i = 0;

        while (i < NFILES && strcmp(f->path + strlen(root) + 1, files[i].name) != 0)
            i++;
        CHECK(i < NFILES && files[i].target && !seen[i], "%s is no input", f->path);
        if (i == NFILES || !files[i].target)
            continue;
        seen[i] = true;
        CHECK_EQ(f->kind, files[i].kind, "%s: kind %s", f->path, import_kind_name(f->kind));
        CHECK(strcmp(fl_target_name(f->target), files[i].target) == 0, "%s: target %s", f->path,
              fl_target_name(f->target));
        CHECK_EQ(f->limit, files[i].limit, "%s: limit", f->path);
    }
    import_free(&import);
}

static void test_named(void)
{
    static struct fl_scenario s, again;
    char *paths[3];
    struct import import;

    /* What is named is an input, whatever it looks like; what is not there is told, and the rest goes on. */
    paths[0] = format_text("%s", at("mixed/notes.md"));
    paths[1] = format_text("%s", at("nowhere"));
    paths[2] = format_text("%s", at("mixed/a.scn"));
    fflush(stderr);
    CHECK(import_find(paths, 3, &import) && import.n == 2 && import.unreadable == 1, "%zu inputs", import.n);
    CHECK(import_read(&import.files[0], &s), "bytes");
    CHECK(import_read(&import.files[1], &again) && again.nrecords == 0, "text");
    import_free(&import);
    for (unsigned i = 0; i < 3; i++)
        free(paths[i]);

    /* Engines' bytes that look like a text are bytes; a large file is cut, not refused; a bad text is refused. */
    spill("bytes/crash-1", "faultline-scenario 2\nmode 4level\nnonsense");
    spill("bytes/text", SCN);
    spill("bytes/bad.scn", "faultline-scenario 2\nmode 9level\n");
    paths[0] = format_text("%s", at("bytes"));
    CHECK(import_find(paths, 1, &import) && import.n == 3, "%zu inputs", import.n);
    for (size_t i = 0; i < import.n; i++) {
        bool bad = strstr(import.files[i].path, "bad.scn") != NULL;

        CHECK_EQ(import_read(&import.files[i], &s), !bad, "%s", import.files[i].path);
    }
    import_free(&import);
    free(paths[0]);
    {
        FILE *out = fopen(at("bytes/crash-1"), "w");

        CHECK(out && fseek(out, 6 << 20, SEEK_SET) == 0 && fputc('x', out) == 'x' && fclose(out) == 0, "a large file");
        CHECK(
            import_read(&(struct import_file){.path = (char *)(uintptr_t)at("bytes/crash-1"), .kind = IMPORT_LIBFUZZER},
                        &s) &&
                s.nrecords == FL_MAX_RECORDS,
            "a large file");
    }
}

int main(void)
{
    make_root();
    CHECK_EQ(triage_target_of("build/fuzz/fault-afl-0/afl/default/crashes/id:0"), FL_TARGET_FAULT, "path");
    CHECK_EQ(triage_target_of("fl-walk_crash-1"), FL_TARGET_WALK, "path");
    CHECK_EQ(triage_target_of("x/fl-walk/y/fl-fault/z"), FL_TARGET_FAULT, "the last one counts");
    CHECK_EQ(triage_target_of("default/id:0"), FL_TARGET_ALL, "path");
    CHECK_EQ(triage_target_of("walkfl-walkers"), FL_TARGET_ALL, "path");
    test_folders();
    test_named();
    remove_root();
    return check_done("triage-import");
}
