/* SPDX-License-Identifier: MIT */
/* Outcomes, checks and titles in words. */
#include "sections.h"

#include "../triage/triage.h"

#include <inttypes.h>
#include <string.h>

/* x86 kernel ABI, asm-generic/siginfo.h. */
static const char *signal_name(int32_t signo)
{
    return signo == 11 ? "SIGSEGV" : signo == 7 ? "SIGBUS" : "?";
}

static const char *code_name(int32_t signo, int32_t code)
{
    if (code == 0x80)
        return "SI_KERNEL";
    if (signo == 11)
        return code == 1 ? "SEGV_MAPERR" : code == 2 ? "SEGV_ACCERR" : code == 4 ? "SEGV_PKUERR" : "?";
    return code == 2 ? "BUS_ADRERR" : code == 4 ? "BUS_MCEERR_AR" : "?";
}

void outcome_text(const struct fl_outcome *o, char *buf, size_t size)
{
    size_t n;

    switch (o->action) {
    case FL_ACT_SIGNAL:
        snprintf(buf, size, "%s: %s, %s, address %#" PRIx64, fl_outcome_class(o), signal_name(o->signo),
                 code_name(o->signo, o->si_code), o->si_addr);
        break;
    case FL_ACT_FIXUP:
    case FL_ACT_ERRATUM93:
    case FL_ACT_EMULATED: snprintf(buf, size, "%s, goes on at %#" PRIx64, fl_outcome_class(o), o->new_ip); break;
    default: snprintf(buf, size, "%s", fl_outcome_class(o));
    }
    n = strlen(buf);
    snprintf(buf + n, size - n, "%s", o->irq_on ? ", interrupts switched on" : "");
}

const char *check_meaning(unsigned check)
{
    static const char *const meanings[FL_CHECK_COUNT] = {
        [FL_CHECK_WALK] = "the core's own page walk must say of an access what the architecture says",
        [FL_CHECK_EXECUTOR] = "an executor must do with an access what the architecture says",
        [FL_CHECK_DECISION] = "what becomes of a fault must be what the decision table says",
        [FL_CHECK_EFFECT] = "what the core asks of the world must be what the decision table says",
        [FL_CHECK_LOCK] = "a lock must be asked for, used and given back as the decision needs it",
        [FL_CHECK_REWALK] = "after a handled fault the tables must permit the access",
        [FL_CHECK_PROGRESS] = "the same fault must not come again in the same world",
        [FL_CHECK_BOUND] = "instruction bytes may be read only at ip to ip+14, with the right accessor, for a reason",
        [FL_CHECK_CONTRACT] = "ops must be used as their contract says",
        [FL_CHECK_PREFETCH] = "the core's decoder must say of an instruction what the prefetch rule says",
        [FL_CHECK_DECODER] = "the prefetch rule must say of an instruction what a disassembler says",
        [FL_CHECK_TRANSPARENCY] = "code must end the same whether its pages were there or came on demand",
        [FL_CHECK_MESSAGE] = "what is logged must be right byte for byte, and only where it may be",
        [FL_CHECK_SIGNAL] = "a signal and the task's fault record must hold what this fault was",
        [FL_CHECK_INTERFERENCE] = "what user code learns of a kernel address must not depend on its mapping",
        [FL_CHECK_SYNC] = "synchronising with the reference tables must do what its rows say",
        [FL_CHECK_TABLE_READ] = "table entries may be read only where there is a table",
        [FL_CHECK_GENERATION] = "generations may end differently only where a row of the list says why",
        [FL_CHECK_PIN] = "pinned pages must be those that were mapped, with one reference each",
        [FL_CHECK_PERM] = "only what the area, the tables and the key permit may be pinned",
        [FL_CHECK_COW] =
            "a write through a pin must reach nobody else's memory, and a pin must see what the task writes",
        [FL_CHECK_PIN_DIFF] = "two ways to pin the same from the same state must come to the same",
    };

    return check < FL_CHECK_COUNT ? meanings[check] : "";
}

void title_of(const struct capture *c, char title[200])
{
    struct replay_result result = {.end = c->executor_died ? REPLAY_EXECUTOR_DIED
                                          : c->hung        ? REPLAY_HUNG
                                          : c->crashed     ? REPLAY_CRASHED
                                                           : REPLAY_DIVERGED,
                                   .signal = c->signal,
                                   .check = (enum fl_check)c->check};

    if (!capture_diverges(c)) {
        snprintf(title, 200, "Nothing disagrees about this scenario");
        return;
    }
    snprintf(result.key, sizeof result.key, "%s", c->key);
    snprintf(result.row, sizeof result.row, "%s", c->row);
    snprintf(result.expected, sizeof result.expected, "%s", c->expected);
    snprintf(result.actual, sizeof result.actual, "%s", c->actual);
    triage_title(&result, title);
}
