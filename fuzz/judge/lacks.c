/* SPDX-License-Identifier: MIT */
/* Cores, and pinning, that have not everything: what can run, and what is missing. */
#include "internal.h"

#include <string.h>

bool fl_judge_answers(const struct fl_core *core, enum fl_record_kind kind, bool sh4)
{
    switch (kind) {
    case FL_REC_ACCESS: return core->walk && core->permits;
    case FL_REC_DECODE: return core->prefetch;
    case FL_REC_SYNCALL: return core->sync_all;
    case FL_REC_TOUCH: return sh4 ? core->p3_sync != NULL : core->fault != NULL;
    default: return core->fault;
    }
}

bool fl_judge_pins(const struct fl_gup *gup, enum fl_pin_api api)
{
    switch (api) {
    case FL_PINAPI_PIN: return gup->pin;
    case FL_PINAPI_USER: return gup->pin_user;
    case FL_PINAPI_FAST_ONLY: return gup->pin_fast_only;
    case FL_PINAPI_FAST: return gup->pin_fast;
    case FL_PINAPI_FIXUP: return gup->fixup;
    case FL_PINAPI_DUMP: return gup->dump;
    case FL_PINAPI_FOLLOW: return gup->follow;
    case FL_PINAPI_COUNT: break;
    }
    return false;
}

static bool has_gup(const struct fl_gup *gup)
{
    for (unsigned api = 0; api < FL_PINAPI_COUNT; api++)
        if (fl_judge_pins(gup, (enum fl_pin_api)api))
            return true;
    return false;
}

/* What each target cannot do without: the kind of event that is at its heart. Of pinning any function will do. */
bool fl_core_runs(const struct fl_core *core, const struct fl_gup *gup, enum fl_target target)
{
    switch (target) {
    case FL_TARGET_WALK: return fl_judge_answers(core, FL_REC_ACCESS, false);
    case FL_TARGET_FAULT: return fl_judge_answers(core, FL_REC_FAULT, false);
    case FL_TARGET_PREFETCH: return fl_judge_answers(core, FL_REC_DECODE, false);
    case FL_TARGET_VMALLOC: return fl_judge_answers(core, FL_REC_TOUCH, false);
    case FL_TARGET_GUP: return has_gup(gup);
    case FL_TARGET_ALL:
    case FL_TARGET_COUNT: break;
    }
    for (unsigned t = 0; t < FL_TARGET_ALL; t++)
        if (fl_core_runs(core, gup, (enum fl_target)t))
            return true;
    return false;
}

/* Appends a word to a list. */
static void add_word(char *text, size_t size, const char *word)
{
    size_t n = strlen(text);

    snprintf(text + n, size - n, "%s%s", n ? ", " : "", word);
}

struct function {
    const char *name;
    bool there;
};

/* Those that are not there, or the vtable's name when none is. */
static void add_lacking(char *text, size_t size, const struct function *functions, size_t n, const char *vtable)
{
    size_t there = 0;

    for (size_t i = 0; i < n; i++)
        there += functions[i].there;
    for (size_t i = 0; there && i < n; i++)
        if (!functions[i].there)
            add_word(text, size, functions[i].name);
    if (!there)
        add_word(text, size, vtable);
}

bool fl_core_lacks(const struct fl_core *core, const struct fl_gup *gup, char *text, size_t size)
{
    const struct function deciding[] = {{"walk", core->walk},         {"permits", core->permits},
                                        {"prefetch", core->prefetch}, {"fault", core->fault},
                                        {"sync_all", core->sync_all}, {"p3_sync", core->p3_sync}};
    const struct function pinning[] = {
        {"pin", gup->pin},           {"pin_user", gup->pin_user}, {"pin_fast_only", gup->pin_fast_only},
        {"pin_fast", gup->pin_fast}, {"fixup", gup->fixup},       {"dump", gup->dump},
        {"follow", gup->follow}};

    text[0] = 0;
    add_lacking(text, size, deciding, sizeof deciding / sizeof deciding[0], "fl_core");
    add_lacking(text, size, pinning, sizeof pinning / sizeof pinning[0], "fl_gup");
    return text[0] != 0;
}

bool fl_judge_can_run(const struct fl_core *core, const struct fl_gup *gup, enum fl_target target, char why[256])
{
    const char *name = strcmp(core->name, "none") != 0 ? core->name : gup->name;
    char lacks[160], runs[64] = "";

    if (fl_core_runs(core, gup, target))
        return true;
    fl_core_lacks(core, gup, lacks, sizeof lacks);
    for (unsigned t = 0; t < FL_TARGET_ALL; t++)
        if (fl_core_runs(core, gup, (enum fl_target)t))
            add_word(runs, sizeof runs, fl_target_name((enum fl_target)t));
    snprintf(why, 256, "core \"%.40s\" lacks %s: target %s cannot run; it can run: %s", name, lacks,
             fl_target_name(target), runs[0] ? runs : "none");
    return false;
}
