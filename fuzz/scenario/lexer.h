/* SPDX-License-Identifier: MIT */
/* Lines and tokens of the text form. A token is a run of bytes other than blanks and ':', or one ':'; '#' ends a line. */
#ifndef FL_SCENARIO_LEXER_H
#define FL_SCENARIO_LEXER_H

#include "internal.h"

#define FL_MAX_LINE 1000 /* bytes, comments included, line end not */

struct fl_token {
    const char *text;
    size_t len; /* 0: end of line */
    unsigned line, column;
};

struct fl_lexer {
    const char *text;
    size_t size, next;            /* next: where the line after this one begins */
    const char *start, *at, *end; /* of this line, without comment and line end */
    unsigned line;
    struct fl_text_error *error;
};

void fl_lexer_init(struct fl_lexer *lx, const char *text, size_t size, struct fl_text_error *error);

enum fl_line { FL_LINE_OK, FL_LINE_NONE, FL_LINE_BAD /* error is filled */ };
enum fl_line fl_lexer_line(struct fl_lexer *lx);

struct fl_token fl_lexer_token(struct fl_lexer *lx);

bool fl_token_is(const struct fl_token *token, const char *word);

enum fl_number { FL_NUMBER_OK, FL_NUMBER_NONE, FL_NUMBER_HUGE /* more than 64 bits */ };
enum fl_number fl_token_number(const struct fl_token *token, uint64_t *value);

/* Most that "expected <...>" may hold, with its end: there is room then for "expected , found " and a token. */
#define FL_EXPECTED_BYTES (sizeof(((struct fl_text_error *)NULL)->message) - 68)

/* Fills the error at the token's place; always answers false. fl_fail_expected writes "expected <...>, found <token>". */
bool fl_fail(struct fl_lexer *lx, const struct fl_token *at, const char *format, ...)
#ifdef __GNUC__
    __attribute__((format(printf, 3, 4)))
#endif
    ;
bool fl_fail_expected(struct fl_lexer *lx, const struct fl_token *at, const char *format, ...)
#ifdef __GNUC__
    __attribute__((format(printf, 3, 4)))
#endif
    ;

/* A token for messages: in quotes, bytes that do not print as \xNN, cut after a few dozen; or "end of line". */
void fl_text_token(struct fl_text *t, const struct fl_token *token);

#endif
