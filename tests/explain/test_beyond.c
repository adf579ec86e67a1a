/* SPDX-License-Identifier: MIT */
/*
 * Findings that no single call of the core shows: what was done behind the ops' back, and is seen by the re-walk, by the same
 * fault coming again, by another generation, by the run with everything mapped. Their texts against golden/NAME.txt, and that
 * no C program is made of them.
 *   test_beyond FOLDER [write]
 */
#include "../fuzz/judge_cores.h"

#include "explain/explain.h"

#include <faultline/oracle/exec.h>

static enum fl_status zap(struct fl_world *w, const struct fl_fault *f, struct fl_outcome *out, unsigned n)
{
    (void)f, (void)n;
    if (out->action == FL_ACT_HANDLED)
        judge_apply(w, "4level", "zap 0x10000000 pages 2");
    return FL_OK;
}

/* Says synced and writes, as the rows say; but the copy is gone when the access is tried again. */
static enum fl_status undo_2014(struct fl_world *w, const struct fl_fault *f, struct fl_outcome *out, unsigned n)
{
    (void)n;
    if (f->kernel.generation == FL_GEN_2014_NATIVE && out->action == FL_ACT_SYNCED)
        judge_apply(w, "4level", "entry 0xffffc90040000000 level 4 set 0x0 mask 0xffffffffffffffff");
    return FL_OK;
}

/* Brings in the page of the fault and takes the other one away: A, B, A, B ... for ever. */
static enum fl_status one_page(struct fl_world *w, const struct fl_fault *f, struct fl_outcome *out, unsigned n)
{
    (void)n;
    if (out->action == FL_ACT_HANDLED && f->cr2 >> 12 == 0x10001)
        judge_apply(w, "4level", "zap 0x10000000 pages 1");
    if (out->action == FL_ACT_HANDLED && f->cr2 >> 12 == 0x10000)
        judge_apply(w, "4level", "zap 0x10001000 pages 1");
    return FL_OK;
}

/* What was stored before is gone. */
static enum fl_status spoil(struct fl_world *w, const struct fl_fault *f, struct fl_outcome *out, unsigned n)
{
    (void)out, (void)n;
    if (f->cr2 == 0x10001008)
        judge_apply(w, "4level", "bytes 0x10000008: 20 00 00 10");
    return FL_OK;
}

static const struct {
    const char *name, *key;
    bool executor;
    enum fl_status (*fault)(struct fl_world *w, const struct fl_fault *f, struct fl_outcome *out, unsigned n);
    const char *text;
} beyond[] = {
    {"rewalk", "rewalk/access/ok/pf-absent", false, zap,
     SCN("4level") "vma 0x10000000 pages 2 prot rw\nfault cr2 0x10000000 code 0x6\n"},
    {"generation", "generation/2014-native/done/loop", false, undo_2014,
     SCN("4level") "fork mm 1\nioremap 0xffffc90040000000 frame 600 flags p,w,a,d,g\nswitch mm 1\n"
                   "touch read supervisor 0xffffc90040000010\n"},
    {"progress", "progress/fault-loop/progress/same-fault-again", true, one_page,
     SCN("4level") "vma 0x400000 pages 1 prot rx file 0 size 1\nvma 0x10000000 pages 2 prot rw\n"
                   "map 0x20000000 frame 600 flags p,u,a\ngpr rdi 0x10000ffc\nexec user 0x400000: 48 89 07\n"},
    {"transparency", "transparency/registers/equal/differ", true, spoil,
     SCN("4level") "vma 0x400000 pages 1 prot rx file 0 size 1\nvma 0x10000000 pages 2 prot rw\n"
                   "gpr rdi 0x10000008\ngpr rsi 0x10001008\nexec user 0x400000: 48 89 07 48 8b 0e 48 8b 17\n"},
};

/* Builds and executors have versions, also in what the judge says. */
static void without_versions(char *text)
{
    char *to = text;

    for (char *line = text; *line;) {
        size_t n = strcspn(line, "\n") + 1;

        if (strncmp(line, "  build  ", 9) != 0 && strncmp(line, "  executor  ", 12) != 0) {
            memmove(to, line, n);
            to += n;
        }
        line += n;
    }
    *to = 0;
}

static void golden(const char *folder, const char *name, char *text, bool anew)
{
    static char want[1 << 16];
    char path[1024];
    size_t n;
    FILE *f;

    snprintf(path, sizeof path, "%s/%s.txt", folder, name);
    without_versions(text);
    f = fopen(path, anew ? "w" : "r");
    CHECK(f != NULL, "%s: cannot be opened", path);
    if (!f)
        return;
    if (anew) {
        CHECK(fputs(text, f) >= 0, "%s", path);
    } else {
        n = fread(want, 1, sizeof want - 1, f);
        want[n] = 0;
        for (n = 0; want[n] && want[n] == text[n]; n++)
            ;
        CHECK(want[n] == text[n], "%s: expected\n%.200s\nseen\n%.200s", path, want + n, text + n);
    }
    fclose(f);
}

int main(int argc, char **argv)
{
    bool anew = argc > 2 && strcmp(argv[2], "write") == 0, executor = fl_unicorn_watchdog(0) != FL_UNSUPPORTED;
    static const struct fl_core core = {.abi = FL_CORE_ABI,
                                        .name = "layered",
                                        .walk = walk,
                                        .permits = permits,
                                        .prefetch = prefetch,
                                        .fault = fault,
                                        .sync_all = sync_all,
                                        .p3_sync = p3_sync};
    static struct fl_scenario s;
    unsigned explained = 0;

    if (argc < 2)
        return 2;
    for (size_t i = 0; i < COUNT(beyond); i++) {
        struct explain_options options = {.layered = &core,
                                          .target = FL_TARGET_ALL,
                                          .no_executor = !beyond[i].executor,
                                          .no_decoders = true,
                                          .path = "finding.scn"};
        struct wrong wrong = {.fault = beyond[i].fault};
        struct explain_verdict verdict;
        char *text = NULL, why[512];
        size_t size;
        FILE *out;
        bool unable = false;

        if (beyond[i].executor && !executor)
            continue;
        parse(beyond[i].text, &s);
        layer = &wrong;
        out = open_memstream(&text, &size);
        CHECK(explain_write(out, EXPLAIN_TEXT, &s, NULL, &options, &verdict), "%s", beyond[i].name);
        fclose(out);
        CHECK(strcmp(verdict.key, beyond[i].key) == 0, "%s: key %s", beyond[i].name, verdict.key);
        golden(argv[1], beyond[i].name, text, anew);
        free(text);
        out = open_memstream(&text, &size);
        CHECK(!explain_program(out, &s, NULL, &options, &unable, why) && unable && why[0] && !strchr(why, '\n'),
              "%s: %s", beyond[i].name, why);
        fclose(out);
        CHECK_EQ(size, 0, "%s: a program all the same", beyond[i].name);
        free(text);
        layer = &nothing_wrong;
        explained++;
    }
    CHECK(explained >= 2, "%u explained", explained);
    return check_done("explain-beyond");
}
