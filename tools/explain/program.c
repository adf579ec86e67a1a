/* SPDX-License-Identifier: MIT */
/* faultline explain --c: a C program that shows the difference, tried on the tested core before it is handed out. */
#include "program.h"

#include "../command.h"

#include <faultline/fuzz/plugin_core.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define SECONDS 10

/* What the program will answer for that core, in a child. It is wrong where it does not come back, too. */
static bool shows(const struct program *p, const struct explain_options *options)
{
    const struct rlimit no_core = {0, 0};
    struct plugin_core plugin;
    char why[512];
    int status;
    pid_t child;

    fflush(NULL);
    child = fork();
    if (child < 0)
        return false;
    if (child == 0) {
        const struct fl_core *core = options->layered ? options->layered : fl_core();
        FILE *null = fopen("/dev/null", "w");

        setrlimit(RLIMIT_CORE, &no_core);
        alarm(SECONDS);
        if (!null || (!options->layered && options->core && !plugin_core_open(options->core, &plugin, why)))
            _exit(0);
        dup2(fileno(null), STDERR_FILENO);
        _exit(repro_run(&p->repro, options->layered || !options->core ? core : plugin.core, null) != 0);
    }
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            return false;
    return !WIFEXITED(status) || WEXITSTATUS(status) != 0;
}

bool explain_program(FILE *out, const struct fl_scenario *s, const struct bucket *bucket,
                     const struct explain_options *options, bool *unable, char why[512])
{
    enum fl_target target = bucket ? bucket->target : options->target;
    struct capture *c = capture_run(s, options, target);
    struct program *p = calloc(1, sizeof *p);
    const char *refusal, *check;
    char title[200], reason[512];
    struct subject x;
    bool ok = false;

    *unable = false;
    why[0] = 0;
    if (!c || !p)
        goto done;
    subject_open(&x, s, c, bucket, options, target);
    *unable = true;
    check = c->end == CAPTURE_DIVERGED ? fl_check_name((enum fl_check)c->check) : c->hung ? "hang" : "crash";
    refusal = program_refusal(c);
    if (!refusal && !program_fill(p, &x, reason))
        refusal = reason;
    else if (!refusal && !shows(p, options))
        refusal = "what the judge saw is not in what one call of the core answers and does";
    if (refusal && !capture_diverges(c))
        snprintf(why, 512, "there is nothing to show: %.400s", refusal);
    else if (refusal)
        snprintf(why, 512, "a C program with the core alone cannot show a finding of check %s: %.400s", check, refusal);
    if (refusal)
        goto done;
    *unable = false;
    if (bucket && bucket->title[0])
        snprintf(title, sizeof title, "%s", bucket->title);
    else
        title_of(c, title);
    program_write(out, p, &x, title);
    ok = fflush(out) == 0 && !ferror(out);
done:
    capture_free(c);
    free(p);
    return ok;
}
