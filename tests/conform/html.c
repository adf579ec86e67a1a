/* SPDX-License-Identifier: MIT */
/*
 * The report as a page, without a browser: escaping, that every class and every row is there, size, the same bytes again.
 *
 *     html [plain|hostile|empty FILE]     writes that sample for page.sh, instead of a temporary file
 */
#include "check.h"
#include "html.h"
#include "html_samples.h"

/* The page in new memory. */
static char *page_of(const struct report *r, size_t *size)
{
    char *page = NULL;
    FILE *out = open_memstream(&page, size);

    if (!out)
        exit(1);
    conform_html(r, out);
    fclose(out);
    return page;
}

static unsigned occurrences(const char *in, const char *of)
{
    unsigned n = 0;

    for (const char *at = in; (at = strstr(at, of)); at += strlen(of))
        n++;
    return n;
}

static char *text_of(void (*write)(FILE *, const void *), const void *what)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    if (!out)
        exit(1);
    write(out, what);
    fclose(out);
    return text;
}

static void write_text(FILE *out, const void *text)
{
    html_put(out, "", text);
}

static void write_number(FILE *out, const void *n)
{
    html_count(out, "", *(const uint64_t *)n);
}

static void test_text(void)
{
    static const char *const cases[][2] = {
        {"", ""},
        {"a\tb\n", "a\tb\n"},
        {"<&>\"'", "&lt;&amp;&gt;&quot;&#39;"},
        {"&amp;", "&amp;amp;"},
        {"\x01\x1b[0m\x7f", "&#xFFFD;&#xFFFD;[0m&#xFFFD;"},
        {"\u00e9\u20ac\U0001f600", "\u00e9\u20ac\U0001f600"},
        /* Cut off, alone, too long, a surrogate, behind the last character. */
        {"\xc3", "&#xFFFD;"},
        {"\xe2\x82<", "&#xFFFD;&#xFFFD;&lt;"},
        {"\x80\xff", "&#xFFFD;&#xFFFD;"},
        {"\xc0\xbc", "&#xFFFD;&#xFFFD;"},
        {"\xe0\x80\xbc", "&#xFFFD;&#xFFFD;&#xFFFD;"},
        {"\xed\xa0\x80", "&#xFFFD;&#xFFFD;&#xFFFD;"},
        {"\xf4\x90\x80\x80", "&#xFFFD;&#xFFFD;&#xFFFD;&#xFFFD;"},
    };
    static const struct {
        uint64_t n;
        const char *text;
    } numbers[] = {
        {0, "0"}, {999, "999"}, {1000, "1,000"}, {31395840, "31,395,840"}, {UINT64_MAX, "18,446,744,073,709,551,615"}};

    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *text = text_of(write_text, cases[i][0]);

        CHECK(strcmp(text, cases[i][1]) == 0, "case %u: \"%s\"", i, text);
        free(text);
    }
    for (unsigned i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        char *text = text_of(write_number, &numbers[i].n);

        CHECK(strcmp(text, numbers[i].text) == 0, "%" PRIu64 ": \"%s\"", numbers[i].n, text);
        free(text);
    }
}

/* Nothing of what others wrote is markup; nothing points out of the page. */
static void check_markup(const char *page)
{
    CHECK_EQ(occurrences(page, "<script"), 1, "one script, ours");
    CHECK_EQ(occurrences(page, "</script"), 1, "and it ends once");
    CHECK_EQ(occurrences(page, "<style"), 1, "one style sheet, ours");
    CHECK_EQ(occurrences(page, "</style"), 1, "and it ends once");
    CHECK_EQ(occurrences(page, "<img"), 0, "no image");
    CHECK_EQ(occurrences(page, "<b on"), 0, "no handler");
    CHECK_EQ(occurrences(page, "://"), 0, "no address");
    CHECK_EQ(occurrences(page, "url("), 0, "no file");
    CHECK_EQ(occurrences(page, "src="), occurrences(page, "src=x onerror"), "no file");
}

static void test_hostile(void)
{
    struct report r = sample_hostile();
    size_t size, again, count;
    char *page = page_of(&r, &size), *second = page_of(&r, &again);
    const struct fl_decode_row *rows = fl_decode_rows(&count);
    char text[256];

    check_markup(page);
    CHECK(occurrences(page, "&lt;script&gt;x&lt;/script&gt;") >= 5, "version, reason, source, command, proof");
    CHECK(occurrences(page, "&lt;img src=x onerror=x&gt;") == 1, "the host");
    CHECK(strlen(page) == size, "no zero byte");
    CHECK(size == again && memcmp(page, second, size) == 0, "the same report, the same bytes");
    CHECK(size < 500000, "%zu bytes", size);

    for (unsigned i = 0; i < r.nclasses; i++) {
        const struct class *k = &r.classes[i];
        unsigned shown = k->answers[0].length < STRING_BYTES ? k->answers[0].length : STRING_BYTES;

        bytes_text(k->answers[0].example, shown < k->answers[0].readable ? shown : k->answers[0].readable, text,
                   sizeof text);
        CHECK_EQ(occurrences(page, text), 2, "class %u, in its row and in its details", i);
        class_form(k, text, sizeof text);
        CHECK(strstr(page, text), "%s", text);
    }
    CHECK_EQ(occurrences(page, "<tr class=c "), r.nclasses, "a row for each class");
    CHECK_EQ(occurrences(page, "<tr class=d>"), r.nclasses, "and its details");
    CHECK_EQ(occurrences(page, "<tbody data-a="), AXIS_COUNT, "a group for each axis");
    for (size_t i = 0; i < count; i++) {
        snprintf(text, sizeof text, "<tr id=r%zu>", i);
        if (r.fired[i])
            CHECK_EQ(occurrences(page, text), 1, "%s is listed", rows[i].id);
    }
    for (unsigned v = 0; v < V_COUNT; v++) {
        snprintf(text, sizeof text, "</b> %s", verdict_name((enum verdict)v));
        CHECK(strstr(page, text), "the legend has %s", verdict_name((enum verdict)v));
        snprintf(text, sizeof text, "<i>%s", verdict_name((enum verdict)v));
        CHECK(strstr(page, text), "a cell says %s", verdict_name((enum verdict)v));
    }
    free(page);
    free(second);
    json_decref(r.proof);
}

static void test_sentences(void)
{
    struct report r = sample_plain();
    size_t size;
    char *page = page_of(&r, &size);

    check_markup(page);
    CHECK(strstr(page, "strings asked: <strong>nothing unexpected</strong>."), "good");
    CHECK(strstr(page, "None: everybody came back"), "no incident");
    CHECK(!strstr(page, "id=proof"), "no proof, no section");
    free(page);

    r.unknown = 1;
    page = page_of(&r, &size);
    CHECK(strstr(page, "strings asked: <strong>1 unexplained difference</strong>."), "one");
    free(page);

    r.unknown = 1234;
    r.whole = false;
    page = page_of(&r, &size);
    CHECK(strstr(page, "<strong>1,234 unexplained differences</strong>."), "many");
    CHECK(strstr(page, "Not told: only a part"), "stale rows of a part");
    free(page);

    r.unknown = 0;
    r.proof = json_pack("{ss}", "verdict", "it holds");
    page = page_of(&r, &size);
    CHECK(strstr(page, "nothing unexpected</strong>; proof: it holds."), "a proof, without a text");
    json_decref(r.proof);
    free(page);

    r = sample_empty();
    page = page_of(&r, &size);
    CHECK(strstr(page, "0 strings asked: <strong>nothing was compared</strong>."), "empty");
    check_markup(page);
    free(page);
}

static int write_sample(const char *name, const char *path)
{
    struct report r = strcmp(name, "plain") == 0     ? sample_plain()
                      : strcmp(name, "hostile") == 0 ? sample_hostile()
                                                     : sample_empty();
    FILE *out = fopen(path, "w");

    if (!out) {
        perror(path);
        return 1;
    }
    conform_html(&r, out);
    json_decref(r.proof);
    return fclose(out) == 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
    if (argc == 3)
        return write_sample(argv[1], argv[2]);
    test_text();
    test_hostile();
    test_sentences();
    return check_done("conform html");
}
