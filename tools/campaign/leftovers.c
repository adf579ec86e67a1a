/* SPDX-License-Identifier: MIT */
/* Processes that nobody minds any more, known by what they have in their environment. */
#include "campaign.h"

#include <ctype.h>
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool is_marked(const char *pid, const char *mark, size_t size)
{
    static char environment[1 << 16];
    char *path = format_text("/proc/%.20s/environ", pid);
    FILE *in = fopen(path, "rb");
    size_t n = in ? fread(environment, 1, sizeof environment, in) : 0;

    if (in)
        fclose(in);
    free(path);
    return n >= size && memmem(environment, n, mark, size) != NULL;
}

/* mark: "NAME=VALUE", the whole variable. */
static unsigned end_marked(const char *mark)
{
    DIR *proc = opendir("/proc");
    struct dirent *e;
    unsigned killed = 0;

    while (proc && (e = readdir(proc))) {
        long pid = isdigit((unsigned char)e->d_name[0]) ? strtol(e->d_name, NULL, 10) : 0;

        /* With the zero byte behind it: not the folder whose name begins like ours. */
        if (pid > 1 && pid != getpid() && is_marked(e->d_name, mark, strlen(mark) + 1) &&
            kill((pid_t)pid, SIGKILL) == 0)
            killed++;
    }
    if (proc)
        closedir(proc);
    return killed;
}

void leftovers_of_run(const struct campaign *c)
{
    char *mark = format_text("FAULTLINE_CAMPAIGN=%s", c->o->folder);
    unsigned killed = end_marked(mark);

    free(mark);
    if (killed)
        campaign_say(c, "%u processes of an earlier run were still there and have been ended", killed);
}

void leftovers_of_task(const struct campaign *c, const struct task *t)
{
    char *mark = format_text("FAULTLINE_STATS=%s", t->stats_path);
    unsigned killed = end_marked(mark);

    free(mark);
    if (killed)
        campaign_say(c, "%s was killed, and %u processes that it left have been ended", t->job.name, killed);
}
