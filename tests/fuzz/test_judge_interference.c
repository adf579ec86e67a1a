/* SPDX-License-Identifier: MIT */
/*
 * Interference before the judge: a user-mode fault at a kernel address is decided once more with P turned round, and
 * what the task learns must be the same.
 */
#include "judge_cores.h"

#define KERNEL_ADDR_ABSENT  SCN("4level") "catches-signals no\nfault cr2 0xffffffff81000000 code 0x4\n"
#define KERNEL_ADDR_PRESENT SCN("4level") "catches-signals no\nfault cr2 0xffffffff81000000 code 0x5\n"

static bool says_more;

/* These are wrong the second time, whichever P was asked first: the first answer is held against the policy. */
static enum fl_status second_accerr(struct fl_world *w, const struct fl_fault *f, struct fl_outcome *out, unsigned n)
{
    (void)w, (void)f;
    if (n == 2)
        out->si_code = 2;
    return FL_OK;
}

static enum fl_status second_ignored(struct fl_world *w, const struct fl_fault *f, struct fl_outcome *out, unsigned n)
{
    (void)w, (void)f;
    if (n == 2)
        out->action = FL_ACT_IGNORED;
    return FL_OK;
}

static enum fl_status second_refused(struct fl_world *w, const struct fl_fault *f, struct fl_outcome *out, unsigned n)
{
    (void)w, (void)f, (void)out;
    return n == 2 ? FL_INVALID : FL_OK;
}

static enum fl_status second_says_more(struct fl_world *w, const struct fl_fault *f, struct fl_outcome *out, unsigned n)
{
    (void)w, (void)f, (void)out;
    says_more = n == 1;
    return FL_OK;
}

static void log_more(void *ctx, const char *text, size_t n)
{
    fl_world_ops()->log(ctx, text, n);
    if (says_more)
        fl_world_ops()->log(ctx, "!", 1);
}

/* The handlers before 5.12 in one: what user code is shown of the error code tells whether the kernel maps the address. */
static enum fl_status show_code(struct fl_world *w, const struct fl_fault *f, struct fl_outcome *out, unsigned n)
{
    (void)w, (void)n;
    out->thread_error_code = f->error_code;
    return FL_OK;
}

static enum fl_status accerr_where_absent(struct fl_world *w, const struct fl_fault *f, struct fl_outcome *out,
                                          unsigned n)
{
    (void)w, (void)n;
    if (!(f->error_code & 1))
        out->si_code = 2;
    return FL_OK;
}

static const struct judge_case interferences[] = {
    {"si_code", FL_TARGET_FAULT, KERNEL_ADDR_ABSENT, {.fault = second_accerr}, "interference/si-code/same/differs", 0},
    {"si_code, turned round",
     FL_TARGET_FAULT,
     KERNEL_ADDR_PRESENT,
     {.fault = second_accerr},
     "interference/si-code/same/differs",
     0},
    {"action", FL_TARGET_FAULT, KERNEL_ADDR_ABSENT, {.fault = second_ignored}, "interference/action/same/differs", 0},
    {"status", FL_TARGET_FAULT, KERNEL_ADDR_ABSENT, {.fault = second_refused}, "interference/status/ok/status", 0},
    {"log",
     FL_TARGET_FAULT,
     KERNEL_ADDR_ABSENT,
     {.fault = second_says_more, .ops.log = log_more},
     "interference/log/same/differs",
     0},
    {"log, turned round",
     FL_TARGET_FAULT,
     KERNEL_ADDR_PRESENT,
     {.fault = second_says_more, .ops.log = log_more},
     "interference/log/same/differs",
     0},
    /* A core that goes by P is right for one of the two; which check finds it depends on which one that is. */
    {"code shown, P set",
     FL_TARGET_FAULT,
     KERNEL_ADDR_PRESENT,
     {.fault = show_code},
     "interference/thread-code/same/differs",
     0},
    {"code shown, P clear",
     FL_TARGET_FAULT,
     KERNEL_ADDR_ABSENT,
     {.fault = show_code},
     "signal/thread-code/code/other",
     0},
    {"by P, 32-bit",
     FL_TARGET_FAULT,
     SCN("pae") "touch read user 0xf8000000\nfault cr2 0xc0000000 code 0x5\n",
     {.fault = accerr_where_absent},
     "decision/kernel-address/signal-maperr/signal-accerr",
     0},
    {"by P, FAULT",
     FL_TARGET_FAULT,
     SCN("pae") "fault cr2 0xc0000000 code 0x5\n",
     {.fault = accerr_where_absent},
     "interference/si-code/same/differs",
     0},
};

int main(void)
{
    judge_cases(interferences, COUNT(interferences), false);
    return check_done("judge, interference");
}
