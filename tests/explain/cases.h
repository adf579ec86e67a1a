/* SPDX-License-Identifier: MIT */
/* Findings of every kind of event and of most checks: a scenario, a wrong core, the key, and whether one call shows it. */
#ifndef FAULTLINE_TESTS_EXPLAIN_CASES_H
#define FAULTLINE_TESTS_EXPLAIN_CASES_H

#include "layer.h"

struct explain_case {
    const char *name; /* of its file in golden/; NULL: only the program is tried */
    const char *key;  /* NULL: nothing disagrees */
    struct layer layer;
    bool program;     /* one call of the core shows it */
    bool executor;    /* only with one */
    unsigned seconds; /* it hangs: so long */
    const char *text;
};

#define SCN(mode) "faultline-scenario 2\nmode " mode "\n"

static const struct explain_case cases[] = {
    {"clean", NULL, .text = SCN("4level") "vma 0x10000000 pages 2 prot rw\ntouch write user 0x10000ff8\n"},
    {"touch-not-served",
     "decision/mm-minor/handled-minor/no-context",
     {.fault = not_served},
     true,
     .text = SCN("4level") "vma 0x10000000 pages 2 prot rw\nvma 0x3fff9000 pages 6 prot rw growsdown\n"
                           "touch read user 0x10000000\ntouch write user 0x10000ff8\ntouch read user 0x10001000\n"},
    {"fault-si-code",
     "decision/below-vma/signal-maperr/signal-accerr",
     {.fault = accerr},
     true,
     .text = SCN("2level") "vma 0x10000000 pages 2 prot rw\nmap 0x20000000 frame 600 flags p,u,a\n"
                           "fault cr2 0x8000123 code 0x6\n"},
    {"fault-si-addr",
     "signal/si-addr/cr2/other",
     {.fault = wrong_si_addr},
     true,
     .text = SCN("pae") "fault cr2 0x8000123 code 0x4\n"},
    {"access-walk",
     "walk/paddr/frame/frame-other",
     {.walk = moved},
     true,
     .text = SCN(
         "5level") "vendor amd\nprivilege kernel\npke yes\n\nmap 0xff110000c0000000 frame 700 level 2 flags p,w,a,d,g\n"
                   "map 0xff11000000000000 frame 701 level 1 flags p,w,u,a,d pkey 5\n"
                   "access read supervisor 0xff110000c0000123\n"},
    {"access-permits",
     "walk/kind/pf-write/ok",
     {.permits = permits_all},
     true,
     .text =
         SCN("4level") "map 0x400000 frame 600 level 1 flags p,u,a\nmap 0x401000 frame 601 level 1 flags p,w,u,a,d,nx\n"
                       "access write user 0x400010\n"},
    {"decode",
     "prefetch/rule/ignored/not-ignored",
     {.prefetch = turned},
     true,
     .text = SCN("4level") "vendor amd\nfamily 15\n\ndecode 64 user: 0f 18 00\n"},
    {"vmalloc-flush",
     "sync/current-copy/flushed/not-flushed",
     {.ops = {.flush_lazy = no_op}},
     true,
     .text = SCN("4level") "lazy-mmu yes\nprivilege kernel\nip 0xffffffff81000000\n\nfork mm 1\nswitch mm 1\n"
                           "ioremap 0xffffc90040000000 leaves 2 frame 600 level 1 flags p,w,a,d,nx,g\n"
                           "touch read supervisor 0xffffc90040001000\n"},
    {"vmalloc-32",
     "sync/32-copied/value/value-other",
     {.ops = {.write_entry = write_other}},
     true,
     .text = SCN("pae") "generation 2008-32\nshared-pmd no\nprivilege kernel\nip 0xc0100000\n\nfork mm 1\nswitch mm 1\n"
                        "ioremap 0xf8800000 leaves 3 frame 700 flags p,w,a,d,g\ntouch write supervisor 0xf8801ffc\n"},
    {"sync-all",
     "sync/sync-all/entry-written/entry-other",
     {.ops = {.write_entry = write_nothing}},
     true,
     .text = SCN(
         "4level") "fork mm 1\nfork mm 2\nioremap 0xffffc90040000000 leaves 2 frame 600 flags p,w,a,d,g\nsync-all\n"},
    {"sh4",
     "sync/sh4-copied/handled/not-handled",
     {.sync = refuses},
     true,
     .text = SCN(
         "2level") "arch sh4\n\nfork mm 1\nswitch mm 1\n"
                   "ioremap 0xc0000000 leaves 4 frame 600 level 1 flags p,w,a,d\ntouch write supervisor 0xc0000000\n"},
    {"crash",
     "crash/all/signal-6",
     {.fault = ends_process},
     true,
     .text = SCN("4level") "vma 0x10000000 pages 2 prot rw\ntouch write user 0x10000ff8\n"},
    {"hang",
     "hang/all",
     {.fault = no_answer},
     false,
     .seconds = 2,
     .text = SCN("4level") "vma 0x10000000 pages 2 prot rw\ntouch write user 0x10000ff8\n"},
    {"exec",
     "decision/mm-minor/handled-minor/no-context",
     {.fault = not_served},
     true,
     true,
     .text = SCN("4level") "vma 0x400000 pages 1 prot rx\nvma 0x10000000 pages 2 prot rw\n"
                           "gpr rax 0x10000010\nexec user 0x400100: 48 89 00\n"},
    /* Only their programs. */
    {NULL,
     "effect/mm-user/user/kernel",
     {.ops = {.mm_fault = asked_as_kernel}},
     true,
     .text = SCN("4level") "vma 0x10000000 pages 2 prot rw\nfault cr2 0x10000000 code 0x6\n"},
    {NULL,
     "effect/irq-restore/once/again",
     {.ops = {.irq_enable = enable_twice}},
     true,
     .text = SCN("4level") "vma 0x10000000 pages 2 prot rw\nfault cr2 0x10000000 code 0x6\n"},
    {NULL,
     "lock/exit/free/held",
     {.ops = {.lock_drop = no_op}},
     true,
     .text = SCN("4level") "vma 0x10000000 pages 2 prot rw\nfault cr2 0x10000000 code 0x6\n"},
    {NULL,
     "contract/mm-lock/locked/unlocked",
     {.ops = {.lock_drop = unlocked_twice}},
     true,
     .text = SCN("4level") "vma 0x10000000 pages 2 prot rw\nfault cr2 0x10000000 code 0x6\n"},
    {NULL,
     "contract/log/unlocked/locked",
     {.ops = {.vma_find = log_and_find}},
     true,
     .text = SCN("4level") "vma 0x10000000 pages 2 prot rw\nfault cr2 0x10000000 code 0x6\n"},
    {NULL,
     "message/segfault/text/text-and-more",
     {.ops = {.log = log_twice}},
     true,
     .text = SCN("2level") "catches-signals no\n\nfault cr2 0x8000123 code 0x4\n"},
    {NULL,
     "bound/window/inside/outside",
     {.ops = {.probe_byte = probe_far}},
     true,
     .text = SCN("4level") "vendor amd\nfamily 15\n\nvma 0x400000 pages 1 prot rx\nbytes 0x400000: 90\n"
                           "fault cr2 0x8000123 code 0x4\n"},
    {NULL,
     "table-read/place/table/elsewhere",
     {.ops = {.read_entry = read_elsewhere}},
     true,
     .text = SCN("4level") "privilege kernel\nip 0xffffffff81000000\n\nfork mm 1\nswitch mm 1\n"
                           "ioremap 0xffffc90040000000 leaves 2 frame 600 flags p,w,a,d,g\n"
                           "touch read supervisor 0xffffc90040001000\n"},
    {NULL,
     "signal/thread-code/code/other",
     {.fault = tells},
     true,
     .text = SCN("4level") "fault cr2 0xffff888000000000 code 0x4\n"},
    {"interference",
     "interference/si-code/same/differs",
     {.fault = other_without_p},
     true,
     .text = SCN("4level") "map 0xffff888000000000 frame 600 level 1 flags p,w,a,d,g\n"
                           "fault cr2 0xffff888000000000 code 0x5\n"},
};

#define NCASES (sizeof cases / sizeof cases[0])

#endif
