/* SPDX-License-Identifier: MIT */
/* The proof, on the core of this tree and on cores out of shared objects that are wrong in one way each. */
#include "check.h"

#include "conform/proof_internal.h"
#include <faultline/fuzz/plugin_core.h>

#include <unistd.h>

static const char *folder;

/* Where something ends `at` bytes from ip, exactly those bytes may be read; and the list says so in its words. */
static void test_configurations(void)
{
    static struct config c;
    unsigned user = 0, kernel = 0, open = 0, ends[BYTES + 1] = {0}, by_bits[65] = {0};

    for (unsigned i = 0; i < config_count(); i++) {
        unsigned n = 0, at;
        const char *words;

        config_make(i, &c);
        while (n < BYTES && c.window.readable[n])
            n++;
        words = strstr(c.words, "ends ");
        if (!words)
            words = strstr(c.words, "page begins ");
        if (words && !strstr(c.words, "page ends")) {
            CHECK(sscanf(strpbrk(words, "0123456789"), "%u", &at) == 1, "%s", c.words);
            /* No 16-bit ip lies behind the end of a virtual-8086 segment. */
            CHECK(n == at || (at == 0 && n == 1 && strstr(c.words, "virtual-8086")), "%s: %u", c.words, n);
            ends[at]++;
        } else if (!strstr(c.words, "page ends") && !strstr(c.words, "beyond") && !strstr(c.words, "last selector")) {
            CHECK_EQ(n, BYTES, "%s", c.words);
        }
        CHECK_EQ(strstr(c.words, "user accessor") != NULL, c.window.user, "%s", c.words);
        user += c.window.user;
        kernel += !c.window.user;
        open += c.window.open;
        by_bits[c.window.bits]++;
    }
    CHECK(user > 200 && kernel > 200 && open > 500 && open < config_count(), "%u %u %u", user, kernel, open);
    for (unsigned i = 0; i <= BYTES; i++)
        CHECK(ends[i] >= 20, "%u ends %u bytes from ip", ends[i], i);
    CHECK(by_bits[16] > 100 && by_bits[32] > 100 && by_bits[64] > 100 && by_bits[0] > 10, "every size of code");
}

/* The product's own rule against the one that takes whole strings. */
static void test_knowledge(void)
{
    static struct config c;
    uint64_t seed = 1;

    for (unsigned turn = 0; turn < 20000; turn++) {
        static const uint8_t likely[] = {0x26, 0x48, 0x66, 0xf0, 0x0f, 0x0d, 0x18, 0x90};
        uint8_t bytes[BYTES], rest[BYTES];
        uint16_t completion[BYTES];
        struct knowledge k;
        bool may_be_true, may_be_false;
        unsigned reads = (unsigned)(check_random(&seed) % (BYTES + 1));

        config_make((unsigned)(check_random(&seed) % 20), &c);
        for (unsigned i = 0; i < BYTES; i++)
            bytes[i] = likely[check_random(&seed) % sizeof likely];
        knowledge_start(&k);
        /* In an order of its own: i * 4 modulo 15 comes by every byte. */
        for (unsigned i = 0; i < reads; i++)
            knowledge_add(&k, &c, turn % 2 ? i : i * 4 % BYTES, bytes[turn % 2 ? i : i * 4 % BYTES]);
        knowledge_answers(&k, &c, &may_be_true, &may_be_false, completion);
        CHECK(may_be_true || may_be_false, "turn %u", turn);
        if (reads == BYTES) {
            CHECK_EQ(may_be_true, fl_prefetch_rule(bytes, BYTES, c.window.bits, NULL), "turn %u", turn);
            CHECK_EQ(may_be_false, !may_be_true, "turn %u", turn);
        }
        if (!may_be_true)
            continue;
        unsigned n = 0;
        for (; n < BYTES && completion[n] < PROOF_FAILS; n++)
            rest[n] = (uint8_t)completion[n];
        CHECK(fl_prefetch_rule(rest, n, c.window.bits, NULL), "turn %u: the completion is no prefetch", turn);
    }
}

static void test_this_core(void)
{
    struct proof_result r, again;
    const struct proof_options few = {.stride = 50};

    CHECK_EQ(proof_run(fl_core(), NULL, NULL, &r), FL_OK, "%s", r.reason);
    if (r.verdict == PROOF_UNSUPPORTED)
        return;
    proof_print(stdout, &r);
    CHECK_EQ(r.verdict, PROOF_PROVEN, "%s", r.reason);
    CHECK_EQ(r.proven, r.configurations, "all of them");
    CHECK(r.states > 10000, "%" PRIu64 " states", r.states);
    CHECK_EQ(r.transitions, r.states * SYMBOLS, "every symbol from each state");
    CHECK(r.answers > r.states && r.probes > r.transitions, "%" PRIu64 " answers", r.answers);
    CHECK_EQ(r.nexamples + r.refuted + r.bounded + r.not_tried + r.strings, 0, "nothing else");

    CHECK_EQ(proof_run(fl_core(), NULL, &few, &r), FL_OK, "%s", r.reason);
    CHECK_EQ(proof_run(fl_core(), NULL, &few, &again), FL_OK, "%s", r.reason);
    r.seconds = again.seconds;
    CHECK(memcmp(&r, &again, sizeof r) == 0, "twice the same");
    CHECK_EQ(proof_run(NULL, NULL, NULL, &r), FL_INVALID, "NULL");
    CHECK_EQ(proof_run(fl_core(), NULL, NULL, NULL), FL_INVALID, "NULL");
    CHECK_EQ(proof_run(&(struct fl_core){.abi = FL_CORE_ABI, .name = "empty"}, NULL, NULL, &r), FL_INVALID, "empty");
}

#define P13 "26 26 26 26 26 26 26 26 26 26 26 26 26 "

static const struct expected {
    unsigned bug, stride;
    enum proof_verdict verdict;
    const char *key, *bytes, *second; /* of the first example; the bytes of a second one */
} cores[] = {
    {0, 3, PROOF_PROVEN, NULL, NULL, NULL},
    {1, 7, PROOF_REFUTED, "bound/window/inside/outside", P13 "26 0f", NULL},
    {14, 7, PROOF_REFUTED, "prefetch/rule/ignored/not-ignored", P13 "0f 0d", NULL},
    {2, 7, PROOF_REFUTED, "prefetch/rule/ignored/not-ignored", "f0 0f 0d", NULL},
    {3, 20, PROOF_REFUTED, "prefetch/rule/not-ignored/ignored", "40 0f 0d", NULL},
    {4, 7, PROOF_REFUTED, "bound/accessor/user/kernel", "0f", NULL},
    {5, 3, PROOF_REFUTED, "bound/segment/inside/outside", "0f", NULL},
    {6, 20, PROOF_REFUTED, "contract/state/none-kept/kept", "(none)", NULL},
    {7, 20, PROOF_REFUTED, "prefetch/rule/ignored/not-ignored", "26 2e 36 3e 64 65 66 67 f0 f2 f3 26 66 0f 0d", NULL},
    {8, 7, PROOF_REFUTED, "crash/prefetch/answer/signal-6", "66 f3", NULL},
    {9, 7, PROOF_REFUTED, "hang/prefetch/answer/none", "f2 f2", NULL},
    {10, 40, PROOF_UNPROVEN, NULL, NULL, NULL},
    {13, 20, PROOF_REFUTED, "bound/window/inside/outside", "26 26 26 26 26 26 0f 00", NULL},
    {15, 7, PROOF_REFUTED, "prefetch/rule/ignored/not-ignored", "67 0f 0d", "f0 0f 0d"},
    {16, 7, PROOF_REFUTED, "contract/prefetch/probes-only/other-op", "0f 0d", NULL},
    {17, 7, PROOF_REFUTED, "contract/memory/unchanged/written", "(none)", NULL},
    {18, 7, PROOF_PROVEN, NULL, NULL, NULL},
    {19, 20, PROOF_REFUTED, "contract/state/none-kept/kept", "(none)", NULL},
    {20, 100, PROOF_PROVEN, NULL, NULL, NULL},
    {21, 20, PROOF_UNPROVEN, NULL, NULL, NULL},
    {22, 20, PROOF_REFUTED, "contract/ldt/entry-of-cs/again", "(none)", NULL},
};

static void path_of(unsigned bug, char path[512])
{
    snprintf(path, 512, "%s/scanner%u.so", folder, bug);
}

static void expect_examples(const struct expected *want, const struct proof_result *r)
{
    const struct proof_example *e = &r->example[0];
    char key[128];

    CHECK_EQ(r->nexamples, want->second ? 2 : 1, "bug %u", want->bug);
    CHECK(!r->more, "bug %u", want->bug);
    if (!r->nexamples)
        return;
    snprintf(key, sizeof key, "%s/%s/%s/%s", e->check, e->row, e->expected, e->actual);
    CHECK(strcmp(key, want->key) == 0, "bug %u: %s", want->bug, key);
    CHECK(strcmp(e->bytes, want->bytes) == 0, "bug %u: %s", want->bug, e->bytes);
    CHECK(*e->configuration && *e->detail, "bug %u", want->bug);
    if (want->second)
        CHECK(strcmp(r->example[1].bytes, want->second) == 0, "bug %u: %s", want->bug, r->example[1].bytes);
}

static void expect_json(const struct proof_result *r)
{
    json_t *json = proof_json(r);
    const char *verdict = json_string_value(json_object_get(json, "verdict"));

    CHECK(verdict && strcmp(verdict, proof_verdict_name(r->verdict)) == 0, "the JSON document");
    CHECK_EQ(json_integer_value(json_object_get(json, "states")), r->states, "states");
    CHECK_EQ(json_array_size(json_object_get(json, "examples")), r->nexamples, "examples");
    json_decref(json);
}

static void test_plugin(const struct expected *want)
{
    const struct proof_options o = {.stride = want->stride, .hang_seconds = want->bug == 9 ? 2 : 60};
    struct plugin_core plugin;
    struct proof_result r;
    char path[512], why[512];

    path_of(want->bug, path);
    CHECK(plugin_core_open(path, &plugin, why), "%s", why);
    CHECK_EQ(proof_run(plugin.core, path, &o, &r), FL_OK, "%s", r.reason);
    printf("---- bug %u: ", want->bug);
    proof_print(stdout, &r);
    CHECK_EQ(r.verdict, want->verdict, "bug %u", want->bug);
    expect_json(&r);
    if (want->verdict == PROOF_REFUTED) {
        expect_examples(want, &r);
        CHECK(r.refuted != 0, "bug %u", want->bug);
    } else {
        CHECK_EQ(r.nexamples + r.refuted, 0, "bug %u", want->bug);
    }
    if (want->verdict == PROOF_PROVEN)
        CHECK_EQ(r.proven, r.configurations, "bug %u", want->bug);
    if (want->verdict == PROOF_UNPROVEN)
        CHECK(r.bounded && r.strings > 1000 && *r.reason, "bug %u: %s", want->bug, r.reason);
    plugin_core_close(&plugin);
}

static void refused(const char *path, const char *what)
{
    struct plugin_core plugin;
    char why[512];

    CHECK(!plugin_core_open(path, &plugin, why), "%s", path);
    CHECK(strstr(why, path) && strstr(why, what) && !strchr(why, '\n'), "%s", why);
}

static void test_door(void)
{
    char path[512];

    path_of(11, path);
    refused(path, "rebuild it");
    path_of(12, path);
    refused(path, "has no function fl_core()");
    refused("/nowhere/core.so", "no such file");
    refused("/", "is not a file");
    snprintf(path, sizeof path, "%s/broken.so", folder);
    FILE *f = fopen(path, "w");
    CHECK(f && fputs("not an object\n", f) >= 0 && fclose(f) == 0, "%s", path);
    refused(path, "cannot be loaded");
    remove(path);
}

int main(int argc, char **argv)
{
    struct proof_result r;
    const struct proof_options none = {.stride = 1000000};

    folder = argc > 1 ? argv[1] : ".";
    test_configurations();
    test_knowledge();
    test_door();
    test_this_core();
    if (proof_run(fl_core(), NULL, &none, &r) == FL_OK && r.verdict != PROOF_UNSUPPORTED)
        for (size_t i = 0; i < sizeof cores / sizeof *cores; i++)
            test_plugin(&cores[i]);
    return check_done("proof");
}
