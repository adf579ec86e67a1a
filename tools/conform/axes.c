/* SPDX-License-Identifier: MIT */
/*
 * The byte strings that columns are asked about, axis by axis. Everything is counted through; nothing is drawn by chance:
 * of random strings one in a thousand has the form of a prefetch.
 */
#include "conform.h"

#include <string.h>

/* All that a decoder may take for a prefix in some mode: the legacy ones, and 40 to 4F, which are REX in 64-bit code and
 * INC or DEC in the others. */
#define PREFIX_VALUES 27u
static const uint8_t prefix_value[PREFIX_VALUES] = {
    0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66, 0x67, 0xf0, 0xf2, 0xf3, 0x40, 0x41, 0x42,
    0x43, 0x44, 0x45, 0x46, 0x47, 0x48, 0x49, 0x4a, 0x4b, 0x4c, 0x4d, 0x4e, 0x4f,
};

/* What stands behind ModRM where operands are counted through: SIB and displacement bytes, whichever of them ModRM asks for.
 * Zero; a SIB without a base; an index as well, and a displacement that goes backwards; the stack pointer as the base. */
#define TAILS      4u
#define TAIL_BYTES 5u
static const uint8_t tail[TAILS][TAIL_BYTES] = {
    {0},
    {0x25, 0x80, 0x00, 0x00, 0x7f},
    {0xe5, 0xff, 0xff, 0xff, 0xff},
    {0x24, 0x7f, 0x80, 0x01, 0x80},
};

/* Shapes of an operand: mod and rm. A base register; RIP-relative or a displacement alone; a byte and a word of
 * displacement; SIB with a displacement; a register. */
#define SHAPES 6u
static const uint8_t shape[SHAPES] = {0x00, 0x05, 0x40, 0x80, 0x84, 0xc0};

/* ---- keys --------------------------------------------------------------------------------------------------------- */

/* Bits of each attribute that is not a feature, from the lowest on; the axis comes above all. */
static const uint8_t attribute_bits[ATTR_FEATURES] = {
    [ATTR_MODE] = 2, [ATTR_OPCODE] = 3, [ATTR_REGISTER] = 1, [ATTR_REG] = 3, [ATTR_RIP] = 1, [ATTR_A] = 5, [ATTR_B] = 5,
};
#define AXIS_AT (FEATURES_AT + FL_FEATURE_MAX)

_Static_assert(AXIS_COUNT <= 8 && AXIS_AT + 3 <= 64, "a key is one word");

cell_key key_make(enum axis axis, unsigned mode, unsigned opcode, bool is_register, unsigned reg, bool rip, unsigned a,
                  unsigned b, uint32_t features)
{
    const unsigned value[ATTR_FEATURES] = {
        [ATTR_MODE] = mode, [ATTR_OPCODE] = opcode, [ATTR_REGISTER] = is_register, [ATTR_REG] = reg, [ATTR_RIP] = rip,
        [ATTR_A] = a,       [ATTR_B] = b,
    };
    cell_key key = (cell_key)axis << AXIS_AT | (cell_key)features << FEATURES_AT;

    for (unsigned i = 0, at = 0; i < ATTR_FEATURES; at += attribute_bits[i++])
        key |= (cell_key)value[i] << at;
    return key;
}

enum axis key_axis(cell_key key)
{
    return (enum axis)(key >> AXIS_AT);
}

static unsigned attribute_at(unsigned attribute)
{
    unsigned at = 0;

    if (attribute >= ATTR_FEATURES)
        return FEATURES_AT + attribute - ATTR_FEATURES;
    for (unsigned i = 0; i < attribute; i++)
        at += attribute_bits[i];
    return at;
}

unsigned key_get(cell_key key, unsigned attribute)
{
    return (unsigned)(key >> attribute_at(attribute)) & (attribute_values(attribute) - 1);
}

cell_key key_with(cell_key key, unsigned attribute, unsigned value)
{
    unsigned at = attribute_at(attribute);

    return (key & ~((cell_key)(attribute_values(attribute) - 1) << at)) | (cell_key)value << at;
}

unsigned attribute_values(unsigned attribute)
{
    return attribute >= ATTR_FEATURES ? 2 : 1u << attribute_bits[attribute];
}

/* ---- putting strings together ------------------------------------------------------------------------------------- */

/* The parts of the run of prefixes that a unit's strings share. */
struct run {
    enum axis axis;
    unsigned mode, n;
    uint8_t bytes[STRING_BYTES];
    uint32_t features;
    bool address16;
};

static struct run run_of(enum axis axis, unsigned mode, const uint8_t *bytes, unsigned n)
{
    struct run r = {.axis = axis, .mode = mode, .n = n};
    bool a67 = false;

    memcpy(r.bytes, bytes, n);
    for (unsigned i = 0; i < n; i++)
        a67 |= bytes[i] == 0x67;
    r.features = fl_prefix_features(bytes, n, mode_bits(mode));
    r.address16 = mode == 0 ? !a67 : mode == 1 && a67;
    return r;
}

/* Bytes of SIB and displacement behind ModRM. */
static unsigned operand_bytes(bool address16, uint8_t modrm, uint8_t sib)
{
    unsigned mod = modrm >> 6, rm = modrm & 7;

    if (mod == 3)
        return 0;
    if (address16)
        return mod == 0 ? (rm == 6 ? 2 : 0) : mod;

    unsigned bytes = mod == 1 ? 1 : mod == 2 ? 4 : rm == 5 || (rm == 4 && (sib & 7) == 5) ? 4 : 0;

    return bytes + (rm == 4);
}

/* How a whole instruction lies to the limit of 15 bytes. */
static enum limit limit_of(unsigned prefixes, unsigned length)
{
    return prefixes + 2 > FL_RULE_BYTES ? LIMIT_IN_OPCODE : length > FL_RULE_BYTES ? LIMIT_IN_OPERAND : LIMIT_NOT_MET;
}

/* The first byte that is missing. */
static enum cut cut_at(const struct run *r, uint8_t modrm, unsigned readable)
{
    bool sib = modrm < 0xc0 && (modrm & 7) == 4 && !r->address16;

    if (readable < r->n)
        return CUT_PREFIX;
    switch (readable - r->n) {
    case 0: return CUT_ESCAPE;
    case 1: return CUT_OPCODE;
    case 2: return CUT_MODRM;
    case 3: return sib ? CUT_SIB : CUT_DISPLACEMENT;
    default: return CUT_DISPLACEMENT;
    }
}

static void add(struct batch *b, const struct run *r, bool hint, uint8_t modrm, const uint8_t *behind, unsigned cut)
{
    unsigned i = b->n++, at = r->n, length = at + 3 + operand_bytes(r->address16, modrm, behind[0]);
    uint8_t *bytes = b->bytes[i];
    unsigned place = 0, count = 0, readable = length;

    if (r->axis == AXIS_RUNS) {
        place = limit_of(at, length);
        count = at;
    } else if (r->axis == AXIS_CUTS) {
        readable = cut;
        place = cut_at(r, modrm, cut);
        count = limit_of(at, length);
    }
    memset(bytes, 0, STRING_BYTES);
    memcpy(bytes, r->bytes, at);
    bytes[at] = 0x0f;
    if (at + 1 < STRING_BYTES)
        bytes[at + 1] = hint ? 0x18 : 0x0d;
    if (at + 2 < STRING_BYTES)
        bytes[at + 2] = modrm;
    for (unsigned k = at + 3; k < length && k < STRING_BYTES; k++)
        bytes[k] = behind[k - at - 3];
    b->length[i] = (uint8_t)length;
    b->readable[i] = (uint8_t)readable;
    b->key[i] = key_make(r->axis, r->mode, hint, modrm >= 0xc0, modrm >> 3 & 7, r->mode == 2 && (modrm & 0xc7) == 5,
                         place, count, r->features);
}

/* ---- the space ---------------------------------------------------------------------------------------------------- */

/* The run of prefixes with that number: by length, then by value. */
static unsigned sequence(uint32_t number, uint8_t bytes[3])
{
    uint32_t runs = 1;
    unsigned n = 0;

    for (; number >= runs; n++, runs *= PREFIX_VALUES)
        number -= runs;
    for (unsigned i = n; i-- > 0; number /= PREFIX_VALUES)
        bytes[i] = prefix_value[number % PREFIX_VALUES];
    return n;
}

static uint32_t sequences(unsigned most)
{
    uint32_t sum = 0, runs = 1;

    for (unsigned n = 0; n <= most; n++, runs *= PREFIX_VALUES)
        sum += runs;
    return sum;
}

static void fill_space(const struct space *s, unsigned mode, uint32_t unit, struct batch *b)
{
    unsigned tails = s->operands ? TAILS : 1, n;
    uint8_t prefixes[3];
    struct run r;
    struct made made;

    n = sequence(unit / tails, prefixes);
    r = run_of(AXIS_SPACE, mode, prefixes, n);
    made = (struct made){true, (uint8_t)mode, (uint8_t)n, (uint8_t)(unit % tails), r.address16};
    b->execute = true;
    if (memcmp(&b->made, &made, sizeof made) == 0) {
        const cell_key features = (cell_key)r.features << FEATURES_AT;
        const cell_key others = ~((((cell_key)1 << FL_FEATURE_MAX) - 1) << FEATURES_AT);

        b->n = BATCH_STRINGS;
        for (unsigned i = 0; i < BATCH_STRINGS; i++) {
            for (unsigned k = 0; k < n; k++)
                b->bytes[i][k] = prefixes[k];
            b->key[i] = (b->key[i] & others) | features;
        }
        return;
    }
    b->made = made;
    for (unsigned i = 0; i < BATCH_STRINGS; i++)
        add(b, &r, i >> 8, (uint8_t)i, tail[unit % tails], 0);
}

/* ---- the boundary axes -------------------------------------------------------------------------------------------- */

#define FIRST_RUN 4u
#define LAST_RUN  15u
#define RUNS      (LAST_RUN - FIRST_RUN + 1)

/* A run of one prefix, the last of them another. */
static void fill_runs(unsigned mode, uint32_t unit, struct batch *b)
{
    unsigned n = FIRST_RUN + unit / (PREFIX_VALUES * PREFIX_VALUES);
    uint8_t bytes[STRING_BYTES];
    struct run r;

    memset(bytes, prefix_value[unit / PREFIX_VALUES % PREFIX_VALUES], n);
    bytes[n - 1] = prefix_value[unit % PREFIX_VALUES];
    r = run_of(AXIS_RUNS, mode, bytes, n);
    b->execute = true;
    for (unsigned i = 0; i < 2 * SHAPES * 8; i++)
        add(b, &r, i & 1, (uint8_t)(shape[i / 2 % SHAPES] | i / 2 / SHAPES << 3), tail[0], 0);
}

/* None or one prefix, and runs that leave the opcode just inside or just outside of 15 bytes. */
static const uint8_t cut_runs[] = {1, 11, 12, 13, 14};

static void fill_cuts(unsigned mode, uint32_t unit, struct batch *b)
{
    static const uint8_t regs[] = {0, 4};
    unsigned n = unit ? cut_runs[(unit - 1) / PREFIX_VALUES] : 0;
    uint8_t bytes[STRING_BYTES];
    struct run r;

    memset(bytes, unit ? prefix_value[(unit - 1) % PREFIX_VALUES] : 0, n);
    r = run_of(AXIS_CUTS, mode, bytes, n);
    for (unsigned i = 0; i < 2 * SHAPES * sizeof regs; i++) {
        uint8_t modrm = (uint8_t)(shape[i / 2 % SHAPES] | regs[i / 2 / SHAPES] << 3);
        unsigned length = n + 3 + operand_bytes(r.address16, modrm, 0);

        for (unsigned cut = 0; cut < length && cut <= 16; cut++)
            add(b, &r, i & 1, modrm, tail[0], cut);
    }
}

/* ---- where else prefetches may be ----------------------------------------------------------------------------------- */

enum lead { LEAD_0D, LEAD_18, LEAD_VEX, LEAD_EVEX, LEAD_XOP, LEAD_REX2, LEAD_OTHER };

/* Bytes that are not put together as prefixes, 0F, opcode; length: none is known. */
static void add_raw(struct batch *b, enum axis axis, unsigned mode, const uint8_t *bytes, unsigned n)
{
    unsigned i = b->n++, at = 0;
    enum lead lead = LEAD_OTHER;

    memset(b->bytes[i], 0, STRING_BYTES);
    memcpy(b->bytes[i], bytes, n);
    b->length[i] = 0;
    b->readable[i] = FL_RULE_BYTES;
    while (at < n && fl_prefetch_step(FL_RULE_PREFIXES, bytes[at], mode_bits(mode)) == FL_RULE_PREFIXES)
        at++;
    switch (b->bytes[i][at]) {
    case 0x0f: lead = b->bytes[i][at + 1] == 0x0d ? LEAD_0D : b->bytes[i][at + 1] == 0x18 ? LEAD_18 : LEAD_OTHER; break;
    case 0xc4:
    case 0xc5: lead = LEAD_VEX; break;
    case 0x62: lead = LEAD_EVEX; break;
    case 0x8f: lead = LEAD_XOP; break;
    case 0xd5: lead = LEAD_REX2; break;
    default: break;
    }
    if (lead == LEAD_0D || lead == LEAD_18) {
        uint8_t modrm = b->bytes[i][at + 2];
        bool a67 = memchr(bytes, 0x67, at) != NULL;
        bool address16 = mode == 0 ? !a67 : mode == 1 && a67;

        b->length[i] = (uint8_t)(at + 3 + operand_bytes(address16, modrm, 0));
        b->key[i] = key_make(axis, mode, lead, modrm >= 0xc0, modrm >> 3 & 7, mode == 2 && (modrm & 0xc7) == 5, 0, 0,
                             fl_prefix_features(bytes, at, mode_bits(mode)));
    } else {
        b->key[i] = key_make(axis, mode, lead, 0, 0, 0, 0, 0, 0);
    }
}

static void fill_leads(unsigned mode, uint32_t unit, struct batch *b)
{
    for (unsigned i = 0; i < 256; i++) {
        const uint8_t bytes[3] = {(uint8_t)(unit >> 8), (uint8_t)unit, (uint8_t)i};

        add_raw(b, AXIS_LEADS, mode, bytes, sizeof bytes);
    }
}

/* The second byte of VEX3 and XOP payloads; W, vvvv, L and pp in the combinations that instructions are defined by. */
static const uint8_t vex_last[] = {0x00, 0x08, 0x38, 0x40, 0x70, 0x78, 0x79, 0x7a,
                                   0x7b, 0x7c, 0x80, 0xf8, 0xf9, 0xfa, 0xfb, 0xff};
/* EVEX and MVEX: high half of P0 (R, X, B, R'), and P2 (z, L'L, b, V', aaa). */
static const uint8_t evex_high[] = {0x00, 0x90, 0xf0};
static const uint8_t evex_p2[] = {0x00, 0x08, 0x09, 0x0a, 0x48, 0x49, 0x4a, 0x68};
static const uint8_t evex_opcode[] = {0x0d, 0x18, 0xc6, 0xc7};
static const uint8_t evex_shape[] = {0x00, 0x04, 0x44, 0xc0};

#define COUNT(a)   (sizeof(a) / sizeof *(a))
#define VEX2_UNITS 256u
#define REX2_UNITS 256u
#define VEX3_UNITS (256u * COUNT(vex_last))
#define EVEX_UNITS (COUNT(evex_high) * 16u * 32u * COUNT(evex_p2))

static void fill_evex(unsigned mode, uint32_t unit, struct batch *b)
{
    uint8_t p0 = (uint8_t)(evex_high[unit % 3] | (unit / 3 & 15));
    uint32_t rest = unit / 48;
    /* W, all or none of vvvv, the bit that tells EVEX from MVEX, pp. */
    uint8_t p1 = (uint8_t)((rest & 1) << 7 | (rest & 2 ? 0x78 : 0) | (rest & 4) | (rest >> 3 & 3));
    uint8_t p2 = evex_p2[rest / 32];

    for (unsigned i = 0; i < COUNT(evex_opcode) * COUNT(evex_shape) * 8; i++) {
        const uint8_t bytes[6] = {0x62, p0, p1, p2, evex_opcode[i % 4], (uint8_t)(evex_shape[i / 4 % 4] | i / 16 << 3)};

        add_raw(b, AXIS_ENCODINGS, mode, bytes, sizeof bytes);
    }
}

/* VEX2; the same behind 67, which some decoders take for more than it is; REX2; VEX3; XOP; EVEX and MVEX. */
static void fill_encodings(unsigned mode, uint32_t unit, struct batch *b)
{
    uint8_t bytes[6] = {0};
    unsigned at = 0;

    if (unit < 2 * VEX2_UNITS + REX2_UNITS) {
        if (unit / 256 == 1)
            bytes[at++] = 0x67;
        bytes[at++] = unit / 256 < 2 ? 0xc5 : 0xd5;
        bytes[at++] = (uint8_t)unit;
    } else if ((unit -= 2 * VEX2_UNITS + REX2_UNITS) < 2 * VEX3_UNITS) {
        bytes[at++] = unit < VEX3_UNITS ? 0xc4 : 0x8f;
        unit %= VEX3_UNITS;
        bytes[at++] = (uint8_t)(unit / COUNT(vex_last));
        bytes[at++] = vex_last[unit % COUNT(vex_last)];
    } else {
        fill_evex(mode, unit - 2 * VEX3_UNITS, b);
        return;
    }
    for (unsigned i = 0; i < BATCH_STRINGS; i++) {
        bytes[at] = i & 256 ? 0x18 : 0x0d;
        bytes[at + 1] = (uint8_t)i;
        add_raw(b, AXIS_ENCODINGS, mode, bytes, at + 2);
    }
}

/* ---- all of them -------------------------------------------------------------------------------------------------- */

uint32_t axis_units(const struct space *s, enum axis axis)
{
    switch (axis) {
    case AXIS_SPACE: return sequences(s->prefixes) * (s->operands ? TAILS : 1);
    case AXIS_RUNS: return RUNS * PREFIX_VALUES * PREFIX_VALUES;
    case AXIS_CUTS: return 1 + PREFIX_VALUES * sizeof cut_runs;
    case AXIS_LEADS: return 1u << 16;
    case AXIS_ENCODINGS: return 2 * VEX2_UNITS + REX2_UNITS + 2 * VEX3_UNITS + EVEX_UNITS;
    default: return 0;
    }
}

void axis_fill(const struct space *s, enum axis axis, unsigned mode, uint32_t unit, struct batch *out)
{
    out->n = 0;
    out->bits = mode_bits(mode);
    out->execute = false;
    if (axis != AXIS_SPACE)
        out->made.space = false;
    switch (axis) {
    case AXIS_SPACE: fill_space(s, mode, unit, out); break;
    case AXIS_RUNS: fill_runs(mode, unit, out); break;
    case AXIS_CUTS: fill_cuts(mode, unit, out); break;
    case AXIS_LEADS: fill_leads(mode, unit, out); break;
    case AXIS_ENCODINGS: fill_encodings(mode, unit, out); break;
    default: break;
    }
}

unsigned axis_length(const uint8_t bytes[STRING_BYTES], unsigned prefixes, unsigned mode)
{
    struct run r = run_of(AXIS_SPACE, mode, bytes, prefixes);
    uint8_t sib = prefixes + 3 < STRING_BYTES ? bytes[prefixes + 3] : 0;
    unsigned length = prefixes + 3 + operand_bytes(r.address16, bytes[prefixes + 2], sib);

    return length < STRING_BYTES ? length : STRING_BYTES;
}

const char *axis_name(enum axis axis)
{
    static const char *const names[AXIS_COUNT] = {"space", "runs", "cuts", "leads", "encodings"};

    return axis < AXIS_COUNT ? names[axis] : "?";
}

const char *axis_meaning(enum axis axis)
{
    static const char *const meanings[AXIS_COUNT] = {
        "up to N prefixes, 0F 0D and 0F 18, every ModRM", "runs of 4 to 15 prefixes: the 15-byte limit",
        "the readable bytes end at each index",           "every three bytes, zero behind",
        "VEX, EVEX, MVEX, XOP and REX2 encodings",
    };

    return axis < AXIS_COUNT ? meanings[axis] : "?";
}
