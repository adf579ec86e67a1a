/* SPDX-License-Identifier: MIT */
#include "lexer.h"

#include <stdarg.h>
#include <string.h>

void fl_lexer_init(struct fl_lexer *lx, const char *text, size_t size, struct fl_text_error *error)
{
    *lx = (struct fl_lexer){.text = text, .size = size, .error = error};
}

enum fl_line fl_lexer_line(struct fl_lexer *lx)
{
    const char *newline, *found;
    struct fl_token at;
    size_t len;

    if (lx->next >= lx->size) {
        lx->at = lx->end;
        return FL_LINE_NONE;
    }
    lx->line++;
    lx->start = lx->text + lx->next;
    len = lx->size - lx->next;
    newline = memchr(lx->start, '\n', len);
    if (newline != NULL)
        len = (size_t)(newline - lx->start);
    lx->next += len + (newline != NULL);
    /* Files that went through an editor on Windows end their lines in CR LF. */
    if (len != 0 && lx->start[len - 1] == '\r')
        len--;
    lx->at = lx->start;
    lx->end = lx->start + len;
    at = (struct fl_token){lx->start, len, lx->line, 1};
    found = len != 0 ? memchr(lx->start, '\0', len < FL_MAX_LINE ? len : FL_MAX_LINE) : NULL;
    if (found != NULL) {
        at.column = (unsigned)(found - lx->start) + 1;
        fl_fail(lx, &at, "NUL byte: this is not a text scenario");
        return FL_LINE_BAD;
    }
    if (len > FL_MAX_LINE) {
        at.column = FL_MAX_LINE + 1;
        fl_fail(lx, &at, "line longer than %d bytes", FL_MAX_LINE);
        return FL_LINE_BAD;
    }
    found = len != 0 ? memchr(lx->start, '#', len) : NULL;
    if (found != NULL)
        lx->end = found;
    return FL_LINE_OK;
}

struct fl_token fl_lexer_token(struct fl_lexer *lx)
{
    struct fl_token token;

    while (lx->at < lx->end && (*lx->at == ' ' || *lx->at == '\t'))
        lx->at++;
    token = (struct fl_token){lx->at, 0, lx->line, (unsigned)(lx->at - lx->start) + 1};
    if (lx->at < lx->end && *lx->at == ':') {
        lx->at++;
        token.len = 1;
        return token;
    }
    while (lx->at < lx->end && *lx->at != ' ' && *lx->at != '\t' && *lx->at != ':')
        lx->at++;
    token.len = (size_t)(lx->at - token.text);
    return token;
}

bool fl_token_is(const struct fl_token *token, const char *word)
{
    return strlen(word) == token->len && memcmp(token->text, word, token->len) == 0;
}

static int digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : 99;
}

enum fl_number fl_token_number(const struct fl_token *token, uint64_t *value)
{
    const bool hex = token->len > 2 && token->text[0] == '0' && (token->text[1] == 'x' || token->text[1] == 'X');
    const unsigned base = hex ? 16 : 10;
    bool huge = false;
    uint64_t v = 0;

    if (token->len == 0)
        return FL_NUMBER_NONE;
    for (size_t i = hex ? 2 : 0; i < token->len; i++) {
        const unsigned d = (unsigned)digit(token->text[i]);

        if (d >= base)
            return FL_NUMBER_NONE;
        huge |= v > (UINT64_MAX - d) / base;
        v = v * base + d;
    }
    if (huge)
        return FL_NUMBER_HUGE;
    *value = v;
    return FL_NUMBER_OK;
}

void fl_text_token(struct fl_text *t, const struct fl_token *token)
{
    const size_t most = t->len + 40;

    if (token->len == 0) {
        fl_text_add(t, "end of line");
        return;
    }
    fl_text_add(t, "'");
    for (size_t i = 0; i < token->len; i++) {
        const unsigned char c = (unsigned char)token->text[i];

        if (t->len >= most) {
            fl_text_add(t, "...");
            break;
        }
        if (c >= 0x20 && c < 0x7f && c != '\'' && c != '\\')
            fl_text_add(t, "%c", c);
        else
            fl_text_add(t, "\\x%02x", c);
    }
    fl_text_add(t, "'");
}

static struct fl_text begin(struct fl_lexer *lx, const struct fl_token *at)
{
    lx->error->line = at->line;
    lx->error->column = at->column;
    return (struct fl_text){lx->error->message, sizeof(lx->error->message), 0};
}

bool fl_fail(struct fl_lexer *lx, const struct fl_token *at, const char *format, ...)
{
    struct fl_text t = begin(lx, at);
    va_list args;

    va_start(args, format);
    vsnprintf(t.buf, t.size, format, args);
    va_end(args);
    return false;
}

bool fl_fail_expected(struct fl_lexer *lx, const struct fl_token *at, const char *format, ...)
{
    struct fl_text t = begin(lx, at);
    char what[FL_EXPECTED_BYTES];
    va_list args;

    va_start(args, format);
    vsnprintf(what, sizeof(what), format, args);
    va_end(args);
    fl_text_add(&t, "expected %s, found ", what);
    fl_text_token(&t, at);
    return false;
}
