/* SPDX-License-Identifier: MIT */
/* Every vector of a file against the architectural walk: test_vectors FILE COUNT. */
#include "check.h"

#include <faultline/oracle/vectors.h>

#define MAX_CLASSES 256

static struct {
    char name[FL_VECTOR_CLASS_SIZE];
    unsigned count;
} classes[MAX_CLASSES];
static unsigned nclasses;

static void count_class(const struct fl_vector *v)
{
    char name[FL_VECTOR_CLASS_SIZE];
    unsigned i = 0;

    fl_vector_class(v, name);
    while (i < nclasses && strcmp(classes[i].name, name) != 0)
        i++;
    if (i == MAX_CLASSES) {
        CHECK(false, "more than %d classes", MAX_CLASSES);
        return;
    }
    if (i == nclasses)
        memcpy(classes[nclasses++].name, name, sizeof name);
    classes[i].count++;
}

int main(int argc, char **argv)
{
    struct fl_vectors_error error;
    struct fl_vectors *reader;
    struct fl_vector v;
    uint64_t count = 0, compared = 0;
    bool end = false;

    if (argc != 3) {
        fprintf(stderr, "usage: test_vectors FILE COUNT\n");
        return 2;
    }
    if (fl_vectors_open(argv[1], &reader, &error) != FL_OK) {
        fprintf(stderr, "%s: %s\n", argv[1], error.text);
        return 2;
    }
    for (;;) {
        struct fl_vector_verdict verdict;
        enum fl_status status = fl_vectors_next(reader, &v, &end, &error);

        CHECK_EQ(status, FL_OK, "%s:%" PRIu64 ":%" PRIu32 ": %s", argv[1], error.line, error.column, error.text);
        if (status != FL_OK || end)
            break;
        CHECK_EQ(fl_vector_judge_arch(&v, &verdict), FL_OK, "%s:%" PRIu64, argv[1], v.line);
        CHECK(verdict.matches, "%s:%" PRIu64 ": %s", argv[1], v.line, verdict.line);
        count_class(&v);
        compared += verdict.compared;
        count++;
    }
    fl_vectors_close(reader);
    for (unsigned i = 0; i < nclasses; i++)
        printf("%-20s %6u\n", classes[i].name, classes[i].count);
    printf("%" PRIu64 " vectors, %" PRIu64 " comparisons in %u classes\n", count, compared, nclasses);
    CHECK_EQ(count, strtoull(argv[2], NULL, 10), "vectors in %s", argv[1]);
    return check_done("vectors");
}
