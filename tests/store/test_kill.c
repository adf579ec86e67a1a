/* SPDX-License-Identifier: MIT */
/* Several processes, and processes that are killed: what was answered true is there. */
#include "store_test.h"

#include <signal.h>

/* Children are killed at any moment, in and between transactions; what they said was stored is there. */
static void test_kill(void)
{
    uint64_t random = 1;
    unsigned told_before = 0, next = 0;
    struct bucket got;
    bool found;

    store_close(open_new("kill"));
    for (unsigned round = 0; round < 12; round++) {
        struct store *s;
        int fds[2];
        unsigned told = 0, n = 0;
        pid_t pid;

        if (pipe(fds) != 0 || (pid = fork()) < 0)
            exit(1);
        if (pid == 0) {
            s = store_open(at("kill"), STORE_WRITE);
            for (unsigned i = next; s; i++) {
                struct bucket b;
                char key[32];
                bool is_new;

                snprintf(key, sizeof key, "kill/%u", i);
                b = bucket(key);
                if (!store_begin(s) || !store_bucket_put(s, &b) || !store_artifact_add(s, i, key, NULL, "x", &is_new) ||
                    !store_commit(s) || write(fds[1], &i, sizeof i) != sizeof i)
                    break;
            }
            _exit(1);
        }
        close(fds[1]);
        usleep((useconds_t)(check_random(&random) % 40000) + 20000);
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
        while (read(fds[0], &told, sizeof told) == sizeof told)
            n++;
        close(fds[0]);
        s = store_open(at("kill"), STORE_READ);
        CHECK(s != NULL, "it opens after a kill");
        for (unsigned i = next; s && i < next + n; i++) {
            char key[32];

            snprintf(key, sizeof key, "kill/%u", i);
            CHECK(store_bucket_get(s, key, &got, &found) && found, "%s was told and is not there", key);
            CHECK_EQ(got.count, 1, "%s: half of a transaction", key);
        }
        store_close(s);
        told_before += n;
        next += n + 1;
    }
    CHECK(told_before > 0, "no child stored anything");
}

static void test_two_writers(void)
{
    struct bucket b = bucket("shared"), got;
    struct store *s = open_new("two");
    bool found;
    pid_t pids[2];

    CHECK(store_bucket_put(s, &b), "put");
    store_close(s);
    for (unsigned p = 0; p < 2; p++) {
        pids[p] = fork();
        if (pids[p] == 0) {
            bool is_new, ok;

            s = store_open(at("two"), STORE_CREATE);
            ok = s != NULL;
            for (uint64_t i = 0; ok && i < 60; i++)
                ok = store_artifact_add(s, i * 2 + p, "shared", NULL, "x", &is_new) && is_new;
            store_close(s);
            _exit(!ok);
        }
    }
    for (unsigned p = 0; p < 2; p++) {
        int status;

        waitpid(pids[p], &status, 0);
        CHECK_EQ(status, 0, "writer %u", p);
    }
    s = store_open(at("two"), STORE_READ);
    CHECK(store_bucket_get(s, "shared", &got, &found) && got.count == 120, "count is %" PRIu64, got.count);
    store_close(s);
}

/* Two processes make the same database at once: both have it, and it is one. */
static void test_two_creators(void)
{
    for (unsigned round = 0; round < 10; round++) {
        pid_t pids[4];
        char name[32];
        struct store *s;
        struct seen seen = {0};

        snprintf(name, sizeof name, "creators-%u", round);
        for (unsigned p = 0; p < 4; p++) {
            pids[p] = fork();
            if (pids[p] == 0) {
                struct bucket b;
                char key[8];

                snprintf(key, sizeof key, "k%u", p);
                b = bucket(key);
                s = store_open(at(name), STORE_CREATE);
                _exit(!(s && store_bucket_put(s, &b)));
            }
        }
        for (unsigned p = 0; p < 4; p++) {
            int status;

            waitpid(pids[p], &status, 0);
            CHECK_EQ(status, 0, "creator %u", p);
        }
        s = store_open(at(name), STORE_READ);
        CHECK(s && store_buckets_each(s, see, &seen) && seen.n == 4, "%u of 4 buckets", seen.n);
        store_close(s);
    }
}

int main(void)
{
    make_root();
    test_kill();
    test_two_writers();
    test_two_creators();
    remove_all(root);
    return check_done("store-kill");
}
