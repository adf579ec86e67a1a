/* SPDX-License-Identifier: MIT */
/* How far a promoted scenario has come: the comment "# state: ...". */
#include "corpus.h"
#include "../command.h"

#include <stdlib.h>
#include <string.h>

/* The next word at *p, or false at the end, at a comma, or where the word does not fit. */
static bool word(const char **p, char *out, size_t size)
{
    size_t n;

    *p += strspn(*p, " \t");
    n = strcspn(*p, " \t,");
    if (n == 0 || n >= size)
        return false;
    memcpy(out, *p, n);
    out[n] = 0;
    *p += n;
    return true;
}

bool state_parse(const char *text, struct corpus_state *out)
{
    struct corpus_state s = {0};
    char got[STORE_BUILD];
    const char *p = text;

    if (!word(&p, got, sizeof got))
        return false;
    for (s.stage = STAGE_CRASHING; s.stage < STAGES && strcmp(got, stage_name(s.stage)) != 0; s.stage++)
        ;
    if (s.stage == STAGES)
        return false;
    p += strspn(p, " \t");
    if (*p && *p != ',' &&
        (!word(&p, got, sizeof got) || strcmp(got, "since") != 0 || !word(&p, s.since, sizeof s.since)))
        return false;
    p += strspn(p, " \t");
    if (*p == ',' && s.stage == STAGE_INCUBATING) {
        p++;
        if (!word(&p, got, sizeof got) || strcmp(got, "clean") != 0 || !word(&p, got, sizeof got) ||
            strcmp(got, "under") != 0)
            return false;
        while (s.nbuilds < CORPUS_BUILDS && word(&p, s.builds[s.nbuilds], STORE_BUILD))
            s.nbuilds++;
        p += strspn(p, " \t");
    }
    if (*p)
        return false;
    *out = s;
    return true;
}

void state_print(const struct corpus_state *state, char out[1000])
{
    int n = snprintf(out, 1000, "%s%s%s%s", stage_name(state->stage), state->since[0] ? " since " : "", state->since,
                     state->nbuilds ? ", clean under" : "");

    for (unsigned i = 0; i < state->nbuilds && n < 1000; i++)
        n += snprintf(out + n, 1000 - (size_t)n, " %s", state->builds[i]);
}

char *state_replace(const struct corpus_entry *e, const struct corpus_state *state, size_t *size)
{
    const char *p = strchr(e->text, '\n'), *from, *to;
    char line[1000], *out;

    p = from = to = p ? p + 1 : e->text + e->size;
    while (*p == '#') {
        const char *end = p + strcspn(p, "\n"), *words = p + 1;

        end += *end == '\n';
        words += *words == ' ';
        from = to = end;
        if (strncmp(words, "state:", 6) == 0) {
            from = p;
            break;
        }
        p = end;
    }
    state_print(state, line);
    out = format_text("%.*s%s# state: %s\n%s", (int)(from - e->text), e->text,
                      from > e->text && from[-1] != '\n' ? "\n" : "", line, to);
    *size = strlen(out);
    return out;
}
