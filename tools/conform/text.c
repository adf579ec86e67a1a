/* SPDX-License-Identifier: MIT */
/* The report for a terminal, and as comma-separated values. */
#include "report.h"

#include <inttypes.h>
#include <string.h>

static const char *loads_name(uint8_t loads)
{
    static const char *const names[] = {"ran", "loads the line", "ran as nop", "ran, line unsure"};

    return loads <= LOADS_UNSURE ? names[loads] : "?";
}

const char *shown_answer(const struct column *column, const struct class *k, unsigned c)
{
    uint8_t a = k->answers[0].answer[c], v = verdict_of(a);

    if (column->kind != COLUMN_PROBE)
        return answer_name(a);
    if (v == V_RAN)
        return strcmp(column->name, "native") == 0 ? loads_name(k->loads) : "ran";
    return v == V_INVALID ? "#UD" : v == V_TOO_LONG ? "#GP" : answer_name(a);
}

/* What stands beside an answer. */
static const char *mark(const struct class *k, unsigned c)
{
    if (k->standing[c] == STANDS_UNKNOWN)
        return " ??";
    return k->against[c] == AGAINST_SILICON ? " !" : k->against[c] == AGAINST_NAME ? " ~" : "";
}

/* ---- text ------------------------------------------------------------------------------------------------------------- */

static void print_class(const struct report *r, const struct class *k, FILE *out)
{
    char form[128], modes[16], prefixes[160], example[64];

    class_form(k, form, sizeof form);
    class_modes(k, modes, sizeof modes);
    class_prefixes(k, prefixes, sizeof prefixes);
    bytes_text(k->answers[0].example, k->answers[0].readable, example, sizeof example);
    fprintf(out, "%-38s %-9s %s\n", form, modes, prefixes);
    fprintf(out, "    %s, %" PRIu64 " strings", example[0] ? example : "(no byte)", k->count);
    if (k->nanswers > 1 && class_uniformity(k) > 0.9995)
        fprintf(out, ", nearly all of them so:");
    else if (k->nanswers > 1)
        fprintf(out, ", %.1f %% of them so:", class_uniformity(k) * 100);
    fprintf(out, "\n    rule %s", k->rule ? "prefetch" : "no prefetch");
    for (unsigned c = 0; c < r->ncolumns; c++)
        if (verdict_of(k->answers[0].answer[c]) != V_NONE)
            fprintf(out, "; %s %s%s", r->columns[c].name, shown_answer(&r->columns[c], k, c), mark(k, c));
    fputc('\n', out);
    for (unsigned i = 1; i < k->nanswers && i < MAX_ANSWERS; i++) {
        bytes_text(k->answers[i].example, k->answers[i].readable, example, sizeof example);
        fprintf(out, "    but %s, %" PRIu64 " strings:", example, k->answers[i].count);
        for (unsigned c = 0; c < r->ncolumns; c++)
            if (k->answers[i].answer[c] != k->answers[0].answer[c])
                fprintf(out, " %s %s;", r->columns[c].name, answer_name(k->answers[i].answer[c]));
        fputc('\n', out);
    }
}

static void print_incidents(const struct report *r, FILE *out)
{
    for (unsigned i = 0; i < r->nincidents; i++) {
        const struct incident *x = &r->incidents[i];
        const struct column *c = &r->columns[x->column];
        char bytes[64];

        bytes_text(x->bytes, x->readable, bytes, sizeof bytes);
        fprintf(out, "%s %s %s on %s (%u-bit code, axis %s)", c->name, c->version, x->hung ? "hung" : "crashed", bytes,
                mode_bits(x->mode), axis_name((enum axis)x->axis));
        if (x->signal)
            fprintf(out, ", signal %d", x->signal);
        fputc('\n', out);
    }
    for (unsigned c = 0; c < r->ncolumns; c++)
        if (r->dropped[c])
            fprintf(out, "%s was given up after %u crashes or hangs: its column is empty\n", r->columns[c].name,
                    MAX_PER_COLUMN);
}

static void print_list(const struct report *r, FILE *out)
{
    size_t count;
    const struct fl_decode_row *rows = fl_decode_rows(&count);
    bool any = false;

    for (size_t i = 0; i < count; i++)
        any |= r->fired[i] || row_is_stale(r, i);
    if (any)
        fprintf(out, "\nexpected differences from the rule:\n");
    for (size_t i = 0; i < count; i++)
        if (r->fired[i])
            fprintf(out, "  %-28s %10" PRIu64 "  %s\n", rows[i].id, r->fired[i], rows[i].reason);
    for (size_t i = 0; i < count; i++)
        if (row_is_stale(r, i))
            fprintf(out, "  %-28s      STALE  explains nothing any more: %s\n", rows[i].id, rows[i].reason);
}

void conform_text(const struct report *r, bool all, FILE *out)
{
    uint32_t shown = 0;

    for (unsigned c = 0; c < r->ncolumns; c++)
        fprintf(out, "%-10s %s%s%s\n", r->columns[c].name, r->columns[c].version, r->columns[c].host[0] ? ", " : "",
                r->columns[c].host);
    for (unsigned axis = 0; axis < AXIS_COUNT; axis++) {
        if (!r->of_axis[axis])
            continue;
        fprintf(out, "\n%s: %s; %" PRIu64 " strings\n\n", axis_name((enum axis)axis), axis_meaning((enum axis)axis),
                r->of_axis[axis]);
        for (uint32_t i = 0; i < r->nclasses; i++)
            if (r->classes[i].axis == axis && (all || class_is_disputed(&r->classes[i], r))) {
                print_class(r, &r->classes[i], out);
                shown++;
            }
    }
    print_list(r, out);
    if (r->proof)
        fprintf(out, "\n%s\n", json_string_value(json_object_get(r->proof, "text")));
    if (!r->nclasses)
        return;
    fputc('\n', out);
    print_incidents(r, out);
    fprintf(out,
            "%u of %u classes shown%s. !  contradicts silicon  ~  another name than silicon bears out  ??  nothing "
            "explains it\n",
            shown, r->nclasses, shown < r->nclasses ? ": those where nobody differs are left out (--all)" : "");
    if (!r->whole)
        fprintf(out, "stale entries of the list are not looked for: a part only was asked\n");
    fprintf(out, "%" PRIu64 " strings, %u classes, %u unknown, %u stale, %u crashes and hangs\n", r->strings,
            r->nclasses, r->unknown, r->stale, r->nincidents);
}

/* ---- comma-separated values ------------------------------------------------------------------------------------------- */

/* Quoted where it must be (RFC 4180). */
static void field(const char *text, bool last, FILE *out)
{
    if (strpbrk(text, ",\"\r\n")) {
        fputc('"', out);
        for (; *text; text++) {
            if (*text == '"')
                fputc('"', out);
            fputc(*text, out);
        }
        fputc('"', out);
    } else {
        fputs(text, out);
    }
    fputc(last ? '\n' : ',', out);
}

void conform_csv(const struct report *r, FILE *out)
{
    fputs("axis,form,modes,prefixes,example,example_bits,count,uniformity,rule,", out);
    for (unsigned c = 0; c < r->ncolumns; c++)
        field(r->columns[c].name, c + 1 == r->ncolumns, out);
    for (uint32_t i = 0; i < r->nclasses; i++) {
        const struct class *k = &r->classes[i];
        char text[160], number[64];

        field(axis_name(k->axis), false, out);
        class_form(k, text, sizeof text);
        field(text, false, out);
        class_modes(k, text, sizeof text);
        field(text, false, out);
        class_prefixes(k, text, sizeof text);
        field(text, false, out);
        bytes_text(k->answers[0].example, k->answers[0].readable, text, sizeof text);
        field(text, false, out);
        snprintf(number, sizeof number, "%u,%" PRIu64 ",%.6f", mode_bits(k->answers[0].mode), k->count,
                 class_uniformity(k));
        fprintf(out, "%s,%s,", number, k->rule ? "prefetch" : "no prefetch");
        for (unsigned c = 0; c < r->ncolumns; c++)
            field(shown_answer(&r->columns[c], k, c), c + 1 == r->ncolumns, out);
    }
}
