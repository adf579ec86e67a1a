/* SPDX-License-Identifier: MIT */
/*
 * Results of bug benchmarks, from DIR/zoo.json:
 *
 *   {"format": 1, "budget": 300,
 *    "bugs": [{"name": "003-kernel-nx", "title": "NX is not looked at", "check": "rewalk",
 *              "trials": [{"reached": 0.2, "triggered": 0.4, "detected": 1.9}, {"reached": 0.2, "triggered": null}]}]}
 *
 * budget: seconds that a trial may take. A trial has the seconds after which the faulty code was reached, its bug triggered, and a
 * check fired; null or nothing: never. title and check may be left out. After Magma (Hazimeh et al., 2020).
 */
#include "report.h"

#include "../command.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct zoo {
    json_t *root, *bugs;
    double budget;
};

enum { STEPS = 3 };
static const char *const steps[STEPS] = {"reached", "triggered", "detected"};

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));

    return text ? text : "";
}

/* What is wrong with it, or NULL. */
static const char *fault_of(struct zoo *z)
{
    size_t i, k;
    json_t *bug, *trial;

    if (json_integer_value(json_object_get(z->root, "format")) != 1)
        return "\"format\" is not 1";
    z->budget = json_number_value(json_object_get(z->root, "budget"));
    if (!(z->budget > 0 && z->budget < 1e9))
        return "\"budget\" is not a number of seconds";
    z->bugs = json_object_get(z->root, "bugs");
    if (!json_is_array(z->bugs))
        return "\"bugs\" is not a list";
    json_array_foreach(z->bugs, i, bug)
    {
        json_t *trials = json_object_get(bug, "trials");

        if (!text_of(bug, "name")[0])
            return "a bug has no \"name\"";
        if (!json_is_array(trials) || json_array_size(trials) == 0)
            return "a bug has no \"trials\"";
        json_array_foreach(trials, k, trial) for (unsigned s = 0; s < STEPS; s++)
        {
            json_t *v = json_object_get(trial, steps[s]);

            if (!json_is_object(trial) || (v && !json_is_null(v) && !(json_is_number(v) && json_number_value(v) >= 0)))
                return "a trial has something else than seconds or null";
        }
    }
    return NULL;
}

struct zoo *zoo_read(const char *folder, bool *ok)
{
    char *path = format_text("%s/zoo.json", folder);
    struct zoo *z = calloc(1, sizeof *z);
    json_error_t error;
    const char *fault;

    *ok = true;
    if (access(path, F_OK) != 0 || !z)
        goto none;
    *ok = false;
    z->root = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
    if (!z->root)
        complain("%s:%d:%d: %s", path, error.line, error.column, error.text);
    else if ((fault = fault_of(z)))
        complain("%s: %s: no results of bug benchmarks", path, fault);
    else {
        *ok = true;
        free(path);
        return z;
    }
none:
    free(path);
    zoo_free(z);
    return NULL;
}

void zoo_free(struct zoo *z)
{
    if (!z)
        return;
    json_decref(z->root);
    free(z);
}

struct survival {
    size_t trials, happened;
    double mean; /* restricted to the budget: a trial in which it never happened counts with the whole of it */
};

static struct survival survival_of(const struct zoo *z, const json_t *bug, const char *step)
{
    struct survival s = {0};
    json_t *trial;
    size_t i;

    json_array_foreach(json_object_get(bug, "trials"), i, trial)
    {
        const json_t *v = json_object_get(trial, step);
        double seconds = json_is_number(v) ? json_number_value(v) : INFINITY;

        s.trials++;
        s.happened += seconds <= z->budget;
        s.mean += seconds < z->budget ? seconds : z->budget;
    }
    s.mean /= s.trials ? (double)s.trials : 1;
    return s;
}

void report_zoo(const struct report *r, FILE *out)
{
    const struct zoo *z = r->zoo;
    size_t detected = 0, i;
    json_t *bug;

    if (!z)
        return;
    json_array_foreach(z->bugs, i, bug) detected += survival_of(z, bug, "detected").happened > 0;
    report_section(out, "zoo", "Bug benchmarks");
    html_count(out, "<p>Known bugs, switched on one at a time: ", detected);
    html_count(out, " of ", json_array_size(z->bugs));
    html_count(out, " were detected in at least one trial of ", (uint64_t)z->budget);
    fputs(" seconds. The mean counts a trial without detection with all of its time.</p>\n"
          "<div class=scroll><table class=list id=zoo-table><caption class=hidden>Bug benchmarks</caption>\n<thead><tr>"
          "<th scope=col>Bug<th scope=col>Check<th scope=col class=n>Reached<th scope=col class=n>Triggered"
          "<th scope=col class=n>Detected<th scope=col class=n>Mean to detection, s<th scope=col>Of the time<tbody>\n",
          out);
    json_array_foreach(z->bugs, i, bug)
    {
        struct survival last = {0};

        html_put(out, "<tr><th scope=row>", text_of(bug, "name"));
        html_put(out, "<br><small>", text_of(bug, "title"));
        html_put(out, "</small><td>", text_of(bug, "check"));
        for (unsigned s = 0; s < STEPS; s++) {
            last = survival_of(z, bug, steps[s]);
            html_count(out, last.happened ? "<td class=n>" : "<td class=\"n bad\">", last.happened);
            html_count(out, " of ", last.trials);
        }
        fprintf(out, "<td class=n>%.1f<td><meter min=0 max=%.1f value=%.2f>%.0f %%</meter>\n", last.mean, z->budget,
                last.mean, 100 * last.mean / z->budget);
    }
    fputs("</table></div>\n</section>\n", out);
}
