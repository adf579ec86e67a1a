/* SPDX-License-Identifier: MIT */
/* The files that are named: read first, so that one which cannot be read is told before anything is run. */
#include "run.h"

#include <stdlib.h>
#include <string.h>

struct reading {
    struct inputs *in;
    struct fl_scenario scenario;
};

static enum fl_target target_of(const char *path)
{
    size_t size;
    char *text = read_text(path, &size);
    enum fl_target target = text ? target_of_text(text, size) : FL_TARGET_ALL;

    free(text);
    return target;
}

static bool read_one(const char *path, void *ctx)
{
    struct reading *r = ctx;
    struct inputs *in = r->in;
    struct input *one;

    if (!load_scenario(path, &r->scenario)) {
        in->unreadable++; /* and on to the next */
        return true;
    }
    in->list = grow_array(in->list, in->n, sizeof in->list[0]);
    one = &in->list[in->n++];
    memset(one, 0, sizeof *one);
    one->path = format_text("%s", path);
    one->target = target_of(path);
    one->size = fl_scenario_encode(&r->scenario, NULL, 0);
    one->bytes = malloc(one->size);
    if (!one->bytes) {
        complain("out of memory");
        exit(EXIT_INTERNAL);
    }
    fl_scenario_encode(&r->scenario, one->bytes, one->size);
    return true;
}

bool inputs_read(struct inputs *in, char *const *paths, size_t n)
{
    struct reading *r = calloc(1, sizeof *r);
    bool ok;

    if (!r) {
        complain("out of memory");
        exit(EXIT_INTERNAL);
    }
    r->in = in;
    ok = for_each_file(paths, n, read_one, r);
    free(r);
    return ok && in->unreadable == 0;
}

void inputs_free(struct inputs *in)
{
    for (size_t i = 0; i < in->n; i++) {
        free(in->list[i].path);
        free(in->list[i].bytes);
    }
    free(in->list);
}
