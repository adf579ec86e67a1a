/* SPDX-License-Identifier: MIT */
/*
 * libFuzzer's merge keeps edges and features. The decision cells that a target shows to the engine are features, but a scenario
 * reaches cells of other targets as well, and those have no counters. Here the inputs that hit what the new corpus
 * has lost are put back: the old ones are judged, one after the other, in a process of their own.
 */
#include "campaign.h"

#include <faultline/fuzz/plugin_core.h>
#include <faultline/oracle/exec.h>

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#define WATCHDOG_SECONDS 4

static bool is_news(const struct fl_stats *now, const uint8_t before[FL_CELLS])
{
    for (unsigned k = 0; k < FL_CELLS; k++)
        if (now->cell[k] && !before[k])
            return true;
    return false;
}

/* In name order, so that the same folder gives the same result. */
static bool put_back(struct fl_judge *judge, const struct merge *m)
{
    static struct fl_scenario scenario;
    static uint8_t before[FL_CELLS];
    struct dirent **names;
    int n = scandir(m->in, &names, NULL, alphasort);
    bool ok = n >= 0;

    for (int i = 0; ok && i < n; i++) {
        char *path = format_text("%s/%s", m->in, names[i]->d_name), *to;
        struct fl_divergence d;
        unsigned record;

        if (names[i]->d_name[0] != '.' && engine_read_artifact(path, &scenario)) {
            memcpy(before, m->stats->cell, sizeof before);
            fl_judge_scenario(judge, &scenario, &d, &record);
            if (is_news(m->stats, before)) {
                to = format_text("%s/%s", m->new, names[i]->d_name);
                ok = swap_link(path, to);
                free(to);
            }
        }
        free(path);
    }
    return ok;
}

static _Noreturn void child(const struct campaign *c, pid_t parent)
{
    const struct merge *m = &c->merge;
    struct fl_judge_options options = {.target = m->target,
                                       .executor = c->o->executor && fl_target_executes(m->target),
                                       .decoders = m->target == FL_TARGET_PREFETCH,
                                       .stats = m->stats};
    struct rlimit none = {0, 0};
    struct plugin_core plugin;
    struct fl_judge *judge;
    char why[512];

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(126);
    setpgid(0, 0);
    signal(SIGTERM, SIG_DFL);
    signal(SIGINT, SIG_IGN);
    setrlimit(RLIMIT_CORE, &none);
    if (c->o->core) {
        if (!plugin_core_open(c->o->core, &plugin, why))
            _exit(2);
        options.core = plugin.core;
        options.gup = plugin.gup;
    }
    if (fl_judge_open(&options, &judge, why) != FL_OK)
        _exit(3);
    if (options.executor)
        fl_unicorn_watchdog(WATCHDOG_SECONDS);
    _exit(put_back(judge, m) ? 0 : 1);
}

pid_t merge_keep_cells(struct campaign *c)
{
    pid_t parent = getpid(), pid;

    fflush(NULL);
    pid = fork();
    if (pid == 0)
        child(c, parent);
    if (pid < 0) {
        complain("cannot start a process for a merge: %s", strerror(errno));
        return 0;
    }
    setpgid(pid, pid);
    return pid;
}
