/* SPDX-License-Identifier: MIT */
/* Text and figures in an HTML page. */
#include "html.h"

/* How many bytes the UTF-8 character at s has; 0: it is none. */
static unsigned character(const unsigned char *s)
{
    unsigned more = s[0] < 0x80 ? 0 : s[0] >= 0xc2 && s[0] < 0xe0 ? 1 : (s[0] & 0xf0) == 0xe0 ? 2 : 3;

    if ((s[0] >= 0x80 && s[0] < 0xc2) || s[0] >= 0xf5)
        return 0;
    for (unsigned i = 1; i <= more; i++)
        if ((s[i] & 0xc0) != 0x80)
            return 0;
    /* Longer than need be, a surrogate, behind the last character. */
    if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] >= 0xa0) || (s[0] == 0xf0 && s[1] < 0x90) ||
        (s[0] == 0xf4 && s[1] >= 0x90))
        return 0;
    return more + 1;
}

void html_put(FILE *out, const char *markup, const char *text)
{
    unsigned n;

    fputs(markup, out);
    for (const unsigned char *s = (const unsigned char *)text; *s; s += n ? n : 1) {
        n = character(s);
        switch (*s) {
        case '&': fputs("&amp;", out); break;
        case '<': fputs("&lt;", out); break;
        case '>': fputs("&gt;", out); break;
        case '"': fputs("&quot;", out); break;
        case '\'': fputs("&#39;", out); break;
        default:
            if (n == 0 || (*s < 0x20 && *s != '\n' && *s != '\t') || *s == 0x7f)
                fputs("&#xFFFD;", out);
            else
                fwrite(s, 1, n, out);
        }
    }
}

void html_count(FILE *out, const char *markup, uint64_t n)
{
    char digits[32], *d = digits;

    fputs(markup, out);
    for (int left = snprintf(digits, sizeof digits, "%llu", (unsigned long long)n); left > 0; left--) {
        fputc(*d++, out);
        if (left > 1 && left % 3 == 1)
            fputc(',', out);
    }
}

void html_counted(FILE *out, const char *markup, uint64_t n, const char *one, const char *many)
{
    html_count(out, markup, n);
    html_put(out, " ", n == 1 ? one : many);
}

extern const char html_base_css[], html_base_css_end[];

void html_head(FILE *out, const char *title)
{
    fputs("<!doctype html>\n<html lang=en>\n<meta charset=utf-8>\n"
          "<meta name=viewport content=\"width=device-width, initial-scale=1\">\n"
          "<meta http-equiv=Content-Security-Policy content=\"default-src 'none'; style-src 'unsafe-inline'; "
          "script-src 'unsafe-inline'; img-src data:\">\n<link rel=icon href=\"data:,\">\n",
          out);
    html_put(out, "<title>", title);
    fputs("</title>\n<style>\n", out);
    fwrite(html_base_css, 1, (size_t)(html_base_css_end - html_base_css), out);
}
