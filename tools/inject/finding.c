/* SPDX-License-Identifier: MIT */
/* Findings by key: the first repetition that shows one is replayed in a process of its own, told and written. */
#include "run.h"

#include <stdlib.h>
#include <string.h>

/* What the repetition has more than the file, line by line. */
static char *put_in(const struct input *from, const struct fl_scenario *s)
{
    struct fl_scenario *base = malloc(sizeof *base);
    char *text = NULL, line[256], mine[256];
    size_t size;
    FILE *out = open_memstream(&text, &size);
    uint32_t b = 0;

    if (!base || !out) {
        complain("out of memory");
        exit(EXIT_INTERNAL);
    }
    fl_scenario_decode(from->bytes, from->size, base);
    for (uint32_t i = 0; i < s->nrecords; i++) {
        bool more = s->nrecords - i > base->nrecords - b;

        fl_record_print(&s->records[i], line, sizeof line);
        mine[0] = 0;
        if (b < base->nrecords)
            fl_record_print(&base->records[b], mine, sizeof mine);
        if (!more || strcmp(line, mine) == 0)
            b++;
        else
            fprintf(out, "%s\n", line);
    }
    fclose(out);
    free(base);
    return text;
}

static void comment(FILE *out, const char *text)
{
    while (*text) {
        size_t n = strcspn(text, "\n");

        fprintf(out, "# %.*s\n", (int)n, text);
        text += n + (text[n] == '\n');
    }
}

static char *finding_text(const struct finding *f, const struct input *from, const struct fl_scenario *s, size_t *size)
{
    char *text = NULL, *body = NULL, *rest;
    size_t body_size;
    FILE *out = open_memstream(&text, size), *b = open_memstream(&body, &body_size);

    if (!out || !b) {
        complain("out of memory");
        exit(EXIT_INTERNAL);
    }
    fl_scenario_print(s, b);
    fclose(b);
    rest = strchr(body, '\n');
    rest = rest ? rest + 1 : body;
    fwrite(body, 1, (size_t)(rest - body), out);
    fprintf(out, "# finding: %s\n# found by: faultline inject, in %s\n# target: %s\n", f->key, from->path,
            fl_target_name(from->target));
    if (*f->text)
        fprintf(out, "# put in:\n");
    comment(out, f->text);
    comment(out, f->result.detail);
    fputs(rest, out);
    free(body);
    fclose(out);
    return text;
}

static void write_finding(struct finding *f, const struct inject_options *o, const struct input *from,
                          const struct fl_scenario *s)
{
    char name[240], *path, *text;
    size_t size;

    key_slug(f->key, name);
    path = format_text("%s/%s.scn", o->out, name);
    text = finding_text(f, from, s, &size);
    if (make_folder(o->out) && write_atomically(path, text, size)) /* else they have said why not */
        f->path = path;
    else
        free(path);
    free(text);
}

static struct finding *find(const struct findings *f, const char *key)
{
    for (size_t i = 0; i < f->n; i++)
        if (strcmp(f->list[i].asked, key) == 0 || strcmp(f->list[i].key, key) == 0)
            return &f->list[i];
    return NULL;
}

void findings_add(struct findings *all, const struct inject_options *o, struct replayer *r, const struct input *from,
                  const char *key, const struct fl_scenario *s)
{
    struct finding *f = find(all, key), *same;
    struct fl_scenario *seen;

    if (f || !s) {
        if (f)
            f->count++;
        return;
    }
    all->list = grow_array(all->list, all->n, sizeof all->list[0]);
    f = &all->list[all->n];
    memset(f, 0, sizeof *f);
    f->count = 1;
    snprintf(f->asked, sizeof f->asked, "%s", key);
    seen = malloc(sizeof *seen);
    if (!seen) {
        complain("out of memory");
        exit(EXIT_INTERNAL);
    }
    f->text = put_in(from, s);
    *seen = *s;
    replay_drop_skipped(seen, from->target); /* so that a replay of everything is a replay of this */
    replay_run(r, seen, from->target, &f->result);
    f->reproduced = f->result.end != REPLAY_CLEAN && f->result.end != REPLAY_NOTHING && f->result.end != REPLAY_UNABLE;
    snprintf(f->key, sizeof f->key, "%s", f->reproduced ? f->result.key : key);
    same = find(all, f->key);
    if (same) { /* the replay knows it by another name that has been told already */
        same->count++;
        free(f->text);
        free(seen);
        return;
    }
    f->file = from->path;
    all->n++;
    if (o->out)
        write_finding(f, o, from, seen);
    free(seen);
    report_finding(o, f);
}

void findings_free(struct findings *f)
{
    for (size_t i = 0; i < f->n; i++) {
        free(f->list[i].path);
        free(f->list[i].text);
    }
    free(f->list);
}
