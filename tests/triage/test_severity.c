/* SPDX-License-Identifier: MIT */
/* The rule of severity: one key for each row of the table, at least, and rows for each check. */
#include "check.h"
#include "triage/internal.h"

#define C SEVERITY_CRITICAL
#define H SEVERITY_HIGH
#define M SEVERITY_MEDIUM
#define L SEVERITY_LOW

/* Keys as the comparer writes them. */
static const struct {
    const char *key;
    enum severity severity;
} keys[] = {
    {"executor/harness/works/broken", L},
    {"walk/arch/answers/refused", L},
    {"sync/sync-all/answers/refused", L},
    {"executor/kind/pf-absent/ok", L},
    {"executor/cr2/address-of-access/another-address", L},
    {"decoder/capstone/prefetch/other", L},

    {"cow/write-pin/own-page/file-page", C},
    {"cow/coherent/same-page/other-page", C},
    {"perm/area/refused/pinned", C},
    {"pin/reference/one/too-few", C},
    {"pin/alive/referenced/free", C},
    {"pin/identity/mapped/never-mapped", C},
    {"pin/count/asked-for/more", C},
    {"pin/reference/one/too-many", H},
    {"pin/elsewhere/none/left", H},
    {"contract/pin-op/kept/ptl-unlock-not-held", H},
    {"decision/pin/pinned/fewer", H},
    {"decision/pin/efault/more", C},
    {"decision/pin/nothing/pinned", H},
    {"decision/pin-accounted/each-once/fewer", L},
    {"progress/bug/none/bug", H},
    {"progress/fatal-signal/ends/goes-on", H},
    {"lock/pin-told/held/dropped", H},
    {"progress/pin/ends/endless", H},
    {"pin-diff/fast-and-slow/same/other-page", H},
    {"pin-diff/fast-and-slow/same/other-count", M},

    {"interference/thread-code/same/differs", C},
    {"interference/log/same/differs", C},
    {"decision/synced/synced/wild", C},
    {"sync/current-copy/handled/wild", C},
    {"decision/write-denied/refused/served", C},
    {"decision/stack-guard-gap/refused/served", C},
    {"decision/smap/oops/other", C},
    {"decision/no-user-fetch/oops/other", C},
    {"sync/not-tried/not-written/written", C},
    {"sync/current-copy/entry/entry-other", C},
    {"sync/current-copy/value/value-other", C},
    {"sync/sync-all/write-expected/write-other", C},
    {"sync/sync-all/changes-expected/changes-other", C},
    {"walk/kind/pf-reserved/ok", C},
    {"walk/kind/gp/ok", C},
    {"walk/permission/read-only/writable", C},
    {"walk/permission/supervisor/user", C},
    {"walk/permission/nx/executable", C},
    {"walk/paddr/frame/frame-other", C},

    {"decision/area-write/served/refused", H},
    {"decision/area-read/served/oops", H},
    {"decision/user-prefetch/ignored/oops", H},
    {"decision/retry-killed-kernel/no-context/fatal-signal", H},
    {"decision/oom-user/oom-kill/handled-minor", H},
    {"decision/user-segv/signal-segv/ignored", H},
    {"decision/user-prefetch/ignored/signal-segv", H},
    {"decision/spurious/spurious/other", H},
    {"decision/sigbus-user/signal-bus/handled-minor", H},
    {"decision/kernel-fixup/new-ip/new-ip-other", H},
    {"lock/exit/free/held", H},
    {"lock/use/taken/not-taken", H},
    {"rewalk/access/ok/pf-write", H},
    {"progress/fault-loop/progress/same-fault-again", H},
    {"transparency/registers/equal/differ", H},
    {"table-read/place/table/elsewhere", H},
    {"bound/reason/no-reads/reads", M},
    {"bound/window/inside/outside", H},
    {"bound/accessor/user/kernel", H},
    {"contract/mm-lock/locked/unlocked", H},
    {"contract/vma-generation/current/stale", H},
    {"contract/ldt/inside/outside", H},
    {"contract/log/unlocked/locked", H},
    {"prefetch/rule/ignored/not-ignored", H},
    {"prefetch/rule/not-ignored/ignored", H},
    {"walk/kind/ok/pf-absent", H},
    {"walk/permission/writable/read-only", H},
    {"walk/paddr/offset/offset-other", H},
    {"sync/current-copy/silent/logged", M},
    {"sync/current-copy/silent/warned", M},
    {"sync/2016-64-1g-copied/warned/silent", L},
    {"sync/current-copy/not-flushed/flushed", M},
    {"sync/current-copy/flushed/not-flushed", H},
    {"sync/current-copy/flushed-last/flushed-early", H},
    {"sync/current-reference-absent/not-handled/handled", H},
    {"sync/current-copy/lock-free/lock-asked", H},

    {"decision/write-denied/signal-accerr/signal-maperr", M},
    {"decision/mm-minor/handled-minor/handled-major", M},
    {"decision/user-segv/zero/screen-bits-garbage", M},
    {"decision/irq/reported-on/reported-off", M},
    {"signal/si-addr/cr2/other", M},
    {"effect/growth/kept/grown", H},
    {"effect/mm-fault/never/once", M},
    {"contract/irq-restore/before-lock/after-lock", M},
    {"walk/code/pf-code-w/pf-code-no-w", M},
    {"walk/level/level/lower", M},
    {"generation/2016/done/loop", M},
    {"message/segfault/text/text-other", L},
};

static bool parse(const char *key, struct replay_result *r)
{
    char check[32];

    memset(r, 0, sizeof *r);
    r->end = REPLAY_DIVERGED;
    snprintf(r->key, sizeof r->key, "%s", key);
    if (sscanf(key, "%31[^/]/%95[^/]/%63[^/]/%63[^/]", check, r->row, r->expected, r->actual) != 4)
        return false;
    for (unsigned c = 0; c < FL_CHECK_COUNT; c++)
        if (strcmp(check, fl_check_name((enum fl_check)c)) == 0) {
            r->check = (enum fl_check)c;
            return true;
        }
    return false;
}

int main(void)
{
    bool fired[200] = {false}, has_check[FL_CHECK_COUNT] = {false};
    const struct severity_rule *rules;
    struct replay_result r;
    size_t n;

    rules = triage_severity_rules(&n);
    CHECK(n > 0 && n <= 200, "%zu rules", n);
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        enum severity severity;
        char why[160], title[200];
        const struct severity_rule *rule;

        CHECK(parse(keys[i].key, &r), "%s is no key", keys[i].key);
        rule = triage_severity_rule(&r);
        CHECK(rule != NULL, "%s: no rule", keys[i].key);
        if (!rule)
            continue;
        fired[rule - rules] = true;
        has_check[r.check] = true;
        triage_severity(&r, &severity, why);
        CHECK(severity == keys[i].severity && why[0], "%s: %s (%s), expected %s", keys[i].key, severity_name(severity),
              why, severity_name(keys[i].severity));
        triage_title(&r, title);
        CHECK(title[0] && !strchr(title, '%'), "%s: title \"%s\"", keys[i].key, title);
    }
    for (enum replay_end end = REPLAY_CLEAN; end <= REPLAY_UNABLE; end++) {
        enum severity severity;
        char why[160], title[200];

        if (end == REPLAY_DIVERGED)
            continue;
        memset(&r, 0, sizeof r);
        r.end = end;
        r.signal = 11;
        fired[triage_severity_rule(&r) - rules] = true;
        triage_severity(&r, &severity, why);
        triage_title(&r, title);
        CHECK_EQ(severity, end == REPLAY_CRASHED || end == REPLAY_HUNG ? H : L, "end %u", (unsigned)end);
        CHECK(title[0] != 0, "end %u has no title", (unsigned)end);
    }
    for (unsigned c = 0; c < FL_CHECK_COUNT; c++) {
        CHECK(has_check[c], "no key of check %s is tried", fl_check_name((enum fl_check)c));
        /* Whatever its classes, a key has a rule. */
        memset(&r, 0, sizeof r);
        r.end = REPLAY_DIVERGED;
        r.check = (enum fl_check)c;
        snprintf(r.row, sizeof r.row, "new-row");
        snprintf(r.expected, sizeof r.expected, "new-class");
        snprintf(r.actual, sizeof r.actual, "other-class");
        CHECK(triage_severity_rule(&r) != NULL || c == FL_CHECK_PREFETCH, "check %s has no last rule",
              fl_check_name((enum fl_check)c));
    }
    for (size_t i = 0; i < n; i++)
        CHECK(fired[i], "rule %zu (%s) never fires", i, rules[i].why);
    return check_done("triage-severity");
}
