/* SPDX-License-Identifier: MIT */
/* The folder of regressions, the names in it, and the comments at the head of each scenario. */
#include "corpus.h"
#include "../command.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define MOST_STORY 10000

char *corpus_default(void)
{
    const char *root = getenv("FAULTLINE_ROOT");

    if (root && *root)
        return format_text("%s/corpus/regressions", root);
    complain(
        "FAULTLINE_ROOT is not set: start this through the ./faultline launcher, or name the folder of regressions");
    return NULL;
}

bool corpus_needs_executor(const struct fl_scenario *s)
{
    for (unsigned i = 0; i < s->nrecords; i++) {
        const struct fl_record *r = &s->records[i];

        if (r->kind == FL_REC_EXEC || (r->kind == FL_REC_ACCESS && r->u.access.execute))
            return true;
    }
    return false;
}

/* "crash/fault/signal-11": where its target begins; 0: it has none. */
static size_t target_of(const char *key)
{
    return strncmp(key, "crash/", 6) == 0 ? 6 : strncmp(key, "hang/", 5) == 0 ? 5 : 0;
}

bool corpus_same_key(const char *a, const char *b)
{
    size_t at = target_of(a);

    if (strcmp(a, b) == 0)
        return true;
    if (!at || at != target_of(b))
        return false;
    return strncmp(a, b, at) == 0 && strcmp(a + at + strcspn(a + at, "/"), b + at + strcspn(b + at, "/")) == 0;
}

void corpus_build_word(const char *core, char out[STORE_BUILD])
{
    build_name(core, out);
    for (char *p = out; *p; p++)
        if (*p <= ' ' || *p == ',' || (unsigned char)*p >= 0x7f)
            *p = '_';
}

void corpus_where(const struct fl_scenario *s, unsigned record, char out[300])
{
    char line[256];

    if (record < s->nrecords) {
        fl_record_print(&s->records[record], line, sizeof line);
        snprintf(out, 300, "record %u of %u: %s", record + 1, s->nrecords, line);
    } else {
        snprintf(out, 300, "the scenario as a whole");
    }
}

static bool ends_in(const char *name, const char *end)
{
    size_t n = strlen(name), m = strlen(end);

    return n > m && strcmp(name + n - m, end) == 0;
}

/* Digits, a dash and at least one more character before the ending. Answers the length of the digits, 0: none such. */
static size_t digits_of(const char *name, const char *ending)
{
    size_t n = strspn(name, "0123456789");

    return n > 0 && n <= 9 && name[n] == '-' && ends_in(name + n + 1, ending) ? n : 0;
}

/* Appends text[0..n) and a line end, as printable ASCII: it goes to terminals and into JSON. A novel is cut off. */
static void add_line(char **story, const char *text, size_t n)
{
    size_t before = *story ? strlen(*story) : 0;
    char *longer;

    if (before > MOST_STORY)
        return;
    longer = format_text("%s%.*s\n", *story ? *story : "", (int)n, text);
    for (char *p = longer + before; *p; p++)
        if (((unsigned char)*p < ' ' && *p != '\n') || (unsigned char)*p >= 0x7f)
            *p = '?';
    free(*story);
    *story = longer;
}

static bool begins(const char *text, size_t n, const char *word)
{
    return n >= strlen(word) && memcmp(text, word, strlen(word)) == 0;
}

/* The comments behind the first line, up to the first line that is none. */
static bool read_header(struct corpus_entry *e)
{
    const char *p = strchr(e->text, '\n'), *end = e->text + e->size;
    bool story = true;
    unsigned line = 1;

    for (p = p ? p + 1 : end; *p == '#'; p += (*p == '\n')) {
        const char *stop;
        size_t n;

        line++;
        p++;
        p += *p == ' ';
        stop = memchr(p, '\n', (size_t)(end - p));
        stop = stop ? stop : end;
        n = (size_t)(stop - p);
        n -= n && p[n - 1] == '\r';
        if (begins(p, n, "found by:") || begins(p, n, "at record ")) {
            story = false;
        } else if (begins(p, n, "finding:")) {
            story = false;
            snprintf(e->key, sizeof e->key, "%.*s", (int)(n - 8), p + 8);
            memmove(e->key, e->key + strspn(e->key, " "), strlen(e->key + strspn(e->key, " ")) + 1);
        } else if (begins(p, n, "state:")) {
            char text[1001];

            story = false;
            snprintf(text, sizeof text, "%.*s", (int)(n - 6), p + 6);
            if (!state_parse(text, &e->state)) {
                complain(
                    "%s:%u: state \"%.60s\": expected crashing, incubating or regression, since a build (and the clean "
                    "builds behind \", clean under\")",
                    e->path, line, text + strspn(text, " "));
                return false;
            }
        } else if (story && n) {
            add_line(&e->story, p, n);
        }
        p = stop;
    }
    if (!e->story)
        e->story = format_text("%s", "");
    return true;
}

static void free_entry(struct corpus_entry *e)
{
    free(e->path);
    free(e->expect);
    free(e->slug);
    free(e->title);
    free(e->story);
    free(e->text);
}

/* folder/name, which is a scenario's. */
static bool read_entry(const char *folder, const char *name, size_t digits, struct corpus_entry *e)
{
    *e = (struct corpus_entry){.number = (unsigned)strtoul(name, NULL, 10)};
    e->path = format_text("%s/%s", folder, name);
    e->expect = format_text("%.*s.expect", (int)strlen(e->path) - 4, e->path);
    snprintf(e->label, sizeof e->label, "%.*s", (int)digits, name);
    e->slug = format_text("%.*s", (int)(strlen(name) - digits - 5), name + digits + 1);
    e->title = format_text("%s", e->slug);
    for (char *p = e->title; *p; p++)
        if (*p == '-' || *p == '_')
            *p = ' ';
    /* Both complain. The text is read for its comments, which the scenario does not keep. */
    e->text = read_text(e->path, &e->size);
    if (e->text && load_scenario(e->path, &e->scenario) && read_header(e))
        return true;
    free_entry(e);
    return false;
}

static int by_number(const void *a, const void *b)
{
    const struct corpus_entry *x = a, *y = b;

    return x->number != y->number ? (x->number < y->number ? -1 : 1) : strcmp(x->path, y->path);
}

static void add(struct corpus *c, const char *folder, const char *name, size_t digits)
{
    struct corpus_entry *larger = realloc(c->entries, (c->n + 1) * sizeof *larger);

    if (!larger) {
        complain("out of memory");
        exit(EXIT_INTERNAL);
    }
    c->entries = larger;
    if (read_entry(folder, name, digits, &c->entries[c->n]))
        c->n++;
    else
        c->wrong++;
}

/* One name in the folder. */
static void look_at(struct corpus *c, const char *folder, const char *name)
{
    size_t scn = digits_of(name, ".scn"), expect = digits_of(name, ".expect");
    unsigned number = scn || expect ? (unsigned)strtoul(name, NULL, 10) : 0;
    char *beside;
    struct stat st;

    if (name[0] == '.' || ends_in(name, ".md"))
        return;
    if (number > c->last)
        c->last = number;
    if (scn && number) {
        add(c, folder, name, scn);
        return;
    }
    beside = format_text("%s/%.*s.scn", folder, (int)strlen(name) - 7 * (expect != 0), name);
    if (!expect) {
        complain("%s/%s: does not belong here: scenarios are called NNNN-a-few-words.scn, with a number from 1", folder,
                 name);
        c->wrong++;
    } else if (stat(beside, &st) != 0) {
        complain("%s/%s: there is no scenario beside it; remove it", folder, name);
        c->wrong++;
    }
    free(beside);
}

static bool read_one(const char *path, struct corpus *out)
{
    const char *name = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
    char *folder = name == path ? format_text(".") : format_text("%.*s", (int)(name - 1 - path), path);
    size_t digits = digits_of(name, ".scn");

    if (digits) {
        add(out, folder, name, digits);
    } else {
        complain("%s: is not called like a regression: NNNN-a-few-words.scn", path);
        out->wrong++;
    }
    free(folder);
    return digits != 0;
}

bool corpus_read(const char *path, struct corpus *out)
{
    struct dirent **names;
    struct stat st;
    int n;

    *out = (struct corpus){.folder = path};
    if (stat(path, &st) != 0) {
        complain("%s: %s", path, strerror(errno));
        return false;
    }
    if (!S_ISDIR(st.st_mode))
        return read_one(path, out);
    n = scandir(path, &names, NULL, alphasort);
    if (n < 0) {
        complain("%s: %s", path, strerror(errno));
        return false;
    }
    for (int i = 0; i < n; i++) {
        look_at(out, path, names[i]->d_name);
        free(names[i]);
    }
    free(names);
    if (out->n)
        qsort(out->entries, out->n, sizeof *out->entries, by_number);
    for (size_t i = 1; i < out->n; i++) {
        if (out->entries[i].number == out->entries[i - 1].number) {
            complain("%s: its number is taken by %s; give it another", out->entries[i].path, out->entries[i - 1].path);
            out->wrong++;
        }
    }
    return true;
}

void corpus_free(struct corpus *c)
{
    for (size_t i = 0; i < c->n; i++)
        free_entry(&c->entries[i]);
    free(c->entries);
    *c = (struct corpus){0};
}
