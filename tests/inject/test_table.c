/* SPDX-License-Identifier: MIT */
/*
 * docs/inject.md lists the kinds of answers. Its rows are those of the code, no more and no fewer; and each of them is given
 * in some repetition of the scenarios here. test_table SCENARIOS DOCUMENT
 */
#include "runs.h"

#define MOST 128

struct row {
    char op[32], answer[32], kind[64];
};
static struct row rows[2][MOST]; /* `answer`, `inject` */
static unsigned nrows[2];

static void cell(const char **at, char *to, size_t size)
{
    size_t n = 0;

    *at += strspn(*at, "| `");
    while (**at && **at != '`' && **at != '|' && n + 1 < size)
        to[n++] = *(*at)++;
    while (n && to[n - 1] == ' ')
        n--;
    to[n] = 0;
    *at += strcspn(*at, "|");
}

static void read_rows(const char *path)
{
    size_t size;
    char *text = read_text(path, &size), *save = NULL;
    int table = -1;

    if (!text)
        exit(1);
    for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
        const char *at = line;
        struct row *r;

        if (strncmp(line, "##", 2) == 0)
            table = strstr(line, "`answer`") ? 0 : strstr(line, "`inject`") ? 1 : -1;
        if (table < 0 || strncmp(line, "| `", 3) != 0)
            continue;
        CHECK(nrows[table] < MOST, "too many rows");
        r = &rows[table][nrows[table]++];
        cell(&at, r->op, sizeof r->op);
        cell(&at, r->answer, sizeof r->answer);
        if (table == 0)
            cell(&at, r->kind, sizeof r->kind);
    }
    free(text);
}

static const struct row *find(int table, const char *op, const char *answer)
{
    const struct row *found = NULL;

    for (unsigned i = 0; i < nrows[table]; i++)
        if (strcmp(rows[table][i].op, op) == 0 && strcmp(rows[table][i].answer, answer) == 0) {
            CHECK(!found, "%s, %s: two rows", op, answer);
            found = &rows[table][i];
        }
    return found;
}

/* "inject mm-oom" -> "mm-oom" */
static void inject_word(unsigned op, char *word, size_t size)
{
    struct fl_record r = {.kind = FL_REC_INJECT};
    char line[64];

    r.u.inject.op = (uint8_t)op;
    fl_record_print(&r, line, sizeof line);
    snprintf(word, size, "%.63s", line + strlen("inject "));
    word[strcspn(word, " ")] = 0;
}

static void test_rows(void)
{
    unsigned fit = 0;
    const struct inject_answer *answers;
    size_t n;

    for (unsigned op = 0; op < FL_PINOP_COUNT; op++)
        for (unsigned a = 0; a < FL_PINANS_COUNT; a++) {
            const char *name = fl_pin_op_name(op), *answer = fl_pin_answer_name(a), *kind;
            const struct row *r = find(0, name, answer);
            bool hostile, fits = fl_pin_answer_fits((enum fl_pin_op)op, (enum fl_pin_answer)a, &hostile);

            CHECK(fits == (r != NULL), "%s, %s: %s", name, answer, fits ? "has no row" : "does not fit");
            if (!r || !fits)
                continue;
            kind = a == FL_PINANS_RETRY || a == FL_PINANS_RETRY_MAJOR ? "legal where it was asked for, else hostile"
                   : hostile                                          ? "hostile"
                                                                      : "legal";
            CHECK(strcmp(r->kind, kind) == 0, "%s, %s: the row says \"%s\", the code %s", name, answer, r->kind, kind);
            fit++;
        }
    CHECK_EQ(nrows[0], fit, "rows of `answer`");
    answers = inject_answers(&n);
    CHECK_EQ(n, FL_INJ_COUNT, "every answer of INJECT is some op's");
    CHECK_EQ(nrows[1], n, "rows of `inject`");
    for (size_t i = 0; i < n; i++) {
        char word[64];

        inject_word(answers[i].answer, word, sizeof word);
        CHECK(find(1, answers[i].op, word), "%s, %s: has no row", answers[i].op, word);
    }
}

/* ---- each of them given ------------------------------------------------------------------------------------------- */

static uint64_t given_pin[FL_PINOP_COUNT][FL_PINANS_COUNT], given_other[FL_INJ_COUNT];

/* A repetition whose keys were all reached. */
static void count_given(const struct fl_scenario *s, const struct trace *t)
{
    if (trace_unreached(t, s, FL_TARGET_ALL))
        return;
    for (uint32_t i = 0; i < s->nrecords; i++) {
        const struct fl_record *r = &s->records[i];

        if (r->kind == FL_REC_ANSWER)
            given_pin[r->u.answer.op][r->u.answer.answer]++;
        else if (r->kind == FL_REC_INJECT)
            given_other[r->u.inject.op]++;
    }
}

static void test_each_given(void)
{
    static const char *const names[] = {"dirty-cow", "fast",    "hugetlb", "kernel-retry",
                                        "kprobe",    "mlocked", "reports", "retry"};
    static struct fl_scenario s;
    struct explored e;
    char word[64];

    runs_seen = count_given;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        runs_load(names[i], &s);
        runs_explore(&s, 0, true, 500, &e);
        CHECK_EQ(e.counts.findings, 0, "%s: findings of the right core", names[i]);
        free(e.digest);
    }
    runs_seen = NULL;
    for (unsigned op = 0; op < FL_PINOP_COUNT; op++)
        for (unsigned a = 0; a < FL_PINANS_COUNT; a++) {
            bool hostile;

            if (fl_pin_answer_fits((enum fl_pin_op)op, (enum fl_pin_answer)a, &hostile))
                CHECK(given_pin[op][a], "%s, %s: given in no run", fl_pin_op_name(op), fl_pin_answer_name(a));
        }
    for (unsigned i = 0; i < FL_INJ_COUNT; i++) {
        inject_word(i, word, sizeof word);
        CHECK(given_other[i], "%s: given in no run", word);
    }
}

int main(int argc, char **argv)
{
    if (argc != 3)
        return 1;
    runs_open(argv[1], FL_TARGET_ALL, NULL);
    read_rows(argv[2]);
    test_rows();
    test_each_given();
    runs_close();
    return check_done("inject table");
}
