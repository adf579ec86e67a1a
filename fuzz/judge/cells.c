/* SPDX-License-Identifier: MIT */
/*
 * Decision cells: the numbering. Ranges, in order:
 *   walk    (mode, level) 14 x outcome 25 (ok, gp, bus; why a #PF: absent, rights or reserved bit x R W F x user 2; key x
 *           R W x user 2). What cannot happen has no cell: engines scan all of them after each execution.
 *   row     mode 4 x user 2 x policy row 128
 *   action  mode 4 x action 17 x error bits 32
 *   run     mode 4 x end 5 x faults 8 (0..6, 7 and more)
 *   decode  bits 3 x answer 2 x prefixes 16 x opcode 3 (0D, 18, other)
 *   sync    mode 4 x row 128 of the synchronisation table
 *   touch   generation 7 x end 5 x mode 4
 *   generation  expected difference 64
 *   pin-end     call 7 x error 7 x pages 3 (0, 1, more) x mode 4
 *   pin-race    who 26 x at which op 26
 *   pin-answer  answer 11 x op 26
 *   pin-page    call 7 x what is mapped 16 x write, force, get 8
 */
#include <faultline/fuzz/scenario.h>
#include <faultline/fuzz/stats.h>
#include <faultline/oracle/arch.h>
#include <inttypes.h>
#include <stdio.h>

enum {
    WALK_PLAIN = 3,  /* outcomes without an error code */
    WALK_WHYS = 3,   /* of a #PF that no key is part of */
    WALK_ACCESS = 6, /* read, write, fetch x supervisor, user */
    WALK_OUTCOMES = WALK_PLAIN + WALK_WHYS * WALK_ACCESS + 4,
    WALK_PATHS = 2 + 3 + 4 + 5,
    RUN_FAULTS = 8,
    DECODE_PREFIXES = 16,
    DECODE_OPCODES = 3,

    WALK_BASE = FL_CELLS_WALK_FIRST,
    WALK_SIZE = WALK_PATHS * WALK_OUTCOMES,
    ROW_BASE = WALK_BASE + WALK_SIZE,
    ROW_SIZE = FL_MODE_COUNT * 2 * FL_MAX_POLICY_ROWS,
    ACTION_BASE = ROW_BASE + ROW_SIZE,
    ACTION_SIZE = FL_MODE_COUNT * FL_ACT_COUNT * FL_ERROR_BITS,
    RUN_BASE = ACTION_BASE + ACTION_SIZE,
    RUN_SIZE = FL_MODE_COUNT * FL_END_COUNT * RUN_FAULTS,
    DECODE_BASE = RUN_BASE + RUN_SIZE,
    DECODE_SIZE = 3 * 2 * DECODE_PREFIXES * DECODE_OPCODES,

    SYNC_BASE = DECODE_BASE + DECODE_SIZE,
    SYNC_SIZE = FL_MODE_COUNT * FL_MAX_SYNC_ROWS,
    TOUCH_BASE = SYNC_BASE + SYNC_SIZE,
    TOUCH_SIZE = FL_GEN_COUNT * FL_TOUCH_COUNT * FL_MODE_COUNT,
    GEN_BASE = TOUCH_BASE + TOUCH_SIZE,
    PIN_END_BASE = GEN_BASE + FL_MAX_GEN_ROWS,
    PIN_END_SIZE = 7 * 7 * 3 * FL_MODE_COUNT,
    PIN_RACE_BASE = PIN_END_BASE + PIN_END_SIZE,
    PIN_RACE_SIZE = FL_ACTOR_COUNT * FL_PINOP_COUNT,
    PIN_ANSWER_BASE = PIN_RACE_BASE + PIN_RACE_SIZE,
    PIN_ANSWER_SIZE = FL_PINANS_COUNT * FL_PINOP_COUNT,
    PIN_PAGE_BASE = PIN_ANSWER_BASE + PIN_ANSWER_SIZE,
    PIN_PAGE_SIZE = FL_PINAPI_COUNT * 16 * 8,
    CELLS_USED = PIN_PAGE_BASE + PIN_PAGE_SIZE,
};
_Static_assert(CELLS_USED <= FL_CELLS, "more decision cells than are allowed");
_Static_assert((int)(WALK_SIZE) == (int)FL_CELLS_WALK, "cells of target walk");
_Static_assert((int)(ROW_BASE) == (int)FL_CELLS_FAULT_FIRST, "cells of target fault");
_Static_assert((int)(ROW_SIZE + ACTION_SIZE + RUN_SIZE) == (int)FL_CELLS_FAULT, "cells of target fault");
_Static_assert((int)(DECODE_BASE) == (int)FL_CELLS_PREFETCH_FIRST, "cells of target prefetch");
_Static_assert((int)(DECODE_SIZE) == (int)FL_CELLS_PREFETCH, "cells of target prefetch");
_Static_assert((int)(SYNC_BASE) == (int)FL_CELLS_VMALLOC_FIRST, "cells of target vmalloc");
_Static_assert((int)(PIN_END_BASE - SYNC_BASE) == (int)FL_CELLS_VMALLOC, "cells of target vmalloc");

_Static_assert((int)(CELLS_USED - PIN_END_BASE) == (int)FL_CELLS_GUP, "cells of target gup");

static const char *const mode_names[FL_MODE_COUNT] = {"2level", "pae", "4level", "5level"};

/* Of each mode: how many (mode, level) pairs come before its level 1; and its root's level. */
static const uint8_t walk_before[FL_MODE_COUNT] = {0, 2, 5, 9};
static const uint8_t walk_root[FL_MODE_COUNT] = {2, 3, 4, 5};

/* Bits of the error code: SDM vol. 3A, 4.7. */
enum { CODE_P = 0x01, CODE_W = 0x02, CODE_U = 0x04, CODE_RSVD = 0x08, CODE_I = 0x10, CODE_PK = 0x20 };

/* RSVD comes with P only, PK with P and without RSVD and I, I never with W. */
static unsigned walk_outcome(const struct fl_arch_result *r)
{
    uint32_t code = r->error_code;
    unsigned user = code & CODE_U ? 1 : 0, kind = code & CODE_W ? 1 : code & CODE_I ? 2 : 0, why;

    switch (r->kind) {
    case FL_ARCH_OK: return 0;
    case FL_ARCH_GP: return 1;
    case FL_ARCH_BUS: return 2;
    default: break;
    }
    if (code & CODE_PK)
        return WALK_PLAIN + WALK_WHYS * WALK_ACCESS + (kind & 1) * 2 + user;
    why = !(code & CODE_P) ? 0 : code & CODE_RSVD ? 2 : 1;
    return WALK_PLAIN + why * WALK_ACCESS + kind * 2 + user;
}

static uint32_t walk_code(unsigned outcome)
{
    static const uint32_t whys[WALK_WHYS + 1] = {0, CODE_P, CODE_P | CODE_RSVD, CODE_P | CODE_PK};
    static const uint32_t kinds[WALK_ACCESS / 2] = {0, CODE_W, CODE_I};
    unsigned c = outcome - WALK_PLAIN;

    return whys[c / WALK_ACCESS] | kinds[c % WALK_ACCESS / 2] | (c & 1 ? CODE_U : 0);
}

unsigned fl_cell_walk(enum fl_mode mode, const struct fl_arch_result *r)
{
    /* Only an address that is not canonical ends a walk before the first entry: the root's "gp", else of PAE alone. */
    unsigned level = r->level ? r->level : walk_root[mode];

    return WALK_BASE + (walk_before[mode] + level - 1) * WALK_OUTCOMES + walk_outcome(r);
}

unsigned fl_cell_row(enum fl_mode mode, bool user, unsigned row)
{
    if (row >= FL_MAX_POLICY_ROWS)
        row = FL_MAX_POLICY_ROWS - 1;
    return ROW_BASE + ((unsigned)mode * 2 + user) * FL_MAX_POLICY_ROWS + row;
}

unsigned fl_cell_action(enum fl_mode mode, enum fl_action action, uint64_t error_code)
{
    return ACTION_BASE + ((unsigned)mode * FL_ACT_COUNT + (unsigned)action) * FL_ERROR_BITS +
           (unsigned)(error_code % FL_ERROR_BITS);
}

unsigned fl_cell_run(enum fl_mode mode, enum fl_exec_end end, unsigned faults)
{
    if (faults >= RUN_FAULTS)
        faults = RUN_FAULTS - 1;
    return RUN_BASE + ((unsigned)mode * FL_END_COUNT + (unsigned)end) * RUN_FAULTS + faults;
}

unsigned fl_cell_decode(unsigned bits, bool prefetch, unsigned prefixes, uint8_t opcode)
{
    unsigned b = bits == 64 ? 2 : bits == 32 ? 1 : 0;
    unsigned op = opcode == 0x0d ? 0 : opcode == 0x18 ? 1 : 2;

    if (prefixes >= DECODE_PREFIXES)
        prefixes = DECODE_PREFIXES - 1;
    return DECODE_BASE + ((b * 2 + prefetch) * DECODE_PREFIXES + prefixes) * DECODE_OPCODES + op;
}

unsigned fl_cell_sync(enum fl_mode mode, unsigned row)
{
    return SYNC_BASE + (unsigned)mode * FL_MAX_SYNC_ROWS + (row < FL_MAX_SYNC_ROWS ? row : FL_MAX_SYNC_ROWS - 1);
}

unsigned fl_cell_touch(enum fl_mode mode, enum fl_generation generation, enum fl_touch_end end)
{
    return TOUCH_BASE + ((unsigned)generation * FL_TOUCH_COUNT + (unsigned)end) * FL_MODE_COUNT + (unsigned)mode;
}

unsigned fl_cell_generation(unsigned row)
{
    return GEN_BASE + (row < FL_MAX_GEN_ROWS ? row : FL_MAX_GEN_ROWS - 1);
}

unsigned fl_cell_pin_end(enum fl_mode mode, unsigned api, unsigned error, uint64_t pages)
{
    return PIN_END_BASE + ((api % 7 * 7 + error % 7) * 3 + (pages > 1 ? 2 : (unsigned)pages)) * FL_MODE_COUNT +
           (unsigned)mode;
}

unsigned fl_cell_pin_race(unsigned act, unsigned op)
{
    return PIN_RACE_BASE + act % FL_ACTOR_COUNT * FL_PINOP_COUNT + op % FL_PINOP_COUNT;
}

unsigned fl_cell_pin_answer(unsigned answer, unsigned op)
{
    return PIN_ANSWER_BASE + answer % FL_PINANS_COUNT * FL_PINOP_COUNT + op % FL_PINOP_COUNT;
}

unsigned fl_cell_pin_page(unsigned api, unsigned state, unsigned how)
{
    return PIN_PAGE_BASE + (api % FL_PINAPI_COUNT * 16 + state % 16) * 8 + how % 8;
}

static void pin_name(unsigned cell, char *buf, size_t size)
{
    static const char *const errors[7] = {"ok", "efault", "enomem", "ehwpoison", "erestartsys", "ebusy", "bug"};
    unsigned c;

    if (cell < PIN_RACE_BASE) {
        c = cell - PIN_END_BASE;
        snprintf(buf, size, "pin %s api %u %s %u%s pages", mode_names[c % FL_MODE_COUNT], c / FL_MODE_COUNT / 21,
                 errors[c / FL_MODE_COUNT / 3 % 7], c / FL_MODE_COUNT % 3, c / FL_MODE_COUNT % 3 == 2 ? "+" : "");
    } else if (cell < PIN_ANSWER_BASE) {
        c = cell - PIN_RACE_BASE;
        snprintf(buf, size, "pin race %s at %s", fl_pin_actor_name(c / FL_PINOP_COUNT),
                 fl_pin_op_name(c % FL_PINOP_COUNT));
    } else if (cell < PIN_PAGE_BASE) {
        c = cell - PIN_ANSWER_BASE;
        snprintf(buf, size, "pin answer %s at %s", fl_pin_answer_name(c / FL_PINOP_COUNT),
                 fl_pin_op_name(c % FL_PINOP_COUNT));
    } else {
        c = cell - PIN_PAGE_BASE;
        snprintf(buf, size, "pin api %u state %u%s%s%s", c / 128, c / 8 % 16, c & 1 ? " write" : "",
                 c & 2 ? " force" : "", c & 4 ? " get" : "");
    }
}

static void walk_name(unsigned c, char *buf, size_t size)
{
    static const char *const plain[WALK_PLAIN] = {"ok", "gp", "bus"};
    unsigned outcome = c % WALK_OUTCOMES, path = c / WALK_OUTCOMES, mode = FL_MODE_COUNT - 1, level;

    while (path < walk_before[mode])
        mode--;
    level = path - walk_before[mode] + 1;
    if (outcome < WALK_PLAIN)
        snprintf(buf, size, "walk %s %s at level %u", mode_names[mode], plain[outcome], level);
    else
        snprintf(buf, size, "walk %s pf:%x at level %u", mode_names[mode], walk_code(outcome), level);
}

void fl_cell_name(unsigned cell, char *buf, size_t size)
{
    static const char *const bits[3] = {"16", "32", "64"};
    static const char *const opcodes[3] = {"0f 0d", "0f 18", "other"};
    static const char *const ends[FL_END_COUNT] = {"done", "fault", "exception", "bus", "limit"};

    if (cell < ROW_BASE) {
        walk_name(cell, buf, size);
    } else if (cell < ACTION_BASE) {
        unsigned c = cell - ROW_BASE, row = c % FL_MAX_POLICY_ROWS;
        size_t count;
        const struct fl_policy_row *rows = fl_policy_rows(&count);
        snprintf(buf, size, "row %s %s %s", row < count ? rows[row].name : "(none)",
                 mode_names[c / FL_MAX_POLICY_ROWS / 2], c / FL_MAX_POLICY_ROWS % 2 ? "user" : "supervisor");
    } else if (cell < RUN_BASE) {
        unsigned c = cell - ACTION_BASE;
        snprintf(buf, size, "decision %s %s error %x", mode_names[c / FL_ERROR_BITS / FL_ACT_COUNT],
                 fl_action_name((enum fl_action)(c / FL_ERROR_BITS % FL_ACT_COUNT)), c % FL_ERROR_BITS);
    } else if (cell < DECODE_BASE) {
        unsigned c = cell - RUN_BASE;
        snprintf(buf, size, "run %s %s after %u%s faults", mode_names[c / RUN_FAULTS / FL_END_COUNT],
                 ends[c / RUN_FAULTS % FL_END_COUNT], c % RUN_FAULTS, c % RUN_FAULTS == RUN_FAULTS - 1 ? "+" : "");
    } else if (cell < SYNC_BASE) {
        unsigned c = cell - DECODE_BASE;
        unsigned high = c / DECODE_OPCODES / DECODE_PREFIXES;
        snprintf(buf, size, "decode %s-bit %s %u prefixes %s", bits[high / 2], high % 2 ? "prefetch" : "other",
                 c / DECODE_OPCODES % DECODE_PREFIXES, opcodes[c % DECODE_OPCODES]);
    } else if (cell < TOUCH_BASE) {
        unsigned c = cell - SYNC_BASE, row = c % FL_MAX_SYNC_ROWS;
        size_t count;
        const struct fl_sync_row *rows = fl_sync_rows(&count);
        snprintf(buf, size, "sync %s %s", row < count ? rows[row].name : "(none)", mode_names[c / FL_MAX_SYNC_ROWS]);
    } else if (cell < GEN_BASE) {
        unsigned c = cell - TOUCH_BASE, high = c / FL_MODE_COUNT;
        snprintf(buf, size, "touch %s %s %s", fl_generation_name((enum fl_generation)(high / FL_TOUCH_COUNT)),
                 mode_names[c % FL_MODE_COUNT], fl_touch_end_name((enum fl_touch_end)(high % FL_TOUCH_COUNT)));
    } else if (cell < PIN_END_BASE) {
        unsigned row = cell - GEN_BASE;
        size_t count;
        const struct fl_generation_row *rows = fl_generation_rows(&count);
        snprintf(buf, size, "generation %s", row < count ? rows[row].name : "(none)");
    } else if (cell < CELLS_USED) {
        pin_name(cell, buf, size);
    } else {
        snprintf(buf, size, "unused cell %u", cell);
    }
}

const char *fl_skip_name(enum fl_skip reason)
{
    static const char *const names[FL_SKIP_COUNT] = {
        [FL_SKIP_NO_EXEC] = "nothing executed to its end",
        [FL_SKIP_NOT_HANDLED] = "a fault was not handled",
        [FL_SKIP_INJECTED] = "injected answers",
        [FL_SKIP_TABLES] = "tables or memory shaped by hand",
        [FL_SKIP_RAW] = "raw faults",
        [FL_SKIP_GREW] = "a stack grew",
        [FL_SKIP_EXECUTOR] = "executor cannot or deviates",
        [FL_SKIP_SELF_MODIFYING] = "code that faulted changed itself",
    };
    return (unsigned)reason < FL_SKIP_COUNT ? names[reason] : "?";
}
