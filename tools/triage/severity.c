/* SPDX-License-Identifier: MIT */
/*
 * How bad a finding is, from its key alone: what the tested code does that it must not, were it a kernel. docs/campaign.md
 * tells the rule in words; this table is it.
 */
#include "internal.h"

#include <stdio.h>
#include <string.h>

#define CRITICAL SEVERITY_CRITICAL
#define HIGH     SEVERITY_HIGH
#define MEDIUM   SEVERITY_MEDIUM
#define LOW      SEVERITY_LOW
#define END(end) (SEVERITY_ENDS + (end))
#define ANY      NULL

/* Classes of faults of the processor, and of signals. */
#define FAULTS  "pf-* gp bus"
#define DENIALS "refused signal-* oops no-context bad-area bad-pagetable fatal-signal oom-kill bug other fixup"

static const struct severity_rule rules[] = {
    /* What is no divergence. */
    {END(REPLAY_CRASHED), ANY, ANY, ANY, HIGH, "the tested code crashes"},
    {END(REPLAY_HUNG), ANY, ANY, ANY, HIGH, "the tested code never comes back"},
    {END(REPLAY_EXECUTOR_DIED), ANY, ANY, ANY, LOW, "the executor crashes, not the tested code"},
    {END(REPLAY_UNABLE), ANY, ANY, ANY, LOW, "it could not be replayed"},
    {END(REPLAY_CLEAN), ANY, ANY, ANY, LOW, "a replay does not show it"},
    {END(REPLAY_NOTHING), ANY, ANY, ANY, LOW, "a replay does not show it"},

    /* The judges among themselves. */
    {-1, "harness", ANY, ANY, LOW, "a fault of the harness, not of the tested code"},
    {-1, ANY, "answers", "refused", LOW, "a fault of the harness, not of the tested code"},
    {FL_CHECK_EXECUTOR, ANY, ANY, ANY, LOW,
     "an executor and the architecture's walk disagree, the core has no part in it"},
    {FL_CHECK_DECODER, ANY, ANY, ANY, LOW, "a disassembler and the rule disagree, the core has no part in it"},

    /* What user code may learn or get. */
    {FL_CHECK_INTERFERENCE, ANY, ANY, ANY, CRITICAL, "user code learns which kernel addresses are mapped"},
    {-1, ANY, ANY, "wild", CRITICAL, "follows a table or pointer that is none"},
    {FL_CHECK_DECISION, ANY, ANY, "served", CRITICAL, "serves an access that has to be refused"},
    {FL_CHECK_DECISION, "smap smap-implicit no-user-fetch", "oops refused", ANY, CRITICAL,
     "lets the kernel use user memory that it has to keep away from"},
    {FL_CHECK_SYNC, ANY, "not-written", "written", CRITICAL, "writes a table entry where none may be written"},
    {FL_CHECK_SYNC, ANY, "entry size value write-expected entry-written writes-expected changes-expected", ANY,
     CRITICAL, "writes another table entry, or another value, than it has to"},
    {FL_CHECK_WALK, "kind", FAULTS, "ok", CRITICAL, "permits an access that the processor refuses"},
    {FL_CHECK_WALK, "permission", "read-only", "writable", CRITICAL, "takes a page for writable that is not"},
    {FL_CHECK_WALK, "permission", "supervisor", "user", CRITICAL, "takes a page of the kernel for one of the user"},
    {FL_CHECK_WALK, "permission", "nx", "executable", CRITICAL, "takes a page for executable that is not"},
    {FL_CHECK_WALK, "paddr", "frame", ANY, CRITICAL, "translates to another page"},

    /* Pinning: what a device or the kernel writes to later. */
    {FL_CHECK_COW, ANY, ANY, ANY, CRITICAL,
     "writes reach memory that is not the task's, or a pin does not see the task's"},
    {FL_CHECK_PERM, ANY, ANY, ANY, CRITICAL, "pins a page that has to be refused"},
    {FL_CHECK_DECISION, "pin", ANY, "more", CRITICAL, "pins pages that have to be refused"},
    {FL_CHECK_DECISION, "pin", "nothing", "pinned", HIGH, "calls an access possible for which nothing has been done"},
    {FL_CHECK_PIN, "reference", ANY, "too-few", CRITICAL, "a pinned page may be freed while it is used"},
    {FL_CHECK_PIN, "alive identity count", ANY, ANY, CRITICAL, "hands out a page that is not the task's, or is free"},
    {FL_CHECK_PIN, ANY, ANY, ANY, HIGH, "leaves references behind: pages are never freed"},
    {FL_CHECK_CONTRACT, "pin-op", ANY, ANY, HIGH, "uses locks, tables or pages in a way that is not safe"},
    {FL_CHECK_DECISION, "pin", "pinned", ANY, HIGH, "refuses pages that have to be pinned"},
    {FL_CHECK_DECISION, "pin-accounted", ANY, ANY, LOW, "counts other faults for the task than it had"},
    {FL_CHECK_PIN_DIFF, ANY, ANY, "other-page", HIGH, "two ways to pin the same give different pages"},
    {FL_CHECK_PIN_DIFF, ANY, ANY, ANY, MEDIUM, "two ways to pin the same come to different ends"},

    /* What has to be served is refused, the kernel or the task dies, or nothing goes on. */
    {FL_CHECK_DECISION, ANY, "served", ANY, HIGH, "refuses an access that has to be served"},
    {FL_CHECK_DECISION, ANY, ANY, "oops bug bad-pagetable no-context oom-kill fatal-signal", HIGH,
     "ends the kernel or the task where it must not"},
    {FL_CHECK_DECISION, ANY, "oops bug bad-pagetable no-context oom-kill fatal-signal", ANY, HIGH,
     "goes on where the kernel or the task has to end"},
    {FL_CHECK_DECISION, ANY, ANY, "ignored", HIGH, "takes a fault for a harmless one: it comes again for ever"},
    {FL_CHECK_DECISION, ANY, "ignored synced spurious emulated kprobe handled-* again", DENIALS, HIGH,
     "takes a harmless fault for a bad one"},
    {FL_CHECK_DECISION, ANY, "handled-*", "handled-*", MEDIUM, "counts a fault as one of another kind"},
    {FL_CHECK_DECISION, ANY, ANY, "handled-* synced spurious emulated kprobe", HIGH,
     "claims to have handled what it has to refuse"},
    {FL_CHECK_DECISION, ANY, "new-ip new-sp", ANY, HIGH, "goes on at a wrong place"},
    {FL_CHECK_LOCK, ANY, ANY, ANY, HIGH, "uses a lock wrongly: a deadlock, or no protection"},
    {FL_CHECK_REWALK, ANY, ANY, ANY, HIGH, "claims to have handled a fault that comes again"},
    {FL_CHECK_PROGRESS, "bug", ANY, ANY, HIGH, "the kernel ends by an assertion that fails"},
    {FL_CHECK_PROGRESS, "fatal-signal", ANY, ANY, HIGH, "a task that is killed goes on"},
    {FL_CHECK_PROGRESS, ANY, ANY, ANY, HIGH, "the same fault comes again for ever"},
    {FL_CHECK_TRANSPARENCY, ANY, ANY, ANY, HIGH, "the program computes something else than without the faults"},
    {FL_CHECK_TABLE_READ, ANY, ANY, ANY, HIGH, "reads table entries where no table is"},
    {FL_CHECK_BOUND, "reason", ANY, ANY, MEDIUM, "reads instruction bytes that nobody needs"},
    {FL_CHECK_BOUND, ANY, ANY, ANY, HIGH, "reads bytes that are none of the instruction, or with the wrong rights"},
    {FL_CHECK_CONTRACT, "mm-lock vma-generation", ANY, ANY, HIGH, "uses an area that may be gone"},
    {FL_CHECK_CONTRACT, "ldt", ANY, ANY, HIGH, "reads behind the end of the LDT"},
    {FL_CHECK_CONTRACT, ANY, "unlocked", "locked", HIGH, "does with the lock held what may wait for it"},
    {FL_CHECK_PREFETCH, ANY, "ignored", ANY, HIGH, "kills a program for a prefetch"},
    {FL_CHECK_PREFETCH, ANY, ANY, "ignored", HIGH,
     "takes another instruction for a prefetch: it faults again for ever"},
    {FL_CHECK_WALK, "kind", "ok", ANY, HIGH, "refuses an access that the processor permits"},
    {FL_CHECK_WALK, "permission pkey leaf page-size paddr status", ANY, ANY, HIGH,
     "takes a page for another than it is"},
    {FL_CHECK_SYNC, ANY, "silent", ANY, MEDIUM, "says something where it has to be silent"},
    {FL_CHECK_SYNC, ANY, "warned", ANY, LOW, "does not warn, or too often"},
    {FL_CHECK_SYNC, ANY, ANY, "flushed flushed-again flushes-other", MEDIUM, "flushes too often"},
    {FL_CHECK_SYNC, ANY, ANY, ANY, HIGH, "kernel tables stay out of date, or the kernel ends where it could go on"},

    /* Wrong in a way that somebody sees, but that changes nobody's rights. */
    {FL_CHECK_DECISION, ANY, "signal-*", "signal-*", MEDIUM, "sends another signal than it has to"},
    {FL_CHECK_DECISION, ANY, ANY, ANY, MEDIUM, "decides otherwise in what is told"},
    {FL_CHECK_SIGNAL, ANY, ANY, ANY, MEDIUM, "tells a task the wrong thing about its fault"},
    {FL_CHECK_EFFECT, "growth", ANY, "grown elsewhere", HIGH, "grows a stack where it must not"},
    {FL_CHECK_EFFECT, ANY, ANY, ANY, MEDIUM, "does something else on the way than it has to"},
    {FL_CHECK_CONTRACT, ANY, ANY, ANY, MEDIUM, "breaks the contract of an op"},
    {FL_CHECK_WALK, ANY, ANY, ANY, MEDIUM, "reports another error code or level than the processor"},
    {FL_CHECK_GENERATION, ANY, ANY, ANY, MEDIUM, "two generations end differently, and nothing says why"},
    {FL_CHECK_MESSAGE, ANY, ANY, ANY, LOW, "only what is logged differs"},
};

const struct severity_rule *triage_severity_rules(size_t *n)
{
    *n = sizeof rules / sizeof rules[0];
    return rules;
}

/* Is text one of the words? */
static bool among(const char *words, const char *text)
{
    size_t n = strlen(text);

    for (const char *p = words; p && *p;) {
        size_t length = strcspn(p, " ");

        if (length && p[length - 1] == '*' ? strncmp(p, text, length - 1) == 0
                                           : length == n && strncmp(p, text, n) == 0)
            return true;
        p += length + (p[length] == ' ');
    }
    return words == NULL;
}

const struct severity_rule *triage_severity_rule(const struct replay_result *result)
{
    bool diverged = result->end == REPLAY_DIVERGED;

    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        const struct severity_rule *r = &rules[i];
        int check = diverged ? (int)result->check : END((int)result->end);

        if ((r->check == check || (r->check == -1 && diverged)) && among(r->row, result->row) &&
            among(r->expected, result->expected) && among(r->actual, result->actual))
            return r;
    }
    return NULL; /* a check that nobody has written a row for: tests/triage fails then */
}

void triage_severity(const struct replay_result *result, enum severity *severity, char why[160])
{
    const struct severity_rule *rule = triage_severity_rule(result);

    *severity = rule ? rule->severity : MEDIUM;
    snprintf(why, 160, "%s", rule ? rule->why : "of a kind that has no rule yet");
}
