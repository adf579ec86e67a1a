/* SPDX-License-Identifier: MIT */
/* Corpora of shards become one, by content. */
#include "shards_test.h"

#include <dirent.h>

static void put(const char *folder, const char *name, const char *content)
{
    char path[400];

    CHECK(make_folder(at(folder)), "%s", folder);
    snprintf(path, sizeof path, "%s/%s/%s", root, folder, name);
    spill(path, content, strlen(content));
}

/* How many files of a folder have the content. */
static unsigned with(const char *folder, const char *content)
{
    char *paths[] = {(char *)(uintptr_t)at(folder)};
    unsigned n = 0;
    char text[256];
    DIR *dir = opendir(paths[0]);
    struct dirent *e;

    while (dir && (e = readdir(dir))) {
        char path[600];

        snprintf(path, sizeof path, "%s/%s", paths[0], e->d_name);
        text[slurp(path, (uint8_t *)text, sizeof text - 1)] = 0;
        n += e->d_type == DT_REG && (!content || strcmp(text, content) == 0);
    }
    if (dir)
        closedir(dir);
    return n;
}

int main(void)
{
    uint64_t files, copied;

    make_root();
    put("shards/0/corpus-v2/fault", "aa", "one");
    put("shards/0/corpus-v2/fault", "bb", "two");
    put("shards/1/corpus-v2/fault", "aa", "three"); /* same name, other content */
    put("shards/1/corpus-v2/fault", "cc", "two");   /* other name, same content */
    put("shards/1/corpus-v2/walk", "dd", "two");    /* other target */
    put("shards/1/corpus-v2/walk", ".hidden", "hidden");
    put("shards/1/corpus-v1/walk", "ee", "old encoding");
    put("shards/1/afl-v2/vmalloc/main/queue", "id:000000,orig", "four");
    put("shards/1/afl-v2/vmalloc/main/queue/.state", "x", "none of them");
    put("shards/1/afl-v2/vmalloc/main/crashes", "id:000000", "a crash");
    put("corpus-v2/fault", "zz", "one"); /* known to the whole */
    put("corpus-v2/fault", ".joining-1", "half made");
    CHECK(shards_join_corpora(root, &files, &copied), "joined");
    CHECK_EQ(files, 7, "inputs looked at");
    CHECK_EQ(copied, 5, "new ones");
    CHECK_EQ(with("corpus-v2/fault", "one"), 1, "known");
    CHECK_EQ(with("corpus-v2/fault", "two"), 1, "once");
    CHECK_EQ(with("corpus-v2/fault", "three"), 1, "a name says nothing");
    CHECK_EQ(with("corpus-v2/fault", NULL), 3, "nothing else");
    CHECK_EQ(with("corpus-v2/walk", "two"), 1, "each target has its own");
    CHECK_EQ(with("corpus-v2/walk", NULL), 1, "nothing else");
    CHECK_EQ(with("corpus-v1/walk", "old encoding"), 1, "each encoding has its own");
    CHECK_EQ(with("corpus-v2/vmalloc", "four"), 1, "what an AFL++ has not passed on");
    CHECK_EQ(with("corpus-v2/vmalloc", NULL), 1, "crashes are no corpus");
    CHECK(shards_join_corpora(root, &files, &copied), "joined again");
    CHECK_EQ(copied, 0, "nothing new");
    CHECK_EQ(with("corpus-v2/fault", NULL), 3, "as before");
    remove_all(root);
    mkdir(root, 0777);
    SAYS("only a campaign on several machines", "a folder without shards",
         CHECK(!shards_join_corpora(root, &files, &copied), "nothing to join"));
    remove_all(root);
    return check_done("corpora");
}
