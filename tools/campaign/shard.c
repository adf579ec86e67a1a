/* SPDX-License-Identifier: MIT */
/*
 * faultline campaign shard DIR NUMBER [OPTION...]: what a task of the array runs. The options are those of start. A shard whose
 * folder has a campaign goes on with that: it was requeued, or submitted again, and has the rest of its time.
 */
#include "../shards/shards.h"
#include "campaign.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SEEDS_APART 1009ul /* engines take numbers above their campaign's; shards' ranges do not meet */
#define SEED_MOST   2147483647ul

struct shard_now {
    bool begun;
    double ran, limit; /* seconds; limit 0: none */
};

/* False: it complained: there is something, and it cannot be read. */
static bool look(const char *folder, struct shard_now *now)
{
    struct store *s;
    struct run run;
    char text[64];
    bool found, ok;

    memset(now, 0, sizeof *now);
    if (!store_is_folder(folder))
        return true;
    s = store_open(folder, STORE_WRITE);
    if (!s)
        return false;
    now->begun = store_option_get(s, "targets", text, sizeof text);
    if (store_option_get(s, "seconds", text, sizeof text))
        now->limit = strtod(text, NULL);
    ok = store_run_last(s, &run, &found);
    if (ok && found)
        now->ran = run.before + run.ran;
    store_close(s);
    return ok;
}

static bool number_of(const char *text, unsigned long most, unsigned *number)
{
    char *end;
    unsigned long value;

    errno = 0;
    value = strtoul(text, &end, 10);
    if (*text < '0' || *text > '9' || *end || errno || value > most)
        return false;
    *number = (unsigned)value;
    return true;
}

static int begin(int argc, char **argv, const char *folder, unsigned number)
{
    char **arguments = calloc((size_t)argc + 8, sizeof *arguments), seed[32];
    unsigned base = 1;
    int n = 0, code;

    if (!arguments) {
        complain("out of memory");
        return EXIT_INTERNAL;
    }
    arguments[n++] = (char *)"faultline campaign start";
    arguments[n++] = (char *)"--foreground";
    for (int i = 3; i < argc; i++) {
        if (strncmp(argv[i], "--seed=", 7) == 0 && (!number_of(argv[i] + 7, SEED_MOST, &base) || base == 0)) {
            complain("--seed: a number from 1 to %lu is expected, found \"%.60s\"", SEED_MOST, argv[i] + 7);
            free(arguments);
            return EXIT_INPUT;
        }
        arguments[n++] = argv[i];
    }
    snprintf(seed, sizeof seed, "--seed=%lu", 1 + (base - 1 + SEEDS_APART * number) % SEED_MOST);
    arguments[n++] = seed; /* the last one counts */
    arguments[n++] = (char *)"--";
    arguments[n++] = (char *)(uintptr_t)folder;
    code = campaign_start(n, arguments);
    free(arguments);
    return code;
}

static int go_on(const char *folder, const struct shard_now *now)
{
    char time[32], *arguments[6];
    int n = 0;

    arguments[n++] = (char *)"faultline campaign resume";
    arguments[n++] = (char *)"--foreground";
    if (now->limit > 0) {
        if (now->limit - now->ran < 1) {
            printf("%s: its time is over\n", folder);
            return EXIT_CLEAN;
        }
        snprintf(time, sizeof time, "--time=%.0f", now->limit - now->ran);
        arguments[n++] = time;
    }
    arguments[n++] = (char *)"--";
    arguments[n++] = (char *)(uintptr_t)folder;
    return campaign_resume(n, arguments);
}

int campaign_shard(int argc, char **argv)
{
    struct shard_now now;
    unsigned number;
    char *whole, *folder;
    int code = EXIT_INPUT;

    if (argc < 3 || !number_of(argv[2], SHARDS_MAX - 1, &number)) {
        complain(
            "usage: faultline campaign shard DIR NUMBER [OPTION of start...]: start --slurm writes scripts that do it");
        return EXIT_INPUT;
    }
    whole = campaign_folder(argv[1]);
    folder = format_text("%s/shards/%u", whole, number);
    if (look(folder, &now))
        code = now.begun ? go_on(folder, &now) : begin(argc, argv, folder, number);
    free(folder);
    free(whole);
    /* To Slurm a job that found something has done well. */
    return code == EXIT_FINDINGS ? EXIT_CLEAN : code;
}
