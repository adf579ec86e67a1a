/* SPDX-License-Identifier: MIT */
/*
 * Decoders as a user may bring them. It knows the rule and nothing else; KIND says what is the matter with it.
 */
#include <faultline/oracle/decoder_plugin.h>

#include <stdlib.h>
#include <unistd.h>

#define RIGHT  0
#define CRASH  1 /* on one string */
#define HANG   2
#define ALWAYS 3 /* crashes on every string */
#define WRONG  4 /* takes 0F 1F for a prefetch's second byte, and no LOCK */
#define EXIT   5 /* ends the process when it is opened */
#define ASLEEP 6 /* does not come back when it is opened */

static int is_prefix(uint8_t b, unsigned bits)
{
    return (b & 0xe7) == 0x26 || (b & 0xfc) == 0x64 || (b == 0xf0 && KIND != WRONG) || b == 0xf2 || b == 0xf3 ||
           (bits == 64 && (b & 0xf0) == 0x40);
}

static void *open_it(char why[256])
{
    (void)why;
    if (KIND == EXIT)
        _Exit(7);
    while (KIND == ASLEEP)
        pause();
    return malloc(1);
}

/* The length of a prefetch behind n prefixes. */
static uint8_t length_of(const uint8_t *b, size_t n, unsigned bits, int address67)
{
    unsigned mod = b[n + 2] >> 6, rm = b[n + 2] & 7, size = (unsigned)n + 3;
    int address16 = bits == 16 ? !address67 : bits == 32 && address67;

    if (mod == 3)
        return (uint8_t)size;
    if (address16)
        return (uint8_t)(size + (mod == 0 ? (rm == 6 ? 2 : 0) : mod));
    if (rm == 4)
        size += mod == 0 && (b[n + 3] & 7) == 5 ? 5 : 1;
    return (uint8_t)(size + (mod == 1 ? 1 : mod == 2 ? 4 : rm == 5 ? 4 : 0));
}

static void decode(void *decoder, const uint8_t *b, size_t n, unsigned bits, struct fl_decoded *out)
{
    size_t at = 0;
    int address67 = 0;

    (void)decoder;
    if (KIND == ALWAYS || (KIND == CRASH && n > 3 && b[0] == 0xf0 && b[1] == 0x0f && b[2] == 0x18 && b[3] == 0))
        abort();
    while (KIND == HANG && n > 3 && b[0] == 0x67 && b[1] == 0x0f && b[2] == 0x0d && b[3] == 7)
        *(volatile uint8_t *)&out->cls = 0;
    *out = (struct fl_decoded){FL_DEC_OTHER, 1, FL_HINT_NONE};
    while (at + 2 < n && is_prefix(b[at], bits))
        address67 |= b[at++] == 0x67;
    if (at + 2 < n && b[at] == 0x0f && (b[at + 1] == 0x0d || b[at + 1] == 0x18))
        *out = (struct fl_decoded){FL_DEC_PREFETCH, length_of(b, at, bits, address67), FL_HINT_NONE};
}

const struct fl_decoder_plugin *fl_decoder_plugin(void)
{
    static const char *const names[] = {"user-right", "user-crash", "user-hang",  "user-always",
                                        "user-wrong", "user-exit",  "user-asleep"};
    static struct fl_decoder_plugin plugin = {FL_DECODER_PLUGIN_ABI, FL_DECODES_ALL, 0, "1.0", open_it, decode, free};

    plugin.name = names[KIND];
    return &plugin;
}
