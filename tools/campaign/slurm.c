/* SPDX-License-Identifier: MIT */
/*
 * A campaign on several machines: an array of Slurm jobs, each of which is a campaign of its own in DIR/shards/K, and a job that
 * merges them when all have ended. A task whose node is lost is queued again by Slurm, and goes on with what its folder has.
 *
 *   DIR/slurm/shard.sh, merge.sh  what the jobs run
 *   DIR/slurm/submit.sh           submits both; resume runs it again
 *   DIR/slurm/shard-K.log, merge.log
 */
#include "../shards/shards.h"
#include "campaign.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define WARNING 180 /* seconds before Slurm's time limit: engines end, the last findings are minimised */
#define MARGIN  600 /* seconds that Slurm's limit is above --time */
#define PATIENT 240 /* seconds that stop waits for the shards to end by themselves */
#define FORCED  30  /* and then for Slurm to end them */

bool slurm_there(void)
{
    if (batch_there())
        return true;
    complain("--slurm: there is no sbatch on this machine: start from one that can submit jobs, or install Slurm's "
             "commands (Debian: slurm-client)");
    return false;
}

bool slurm_is(struct store *s)
{
    char text[8];

    return store_option_get(s, "slurm", text, sizeof text) && strcmp(text, "1") == 0;
}

/* ---- scripts ------------------------------------------------------------------------------------------------------------- */

/* In single quotes, for a shell. */
static void quote(FILE *out, const char *text)
{
    putc('\'', out);
    for (; *text; text++)
        if (*text == '\'')
            fputs("'\\''", out);
        else
            putc(*text, out);
    putc('\'', out);
}

static void head(FILE *out, const struct campaign_options *o, const char *what)
{
    fprintf(out, "#!/bin/sh\n# Written by faultline campaign start --slurm: %s\n", what);
    fputs("FAULTLINE_ROOT=", out);
    quote(out, o->root);
    fputs("\nFAULTLINE_BUILD=", out);
    quote(out, o->build);
    fputs("\nexport FAULTLINE_ROOT FAULTLINE_BUILD\n", out);
}

static void word(FILE *out, const char *format, const char *value)
{
    char *text = format_text(format, value);

    putc(' ', out);
    quote(out, text);
    free(text);
}

static void targets_word(FILE *out, const struct campaign_options *o)
{
    char names[128] = "--target=";
    size_t n = strlen(names);

    for (unsigned t = 0; t < FL_TARGET_ALL; t++)
        if (o->target[t])
            n += (size_t)snprintf(names + n, sizeof names - n, "%s%s", names[n - 1] == '=' ? "" : ",",
                                  fl_target_name((enum fl_target)t));
    word(out, "%s", names);
}

static unsigned drawn_seed(void)
{
    unsigned seed;

    if (getrandom(&seed, sizeof seed, 0) != (ssize_t)sizeof seed)
        seed = (unsigned)time(NULL) ^ (unsigned)getpid() << 12;
    return 1 + seed % 2147483646u;
}

static void shard_script(FILE *out, const struct campaign_options *o, const char *program)
{
    head(out, o, "one task of the array, which is one shard.");
    /* The program takes the shell's place, so that Slurm's signal before the end of the time comes to it. */
    fputs("exec ", out);
    quote(out, program);
    fputs(" campaign shard", out);
    word(out, "%s", o->folder);
    fputs(" \"$SLURM_ARRAY_TASK_ID\"", out);
    targets_word(out, o);
    fprintf(out, " --engine=%s --jobs=%u --min-free=%" PRIu64,
            o->engine[0] && o->engine[1] ? "both"
            : o->engine[0]               ? engine_name(ENGINE_LIBFUZZER)
                                         : engine_name(ENGINE_AFL),
            o->slots, o->min_free);
    if (o->seconds > 0)
        fprintf(out, " --time=%.0f", o->seconds);
    /* Noted here, so that what a resumed shard does is told by its script, and drawn, so that no two campaigns do the same. */
    fprintf(out, " --seed=%u", o->seed ? o->seed : drawn_seed());
    if (!o->executor)
        fputs(" --no-executor", out);
    word(out, "--core=%s",
         o->core ? o->core : ""); /* also where it is the one in this tree, whatever the nodes' environment says */
    putc('\n', out);
}

static void merge_script(FILE *out, const struct campaign_options *o, const char *program)
{
    head(out, o, "merges what the shards have.");
    quote(out, program);
    fputs(" campaign merge --", out);
    word(out, "%s", o->folder);
    /* Findings (1) are no failure of the job. */
    fputs("\ncode=$?\n[ $code = 1 ] && exit 0\nexit $code\n", out);
}

static void common_words(FILE *out, const struct campaign_options *o, const char *log)
{
    fputs(" --parsable --requeue --open-mode=append", out);
    word(out, "--chdir=%s", o->folder);
    word(out, "--output=%s", log);
    if (o->partition)
        word(out, "--partition=%s", o->partition);
    for (unsigned i = 0; i < o->nsbatch; i++)
        word(out, "%s", o->sbatch[i]);
}

static void submit_script(FILE *out, const struct campaign_options *o)
{
    char *shard_log = format_text("%s/slurm/shard-%%a.log", o->folder);
    char *merge_log = format_text("%s/slurm/merge.log", o->folder);

    fputs(
        "#!/bin/sh\n# Written by faultline campaign start --slurm: submits the shards, and the job that merges them afterwards.\n"
        "# Prints both job numbers.\nshards=$(sbatch --job-name=faultline-shard",
        out);
    fprintf(out, " --array=0-%u --ntasks=1 --cpus-per-task=%u --signal=B:TERM@%d", o->shards - 1, o->slots, WARNING);
    if (o->seconds > 0)
        fprintf(out, " --time=%.0f", (o->seconds + MARGIN + 59) / 60);
    common_words(out, o, shard_log);
    word(out, "%s/slurm/shard.sh", o->folder);
    fputs(
        ") || exit 2\nshards=${shards%%;*}\nmerge=$(sbatch --job-name=faultline-merge --ntasks=1 --dependency=afterany:\"$shards\"",
        out);
    common_words(out, o, merge_log);
    word(out, "%s/slurm/merge.sh", o->folder);
    fputs(") || { scancel \"$shards\"; exit 2; }\necho \"$shards ${merge%%;*}\"\n", out);
    free(merge_log);
    free(shard_log);
}

enum script { SCRIPT_SHARD, SCRIPT_MERGE, SCRIPT_SUBMIT };

static bool write_script(const struct campaign_options *o, const char *name, enum script which, const char *program)
{
    char *path = format_text("%s/slurm/%s", o->folder, name), *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    bool ok = out != NULL;

    if (ok && which == SCRIPT_SHARD)
        shard_script(out, o, program);
    else if (ok && which == SCRIPT_MERGE)
        merge_script(out, o, program);
    else if (ok)
        submit_script(out, o);
    ok = ok && fclose(out) == 0 && write_atomically(path, text, size);
    if (ok && chmod(path, 0777 & ~umask(umask(0))) != 0) {
        complain("%s: %s", path, strerror(errno));
        ok = false;
    }
    free(text);
    free(path);
    return ok;
}

/* ---- submitting ---------------------------------------------------------------------------------------------------------- */

static bool store_jobs(const char *folder, const char *shards, const char *merge)
{
    struct store *s = store_open(folder, STORE_WRITE);
    bool ok = s && store_option_set(s, "slurm_job", shards) && store_option_set(s, "slurm_merge_job", merge);

    store_close(s);
    return ok;
}

static int submit(const char *folder)
{
    char *script = format_text("%s/slurm/submit.sh", folder), says[300], shards[32] = "", merge[32] = "";
    char *answer = batch_run((char *[]){(char *)"/bin/sh", script, NULL}, says);
    int code = EXIT_INPUT;

    if (!answer) {
        complain("%s: %s; mend it, then faultline campaign resume %s", script, says, folder);
    } else if (sscanf(answer, "%31[0-9] %31[0-9]", shards, merge) != 2) {
        complain("%s: sbatch answered \"%.60s\", which is no job", script, answer);
    } else {
        if (!store_jobs(folder, shards, merge))
            complain("%s: jobs %s and %s are submitted all the same: scancel ends them", folder, shards, merge);
        else
            code = EXIT_CLEAN;
        printf("campaign submitted from %s\n  shards:   job %s\n  merging:  job %s, when they have ended\n"
               "  watch it: ./faultline campaign status %s\n  end it:   ./faultline campaign stop %s\n"
               "  logs:     %s/slurm/\n",
               folder, shards, merge, folder, folder, folder);
    }
    free(answer);
    free(script);
    return code;
}

int slurm_start(const struct campaign_options *o)
{
    char program[PATH_MAX], number[16], *place = format_text("%s/slurm", o->folder),
                                        *shards = format_text("%s/shards", o->folder);
    ssize_t n = readlink("/proc/self/exe", program, sizeof program - 1);
    struct store *s = NULL;
    bool ok = n > 0 && make_folder(place) && make_folder(shards);

    if (ok) {
        program[n] = 0;
        snprintf(number, sizeof number, "%u", o->shards);
        ok = write_script(o, "shard.sh", SCRIPT_SHARD, program) && write_script(o, "merge.sh", SCRIPT_MERGE, program) &&
             write_script(o, "submit.sh", SCRIPT_SUBMIT, program) && (s = store_open(o->folder, STORE_WRITE)) &&
             store_option_set(s, "shards", number) && store_option_set(s, "slurm", "1");
        store_close(s);
    }
    free(shards);
    free(place);
    return ok ? submit(o->folder) : EXIT_INPUT;
}

/* ---- asking -------------------------------------------------------------------------------------------------------------- */

static bool job_of(const char *folder, const char *option, char job[32])
{
    struct store *s = store_open(folder, STORE_READ);
    bool ok = s && store_option_get(s, option, job, 32) && job[0] && strspn(job, "0123456789") == strlen(job);

    store_close(s);
    return ok;
}

/* States in which a task holds a node, or is going to. */
static bool goes_on(const char *state)
{
    static const char *const states[] = {"PENDING",   "RUNNING",      "SUSPENDED",   "COMPLETING", "CONFIGURING",
                                         "REQUEUED",  "REQUEUE_HOLD", "REQUEUE_FED", "RESIZING",   "SIGNALING",
                                         "STAGE_OUT", "STOPPED",      "SPECIAL_EXIT"};

    for (size_t i = 0; i < sizeof states / sizeof states[0]; i++)
        if (strcmp(state, states[i]) == 0)
            return true;
    return false;
}

/* False: Slurm cannot be asked. A job that it has forgotten has ended. */
static bool working(const char *job, size_t *running)
{
    char says[300], *answer;
    struct batch_task *tasks;
    size_t n;

    *running = 0;
    answer = batch_run((char *[]){(char *)"scontrol", (char *)"ping", NULL}, says);
    if (!answer) {
        complain("Slurm cannot be asked: %s", says);
        return false;
    }
    free(answer);
    tasks = batch_tasks(job, &n);
    for (size_t i = 0; i < n; i++)
        *running += goes_on(tasks[i].state);
    free(tasks);
    return true;
}

int slurm_resume(const char *folder)
{
    char job[32];
    size_t n;

    if (!slurm_there())
        return EXIT_INPUT;
    if (job_of(folder, "slurm_job", job)) {
        if (!working(job, &n))
            return EXIT_INPUT;
        if (n) {
            complain("%s: %zu tasks of job %s have not ended: faultline campaign status %s", folder, n, job, folder);
            return EXIT_INPUT;
        }
    }
    return submit(folder);
}

/* more: one more argument, or NULL. */
static void cancel(const char *job, const char *how, const char *more)
{
    char *argv[] = {(char *)"scancel",      (char *)"--quiet",       (char *)(uintptr_t)how,
                    (char *)(uintptr_t)job, (char *)(uintptr_t)more, NULL};
    char says[300];

    free(batch_run(argv, says)); /* a task that has ended meanwhile is no trouble */
}

/* Those that wait are taken away; those that run are asked to end, and end well. */
static bool end_shards(const char *folder, const char *job)
{
    time_t began = time(NULL);
    bool forced = false;
    size_t n;

    for (unsigned turn = 0;; turn++) {
        if (!working(job, &n))
            return false;
        if (n == 0)
            return true;
        if (turn == 5)
            fprintf(stderr, "faultline: waiting for %zu shards to end\n", n);
        if (turn % 20 == 0 && !forced) {
            cancel(job, "--state=PENDING", NULL);
            cancel(job, "--signal=TERM", "--batch");
        }
        if (time(NULL) - began > PATIENT && !forced) {
            complain("%s: %zu shards of job %s have not ended in %d s, and are cancelled", folder, n, job, PATIENT);
            cancel(job, "--state=RUNNING", NULL);
            forced = true;
        }
        if (time(NULL) - began > PATIENT + FORCED) {
            complain("%s: job %s does not end: see squeue -j %s", folder, job, job);
            return false;
        }
        usleep(500000);
    }
}

int slurm_stop(const char *folder, bool json)
{
    char job[32], merge[32];

    if (job_of(folder, "slurm_job", job)) {
        if (!slurm_there())
            return EXIT_INPUT;
        if (job_of(folder, "slurm_merge_job", merge))
            cancel(merge, "--state=PENDING", NULL); /* it is done here */
        if (!end_shards(folder, job))
            return EXIT_INTERNAL;
    }
    return shards_merge(folder, false, json);
}
