/* SPDX-License-Identifier: MIT */
/*
 * Decoders out of shared objects: a good one works, each way of being a bad one ends in one line that names the file
 * and says what is wrong, and nothing crashes.
 *
 *     test_plugin SAMPLE BAD NOTHING     (shared objects, see plugins/)
 */
#include "spaces.h"

#include <unistd.h>

/* NULL, and one line that begins with the path and has the words in it. */
static void check_refused(const char *path, const char *what, const char *words)
{
    char why[256];
    struct fl_decoder *d;

    memset(why, 'x', sizeof(why));
    d = fl_plugin_open(path, why);
    CHECK(!d, "%s opens", what);
    if (d) {
        d->close(d);
        return;
    }
    CHECK(memchr(why, 0, sizeof(why)), "%s: no end", what);
    why[255] = 0;
    CHECK(!strchr(why, '\n'), "%s: more than a line: %s", what, why);
    CHECK(strncmp(why, path, strlen(path)) == 0 && why[strlen(path)] == ':', "%s: the file is not named: %s", what,
          why);
    CHECK(strstr(why, words), "%s: says: %s", what, why);
}

static void test_refusals(const char *bad, const char *nothing)
{
    static const struct {
        const char *what, *words;
    } cases[] = {
        {"null", "returned NULL"},
        {"abi", "plug-in ABI 2, this is 1"},
        {"modes-none", "modes must be"},
        {"modes-more", "modes must be"},
        {"name-null", "name must be"},
        {"name-empty", "name must be"},
        {"name-capital", "name must be"},
        {"name-long", "name must be"},
        {"version-null", "version must be"},
        {"version-empty", "version must be"},
        {"version-blank", "version must be"},
        {"version-long", "version must be"},
        {"open-null", "open is NULL"},
        {"decode-null", "decode is NULL"},
        {"close-null", "close is NULL"},
        {"changes", "same pointer"},
        {"open", "bad-1 1.0 does not open: no licence found"},
        {"open-silent", "gives no reason"},
        {"open-endless", "does not open: xxx"},
    };
    char text[] = "/tmp/faultline-plugin-XXXXXX";
    int fd = mkstemp(text);

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        setenv("FL_TEST_BAD", cases[i].what, 1);
        check_refused(bad, cases[i].what, cases[i].words);
    }
    unsetenv("FL_TEST_BAD");
    check_refused(nothing, "no symbol", "exports no fl_decoder_plugin()");
    check_refused("./is-not-there.so", "missing file", "No such file");
    check_refused("is-not-there.so", "missing file", "write ./ before it");
    check_refused("/", "a folder", "cannot be loaded");
    check_refused("", "no name", "cannot be loaded");
    CHECK(fd >= 0 && write(fd, "this is text\n", 13) == 13, "%s", text);
    check_refused(text, "not an ELF file", "cannot be loaded: ");
    close(fd);
    unlink(text);
}

/* What the plug-in answers is brought into range, because it is used as an index. */
static void test_wild_answers(const char *bad)
{
    static const struct {
        const char *what;
        struct fl_decoded want;
    } cases[] = {
        {"none", {FL_DEC_NOP, 3, FL_HINT_NONE}},
        {"wild-class", {FL_DEC_INVALID, 0, FL_HINT_NONE}},
        {"wild-hint", {FL_DEC_PREFETCH, 3, FL_HINT_NONE}},
        {"stray-hint", {FL_DEC_NOP, 3, FL_HINT_NONE}},
    };
    const uint8_t bytes[15] = {0x0f, 0x18, 0x00};
    char why[256] = "";

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct fl_decoder *d;
        struct fl_decoded said;

        setenv("FL_TEST_BAD", cases[i].what, 1);
        d = fl_plugin_open(bad, why);
        CHECK(d, "%s: %s", cases[i].what, why);
        if (!d)
            continue;
        CHECK(strcmp(d->name, "bad-1") == 0 && strcmp(d->version, "1.0") == 0, "%s %s", d->name, d->version);
        CHECK_EQ(d->modes, FL_DECODES_64, "%s", cases[i].what);
        said = d->decode(d, bytes, 15, 64);
        CHECK(said.cls == cases[i].want.cls && said.length == cases[i].want.length && said.hint == cases[i].want.hint,
              "%s: %u, %u bytes, hint %u", cases[i].what, said.cls, said.length, said.hint);
        d->close(d);
    }
    unsetenv("FL_TEST_BAD");
}

/* It agrees with the rule but for what it knows better: register operands. */
static void judge_sample(void *data, const uint8_t bytes[16], unsigned bits)
{
    struct fl_decoder *d = data;
    struct fl_decoded said = d->decode(d, bytes, 15, bits);
    bool rule = fl_prefetch_rule(bytes, 15, bits, NULL);
    const struct fl_decode_row *row;
    struct fl_decode_form form;
    enum fl_decode_agreement want;

    fl_decode_form(bytes, 15, bits, &form);
    want = rule && form.mod == 3 ? FL_DECODE_DIFFERS : FL_DECODE_AGREE;
    CHECK_EQ(fl_decode_judge(d, bytes, 15, bits, rule, said, &row), want, "%02x %02x %02x %02x in %u-bit code",
             bytes[0], bytes[1], bytes[2], bytes[3], bits);
}

static void test_sample(const char *sample)
{
    static const uint8_t long_run[16] = {0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66,
                                         0x66, 0x66, 0x66, 0x66, 0x0f, 0x18, 0x40};
    char why[256] = "";
    struct fl_decoder *d = fl_plugin_open(sample, why);

    CHECK(d, "%s", why);
    if (!d)
        return;
    enumerate_prefetches(1, judge_sample, d);
    CHECK_EQ(d->decode(d, long_run, 15, 64).cls, FL_DEC_TOO_LONG, "16 bytes");
    CHECK_EQ(d->decode(d, long_run, 14, 64).cls, FL_DEC_INCOMPLETE, "14 bytes");
    CHECK_EQ(d->decode(d, long_run, 0, 64).cls, FL_DEC_INCOMPLETE, "no bytes");
    d->close(d);
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        fprintf(stderr, "usage: test_plugin SAMPLE BAD NOTHING\n");
        return 2;
    }
    test_sample(argv[1]);
    test_wild_answers(argv[2]);
    test_refusals(argv[2], argv[3]);
    return check_done("decode-plugin");
}
