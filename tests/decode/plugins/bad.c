/* SPDX-License-Identifier: MIT */
/* A plug-in that breaks the rule of decoder_plugin.h that FL_TEST_BAD names; none without it. */
#include <faultline/oracle/decoder_plugin.h>

#include <stdlib.h>
#include <string.h>

static int bad(const char *what)
{
    const char *chosen = getenv("FL_TEST_BAD");

    return chosen && strcmp(chosen, what) == 0;
}

static void *bad_open(char why[256])
{
    static char nothing;

    if (bad("open")) {
        strcpy(why, "no licence\nfound");
        return NULL;
    }
    if (bad("open-silent"))
        return NULL;
    if (bad("open-endless")) {
        memset(why, 'x', 256);
        return NULL;
    }
    return &nothing;
}

static void bad_decode(void *decoder, const uint8_t *bytes, size_t n, unsigned bits, struct fl_decoded *out)
{
    (void)decoder;
    (void)bytes;
    (void)n;
    (void)bits;
    if (bad("wild-class"))
        *out = (struct fl_decoded){200, 3, FL_HINT_T0};
    else if (bad("wild-hint"))
        *out = (struct fl_decoded){FL_DEC_PREFETCH, 3, 200};
    else if (bad("stray-hint"))
        *out = (struct fl_decoded){FL_DEC_NOP, 3, FL_HINT_T0};
    else
        *out = (struct fl_decoded){FL_DEC_NOP, 3, FL_HINT_NONE};
}

static void bad_close(void *decoder)
{
    (void)decoder;
}

const struct fl_decoder_plugin *fl_decoder_plugin(void)
{
    static struct fl_decoder_plugin plugins[2];
    static unsigned calls;
    struct fl_decoder_plugin *p = &plugins[bad("changes") ? calls++ % 2 : 0];

    *p = (struct fl_decoder_plugin){
        FL_DECODER_PLUGIN_ABI, FL_DECODES_64, "bad-1", "1.0", bad_open, bad_decode, bad_close,
    };
    if (bad("null"))
        return NULL;
    if (bad("abi")) {
        /* Nothing behind it may be looked at. */
        memset(p, 0xff, sizeof(*p));
        p->abi = FL_DECODER_PLUGIN_ABI + 1;
    }
    if (bad("modes-none"))
        p->modes = 0;
    if (bad("modes-more"))
        p->modes = 8 | FL_DECODES_64;
    if (bad("name-null"))
        p->name = NULL;
    if (bad("name-empty"))
        p->name = "";
    if (bad("name-capital"))
        p->name = "Bad";
    if (bad("name-long"))
        p->name = "sixteen-letters-";
    if (bad("version-null"))
        p->version = NULL;
    if (bad("version-empty"))
        p->version = "";
    if (bad("version-blank"))
        p->version = "1 0";
    if (bad("version-long"))
        p->version = "1.2.3.4.5.6.7.8.9";
    if (bad("open-null"))
        p->open = NULL;
    if (bad("decode-null"))
        p->decode = NULL;
    if (bad("close-null"))
        p->close = NULL;
    return p;
}
