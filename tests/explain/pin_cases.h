/* SPDX-License-Identifier: MIT */
/* A finding for each rule of pinning: wrong pinning, a scenario, the key. */
#ifndef FAULTLINE_TESTS_EXPLAIN_PIN_CASES_H
#define FAULTLINE_TESTS_EXPLAIN_PIN_CASES_H

#include "pin_layer.h"

struct pin_case {
    const char *name; /* of its file in golden/; NULL: none */
    const char *key;  /* NULL: nothing disagrees */
    struct pin_layer layer;
    const char *text;     /* behind the head */
    const char *words[4]; /* that its story has */
};

#define PIN_HEAD "faultline-scenario 3\nmode 4level\n"

#define PRIVATE_FILE "\narea file 0x600000 pages 1 flags r,may-read,may-write file 1 size 16\n"
#define PRIVATE_ANON "\narea anon 0x600000 pages 4 flags r,w,may-read,may-write\n"
#define SHARED_FILE  "\narea file 0x600000 pages 4 flags r,w,may-read,may-write,shared file 1 size 16\n"

static const struct pin_case pin_cases[] = {
    {NULL, NULL,
     .text = PRIVATE_FILE
     "act read 0x600000\nrace dontneed 0x600000 at ptl-lock nth 2\npin user 0x600000 flags write,force get\nact use 0x600000\n"},
    {"gup-dirty-cow",
     "cow/write-pin/own-page/file-page",
     {.ops = {.mm_fault = forgets_the_write, .page_anon_exclusive = believes_in_the_copy}},
     .text = PRIVATE_FILE
     "act read 0x600000\nrace dontneed 0x600000 at ptl-lock nth 2\npin user 0x600000 flags write,force get\n",
     .words = {"madvise(DONTNEED)", "the copy in frame", "as a read, though", "others see what it writes"}},
    {NULL,
     "contract/pin-op/kept/ptl-unlock-not-held",
     {.ops = {.fatal_signal = unlocks_too_much}},
     .text = PRIVATE_ANON "pin user 0x600000 flags write get\n"},
    {NULL,
     "lock/pin-exit/free/ptl-held",
     {.ops = {.ptl_unlock = keeps_the_lock}},
     .text = PRIVATE_ANON "act write 0x600000\npin user 0x600000 flags write get\n"},
    {NULL,
     "lock/pin-told/held/dropped",
     {.after = tells_a_lie},
     .text = PRIVATE_ANON "pin pin 0x600000 flags nowait nonblocking get\n"},
    {NULL,
     "progress/pin/ends/endless",
     {.ops = {.page_anon_exclusive = says_no}},
     .text = "\narea anon 0x600000 pages 4 flags r,may-read,may-write\npin user 0x600000 flags write,force get\n"},
    {NULL,
     "progress/fatal-signal/ends/goes-on",
     {.ops = {.fatal_signal = no_signal}},
     .text = PRIVATE_ANON "race sigkill 0x0 at fatal-signal\npin user 0x600000 pages 4 flags write get\n",
     .words = {"a fatal signal comes for the caller"}},
    {NULL, "progress/bug/none/bug", {.after = asserts}, .text = PRIVATE_ANON "pin user 0x600000 flags write get\n"},
    {NULL,
     "pin/count/asked-for/more",
     {.after = hands_out_more},
     .text = PRIVATE_ANON "pin user 0x600000 flags write get\n"},
    {NULL,
     "pin/reference/one/too-many",
     {.ops = {.page_get = gets_twice}},
     .text = PRIVATE_ANON "act write 0x600000\npin user 0x600000 flags write get\n"},
    {NULL,
     "pin/elsewhere/none/left",
     {.ops = {.vma_find = gets_another_too}},
     .text = PRIVATE_ANON "pin user 0x600000 flags write get\n"},
    {NULL,
     "pin/alive/referenced/free",
     {.ops = {.page_get = gives_back_too_much}},
     .text = SHARED_FILE "act write 0x600000\npin user 0x600000 flags write get\n"},
    {NULL,
     "pin/identity/mapped/never-mapped",
     {.after = hands_out_another},
     .text = PRIVATE_ANON "pin user 0x600000 flags write get\n"},
    {NULL,
     "perm/area/refused/pinned",
     {.ops = {.vma_find = finds_it_readable}},
     .text = "\narea anon 0x600000 pages 4 flags may-read\npin user 0x600000 get\n"},
    {NULL,
     "perm/key/refused/pinned",
     {.ops = {.vma_find = finds_no_key}},
     .text = "pke yes\nkernel-pku yes\npkru 0xc\n\narea anon 0x600000 pages 4 flags r,w,may-read,may-write pkey 1\n"
             "pin user 0x600000 flags write get\n"},
    {NULL,
     "perm/table/refused/pinned",
     {.ops = {.read = reads_it_writable}},
     .text = SHARED_FILE "act read 0x600000\npin fast-only 0x600000 flags write\n"},
    {NULL,
     "perm/special/refused/pinned",
     {.ops = {.read = reads_it_plain, .page_valid = says_yes}},
     .text = "\narea special 0x600000 pages 4 flags r,w,may-read,may-write,shared\nact read 0x600000\n"
             "pin follow 0x600000\n"},
    {NULL,
     "cow/read-pin/own-page/forked-page",
     {.ops = {.read = reads_it_writable}},
     .text = PRIVATE_ANON "act write 0x600000\nact fork 0x0\npin user 0x600000 get\n",
     .words = {"the task forks", "shared by a fork"}},
    {NULL,
     "cow/write-through-pin/own-page/file-page",
     {.ops = {.mm_fault = forgets_far_writes, .page_anon_exclusive = says_yes}},
     .text = "\narea file 0x600000 pages 40 flags r,may-read,may-write file 1 size 64\n"
             "pin user 0x600000 pages 33 flags write,force get\nact use 0x620000\n",
     .words = {"the caller writes to what it has pinned for writing", "page 32 of file 1"}},
    {NULL,
     "cow/coherent/same-page/other-page",
     {.ops = {.read = reads_far_writable}},
     .text = "\narea anon 0x600000 pages 40 flags r,w,may-read,may-write\nact write 0x620000\nact fork 0x0\n"
             "pin user 0x600000 pages 33 get\nact write 0x620000\n",
     .words = {"the task writes at 0x620000"}},
    {NULL,
     "decision/pin/pinned/fewer",
     {.ops = {.page_get = says_no}},
     .text = PRIVATE_ANON "pin user 0x600000 flags write get\n"},
    {NULL,
     "decision/pin-accounted/each-once/other-kind",
     {.ops = {.account = counts_it_major}},
     .text = PRIVATE_ANON "pin user 0x600000 flags write get\n"},
    {"gup-fast-and-slow",
     "pin-diff/fast-and-slow/same/other-count",
     {.after = slow_refuses},
     .text = PRIVATE_ANON "act write 0x600000\npin fast-only 0x600000 flags write\n",
     .words = {"another way"}},
    {NULL,
     "pin-diff/at-once-and-one-by-one/same/other-count",
     {.after = one_is_refused},
     .text = PRIVATE_ANON "pin user 0x600000 pages 2 flags write get\n",
     .words = {"another way"}},
    {"gup-crash",
     "crash/all/signal-6",
     {.ops = {.page_get = ends_in_page_get}},
     .text = PRIVATE_ANON "pin user 0x600000 flags write get\n",
     .words = {"the process ends here"}},
};

#define NPIN_CASES (sizeof pin_cases / sizeof pin_cases[0])

#endif
