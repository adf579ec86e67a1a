/* SPDX-License-Identifier: MIT */
/* The report for machines. Nothing in it differs from run to run on one processor with the same versions. */
#include "report.h"

#include <stdlib.h>

static const char *const standings[] = {"fine", "expected", "unknown"};
static const char *const againsts[] = {"nothing", "name", "silicon"};
static const char *const loads_names[] = {"not asked", "yes", "no", "unsure"};

static json_t *bytes_json(const uint8_t *bytes, unsigned n)
{
    char text[64];

    bytes_text(bytes, n, text, sizeof text);
    return json_string(text);
}

static json_t *answers_json(const struct report *r, const struct answers *a)
{
    json_t *said = json_object();

    for (unsigned c = 0; c < r->ncolumns; c++)
        if (verdict_of(a->answer[c]) != V_NONE)
            json_object_set_new(said, r->columns[c].name, json_string(answer_name(a->answer[c])));
    return json_pack("{s:I, s:o, s:i, s:i, s:o}", "count", (json_int_t)a->count, "example",
                     bytes_json(a->example, a->readable), "length", a->length, "bits", (int)mode_bits(a->mode), "said",
                     said);
}

/* The values of one attribute that the class may hold, each through a function. */
static json_t *values_json(uint32_t set, unsigned most, json_t *(*value)(unsigned v))
{
    json_t *list = json_array();

    for (unsigned v = 0; v < most; v++)
        if (set >> v & 1)
            json_array_append_new(list, value(v));
    return list;
}

static json_t *bits_value(unsigned mode)
{
    return json_integer((json_int_t)mode_bits(mode));
}

static json_t *number_value(unsigned v)
{
    return json_integer((json_int_t)v);
}

static json_t *bool_value(unsigned v)
{
    return json_boolean(v);
}

/* Every string of the axis whose attributes all lie in these sets got the class's answers. */
static json_t *set_json(const struct class *k)
{
    json_t *features = json_object();

    for (unsigned f = 0; f < FL_FEATURE_MAX; f++)
        if (fl_prefix_feature_name(f) && k->set[ATTR_FEATURES + f] != 3)
            json_object_set_new(features, fl_prefix_feature_name(f), json_boolean(k->set[ATTR_FEATURES + f] == 2));
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "bits", values_json(k->set[ATTR_MODE], 3, bits_value), "opcode",
                     values_json(k->set[ATTR_OPCODE], 8, number_value), "register",
                     values_json(k->set[ATTR_REGISTER], 2, bool_value), "reg",
                     values_json(k->set[ATTR_REG], 8, number_value), "rip",
                     values_json(k->set[ATTR_RIP], 2, bool_value), "features", features);
}

static json_t *class_json(const struct report *r, const struct class *k)
{
    char form[128], modes[16], prefixes[160];
    json_t *answers = json_array(), *differs = json_object(), *against = json_object();

    class_form(k, form, sizeof form);
    class_modes(k, modes, sizeof modes);
    class_prefixes(k, prefixes, sizeof prefixes);
    for (unsigned i = 0; i < k->nanswers && i < MAX_ANSWERS; i++)
        json_array_append_new(answers, answers_json(r, &k->answers[i]));
    for (unsigned c = 0; c < r->ncolumns; c++) {
        if (k->standing[c] != STANDS_FINE)
            json_object_set_new(differs, r->columns[c].name,
                                json_pack("{s:s, s:s*}", "standing", standings[k->standing[c]], "row",
                                          k->row[c] ? k->row[c]->id : NULL));
        if (k->against[c] != AGAINST_NOTHING)
            json_object_set_new(against, r->columns[c].name, json_string(againsts[k->against[c]]));
    }
    return json_pack("{s:s, s:o, s:s, s:s, s:s, s:I, s:f, s:s, s:s, s:i, s:i, s:o, s:o, s:o}", "axis",
                     axis_name(k->axis), "set", set_json(k), "form", form, "modes", modes, "prefixes", prefixes,
                     "count", (json_int_t)k->count, "uniformity", class_uniformity(k), "rule",
                     k->rule ? "prefetch" : "no prefetch", "loads", loads_names[k->loads], "surprise", (int)k->surprise,
                     "different_answers", (int)k->nanswers, "answers", answers, "differs", differs, "against_silicon",
                     against);
}

static json_t *list_json(const struct report *r)
{
    size_t count;
    const struct fl_decode_row *rows = fl_decode_rows(&count);
    json_t *list = json_array();

    for (size_t i = 0; i < count; i++)
        if (r->fired[i] || row_is_stale(r, i))
            json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:I, s:b, s:s, s:s}", "id", rows[i].id, "decoder",
                                                  rows[i].decoder, "versions", rows[i].versions, "strings",
                                                  (json_int_t)r->fired[i], "stale", row_is_stale(r, i), "reason",
                                                  rows[i].reason, "source", rows[i].source));
    return list;
}

static json_t *incidents_json(const struct report *r)
{
    json_t *list = json_array();

    for (unsigned i = 0; i < r->nincidents; i++) {
        const struct incident *x = &r->incidents[i];

        /* Which of many came first depends on the workers. */
        if (r->dropped[x->column])
            continue;
        json_array_append_new(list, json_pack("{s:s, s:s, s:i, s:o, s:i, s:s}", "column", r->columns[x->column].name,
                                              "what", x->hung ? "hung" : "crashed", "signal", x->signal, "bytes",
                                              bytes_json(x->bytes, x->readable), "bits", (int)mode_bits(x->mode),
                                              "axis", axis_name((enum axis)x->axis)));
    }
    return list;
}

json_t *conform_json(const struct report *r)
{
    static const char *const kinds[] = {"core", "decoder", "processor"};
    json_t *columns = json_array(), *classes = json_array(), *axes = json_object();

    for (unsigned c = 0; c < r->ncolumns; c++)
        json_array_append_new(columns, json_pack("{s:s, s:s, s:s, s:s, s:b}", "name", r->columns[c].name, "version",
                                                 r->columns[c].version, "kind", kinds[r->columns[c].kind], "host",
                                                 r->columns[c].host, "given_up", (int)r->dropped[c]));
    for (uint32_t i = 0; i < r->nclasses; i++)
        json_array_append_new(classes, class_json(r, &r->classes[i]));
    for (unsigned axis = 0; axis < AXIS_COUNT; axis++)
        if (r->of_axis[axis])
            json_object_set_new(axes, axis_name((enum axis)axis), json_integer((json_int_t)r->of_axis[axis]));
    return json_pack("{s:s, s:s, s:s, s:o, s:o, s:I, s:b, s:i, s:i, s:o, s:o, s:o, s:O*}", "faultline",
                     FAULTLINE_VERSION, "command", r->command, "conform", "prefetch", "columns", columns, "axes", axes,
                     "strings", (json_int_t)r->strings, "whole", (int)r->whole, "unknown", (int)r->unknown, "stale",
                     (int)r->stale, "classes", classes, "expected", list_json(r), "incidents", incidents_json(r),
                     "proof", r->proof);
}
