/* SPDX-License-Identifier: MIT */
/* What is in the folder of regressions, and how far it has come. */
#include "promote.h"
#include "../command.h"

#include <jansson.h>

static const char *stage_of(const struct corpus_entry *e)
{
    return stage_name(e->state.stage == STAGE_NONE ? STAGE_REGRESSION : e->state.stage);
}

int promote_list(const struct promote *p)
{
    struct corpus corpus;
    json_t *all = p->json ? json_array() : NULL;
    bool wrong;

    if (!corpus_read(p->corpus, &corpus)) {
        json_decref(all);
        return EXIT_INPUT;
    }
    for (size_t i = 0; i < corpus.n; i++) {
        const struct corpus_entry *e = &corpus.entries[i];

        if (all)
            json_array_append_new(all,
                                  json_pack("{s:i, s:s, s:s, s:s, s:s, s:s, s:i}", "number", (int)e->number, "file",
                                            e->path, "title", e->title, "key", e->key, "state", stage_of(e), "since",
                                            e->state.since, "clean_builds", (int)e->state.nbuilds));
        else
            printf("%s  %-10s  %-40s  %s\n", e->label, stage_of(e), e->title, e->key);
        for (unsigned k = 0; !all && k < e->state.nbuilds; k++)
            printf("      clean under %s\n", e->state.builds[k]);
    }
    if (all) {
        json_dumpf(all, stdout, JSON_INDENT(2));
        putchar('\n');
        json_decref(all);
    } else {
        printf("%zu regressions in %s\n", corpus.n, p->corpus);
    }
    wrong = corpus.wrong != 0;
    corpus_free(&corpus);
    return wrong ? EXIT_INPUT : EXIT_CLEAN;
}
