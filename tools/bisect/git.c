/* SPDX-License-Identifier: MIT */
/* What is asked of git. It only reads: `git archive` takes revisions out, and nothing of the repository changes. */
#include "bisect.h"
#include "../command.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST 80 /* words of one command; each good revision is one, and halves what is left */

/* git -C root WORD... NULL. *out [OUT]: what it printed, malloc'd; its exit code. error: its first line of complaint. */
static int ask(const struct git *g, const char *const *words, char **out, char error[300])
{
    /* Whatever the user set for other purposes: not even the index is refreshed. */
    const char *argv[MOST + 12] = {
        "env", "-u", "GIT_DIR", "-u", "GIT_WORK_TREE", "-u", "GIT_INDEX_FILE", "LC_ALL=C", "GIT_OPTIONAL_LOCKS=0",
        "git", "-C", g->root};
    size_t n = 12;
    int code;

    for (size_t i = 0; words[i] && n + 1 < sizeof argv / sizeof argv[0]; i++)
        argv[n++] = words[i];
    argv[n] = NULL;
    code = program_run(&(struct run){.argv = argv, .out = out, .error = error});
    if (code == 127)
        snprintf(error, 300, "git is not installed; on Debian: apt install git");
    return code;
}
#define ASK(g, out, error, ...) ask(g, (const char *const[]){__VA_ARGS__, NULL}, out, error)

static bool refuse(const struct git *g, const char *what, char *out, const char *error)
{
    free(out);
    if (!program_interrupted())
        complain("bisect: %s: %s: %s", g->root, what, error[0] ? error : "git fails without a word");
    return false;
}

/* A copy of the first word. */
static void first_word(const char *text, char out[REVISION])
{
    snprintf(out, REVISION, "%.*s", (int)strcspn(text, " \n"), text);
}

bool git_open(const struct git *g)
{
    char *out, error[300];
    int code = ASK(g, &out, error, "rev-parse", "--is-shallow-repository");

    if (code != 0)
        return refuse(g, "its history cannot be read", out, error);
    if (strncmp(out, "true", 4) == 0)
        complain("bisect: %s: this is a shallow clone: commits may be missing; git fetch --unshallow brings them",
                 g->root);
    free(out);
    return true;
}

bool git_resolve(const struct git *g, const char *name, char id[REVISION])
{
    char *out, *commit = format_text("%s^{commit}", name), error[300];
    int code = ASK(g, &out, error, "rev-parse", "--verify", "--end-of-options", commit);

    free(commit);
    if (code != 0) {
        free(out);
        complain("bisect: \"%.80s\" is no commit in %s: %s", name, g->root, error);
        return false;
    }
    first_word(out, id);
    free(out);
    return true;
}

bool git_is_ancestor(const struct git *g, const char *old, const char *new, bool *is)
{
    char *out, error[300];
    int code = ASK(g, &out, error, "merge-base", "--is-ancestor", old, new);

    if (code != 0 && code != 1)
        return refuse(g, "history", out, error);
    free(out);
    *is = code == 0;
    return true;
}

bool git_last_change(const struct git *g, const char *id, char to[REVISION])
{
    char *out, error[300];
    int code =
        g->path ? ASK(g, &out, error, "rev-list", "-1", id, "--", g->path) : ASK(g, &out, error, "rev-parse", id);

    if (code != 0)
        return refuse(g, "history", out, error);
    first_word(out, to);
    free(out);
    return true;
}

/* Reads lines that begin with an id. */
static void read_revisions(const char *text, struct revisions *to)
{
    size_t lines = 0;

    for (const char *p = text; *p; p++)
        lines += *p == '\n';
    *to = (struct revisions){.ids = calloc(lines + 1, sizeof *to->ids)};
    if (!to->ids) {
        complain("out of memory");
        exit(EXIT_INTERNAL);
    }
    for (const char *p = text; *p; p += strcspn(p, "\n"), p += *p == '\n')
        first_word(p, to->ids[to->n++]);
}

bool git_between(const struct git *g, const char *bad, const struct revisions *good, struct revisions *to)
{
    const char *words[MOST] = {"rev-list", "--bisect-all", bad};
    char without[MOST][REVISION + 1], *out, error[300];
    size_t n = 3;

    if (good->n > MOST - 6) {
        complain("bisect: this history is too tangled: give ends that are nearer to each other");
        return false;
    }
    for (size_t i = 0; i < good->n; i++) {
        snprintf(without[i], sizeof without[i], "^%s", good->ids[i]);
        words[n++] = without[i];
    }
    words[n++] = "--";
    words[n++] = g->path; /* or the end */
    words[n] = NULL;
    if (ask(g, words, &out, error) != 0)
        return refuse(g, "history", out, error);
    read_revisions(out, to);
    free(out);
    return true;
}

/* "ID:./core": relative to the project's folder, which may be below the repository's top. */
static char *object(const struct git *g, const char *id)
{
    return format_text("%s:./%s", id, g->path ? g->path : "");
}

bool git_content(const struct git *g, const char *id, char to[REVISION])
{
    char *out, *name = object(g, id), error[300];
    int code = ASK(g, &out, error, "rev-parse", "--verify", "--quiet", "--end-of-options", name);

    free(name);
    to[0] = 0;
    if (code == 0)
        first_word(out, to);
    free(out);
    return code >= 0 && code != 127;
}

bool git_extract(const struct git *g, const char *id, const char *folder)
{
    char *tar = format_text("%s/tree.tar", folder), *output = format_text("--output=%s", tar), *out, error[300];
    /* Fresh times: what was built from another revision is older than every file of this one. */
    const char *unpack[] = {"tar", "-x", "-m", "-f", tar, "-C", folder, NULL};
    int code = ASK(g, &out, error, "archive", "--format=tar", output, id, g->path ? g->path : ".");
    bool ok = code == 0;

    free(out);
    if (ok) {
        code = program_run(&(struct run){.argv = unpack, .error = error});
        ok = code == 0;
        remove(tar);
    }
    if (!ok && !program_interrupted())
        complain("bisect: %.12s cannot be taken out of the repository: %s", id, error[0] ? error : "no reason given");
    free(output);
    free(tar);
    return ok;
}

/* The next part, up to a unit separator or a line end. */
static void part(const char **p, char *out, size_t size)
{
    size_t n = strcspn(*p, "\x1f\n");

    snprintf(out, size, "%.*s", (int)n, *p);
    *p += n + ((*p)[n] == '\x1f');
    for (char *c = out; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            *c = '?';
}

bool git_describe(const struct git *g, const char *id, struct commit *to)
{
    char *out, error[300];
    const char *p;

    *to = (struct commit){0};
    snprintf(to->id, sizeof to->id, "%s", id);
    if (ASK(g, &out, error, "log", "-1", "--no-show-signature", "--format=%h%x1f%s%x1f%an%x1f%aI", id, "--") != 0)
        return refuse(g, "history", out, error);
    p = out;
    part(&p, to->brief, sizeof to->brief);
    part(&p, to->subject, sizeof to->subject);
    part(&p, to->author, sizeof to->author);
    part(&p, to->date, sizeof to->date);
    free(out);
    /* Of a merge: against its first parent. */
    if (ASK(g, &to->files, error, "diff-tree", "--no-commit-id", "--name-only", "--root", "-r", "--first-parent", "-m",
            id) != 0)
        return refuse(g, "history", to->files, error);
    return true;
}
