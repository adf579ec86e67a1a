/* SPDX-License-Identifier: MIT */
/* The `faultline` command: one function per subcommand, and what they share. */
#ifndef FAULTLINE_TOOLS_COMMAND_H
#define FAULTLINE_TOOLS_COMMAND_H

#include <faultline/fuzz/judge.h>
#include <faultline/fuzz/scenario.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum exit_code {
    EXIT_CLEAN = 0,    /* nothing found */
    EXIT_FINDINGS = 1, /* something disagreed */
    EXIT_INPUT = 2,    /* usage or input error */
    EXIT_INTERNAL = 3, /* Faultline's own trouble */
};

int command_bisect(int argc, char **argv);
int command_campaign(int argc, char **argv);
int command_conform(int argc, char **argv);
int command_explain(int argc, char **argv);
int command_fuzz(int argc, char **argv);
int command_inject(int argc, char **argv);
int command_promote(int argc, char **argv);
int command_report(int argc, char **argv);
int command_repro(int argc, char **argv);
int command_show(int argc, char **argv);
int command_triage(int argc, char **argv);
int command_walk(int argc, char **argv);

/* "faultline: " and the message as one line on stderr. */
void complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Flushes stdout; EXIT_INPUT with one line when something did not reach it, else code. */
int finish_output(int code);

/* The whole of a regular file (or pipe) of at most 4 MiB, with a NUL behind it. malloc'd. NULL: it complained. */
char *read_text(const char *path, size_t *size);

/* Reads a scenario in either form: a text whose first line says so or whose name ends in ".scn", else fuzz bytes. False:
 * it complained (file:line:column for texts). */
bool load_scenario(const char *path, struct fl_scenario *out);

/* The target that the comments of a .scn name ("# target: walk", as triage writes them). FL_TARGET_ALL: none; also for fuzz bytes. */
enum fl_target target_of_text(const char *text, size_t size);

/* The name of files and folders for a key: letters, digits, '-' and '_'; different keys have different names. */
void key_slug(const char *key, char out[240]);

/* The core to judge. option: what --core was given, or NULL; without it $FAULTLINE_CORE says. NULL: the one in this tree, which
 * --core "" asks for as well. */
const char *core_of(const char *option);

/* text as one word of a shell's command line: in quotes where it needs them. Freed by the caller. */
char *shell_word(const char *text);

/* Every regular file named by argv, folders walked in name order (hidden files, *.md and *.expect left out). Calls each(path, ctx)
 * until it answers false. A path that cannot be read is complained about, and the others still have their turn. False: one
 * of both happened. */
bool for_each_file(char *const *paths, size_t n, bool (*each)(const char *path, void *ctx), void *ctx);

/* Writes a file whole or not at all: temporary name beside it, fsync, rename. False: it complained, nothing is lost, and errno
 * says why. */
bool write_atomically(const char *path, const void *data, size_t size);

/* mkdir -p. False: it complained. */
bool make_folder(const char *path);

/* Seconds of a clock that nobody sets; only differences mean something. */
double monotonic_seconds(void);
/* Seconds of processor time that a process has had; 0 when that cannot be told. */
double processor_seconds(pid_t pid);

/* 1234567 -> "1.23M", three digits. Answers buf. */
const char *brief_number(double n, char buf[24]);

/* Room for one element more in an array of n, each of size bytes. Exits with EXIT_INTERNAL when there is no memory. */
void *grow_array(void *array, size_t n, size_t size);

/* Exits with EXIT_INTERNAL when there is no memory. */
char *format_text(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
