/* SPDX-License-Identifier: MIT */
/* Files and folders that are not as they should be: one line, and left as they are. */
#include "store_test.h"

/* ---- strange files ------------------------------------------------------------------------------------------------ */

static void set_byte(uint8_t *data, size_t offset, uint8_t value)
{
    data[offset] = value;
}

static void test_foreign(void)
{
    static uint8_t image[1 << 20], after[1 << 20];
    const char *db = at("foreign/campaign.db");
    static const struct {
        const char *says;
        size_t size, offset; /* 0: of the image; nothing changed */
        uint8_t value;
        bool random;
    } cases[] = {
        {"not a database", 5000, 0, 0, true},
        {"empty file", 1, 0, 0, true}, /* cut to nothing below */
        {"not a database", 50, 0, 0, false},
        {"not one of Faultline", 0, 68, 1, false},
        {"newer Faultline (version 9 of the format, this one knows 1)", 0, 63, 9, false},
    };
    char path[256];
    uint64_t random = 7;
    size_t size;

    store_close(open_new("foreign"));
    snprintf(path, sizeof path, "%s", db);
    size = slurp(path, image, sizeof image);
    for (unsigned i = 0; i < 5; i++) {
        static uint8_t data[1 << 20];
        size_t n = cases[i].size ? cases[i].size : size, got;

        memcpy(data, image, size);
        for (size_t k = 0; cases[i].random && k < n; k++)
            data[k] = (uint8_t)check_random(&random);
        if (cases[i].offset)
            set_byte(data, cases[i].offset, cases[i].value);
        n = i == 1 ? 0 : n;
        spill(path, data, n);
        for (enum store_mode mode = STORE_READ; mode <= STORE_CREATE; mode++)
            SAYS(cases[i].says, "a foreign file", CHECK(!store_open(at("foreign"), mode), "case %u opens", i));
        got = slurp(path, after, sizeof after);
        CHECK(got == n && memcmp(after, data, n) == 0, "case %u: the file was changed", i);
    }
    unlink(path);
    mkdir(path, 0777);
    SAYS("not a file", "a folder", CHECK(!store_open(at("foreign"), STORE_CREATE), "a folder opens"));
    SAYS("no such campaign folder", "nowhere", CHECK(!store_open(at("nowhere"), STORE_READ), "nowhere opens"));
    mkdir(at("empty"), 0777);
    SAYS("has no campaign.db", "an empty folder", CHECK(!store_open(at("empty"), STORE_WRITE), "empty opens"));
    SAYS("not-a-folder", "a file as folder", spill(at("not-a-folder"), "x", 1);
         CHECK(!store_open(at("not-a-folder"), STORE_CREATE), "a file opens"));
}

/* Bytes changed anywhere: an answer or one line, never a crash, and what was not understood is not written over. */
static void test_corrupt(void)
{
    static uint8_t image[1 << 20], data[1 << 20], after[1 << 20];
    struct store *s = open_new("corrupt");
    uint64_t random = 3;
    unsigned refused = 0, rounds = 150;
    size_t size;
    char path[256];

    snprintf(path, sizeof path, "%s", at("corrupt/campaign.db"));
    for (unsigned i = 0; i < 200; i++) {
        struct bucket b;
        char key[64];
        bool is_new;

        snprintf(key, sizeof key, "decision/row-%u/served/refused", i);
        b = bucket(key);
        snprintf(b.detail, sizeof b.detail, "%0200u", i);
        CHECK(store_begin(s) && store_bucket_put(s, &b) && store_artifact_add(s, i, key, NULL, "x", &is_new) &&
                  store_commit(s),
              "fill");
    }
    store_close(s); /* the last one leaves no -wal */
    size = slurp(path, image, sizeof image);
    CHECK(size > 20000 && size < sizeof image, "%zu bytes", size);
    for (unsigned round = 0; round < rounds; round++) {
        pid_t pid;
        int status;
        unsigned changes = 1 + (unsigned)(check_random(&random) % 20);

        memcpy(data, image, size);
        for (unsigned k = 0; k < changes; k++)
            data[check_random(&random) % (k == 0 ? 4096 : size)] = (uint8_t)check_random(&random);
        spill(path, data, size);
        pid = fork();
        if (pid == 0) {
            struct seen seen = {0};
            struct bucket b = bucket("new");
            uint64_t n;
            int null = open("/dev/null", O_WRONLY);

            dup2(null, 2);
            alarm(20);
            s = store_open(at("corrupt"), round % 2 ? STORE_WRITE : STORE_READ);
            if (!s)
                _exit(2);
            store_buckets_each(s, see, &seen);
            store_open_findings(s, &n);
            if (round % 2)
                store_bucket_put(s, &b);
            store_close(s);
            _exit(0);
        }
        waitpid(pid, &status, 0);
        CHECK(WIFEXITED(status), "round %u: ended by signal %d", round, WTERMSIG(status));
        if (WIFEXITED(status) && WEXITSTATUS(status) == 2) {
            refused++;
            CHECK(slurp(path, after, sizeof after) == size && memcmp(after, data, size) == 0,
                  "round %u: refused, and yet changed", round);
        }
        unlink(at("corrupt/campaign.db-wal"));
        unlink(at("corrupt/campaign.db-shm"));
    }
    CHECK(refused > rounds / 4, "only %u of %u corrupt databases were told", refused, rounds);

    /* A page in the middle that is nonsense: told as what it is. */
    memcpy(data, image, size);
    memset(data + 4096 * 3, 0xa5, 4096);
    spill(path, data, size);
    SAYS("campaign.db: corrupt: ", "a lost page", CHECK(!store_open(at("corrupt"), STORE_READ), "it opens"));
    SAYS("/findings` makes it anew", "a lost page", CHECK(!store_open(at("corrupt"), STORE_WRITE), "it opens"));
}

/* Rows that SQLite finds nothing wrong with. */
static void test_hostile_rows(void)
{
    static const struct {
        const char *sql, *says;
    } cases[] = {
        {"UPDATE buckets SET file = '../../etc/passwd'", "has file \"../../etc/passwd\""},
        {"UPDATE buckets SET file = '/etc/passwd'", "has file"},
        {"UPDATE buckets SET status = 77", "has status \"77\""},
        {"UPDATE buckets SET severity = -1", "has severity \"-1\""},
        {"UPDATE buckets SET record = 5000000000", "has record"},
    };
    struct bucket b = bucket("a/b/c/d"), got;
    bool found;

    for (unsigned i = 0; i < 5; i++) {
        struct store *s = open_new("hostile");
        sqlite3 *db;

        CHECK(store_bucket_put(s, &b), "put");
        CHECK(sqlite3_open(at("hostile/campaign.db"), &db) == SQLITE_OK &&
                  sqlite3_exec(db, cases[i].sql, NULL, NULL, NULL) == SQLITE_OK,
              "%s", cases[i].sql);
        sqlite3_close(db);
        SAYS(cases[i].says, cases[i].sql, CHECK(!store_bucket_get(s, b.key, &got, &found), "%s", cases[i].sql));
        store_close(s);
    }
    {
        struct store *s = open_new("hostile");
        sqlite3 *db;

        CHECK(store_bucket_put(s, &b), "put");
        CHECK(sqlite3_open(at("hostile/campaign.db"), &db) == SQLITE_OK &&
                  sqlite3_exec(db,
                               "UPDATE buckets SET title = 'a' || char(27) || '[2J' || x'ff' || char(10) || 'b', "
                               "detail = 'x' || char(10) || char(7)",
                               NULL, NULL, NULL) == SQLITE_OK,
              "control characters");
        sqlite3_close(db);
        CHECK(store_bucket_get(s, b.key, &got, &found) && found, "get");
        CHECK(strcmp(got.title, "a?[2J\?\?b") == 0, "title \"%s\"", got.title);
        CHECK(strcmp(got.detail, "x\n?") == 0, "detail \"%s\"", got.detail);
        store_close(s);
    }
}

/* ---- folders ------------------------------------------------------------------------------------------------------ */

/* In a child without root's rights: does open answer and say what it should? */
static void as_nobody(const char *name, enum store_mode mode, bool opens, const char *says)
{
    pid_t pid = fork();
    int status;

    if (pid == 0) {
        struct store *s = NULL;
        struct seen seen = {0};
        bool ok;

        check_failures = 0;
        if (geteuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0))
            _exit(3);
        if (says)
            SAYS(says, name, s = store_open(at(name), mode));
        else
            s = store_open(at(name), mode);
        ok = (s != NULL) == opens && (!s || (store_buckets_each(s, see, &seen) && seen.n == 1));
        store_close(s);
        _exit(!ok || check_failures);
    }
    waitpid(pid, &status, 0);
    CHECK_EQ(status, 0, "%s, mode %d, opens %d", name, (int)mode, opens);
}

static void test_permissions(void)
{
    struct bucket b = bucket("a/b/c/d");
    struct store *s = open_new("unwritable");

    CHECK(store_bucket_put(s, &b), "put");
    store_close(s);
    chmod(root, 0755);
    chmod(at("unwritable"), 0555);
    chmod(at("unwritable/campaign.db"), 0444);
    as_nobody("unwritable", STORE_READ, true, NULL);
    as_nobody("unwritable", STORE_WRITE, false, "cannot be written to");
    as_nobody("unwritable", STORE_CREATE, false, "cannot be written to");
    as_nobody("unwritable/below", STORE_CREATE, false, "cannot make this folder");
    chmod(at("unwritable/campaign.db"), 0);
    as_nobody("unwritable", STORE_READ, false, "campaign.db: Permission denied");
    chmod(at("unwritable/campaign.db"), 0444);

    /* Read while it is being written, from a folder that the reader cannot write to: the -wal counts. */
    chmod(at("unwritable"), 0755);
    s = store_open(at("unwritable"), STORE_WRITE);
    snprintf(b.title, sizeof b.title, "new");
    CHECK(s && store_bucket_put(s, &b), "put");
    as_nobody("unwritable", STORE_READ, true, NULL);
    store_close(s);
}

static void test_vanished(void)
{
    struct bucket b = bucket("a/b/c/d"), got;
    struct store *s = open_new("vanished"), *other;
    bool found;

    CHECK(store_bucket_put(s, &b), "put");
    remove_all(at("vanished"));
    SAYS("was removed or replaced", "a removed folder", CHECK(!store_bucket_put(s, &b), "put after removal"));
    CHECK(store_begin(s), "begin");
    store_bucket_put(s, &b);
    SAYS("was removed or replaced", "a removed folder", CHECK(!store_commit(s), "commit after removal"));
    other = open_new("vanished");
    SAYS("was removed or replaced", "a replaced folder", CHECK(!store_bucket_put(s, &b), "put after replacement"));
    CHECK(store_bucket_get(other, b.key, &got, &found) && !found, "nothing got into the new one");
    store_close(other);
    store_close(s);
}

int main(void)
{
    make_root();
    test_foreign();
    test_corrupt();
    test_hostile_rows();
    test_permissions();
    test_vanished();
    remove_all(root);
    return check_done("store-strange");
}
