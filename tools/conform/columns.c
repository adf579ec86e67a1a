/* SPDX-License-Identifier: MIT */
/* What stands behind a column: opening it, and asking it about a batch of strings. */
#include "conform.h"

#include <faultline/fuzz/decode_ops.h>

#include <stdio.h>
#include <string.h>

bool answerer_open(struct column *c, struct answerer *out, char why[256])
{
    struct answerer a = {.column = c};
    const char *version = "", *host = "";
    unsigned modes = FL_DECODES_ALL;
    char long_why[512];

    switch (c->kind) {
    case COLUMN_CORE:
        a.plugin.core = fl_core();
        if (c->path[0] && !plugin_core_open_scanner(c->path, &a.plugin, long_why)) {
            snprintf(why, 256, "%.255s", long_why);
            return false;
        }
        a.core = a.plugin.core;
        version = c->path[0] ? a.core->name : "tree";
        break;
    case COLUMN_DECODER:
        a.decoder = c->path[0]                         ? fl_plugin_open(c->path, why)
                    : strcmp(c->name, "capstone") == 0 ? fl_capstone_open(why)
                                                       : fl_zydis_open(why);
        if (!a.decoder)
            return false;
        if (c->path[0])
            snprintf(c->name, sizeof c->name, "%s", a.decoder->name);
        version = a.decoder->version;
        modes = a.decoder->modes;
        break;
    default:
        if ((strcmp(c->name, "native") == 0 ? fl_native_open(&a.probe, why) : fl_unicorn_probe_open(&a.probe, why)) !=
            FL_OK)
            return false;
        version = a.probe->version;
        host = a.probe->host;
        modes = a.probe->modes;
        break;
    }
    snprintf(c->version, sizeof c->version, "%s", version);
    snprintf(c->host, sizeof c->host, "%s", host);
    c->modes = modes;
    *out = a;
    return true;
}

bool answerer_close(struct answerer *a, char why[256])
{
    bool ok = true;

    if (a->plugin.handle)
        plugin_core_close(&a->plugin);
    if (a->decoder)
        a->decoder->close(a->decoder);
    if (a->probe && a->probe->close(a->probe) != FL_OK) {
        snprintf(why, 256, "%s: a control failed at the end", a->column->name);
        ok = false;
    }
    *a = (struct answerer){NULL};
    return ok;
}

/* User code on the processors that the rule is for, in a segment of that many bits: everything but the bytes lets the
 * fault be one of a prefetch, so that the bytes decide. */
static void core_fault(unsigned bits, struct fl_fault *f, struct decode_bytes *bytes)
{
    *f = (struct fl_fault){
        .cpu = {.mode = FL_MODE_4LEVEL, .vendor = FL_VENDOR_AMD, .family = 15, .maxphyaddr = 48},
        .kernel = {.word = 8, .task_size = UINT64_C(0x7ffffffff000)},
        .task = {.has_mm = true},
        .codeseg = {.limit = UINT32_MAX, .bits = (uint8_t)bits},
        .regs = {.ip = 0x1000, .cs = bits == 64 ? 0x33 : 0x23, .flags = 0x202},
        .cr2 = 0x5000,
        .error_code = 4,
    };
    *bytes = (struct decode_bytes){.linear = f->regs.ip, .wrap = bits == 64 ? UINT64_MAX : UINT32_MAX};
}

static uint8_t core_answer(const struct fl_core *core, const struct fl_fault *f, struct decode_bytes *bytes)
{
    bool ignore = false;

    bytes->effects.probes = 0;
    if (core->prefetch(f, fl_decode_ops(), bytes, &ignore) != FL_OK)
        return V_FAULT;
    return ignore ? V_PREFETCH : V_NO;
}

static bool ask_probe(struct answerer *a, const struct batch *b, unsigned column, uint8_t (*answers)[MAX_COLUMNS],
                      char why[256])
{
    struct fl_probe_case cases[BATCH_STRINGS];
    uint8_t ends[BATCH_STRINGS];

    for (unsigned i = 0; i < b->n; i++) {
        memcpy(cases[i].bytes, b->bytes[i], STRING_BYTES);
        cases[i].n = b->length[i] < STRING_BYTES ? b->length[i] : STRING_BYTES;
        cases[i].bits = (uint8_t)b->bits;
    }
    if (a->probe->run(a->probe, cases, b->n, ends) != FL_OK) {
        snprintf(why, 256, "%s", a->probe->why(a->probe));
        return false;
    }
    for (unsigned i = 0; i < b->n; i++) {
        uint8_t answer = answer_of_probe(ends[i], b->length[i]);

        /* Behind another instruction (INC in 32-bit code) the prefixes before it count no more: the rest may want more
         * bytes than the form has. */
        if (answer == V_INCOMPLETE && !fl_prefetch_rule(b->bytes[i], b->length[i], b->bits, NULL))
            answer = V_OTHER;
        answers[i][column] = answer;
    }
    return true;
}

_Static_assert(STRING_BYTES == FL_PROBE_BYTES, "strings are handed to probes as they are");

bool answerer_ask(struct answerer *a, const struct batch *b, unsigned column, uint8_t (*answers)[MAX_COLUMNS],
                  volatile uint32_t *at, const uint8_t *skip, char why[256])
{
    struct fl_fault fault;
    struct decode_bytes bytes;

    if (!(a->column->modes & b->bits >> 4) || (a->probe && !b->execute)) {
        for (unsigned i = 0; i < b->n; i++)
            answers[i][column] = V_NONE;
        return true;
    }
    if (a->probe)
        return ask_probe(a, b, column, answers, why);
    core_fault(b->bits, &fault, &bytes);
    for (unsigned i = 0; i < b->n; i++) {
        size_t n = b->readable[i] < 16 ? b->readable[i] : 16;

        *at = i;
        if (skip && skip[i]) {
            answers[i][column] = skip[i];
        } else if (a->core) {
            bytes.code = b->bytes[i];
            bytes.n = (unsigned)n;
            answers[i][column] = core_answer(a->core, &fault, &bytes);
        } else {
            /* Behind a string stand zeros, as many as an instruction can have bytes: only the axis of cuts has an end. */
            size_t given = b->readable[i] < b->length[i] ? n : FL_RULE_BYTES > n ? FL_RULE_BYTES : n;

            answers[i][column] =
                answer_of_decoder(a->decoder->decode(a->decoder, b->bytes[i], given, b->bits), b->length[i]);
        }
    }
    return true;
}
