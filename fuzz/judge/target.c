/* SPDX-License-Identifier: MIT */
/* What the targets are called, and what each judges. */
#include <faultline/fuzz/judge.h>

const char *fl_target_name(enum fl_target target)
{
    static const char *const names[FL_TARGET_COUNT] = {"walk", "fault", "prefetch", "vmalloc", "gup", "all"};

    return (unsigned)target < FL_TARGET_COUNT ? names[target] : "?";
}

bool fl_target_executes(enum fl_target target)
{
    return target != FL_TARGET_PREFETCH && target != FL_TARGET_VMALLOC && target != FL_TARGET_GUP;
}

bool fl_target_judges(enum fl_target target, enum fl_record_kind kind)
{
    bool all = target == FL_TARGET_ALL;

    switch (kind) {
    case FL_REC_ACCESS: return all || target == FL_TARGET_WALK;
    case FL_REC_FAULT:
    case FL_REC_EXEC: return all || target == FL_TARGET_FAULT;
    case FL_REC_DECODE: return all || target == FL_TARGET_PREFETCH;
    case FL_REC_TOUCH: return all || target == FL_TARGET_FAULT || target == FL_TARGET_VMALLOC;
    case FL_REC_SYNCALL: return all || target == FL_TARGET_VMALLOC;
    case FL_REC_PIN: return all || target == FL_TARGET_GUP;
    default: return false;
    }
}
