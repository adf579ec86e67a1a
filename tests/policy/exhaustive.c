/* SPDX-License-Identifier: MIT */
/*
 * Every combination of a few values per dimension of the fault decision, part by part of the table: the table against
 * plain control flow, cell by cell, with rows. Each row must decide some cell, and each cell must have a row.
 *
 * Without arguments, cells whose values cannot matter are left out by the rules beside each part's dimensions; "--full"
 * leaves out none of them and thereby shows that those values indeed do not matter.
 */
#include "cell.h"

#include <string.h>

/* ---- the dimensions --------------------------------------------------------------------------------------------- */

#define COUNT(a)       (sizeof(a) / sizeof(a)[0])
#define WORD(i)        ((uint8_t)(4 + 4 * (i)))
#define FLAG(cond, of) ((uint8_t)((cond) ? (of) : 0))

/* Takes a digit off a number in mixed base. What is left of the number of a cell when every dimension has had its digit
 * is zero, or there is no such cell. */
static unsigned digit(uint64_t *n, unsigned base)
{
    unsigned d = (unsigned)(*n % base);
    *n /= base;
    return d;
}

/* Everything that must not matter for a fault in the kernel half is as bad as can be. */
static const struct choices noise = {.task = ATOMIC | FAULTS_OFF | NO_MM | NMI,
                                     .contended = true,
                                     .growth = GROWTH_ALL,
                                     .mm = FL_MM_SIGBUS,
                                     .built = KNOWS_SMAP | NO_USER_FETCH | KNOWS_KEYS | HAS_PAGE,
                                     .cpu = CR4_HAS_SMAP | CR4_HAS_PKE | NX_ON | AMD_15};

/* ENTRY: kprobes, synchronisation, spurious faults. */
static void enter_kernel_half(bool full)
{
    (void)full; /* few enough as they are */
    static const uint8_t layouts[] = {KERNEL_ADDRESS, IDT_FIRST};
    for (uint64_t i = 0;; i++) {
        uint64_t n = i;
        unsigned word = digit(&n, 2), code = digit(&n, 64), regs = digit(&n, REGS_COUNT), kprobe = digit(&n, 4),
                 flags = digit(&n, 4), tables = digit(&n, TABLES_COUNT), layout = digit(&n, COUNT(layouts));
        if (n != 0)
            return;
        struct choices c = noise;
        c.word = WORD(word);
        c.code = (uint8_t)code;
        c.regs = (uint8_t)regs;
        c.kprobe = (uint8_t)kprobe;
        c.if_on = flags & 1;
        c.built |= FLAG(flags & 2, CHECKS_SPURIOUS);
        c.tables = (uint8_t)tables;
        c.layout = layouts[layout];
        cell_check(&c);
    }
}

/* ENTRY: the vsyscall page. */
static void enter_vsyscall(bool full)
{
    for (uint64_t i = 0;; i++) {
        uint64_t n = i;
        unsigned word = digit(&n, 2), code = digit(&n, 64), regs = digit(&n, REGS_COUNT), layout = digit(&n, 7),
                 selector = digit(&n, SEL_COUNT), flags = digit(&n, 128);
        if (n != 0)
            return;
        struct choices c = noise;
        c.word = WORD(word);
        c.code = (uint8_t)code;
        c.regs = (uint8_t)regs;
        c.layout = (uint8_t)(VSYSCALL_BEFORE + layout);
        c.selector = (uint8_t)selector;
        c.at_ip = flags & 1;
        c.built = (uint8_t)(FLAG(flags & 2, EMULATES) | FLAG(flags & 4, HAS_PAGE));
        c.cpu = FLAG(flags & 8, NX_ON);
        c.no_return = flags & 16;
        c.vsyscall_fails = flags & 32;
        c.if_on = flags & 64;
        /* W, RSVD and PK do not make a fetch another; kernels without the page have nothing to emulate. */
        if (!full && ((code & (W | RSVD | PK)) || (word == 0 && flags != 7)))
            continue;
        cell_check(&c);
    }
}

/* ENTRY: corrupt tables, fetches and accesses that the kernel never makes. */
static void enter_user_half(bool full)
{
    static const uint8_t layouts[] = {INSIDE, LOW_TEXT, LOW_MODULES, HIGH_NOTHING};
    for (uint64_t i = 0;; i++) {
        uint64_t n = i;
        unsigned word = digit(&n, 2), code = digit(&n, 64), regs = digit(&n, REGS_COUNT),
                 layout = digit(&n, COUNT(layouts)), cpu = digit(&n, 3), flags = digit(&n, 256);
        if (n != 0)
            return;
        struct choices c = {.word = WORD(word),
                            .code = (uint8_t)code,
                            .regs = (uint8_t)regs,
                            .layout = layouts[layout],
                            .prot = R | WR,
                            .extable = true,
                            .bytes = cpu == 2 ? PREFETCH_INTEL : OTHER};
        c.cpu = (uint8_t)(FLAG(cpu != 1, AMD_15) | FLAG(flags & 1, CR4_HAS_SMAP));
        c.built = (uint8_t)(FLAG(flags & 2, KNOWS_SMAP) | FLAG(flags & 4, NO_USER_FETCH));
        c.ac = flags & 8;
        c.at_ip = flags & 16;
        c.warned = flags & 32;
        c.if_on = flags & 64;
        c.kprobe = FLAG(flags & 128, RUNNING | CLAIMS);
        /* A kprobe takes all of kernel mode; W and PK are nothing that is looked at. */
        if (!full && ((code & (W | PK)) || ((flags & 128) && (layout != 0 || cpu != 0))))
            continue;
        cell_check(&c);
    }
}

/* AREA, the first pass. */
static void look_at_area(bool full)
{
    static const uint8_t prots[] = {0, R, WR, X}, tasks[] = {0, ATOMIC, FAULTS_OFF, NO_MM, NMI, 15};
    static const uint8_t places[] = {NOTHING, INSIDE, INSIDE_STACK, BELOW};
    for (uint64_t i = 0;; i++) {
        uint64_t n = i;
        unsigned word = digit(&n, 2), code = digit(&n, 64), user = digit(&n, 2), task = digit(&n, COUNT(tasks)),
                 lock = digit(&n, 4), place = digit(&n, 64 + COUNT(places)), prot = digit(&n, COUNT(prots)),
                 keys = digit(&n, 4 * KEY_COUNT);
        if (n != 0)
            return;
        struct choices c = {.word = WORD(word),
                            .code = (uint8_t)code,
                            .regs = user ? VM86 : KERNEL,
                            .task = tasks[task],
                            .contended = lock & 1,
                            .extable = lock & 2,
                            .layout = place < 64 ? BELOW_STACK : places[place - 64],
                            /* elsewhere all limits are exceeded: they must not matter */
                            .growth = place < 64 ? (uint8_t)place : GROWTH_ALL,
                            .prot = prots[prot],
                            .key = (uint8_t)(keys / 4)};
        c.built = FLAG(keys & 1, KNOWS_KEYS);
        c.cpu = FLAG(keys & 2, CR4_HAS_PKE);
        bool refused = task != 0 || place == 64 || place == 67 || (place < 64 && place > CUSHION);
        if (code & RSVD)
            continue; /* with P it does not come here; without, it is not looked at: enter_user_half() */
        if (!full && ((refused && (prot != 1 || keys != 7)) || (task != 0 && place % 8 != 0) ||
                      (word == 0 && keys != 7 && keys != 0) || (lock != 0 && place != 1 && keys != 7)))
            continue;
        cell_check(&c);
    }
}

/* AREA and ANSWER, pass after pass. */
static void pass_after_pass(bool full)
{
    static const uint8_t codes[] = {0, W, I, P | W, U, U | W, U | I, U | W | P, U | PK};
    static const uint8_t layouts[] = {INSIDE, INSIDE_STACK, BELOW_STACK}, prots[] = {R, WR, R | WR, 0};
    static const uint8_t thirds[] = {FL_MM_MINOR, FL_MM_OOM, FL_MM_RETRY_MAJOR};
    for (uint64_t i = 0;; i++) {
        uint64_t n = i;
        unsigned word = digit(&n, 2), code = digit(&n, COUNT(codes)), layout = digit(&n, COUNT(layouts)),
                 above = digit(&n, ABOVE_COUNT), yield = digit(&n, FL_YIELD_COUNT), mm = digit(&n, FL_MM_COUNT),
                 mm2 = digit(&n, FL_MM_COUNT), third = digit(&n, COUNT(thirds)), prot = digit(&n, COUNT(prots)),
                 flags = digit(&n, 32);
        if (n != 0)
            return;
        struct choices c = {.word = WORD(word),
                            .code = codes[code],
                            .regs = codes[code] & U ? USER : KERNEL,
                            .layout = layouts[layout],
                            .above = (uint8_t)above,
                            .yield = (uint8_t)yield,
                            .mm = (uint8_t)mm,
                            .mm2 = (uint8_t)mm2,
                            .mm3 = thirds[third],
                            .prot = prots[prot],
                            .cpu = CR4_HAS_PKE,
                            .contended = true,
                            .extable = true};
        c.task = FLAG(flags & 1, INIT);
        c.built = (uint8_t)(KNOWS_KEYS | FLAG(flags & 2, RETRIES));
        c.fatal = flags & 4;
        c.key = FLAG(flags & 8, KEY_NO_WRITE);
        c.growth = FLAG(flags & 16, REFUSED);
        bool once = mm != FL_MM_OOM && mm < FL_MM_RETRY, twice = mm2 != FL_MM_OOM && mm2 < FL_MM_RETRY;
        /* No answer after the last one that is asked for matters, nor what happens while nobody waits. */
        if (!full && ((once && (mm2 != 0 || third != 0 || above != 0)) || (twice && third != 0) ||
                      (yield != 0 && mm != FL_MM_OOM && (once || mm2 != FL_MM_OOM)) || (word == 0 && (flags & 8))))
            continue;
        cell_check(&c);
    }
}

/* ANSWER, the first pass, with what the endings of it ask. */
static void answer_once(bool full)
{
    for (uint64_t i = 0;; i++) {
        uint64_t n = i;
        unsigned word = digit(&n, 2), code = digit(&n, 64), regs = digit(&n, REGS_COUNT), mm = digit(&n, FL_MM_COUNT),
                 bytes = digit(&n, BYTES_COUNT), flags = digit(&n, 64);
        if (n != 0)
            return;
        struct choices c = {.word = WORD(word),
                            .code = (uint8_t)code,
                            .regs = (uint8_t)regs,
                            .mm = (uint8_t)mm,
                            .bytes = (uint8_t)bytes,
                            .prot = R | WR,
                            .if_on = flags & 1,
                            .extable = flags & 2,
                            .fatal = flags & 4};
        c.task = FLAG(flags & 8, INIT);
        c.built = FLAG(flags & 16, RETRIES);
        c.report = FLAG(flags & 32, SHOW | UNHANDLED);
        if (!full && ((code & (RSVD | PK)) || ((flags & 32) && mm != FL_MM_SIGSEGV)))
            continue;
        cell_check(&c);
    }
}

/* ENDING: from a bad area in either half. */
static void end_it(bool full)
{
    static const uint8_t layouts[] = {NOTHING,   HIGH_NOTHING, LOW_TEXT,        LOW_MODULES, KERNEL_ADDRESS, IDT_BEFORE,
                                      IDT_FIRST, IDT_LAST,     VSYSCALL_BEFORE, VSYSCALL_1,  VSYSCALL_AFTER, IDT_AFTER};
    for (uint64_t i = 0;; i++) {
        uint64_t n = i;
        unsigned word = digit(&n, 2), code = digit(&n, 32), regs = digit(&n, REGS_COUNT),
                 layout = digit(&n, COUNT(layouts)), bytes = digit(&n, BYTES_COUNT), selector = digit(&n, SEL_COUNT),
                 report = digit(&n, 8), flags = digit(&n, 32);
        if (n != 0)
            return;
        struct choices c = {.word = WORD(word),
                            .code = (uint8_t)code,
                            .regs = (uint8_t)regs,
                            .layout = layouts[layout],
                            .bytes = (uint8_t)bytes,
                            .selector = (uint8_t)selector,
                            .report = (uint8_t)report,
                            .at_ip = flags & 1,
                            .extable = flags & 2,
                            .warned = flags & 4};
        c.cpu = (uint8_t)(NX_ON | FLAG(flags & 8, AMD_15));
        c.built = (uint8_t)(HAS_PAGE | FLAG(flags & 16, F00F));
        if (code & RSVD)
            continue;
        bool user = code & U;
        /* The line about the signal is the user's, the rest of the flags the kernel's. */
        if (!full && ((user ? (flags & 30) != 0 : report != 0) || ((code & W) && layout != 0) ||
                      (report != 0 && report != 7 && (selector != 0 || bytes != 0)) || (layout > 6 && selector > 1)))
            continue;
        cell_check(&c);
    }
}

int main(int argc, char **argv)
{
    bool full = argc > 1 && !strcmp(argv[1], "--full");
    cells_begin();
    cells_run("entry, kernel half", enter_kernel_half, full);
    cells_run("entry, vsyscall page", enter_vsyscall, full);
    cells_run("entry, user half", enter_user_half, full);
    cells_run("area, first pass", look_at_area, full);
    cells_run("area and answer, passes", pass_after_pass, full);
    cells_run("answer, first pass", answer_once, full);
    cells_run("ending", end_it, full);
    return cells_done(full);
}
