/* SPDX-License-Identifier: MIT */
/* The machine in a few lines: what matters to this event, and what is unlike the defaults. */
#include "sections.h"

#include "../command.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

const char *mode_text(enum fl_mode mode)
{
    static const char *const names[FL_MODE_COUNT] = {"32-bit 2-level paging", "PAE paging", "4-level paging",
                                                     "5-level paging"};

    return mode < FL_MODE_COUNT ? names[mode] : "?";
}

void size_text(uint64_t bytes, char *buf, size_t size)
{
    static const char *const units[] = {"bytes", "KiB", "MiB", "GiB", "TiB", "PiB"};
    unsigned unit = 0;

    while (unit < 5 && bytes >= 1024 && bytes % 1024 == 0) {
        bytes /= 1024;
        unit++;
    }
    snprintf(buf, size, "%" PRIu64 " %s", bytes, units[unit]);
}

/* The machine's keys as the scenario would spell them, those at their usual values left out: "vendor amd, family 15". */
char *machine_unusual(const struct fl_machine *m)
{
    struct fl_scenario *s = calloc(1, sizeof *s);
    char *text = NULL, *out = NULL, *save = NULL;
    size_t size;
    FILE *f = s ? open_memstream(&text, &size) : NULL;

    if (!f)
        goto done;
    s->machine = *m;
    fl_scenario_print(s, f);
    if (fclose(f) != 0 || !(out = calloc(1, size + 1)))
        goto done;
    for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
        if (strncmp(line, "faultline-scenario", 18) != 0 && strncmp(line, "mode ", 5) != 0)
            snprintf(out + strlen(out), size + 1 - strlen(out), "%s%s", out[0] ? ", " : "", line);
done:
    free(text);
    free(s);
    return out;
}

static void tell_task(struct document *d, const struct subject *x)
{
    const struct fl_snapshot *s = &x->state->s;
    const struct fl_task *t = &s->task;

    doc_item(d, "task",
             "\"%.*s\" pid %u%s%s%s%s, runs %u-bit %s code at ip %#" PRIx64 ", sp %#" PRIx64 ", flags %#" PRIx64,
             FL_COMM, t->comm, t->pid, t->has_mm ? "" : ", no mm", t->in_nmi ? ", in NMI" : "",
             t->in_atomic && !t->in_nmi ? ", atomic" : "", t->faults_disabled ? ", faults disabled" : "",
             s->codeseg.bits, (s->regs.cs & 3) == 3 || (s->regs.flags & 0x20000) ? "user" : "kernel", s->regs.ip,
             s->regs.gpr[FL_RSP], s->regs.flags);
}

void tell_machine(struct document *d, const struct subject *x)
{
    const struct fl_snapshot *s = &x->state->s;
    const struct fl_machine *m = &x->scenario->machine;
    char bits[200], *text = machine_unusual(m);

    doc_section(d, "machine", "The machine");
    if (m->sh4) {
        doc_item(d, "processor", "SH4 of 2012, two-level tables");
        doc_item(d, "kernel", "%s the fix of 2012", m->sh4_fixed ? "after" : "before");
    } else {
        bool keys = s->cpu.mode >= FL_MODE_4LEVEL && (m->pke || m->pks);

        doc_item(d, "processor", "%s family %u, %s, %u physical address bits%s%s",
                 s->cpu.vendor == FL_VENDOR_AMD ? "AMD" : "Intel", s->cpu.family, mode_text((enum fl_mode)s->cpu.mode),
                 s->cpu.maxphyaddr, s->cpu.mode == FL_MODE_2LEVEL ? s->cpu.pse36 ? ", PSE-36" : "" : "",
                 s->cpu.mode >= FL_MODE_4LEVEL && !s->cpu.page1gb ? ", no 1 GiB pages" : "");
        register_bits(&s->cpu, bits, sizeof bits);
        if (keys)
            doc_item(d, "control", "%s; PKRU %#x, PKRS %#x", bits, s->cpu.pkru, s->cpu.pkrs);
        else
            doc_item(d, "control", "%s", bits);
        doc_item(d, "kernel", "%u-bit, vmalloc_fault of generation %s, user space ends at %#" PRIx64,
                 s->kernel.word * 8, fl_generation_name((enum fl_generation)x->capture->generation),
                 s->kernel.task_size);
        tell_task(d, x);
    }
    if (text && text[0])
        doc_item(d, "unlike usual", "%s", text);
    free(text);
}
