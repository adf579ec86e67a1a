/* SPDX-License-Identifier: MIT */
/* finding HANG: a folder of inputs that take as long as the limit does not stop the campaign's loop. */
#include "triage_test.h"

#include "campaign/campaign.h"

static struct campaign_options options;
static struct campaign c = {.o = &options, .ready = -1};
static struct engine_run run = {.engine = ENGINE_LIBFUZZER, .target = FL_TARGET_PREFETCH};

static void write_file(const char *folder, const char *name, const void *bytes, size_t size)
{
    char *path = format_text("%s/%s", folder, name);
    FILE *out = fopen(path, "wb");

    CHECK(out && fwrite(bytes, 1, size, out) == size && fclose(out) == 0, "%s", path);
    free(path);
}

static unsigned turn(unsigned *taken)
{
    return run_findings(&c, &run, "test", 0, 0, false, NULL, taken);
}

static void test_hangs(void)
{
    static struct search f = {.target = FL_TARGET_PREFETCH, .seed = 1};
    static struct fl_scenario scenario;
    double began;
    unsigned taken, left;

    must_find(&f, c.replayer, "hang/prefetch", &scenario);
    for (unsigned i = 0; i < 3; i++) {
        char name[32];

        snprintf(name, sizeof name, "timeout-%u", i);
        write_file(run.folder, name, f.data, f.size);
    }
    began = monotonic_seconds();
    left = turn(&taken);
    CHECK(taken == 1 && left == 2, "%u taken, %u left", taken, left);
    CHECK(monotonic_seconds() - began < 2.5, "%f s", monotonic_seconds() - began);
    left = turn(&taken);
    CHECK(taken == 0 && left == 2, "the loop has as long for itself: %u taken, %u left", taken, left);
    while (monotonic_seconds() < c.taking.from)
        usleep(10000);
    left = turn(&taken);
    CHECK(taken == 1 && left == 1, "then the next: %u taken, %u left", taken, left);
    write_file(run.folder, "crash-quick", "x", 1);
    c.taking.until = monotonic_seconds() + 5;
    left = turn(&taken);
    CHECK(taken == 1 && left == 1, "the end takes what is quick: %u taken, %u left", taken, left);
    CHECK_EQ(c.run.artifacts, 3, "each is counted");
}

static void test_aside(void)
{
    char *folder = format_text("%s", at("inputs")), *to = format_text("%s", at("to"));

    CHECK(make_folder(folder) && make_folder(to), "folders");
    write_file(folder, "a", "the same", 8);
    write_file(folder, "b", "the same", 8);
    write_file(folder, "c", "the sane", 8);
    write_file(folder, "d", "the same, longer", 16);
    write_file(folder, "empty", "", 0);
    write_file(to, "artifact", "the same", 8);
    CHECK_EQ(aside_remove(folder, at("to/artifact"), to), 2, "both copies");
    CHECK_EQ(aside_remove(folder, at("to/artifact"), to), 0, "none is left");
    CHECK(access(at("inputs/c"), F_OK) == 0 && access(at("inputs/d"), F_OK) == 0, "others stay");
    CHECK_EQ(aside_remove(folder, at("inputs/empty"), NULL), 0, "nothing is like nothing");
    CHECK_EQ(aside_remove(folder, at("nowhere"), NULL), 0, "no artifact");
    free(folder);
    free(to);
}

int main(int argc, char **argv)
{
    if (argc < 2)
        return 2;
    make_root();
    struct replay_options replay = {.core = argv[1], .seconds = 1};
    char why[512], *folder = format_text("%s", at("artifacts"));

    options.folder = format_text("%s", at("campaign"));
    c.store = store_open(options.folder, STORE_CREATE);
    c.replayer = replay_open(&replay, why);
    if (!c.store || !c.replayer || !make_folder(folder))
        return 1;
    run.folder = folder;
    test_aside();
    test_hangs();
    replay_close(c.replayer);
    store_close(c.store);
    free(options.folder);
    free(folder);
    remove_root();
    return check_done("campaign-finding");
}
