/* SPDX-License-Identifier: MIT */
/* Opening, closing, and the loop over a scenario's records. */
#include "internal.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static void open_executor(struct fl_judge *j)
{
    struct fl_ram ram = fl_world_ram(j->world);
    char why[256];

    if (!j->options.executor) {
        snprintf(j->executor_text, sizeof j->executor_text, "none (switched off)");
    } else if (fl_unicorn_open(&ram, &j->executor, why) == FL_OK) {
        snprintf(j->executor_text, sizeof j->executor_text, "%s %s (CPU: %s)", j->executor->name, j->executor->version,
                 j->executor->host);
    } else {
        j->executor = NULL;
        snprintf(j->executor_text, sizeof j->executor_text, "none (%s)", why);
    }
}

static void open_decoders(struct fl_judge *j)
{
    struct fl_decoder *(*const openers[])(char *) = {fl_capstone_open, fl_zydis_open};
    char why[256];

    for (size_t i = 0; i < sizeof openers / sizeof openers[0]; i++) {
        struct fl_decoder *d = openers[i](why);

        if (d)
            j->decoder[j->ndecoders++] = d;
    }
}

enum fl_status fl_judge_open(const struct fl_judge_options *options, struct fl_judge **out, char why[256])
{
    struct fl_judge *j = calloc(1, sizeof *j);

    if (!j) {
        snprintf(why, 256, "out of memory");
        return FL_FAILED;
    }
    j->options = *options;
#ifdef FL_SOUND
    j->options.sound = true;
#endif
    j->core = options->core ? options->core : fl_core();
    if (j->core->abi != FL_CORE_ABI) {
        snprintf(why, 256, "core \"%s\" speaks interface %u, this Faultline speaks %u", j->core->name,
                 (unsigned)j->core->abi, FL_CORE_ABI);
        goto fail;
    }
    j->gup = options->gup ? options->gup : fl_gup();
    if (j->gup->abi != FL_GUP_ABI) {
        snprintf(why, 256, "pinning \"%s\" speaks interface %u, this Faultline speaks %u", j->gup->name,
                 (unsigned)j->gup->abi, FL_GUP_ABI);
        goto fail;
    }
    if (!fl_judge_can_run(j->core, j->gup, options->target, why))
        goto fail;
    j->stats = options->stats;
    if (!j->stats && !(j->stats = calloc(1, sizeof *j->stats))) {
        snprintf(why, 256, "out of memory");
        goto fail;
    }
    j->stats->magic = FL_STATS_MAGIC;
    j->generation = FL_GEN_COUNT;
    if (!fl_judge_image_open(j)) {
        snprintf(why, 256, "out of memory");
        goto fail;
    }
    if (fl_world_open(&j->world) != FL_OK || !fl_judge_pin_open(j)) {
        snprintf(why, 256, "cannot map guest memory");
        goto fail;
    }
    open_executor(j);
    if (options->require_executor && !j->executor) {
        snprintf(why, 256, "executor: %.200s", j->executor_text);
        goto fail;
    }
    if (options->decoders)
        open_decoders(j);
    *out = j;
    return FL_OK;
fail:
    fl_judge_close(j);
    return FL_FAILED;
}

void fl_judge_close(struct fl_judge *j)
{
    if (!j)
        return;
    for (unsigned i = 0; i < j->ndecoders; i++)
        j->decoder[i]->close(j->decoder[i]);
    if (j->mapped_executor)
        j->mapped_executor->close(j->mapped_executor);
    if (j->executor)
        j->executor->close(j->executor);
    if (j->mapped_world)
        fl_world_close(j->mapped_world);
    if (j->world)
        fl_world_close(j->world);
    if (!j->options.stats)
        free(j->stats);
    fl_judge_pin_close(j);
    free(j->image);
    free(j);
}

void fl_judge_set_target(struct fl_judge *j, enum fl_target target)
{
    j->options.target = target;
}

const struct fl_stats *fl_judge_stats(const struct fl_judge *j)
{
    return j->stats;
}

const char *fl_judge_executor(const struct fl_judge *j)
{
    return j->executor_text;
}

void fl_judge_decoders(const struct fl_judge *j, FILE *out)
{
    for (unsigned i = 0; i < j->ndecoders; i++)
        fprintf(out, "decoder: %s %s\n", j->decoder[i]->name, j->decoder[i]->version);
}

void fl_judge_set_counters(struct fl_judge *j, uint8_t *counters, unsigned first, unsigned count)
{
    j->counters = counters;
    j->first_counter = first;
    j->ncounters = counters ? count : 0;
}

void fl_judge_set_say(struct fl_judge *j, fl_say_fn say, void *ctx)
{
    j->say = say;
    j->say_ctx = ctx;
}

void fl_judge_set_watch(struct fl_judge *j, fl_watch_fn watch, void *ctx)
{
    j->watch = watch;
    j->watch_ctx = ctx;
}

void fl_judge_set_calls(struct fl_judge *j, fl_calls_fn calls, void *ctx)
{
    j->calls = calls;
    j->calls_ctx = ctx;
    fl_world_keep_asked(j->world, calls != NULL);
}

static void tell_asked(const struct fl_judge *j)
{
    struct fl_judge_calls calls = {0};

    calls.nasks = fl_world_asked(j->world, &calls.asks);
    j->calls(j->calls_ctx, j->record, &calls);
}

void fl_judge_say(struct fl_judge *j, const char *format, ...)
{
    char text[512];
    va_list args;

    if (!j->say)
        return;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    j->say(j->say_ctx, j->record, text);
}

enum fl_event_end fl_judge_diverge(struct fl_judge *j, enum fl_check check, const char *row, const char *expected,
                                   const char *actual, const char *format, ...)
{
    va_list args;

    j->divergence.check = (uint8_t)check;
    j->divergence.row = row;
    j->divergence.expected = expected;
    j->divergence.actual = actual;
    va_start(args, format);
    vsnprintf(j->divergence.detail, sizeof j->divergence.detail, format, args);
    va_end(args);
    return FL_EVENT_DIVERGED;
}

/* ---- how events ended ------------------------------------------------------------------------------------------- */

void fl_judge_passed(struct fl_judge *j, const char *what)
{
    int n;

    if (!j->keep_endings)
        return;
    n = snprintf(j->passed + j->npassed, sizeof j->passed - j->npassed, "%s%s", j->npassed ? ", " : "", what);
    if (n > 0 && j->npassed + (size_t)n < sizeof j->passed)
        j->npassed += (size_t)n;
    else
        j->passed[j->npassed] = 0; /* whole words only */
}

void fl_judge_ended(struct fl_judge *j, const char *how)
{
    size_t room = sizeof j->endings - j->nendings;
    int n;

    if (!j->keep_endings)
        return;
    n = snprintf(j->endings + j->nendings, room, "record %u: %s%s%s\n", j->record + 1, how, j->npassed ? " after " : "",
                 j->passed);
    if (n > 0 && (size_t)n < room)
        j->nendings += (size_t)n;
    else
        j->endings[j->nendings] = 0;
}

const char *fl_judge_endings(const struct fl_judge *j)
{
    return j->endings;
}

/* ---- the loop --------------------------------------------------------------------------------------------------- */

static enum fl_event_end judge_event(struct fl_judge *j, const struct fl_record *r)
{
    enum fl_event_end end;

    j->npassed = 0;
    j->passed[0] = 0;
    if (j->watch)
        j->watch(j->watch_ctx, j->record, j->world);
    if (fl_world_sh4(j->world) && r->kind != FL_REC_TOUCH) {
        j->stats->unsupported++; /* an SH4 has no x86 tables, instructions or error codes */
        return FL_EVENT_GOES_ON;
    }
    fl_world_event_begin(j->world);
    fl_judge_same_world(j, (enum fl_record_kind)r->kind);
    switch (r->kind) {
    case FL_REC_ACCESS: end = fl_judge_access(j, r); break;
    case FL_REC_FAULT: end = fl_judge_raw_fault(j, r); break;
    case FL_REC_EXEC: end = fl_judge_exec(j, r); break;
    case FL_REC_TOUCH: end = fl_judge_touch(j, r); break;
    case FL_REC_SYNCALL: end = fl_judge_syncall(j); break;
    default: end = fl_judge_decode(j, r); break;
    }
    if (j->calls)
        tell_asked(j);
    fl_world_event_end(j->world);
    return end;
}

/* Is that a kind whose ends are compared between generations? */
static bool compared_by_generation(enum fl_record_kind kind)
{
    return kind == FL_REC_TOUCH || kind == FL_REC_SYNCALL;
}

enum fl_event_end fl_judge_trace(struct fl_judge *j, const struct fl_scenario *s, bool generations)
{
    enum fl_event_end end = FL_EVENT_GOES_ON;

    j->executed = 0;
    j->all_handled = true;
    j->no_generation = false;
    j->injected = j->raw = j->grew = j->executor_odd = j->self_modified = j->same_before_syncall = false;
    fl_world_begin(j->world, &s->machine);
    if (!generations)
        fl_judge_pin_begin(j, s);
    for (unsigned i = 0; i < s->nrecords; i++) {
        const struct fl_record *r = &s->records[i];
        enum fl_record_kind kind = (enum fl_record_kind)r->kind;

        if (fl_judge_is_pin(kind)) {
            if (generations || end != FL_EVENT_GOES_ON || !fl_target_judges(j->options.target, FL_REC_PIN)) {
                j->stats->events_skipped += kind == FL_REC_PIN && !generations;
                continue;
            }
            j->record = i;
            if (fl_judge_pin(j, r) == FL_EVENT_DIVERGED)
                return FL_EVENT_DIVERGED;
            continue;
        }

        if (!fl_record_is_event(kind)) {
            fl_world_apply(j->world, r);
            j->injected |= kind == FL_REC_INJECT;
            j->same_before_syncall = false;
            continue;
        }
        if (generations && !compared_by_generation(kind))
            continue;
        if (end != FL_EVENT_GOES_ON || !fl_target_judges(j->options.target, kind) ||
            !fl_judge_answers(j->core, kind, fl_world_sh4(j->world))) {
            j->stats->events_skipped++;
            continue;
        }
        j->record = i;
        end = judge_event(j, r);
        if (end == FL_EVENT_DIVERGED)
            return end;
        j->stats->events++;
    }
    j->record = s->nrecords;
    return end;
}

static bool has_touch(const struct fl_scenario *s)
{
    for (unsigned i = 0; i < s->nrecords; i++)
        if (compared_by_generation((enum fl_record_kind)s->records[i].kind))
            return true;
    return false;
}

bool fl_judge_scenario(struct fl_judge *j, const struct fl_scenario *s, struct fl_divergence *d, unsigned *record)
{
    enum fl_target target = j->options.target;
    enum fl_event_end end = FL_EVENT_GOES_ON;

    j->stats->executions++;
    j->nendings = 0;
    j->endings[0] = 0;
    j->keep_endings = j->options.endings;
    if (target != FL_TARGET_VMALLOC) {
        end = fl_judge_trace(j, s, false);
        if (end != FL_EVENT_DIVERGED && j->executor && target != FL_TARGET_WALK && target != FL_TARGET_PREFETCH)
            end = fl_judge_transparency(j, s);
    }
    j->keep_endings &= target == FL_TARGET_VMALLOC;
    if (end != FL_EVENT_DIVERGED && (target == FL_TARGET_VMALLOC || (target == FL_TARGET_ALL && has_touch(s))))
        end = fl_judge_generations(j, s);
    if (end != FL_EVENT_DIVERGED)
        return false;
    *d = j->divergence;
    *record = j->record;
    return true;
}
