/* SPDX-License-Identifier: MIT */
/* The walk-vectors reader on good, malformed and hostile files, and the judge's verdicts. */
#include "check.h"

#include <faultline/oracle/vectors.h>

#include <unistd.h>
#include <zlib.h>

#define NELEMS(a) (sizeof(a) / sizeof(a)[0])

/* The columns of a good line, one by one, so that a case can replace one. */
static const char *const good[15] = {"4level", "40",   "intel", "80000001", "20",        "500",  "0",        "0",
                                     "0",      "1000", "0",     "ur",       "1000:2007", "pf:4", "1000:2007"};
#define GOOD "4level 40 intel 80000001 20 500 0 0 0 1000 0 ur 1000:2007 pf:4 1000:2007"

static char path[] = "/tmp/faultline-vectors-XXXXXX";
static struct fl_vector v; /* the last one read */

static void write_plain(const void *bytes, size_t n)
{
    FILE *f = fopen(path, "wb");

    if (!f || fwrite(bytes, 1, n, f) != n || fclose(f) != 0) {
        perror(path);
        exit(2);
    }
}

static size_t compress_text(const char *text, uint8_t *out, size_t size)
{
    z_stream z = {0};
    int status;

    deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
    z.next_in = (Bytef *)(uintptr_t)text;
    z.avail_in = (uInt)strlen(text);
    z.next_out = out;
    z.avail_out = (uInt)size;
    status = deflate(&z, Z_FINISH);
    CHECK_EQ(status, Z_STREAM_END, "the text fits");
    deflateEnd(&z);
    return size - z.avail_out;
}

/* Reads the file to its end or first error. Answers how many vectors came. */
static unsigned read_all(enum fl_status *status, struct fl_vectors_error *error)
{
    struct fl_vectors *reader;
    unsigned n = 0;
    bool end = false;

    *status = fl_vectors_open(path, &reader, error);
    if (*status != FL_OK)
        return 0;
    while ((*status = fl_vectors_next(reader, &v, &end, error)) == FL_OK && !end)
        n++;
    /* The last answer stands. */
    struct fl_vectors_error again = {0};
    CHECK_EQ(fl_vectors_next(reader, &v, &end, &again), *status, "asked again");
    if (*status != FL_OK)
        CHECK(again.line == error->line && again.column == error->column && !strcmp(again.text, error->text),
              "asked again");
    fl_vectors_close(reader);
    return n;
}

static void expect_good(const char *what, const char *text, size_t length, unsigned count)
{
    struct fl_vectors_error error = {0};
    enum fl_status status;
    unsigned n;

    write_plain(text, length);
    n = read_all(&status, &error);
    CHECK_EQ(status, FL_OK, "%s: %" PRIu64 ":%" PRIu32 ": %s", what, error.line, error.column, error.text);
    CHECK_EQ(n, count, "%s", what);
}

static void expect_bad(const char *what, const char *text, size_t length, unsigned before, uint64_t line,
                       uint32_t column, const char *says)
{
    struct fl_vectors_error error = {0};
    enum fl_status status;
    unsigned n;

    write_plain(text, length);
    n = read_all(&status, &error);
    CHECK_EQ(status, FL_INVALID, "%s", what);
    CHECK_EQ(n, before, "%s: vectors before the error", what);
    CHECK_EQ(error.line, line, "%s: line (%s)", what, error.text);
    CHECK_EQ(error.column, column, "%s: column (%s)", what, error.text);
    CHECK(strstr(error.text, says) != NULL, "%s: says \"%s\", expected \"%s\"", what, error.text, says);
    CHECK(strchr(error.text, '\n') == NULL, "%s: one line", what);
}

#define GOOD_FILE(text, count) expect_good(text, text, sizeof(text) - 1, count)

static void test_good(void)
{
    GOOD_FILE("", 0);
    GOOD_FILE("# walk-vectors 1", 0);
    GOOD_FILE("# walk-vectors 1: mode maxphyaddr\n\n   \n# a comment\n" GOOD "\n" GOOD, 2);
    GOOD_FILE(GOOD " # a comment\n" GOOD "   \n", 2);
    GOOD_FILE("# walk-vectors 1\r\n" GOOD "\r\n" GOOD "\r\n", 2);
    GOOD_FILE("# my own file\n" GOOD, 1);
    CHECK_EQ(v.line, 2, "line");
    CHECK_EQ(v.cpu.mode, FL_MODE_4LEVEL, "mode");
    CHECK_EQ(v.cpu.maxphyaddr, 40, "maxphyaddr");
    CHECK_EQ(v.cpu.vendor, FL_VENDOR_INTEL, "vendor");
    CHECK_EQ(v.cpu.cr0, 0x80000001, "cr0");
    CHECK_EQ(v.cpu.cr4, 0x20, "cr4");
    CHECK_EQ(v.cpu.efer, 0x500, "efer");
    CHECK_EQ(v.cpu.cr3, 0x1000, "cr3");
    CHECK(v.cpu.pse36 && v.cpu.page1gb, "every feature");
    CHECK_EQ(v.entry_size, 8, "entry size");
    CHECK_EQ(v.nentries, 1, "entries");
    CHECK_EQ(v.nafter, 1, "after");
    GOOD_FILE(
        "2level 36 amd 80000001 0 0 1 12345678 9ABCDEF0 1000 fffff000 sr+iw+ux 2004:3,1000:2007 ok:5fff 1000:2027/20,8:0",
        1);
    CHECK_EQ(v.cpu.pkru, 0x12345678, "pkru");
    CHECK_EQ(v.cpu.pkrs, 0x9abcdef0, "pkrs, capital digits");
    CHECK_EQ(v.cpu.vendor, FL_VENDOR_AMD, "vendor");
    CHECK_EQ(v.entry_size, 4, "entry size");
    CHECK_EQ(v.naccesses, 3, "accesses");
    CHECK(v.accesses[0].priv == FL_SUPERVISOR && v.accesses[0].kind == FL_READ, "sr");
    CHECK(v.accesses[1].priv == FL_IMPLICIT && v.accesses[1].kind == FL_WRITE, "iw");
    CHECK(v.accesses[2].priv == FL_USER && v.accesses[2].kind == FL_FETCH, "ux");
    CHECK(v.accesses[2].ac && v.accesses[2].va == 0xfffff000, "ac, va");
    CHECK(v.nentries == 2 && v.entries[0].paddr == 0x1000 && v.entries[1].paddr == 0x2004, "sorted");
    CHECK(v.expect == FL_ARCH_OK && v.has_paddr && v.paddr == 0x5fff, "ok:paddr");
    CHECK(v.nafter == 2 && v.after[0].ignored == 0x20 && v.after[1].ignored == 0, "after");
}

/* A good line with one column replaced; the error is at offset bytes into that column. */
static void test_bad_columns(void)
{
    static const struct {
        unsigned column; /* from 1 */
        const char *text;
        unsigned offset;
        const char *says;
    } rows[] = {
        {1, "3level", 0, "2level, pae, 4level or 5level expected"},
        {1, "4leve", 0, "mode: "},
        {1, "4level\t40", 0, "mode: "},
        {2, "31", 0, "from 32 to 52"},
        {2, "53", 0, "from 32 to 52"},
        {2, "0x28", 0, "from 32 to 52"},
        {2, "4294967336", 0, "from 32 to 52"},
        {3, "via", 0, "intel or amd expected"},
        {4, "0x80000001", 1, "hex without 0x expected"},
        {4, "80000g01", 5, "end of the column expected"},
        {4, "-1", 0, "cr0: a hex digit expected"},
        {5, "12345678123456789", 0, "cr4: a hex number of at most 64 bits"},
        {6, "5,0", 1, "efer: "},
        {7, "2", 0, "0 or 1 expected"},
        {7, "00", 1, "ac: end of the column expected"},
        {8, "100000000", 0, "pkru: a hex number of at most 32 bits"},
        {9, "1ffffffff", 0, "pkrs: "},
        {10, "x", 0, "cr3: a hex digit expected"},
        {11, "fffffffffffffffff", 0, "va: "},
        {12, "k", 0, "access: u, s or i expected"},
        {12, "uq", 1, "r, w or x expected"},
        {12, "u", 1, "r, w or x expected"},
        {12, "ur+", 3, "u, s or i expected"},
        {12, "ur,uw", 2, "end of the column expected"},
        {12, "ur+ur+ur+ur+ur", 12, "at most 4 accesses"},
        {13, "1000", 4, "':' expected"},
        {13, "1000:", 5, "a hex digit expected"},
        {13, "1000:1,", 7, "a hex digit expected"},
        {13, "1000:1;2000:1", 6, "',' or the end of the column"},
        {13, "1004:1", 0, "aligned to 8 bytes"},
        {13, "10000000000000:1", 0, "at most 52 bits"},
        {13, "1000:1,1000:3", 7, "one value per entry"},
        {13, "--", 0, "a hex digit expected"},
        {14, "oops", 0, "ok, ok:paddr, pf:code or gp"},
        {14, "pf", 0, "ok, ok:paddr, pf:code or gp"},
        {14, "pf:", 3, "a hex digit expected"},
        {14, "pf:100000000", 3, "at most 32 bits"},
        {14, "ok:", 3, "a hex digit expected"},
        {14, "okay", 2, "end of the column"},
        {14, "gp:0", 2, "end of the column"},
        {15, "1000:1/", 7, "a hex digit expected"},
        {15, "1000/1", 4, "':' expected"},
        {15, "1000:1/1/1", 8, "',', '/' or the end of the column"},
        {15, "- x", 1, "end of the line after 15 columns"},
    };

    for (unsigned i = 0; i < NELEMS(rows); i++) {
        char line[512] = "# walk-vectors 1\n";
        size_t start = 0, begin = strlen(line);

        for (unsigned c = 0; c < 15; c++) {
            if (c + 1 == rows[i].column)
                start = strlen(line) - begin;
            strcat(line, c + 1 == rows[i].column ? rows[i].text : good[c]);
            strcat(line, c == 14 ? "\n" : " ");
        }
        expect_bad(line + begin, line, strlen(line), 0, 2, (uint32_t)(start + rows[i].offset + 1), rows[i].says);
    }
}

static void test_bad_lines(void)
{
    static const char nul[] = GOOD "\n4level 40 intel 80000001\0 20";
    static char text[400000];

    expect_bad("version", "# walk-vectors 2: more\n", 23, 0, 1, 16, "version 1 expected");
    expect_bad("version", "# walk-vectors 10\n", 18, 0, 1, 16, "version 1 expected");
    expect_bad("second line", GOOD "\n4level 40\n", sizeof GOOD + 10, 1, 2, 10, "vendor: column expected");
    expect_bad("two spaces", "4level  40 intel", 16, 0, 1, 8, "exactly one space");
    expect_bad("leading space", " " GOOD, sizeof GOOD, 0, 1, 1, "exactly one space");
    expect_bad("a NUL", nul, sizeof nul - 1, 1, 2, 25, "end of the column");
    expect_bad("only a NUL", "", 1, 0, 1, 1, "mode: ");
    expect_bad("4-byte value", "2level 36 intel 0 0 0 0 0 0 0 0 ur 0:100000000 ok -", 51, 0, 1, 38, "at most 32 bits");
    expect_bad("4-byte address", "2level 36 intel 0 0 0 0 0 0 0 0 ur 2:1 ok -", 43, 0, 1, 36, "aligned to 4 bytes");

    /* Every cut of a good line is an error at its end, or an answer that is whole. */
    for (size_t n = 1; n < sizeof GOOD - 1; n++) {
        struct fl_vectors_error error = {0};
        enum fl_status status;

        write_plain(GOOD, n);
        read_all(&status, &error);
        if (status != FL_OK)
            CHECK(error.line == 1 && error.column >= 1 && error.column <= n + 1, "cut at %zu: %" PRIu32, n,
                  error.column);
        else
            CHECK(n >= sizeof GOOD - 4, "cut at %zu is taken for a whole line", n); /* within the last number */
    }

    /* A line at the limit is read, one byte more is refused, wherever the reader's buffer ends. */
    memset(text, '#', sizeof text);
    memcpy(text, GOOD "\n", sizeof GOOD);
    text[sizeof GOOD + FL_VECTOR_MAX_LINE] = '\n';
    memcpy(text + sizeof GOOD + FL_VECTOR_MAX_LINE + 1, GOOD "\n", sizeof GOOD);
    expect_good("longest line", text, 2 * sizeof GOOD + FL_VECTOR_MAX_LINE + 1, 2);
    text[sizeof GOOD + FL_VECTOR_MAX_LINE] = '#';
    expect_bad("longer line", text, sizeof text, 1, 2, FL_VECTOR_MAX_LINE + 1, "at most 65535 bytes");

    /* One entry more than there is room for, in either list. */
    for (unsigned list = 0; list < 2; list++) {
        unsigned n = FL_VECTOR_MAX_ENTRIES + 1;
        size_t length, last;

        strcpy(text, "4level 40 intel 80000001 20 500 0 0 0 1000 0 ur ");
        if (list == 1)
            strcat(text, "- ok ");
        for (unsigned i = 0; i < n; i++) {
            last = strlen(text);
            sprintf(text + last, "%x:1%s", 0x1000 + 8 * i, i + 1 < n ? "," : "");
        }
        if (list == 0)
            strcat(text, " ok -");
        length = strlen(text);
        expect_bad("too many entries", text, length, 0, 1, (uint32_t)last + 1, "at most 64 entries");
        memmove(text + last - 1, text + last + strcspn(text + last, " "), length - last);
        expect_good("as many entries as there may be", text, strlen(text), 1);
        CHECK_EQ(list == 0 ? v.nentries : v.nafter, FL_VECTOR_MAX_ENTRIES, "list %u", list);
    }
}

static void test_compressed(void)
{
    static uint8_t bytes[4096];
    static const char text[] = "# walk-vectors 1\n" GOOD "\n" GOOD "\n" GOOD "\n";
    size_t n = compress_text(text, bytes, sizeof bytes / 2);
    struct fl_vectors_error error = {0};
    enum fl_status status;

    expect_good("gzip", (const char *)bytes, n, 3);
    /* Cut anywhere (a first byte alone is no gzip file but a wrong line): never a proper end. */
    for (size_t cut = 1; cut < n; cut++) {
        write_plain(bytes, cut);
        read_all(&status, &error);
        CHECK_EQ(status, cut == 1 ? FL_INVALID : FL_FAILED, "cut at %zu of %zu", cut, n);
        CHECK(cut == 1 || (error.line == 0 && strstr(error.text, "cut off")), "cut at %zu: %s", cut, error.text);
    }
    /* A damaged check sum. */
    bytes[n - 5] ^= 1;
    write_plain(bytes, n);
    read_all(&status, &error);
    CHECK_EQ(status, FL_FAILED, "damaged");
    CHECK(strstr(error.text, "damaged") != NULL, "damaged: %s", error.text);
    bytes[n - 5] ^= 1;
    /* Two streams one after the other are one file. */
    memcpy(bytes + n, bytes, n);
    expect_good("two members", (const char *)bytes, 2 * n, 6);
}

static void test_open(void)
{
    struct fl_vectors *reader = NULL;
    struct fl_vectors_error error = {0};

    CHECK_EQ(fl_vectors_open("/nonexistent/vectors", &reader, &error), FL_FAILED, "missing");
    CHECK(strstr(error.text, "cannot open: ") != NULL, "%s", error.text);
    CHECK_EQ(fl_vectors_open("/tmp", &reader, &error), FL_FAILED, "folder");
    CHECK(strstr(error.text, "folder") != NULL, "%s", error.text);
    CHECK_EQ(fl_vectors_open(NULL, &reader, &error), FL_INVALID, "path");
    CHECK(reader == NULL, "untouched");
    fl_vectors_close(NULL);
}

/* va 0 through entry 0 of every table: 1000 -> 2000 -> 3000 -> 4000 -> page 5000. */
#define WALK "4level 40 intel 80000001 20 500 0 0 0 1000 0 ur 1000:2007,2000:3007,3000:4007,4000:5007 "

static void test_verdicts(void)
{
    static const struct {
        const char *text;
        const char *class;
        const char *line; /* "" = matches */
        unsigned compared;
    } rows[] = {
        {WALK "ok -", "4level ok", "", 1},
        {WALK "ok:5000 4000:5027", "4level ok", "", 3},
        {WALK "pf:5 -", "4level pf:5", "expected pf:5, got ok", 1},
        {WALK "gp -", "4level gp", "expected gp, got ok", 1},
        {WALK "ok:5001 -", "4level ok", "expected translation 5001, got 5000", 2},
        {WALK "ok 4000:5007", "4level ok", "expected entry 4000:5007/0 afterwards, got 5027 (bits 20 differ)", 2},
        {WALK "ok 4000:5007/20", "4level ok", "", 2},
        {WALK "ok 9000:1", "4level ok", "expected entry 9000:1/0 afterwards, got 0 (bits 1 differ)", 2},
        {"4level 40 intel 80000001 20 500 0 0 0 1000 0 uw - pf:4 -", "4level pf:4", "expected pf:4, got pf:6", 1},
        {"pae 36 intel 80000001 20 0 0 0 0 1000 0 uw 1000:3 pf:d -", "pae pf:d", "expected pf:d, got gp", 1},
    };
    struct fl_vector_verdict verdict;
    char class[FL_VECTOR_CLASS_SIZE];

    for (unsigned i = 0; i < NELEMS(rows); i++) {
        expect_good(rows[i].text, rows[i].text, strlen(rows[i].text), 1);
        CHECK_EQ(fl_vector_judge_arch(&v, &verdict), FL_OK, "%s", rows[i].text);
        CHECK_EQ(verdict.matches, rows[i].line[0] == '\0', "%s", rows[i].text);
        CHECK_EQ(verdict.compared, rows[i].compared, "%s", rows[i].text);
        CHECK(strcmp(verdict.line, rows[i].line) == 0, "%s: \"%s\"", rows[i].text, verdict.line);
        fl_vector_class(&v, class);
        CHECK(strcmp(class, rows[i].class) == 0, "%s: \"%s\"", rows[i].text, class);
    }
    /* Somebody who does not know the translation is not asked for it. */
    struct fl_vector_answer answer = {.kind = FL_ARCH_OK, .after = {0x5027}};
    expect_good("ok:5000", rows[1].text, strlen(rows[1].text), 1);
    fl_vector_judge(&v, &answer, &verdict);
    CHECK(verdict.matches && verdict.compared == 2, "no translation known: %s", verdict.line);
    v.naccesses = 0;
    CHECK_EQ(fl_vector_judge_arch(&v, &verdict), FL_INVALID, "no access");
}

int main(void)
{
    int fd = mkstemp(path);

    if (fd < 0) {
        perror(path);
        return 2;
    }
    close(fd);
    test_good();
    test_bad_columns();
    test_bad_lines();
    test_compressed();
    test_open();
    test_verdicts();
    unlink(path);
    return check_done("vectors-reader");
}
