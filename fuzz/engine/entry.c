/* SPDX-License-Identifier: MIT */
/*
 * The entry points that libFuzzer and AFL++ (through its libFuzzer-compatible driver) call, and the settings that reach a
 * target through its environment:
 *
 *   FAULTLINE_STATS=FILE     counters go to this file (struct fl_stats, shared memory), made by the faultline command
 *   FAULTLINE_EXECUTOR=0|1   0: no executor; 1: refuse to start without one; unset: use one where there is one
 *   FAULTLINE_CORE=FILE      the core, or pinning, out of this shared object is tested, and not that of this tree
 *   FAULTLINE_DECODERS=0     no disassemblers
 *   FAULTLINE_CELLS=0        decision cells are not shown to the engine
 *   FAULTLINE_KNOWN=FILE     divergence keys, one a line: an input that shows one of them is counted and passed over
 */
#include "target.h"

#include <faultline/fuzz/mutate.h>
#include <faultline/fuzz/plugin_core.h>
#include <faultline/oracle/exec.h>

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "die.h"
#include "known.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);
size_t LLVMFuzzerCustomCrossOver(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size, uint8_t *out,
                                 size_t max_size, unsigned seed);

/* Shorter than the engines' own limits, so that it is the executor that is named. */
#define WATCHDOG_SECONDS 4

/* Engines call plain functions: this is the one place that keeps state between calls. */
static struct fl_judge *judge;
static struct fl_stats *stats; /* FAULTLINE_STATS, or NULL */
static struct fl_scenario scenario;
static bool show_cells;

static bool setting(const char *name, char value)
{
    const char *text = getenv(name);

    return text && text[0] == value && text[1] == 0;
}

static struct fl_stats *open_stats(void)
{
    const char *path = getenv("FAULTLINE_STATS");
    struct fl_stats *block;
    struct stat st;
    int fd;

    if (!path)
        return NULL;
    fd = open(path, O_RDWR);
    if (fd < 0 || fstat(fd, &st) != 0 || st.st_size < (off_t)sizeof *block) {
        fprintf(stderr, "faultline: FAULTLINE_STATS: %s is not a counters file of this version\n", path);
        exit(2);
    }
    block = mmap(NULL, sizeof *block, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (block == MAP_FAILED || block->magic != FL_STATS_MAGIC) {
        fprintf(stderr, "faultline: FAULTLINE_STATS: %s is not a counters file of this version\n", path);
        exit(2);
    }
    return block;
}

/* Out of FAULTLINE_CORE; nothing: that of this tree. A core that does not load, or cannot run this target, is the user's
 * affair: exit code 2. */
static struct plugin_core open_core(void)
{
    const char *path = getenv("FAULTLINE_CORE");
    struct plugin_core plugin = {0};
    char why[512];

    if (!path || !*path)
        return plugin;
    if (!plugin_core_open(path, &plugin, why)) {
        fprintf(stderr, "faultline: FAULTLINE_CORE: %s\n", why);
        exit(2);
    }
    return plugin;
}

static void start(void)
{
    const struct plugin_core plugin = open_core();
    struct fl_judge_options options = {
        .target = fl_this_target,
        .core = plugin.core,
        .gup = plugin.gup,
        .executor = !setting("FAULTLINE_EXECUTOR", '0') && fl_target_executes(fl_this_target),
        .require_executor = setting("FAULTLINE_EXECUTOR", '1') && fl_target_executes(fl_this_target),
        .decoders = !setting("FAULTLINE_DECODERS", '0') && fl_this_target == FL_TARGET_PREFETCH,
        .stats = (stats = open_stats()),
    };
    char why[256];

    show_cells = !setting("FAULTLINE_CELLS", '0');
    if (fl_judge_open(&options, &judge, why) != FL_OK) {
        fprintf(stderr, "faultline: target %s cannot start: %s\n", fl_target_name(fl_this_target), why);
        exit(plugin.core && !fl_core_runs(plugin.core, plugin.gup, fl_this_target) ? 2 : 3);
    }
    if (options.executor)
        fl_unicorn_watchdog(WATCHDOG_SECONDS); /* built without it: nothing to watch */
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc, (void)argv;
    if (!judge)
        start();
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fl_divergence d;
    unsigned record;

    if (!judge)
        start();
    if (show_cells)
        fl_judge_set_counters(judge, fl_engine_counters(), FL_TARGET_FIRST, FL_TARGET_CELLS);
    fl_scenario_decode(data, size, &scenario);
    if (fl_judge_scenario(judge, &scenario, &d, &record)) {
        if (fl_known_key(&d)) {
            if (stats)
                stats->known++;
            return 0;
        }
        fl_report_divergence(&d, &scenario, record);
        fl_die(&d);
    }
    return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
    return fl_mutate(data, size, max_size, seed, fl_this_target);
}

size_t LLVMFuzzerCustomCrossOver(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size, uint8_t *out,
                                 size_t max_size, unsigned seed)
{
    /* libFuzzer asks for this as often as for a mutation; splicing is worth less. 0: it asks again. */
    if (seed % 8 != 0)
        return 0;
    return fl_crossover(a, a_size, b, b_size, out, max_size, seed / 8);
}
