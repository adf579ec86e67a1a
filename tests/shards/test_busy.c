/* SPDX-License-Identifier: MIT */
/* Shards that write while they are gathered, gathering that is killed, two that gather at once. */
#include "shards_test.h"

#include <signal.h>

#define WRITERS 2

static void write_on(unsigned number, int tell)
{
    struct store *s = shard(number);

    for (uint64_t i = 0; s; i++) {
        char key[32];
        bool is_new;

        /* Half of the artifacts are the other shard's as well. */
        snprintf(key, sizeof key, "busy/%u", (unsigned)(i % 5));
        if (i < 5)
            put_bucket(s, number,
                       &(struct made){.key = key, .first = 10, .last = 20, .by = "x", .build = "b", .nrecords = 3});
        if (!store_artifact_add(s, i * 2 + (i & 1) * number, key, NULL, "x", &is_new) ||
            write(tell, &i, sizeof i) != sizeof i)
            break;
    }
    _exit(1);
}

static uint64_t distinct(const uint64_t told[WRITERS])
{
    uint64_t n = 0;

    /* Even numbers are the same in both; odd ones differ by their key's digest. */
    for (uint64_t i = 0; i < told[0] || i < told[1]; i++)
        n += i & 1 ? (i < told[0]) + (uint64_t)(i < told[1]) : 1;
    return n;
}

static bool add_count(const struct bucket *b, void *ctx)
{
    *(uint64_t *)ctx += b->count;
    return true;
}

static uint64_t counted(void)
{
    struct store *s = open_whole();
    uint64_t n = 0;

    CHECK(store_buckets_each(s, add_count, &n), "buckets");
    store_close(s);
    return n;
}

static void test_writers(void)
{
    uint64_t told[WRITERS] = {0}, seen, last = 0;
    pid_t pids[WRITERS];
    int fds[WRITERS][2];
    struct gathered g;

    for (unsigned k = 0; k < WRITERS; k++) {
        store_close(shard(k)); /* no moment without a database */
        if (pipe(fds[k]) != 0 || (pids[k] = fork()) < 0)
            exit(1);
        if (pids[k] == 0)
            write_on(k, fds[k][1]);
        close(fds[k][1]);
    }
    for (unsigned i = 0; i < 25; i++) {
        uint64_t before;

        for (unsigned k = 0; k < WRITERS; k++) { /* what was told before is in what is gathered now */
            fcntl(fds[k][0], F_SETFL, i ? O_NONBLOCK : 0);
            for (unsigned m = 0; m < 2000 && read(fds[k][0], &before, sizeof before) == sizeof before; m++) {
                told[k]++;
                if (i == 0 && told[k] > 20)
                    break;
            }
        }
        CHECK(shards_gather(root, true, &g), "gathered while they write");
        CHECK_EQ(g.bad, 0, "a shard that writes can be read");
        seen = counted();
        CHECK(seen >= distinct(told), "%" PRIu64 " were told before, %" PRIu64 " are there", distinct(told), seen);
        CHECK(seen >= last, "nothing gets less");
        last = seen;
    }
    CHECK(told[0] > 20 && told[1] > 20, "they wrote meanwhile");
    for (unsigned k = 0; k < WRITERS; k++) {
        kill(pids[k], SIGKILL);
        waitpid(pids[k], NULL, 0);
        fcntl(fds[k][0], F_SETFL, 0);
        while (read(fds[k][0], &seen, sizeof seen) == sizeof seen)
            told[k]++;
        close(fds[k][0]);
    }
    CHECK(shards_gather(root, true, &g), "gathered after they were killed");
    CHECK_EQ(g.bad, 0, "what was killed can be read");
    seen = counted();
    CHECK(seen >= distinct(told) && seen <= distinct(told) + WRITERS, "told %" PRIu64 ", there are %" PRIu64,
          distinct(told), seen);
}

/* Killed at any moment, and two at once: the end is what one that was left alone makes. */
static void test_killed(void)
{
    uint64_t random = 1;
    char *want, *got;
    unsigned killed = 0;

    want = dump();
    CHECK(strlen(want) > 500, "something to compare");
    for (unsigned i = 0; i < 25; i++) {
        pid_t pids[2];
        unsigned gatherers = i % 5 == 4 ? 2 : 1;

        if (i % 3 == 0)
            for (unsigned n = 0; n < 3; n++) {
                static const char *const names[] = {"campaign.db", "campaign.db-wal", "campaign.db-shm"};

                unlink(at(names[n])); /* from nothing */
            }
        for (unsigned k = 0; k < gatherers; k++) {
            pids[k] = fork();
            if (pids[k] == 0)
                _exit(shards_gather(root, true, NULL) ? 0 : 1);
        }
        usleep((useconds_t)(check_random(&random) % 60000));
        for (unsigned k = 0; k < gatherers; k++) {
            int status;

            if (gatherers == 1)
                kill(pids[k], SIGKILL);
            waitpid(pids[k], &status, 0);
            killed += WIFSIGNALED(status);
            CHECK(gatherers == 1 || (WIFEXITED(status) && WEXITSTATUS(status) == 0), "one of two at once");
        }
    }
    CHECK(killed > 5, "only %u were killed in the middle", killed);
    CHECK(shards_gather(root, true, NULL), "gathered at last");
    got = dump();
    CHECK(strcmp(want, got) == 0, "as if nothing had happened");
    CHECK(access(at(".shards/lock"), F_OK) == 0, "the lock");
    free(want);
    free(got);
}

int main(void)
{
    make_root();
    mkdir(at("shards"), 0777);
    test_writers();
    test_killed();
    remove_all(root);
    return check_done("busy");
}
