/* SPDX-License-Identifier: MIT */
/* Calls of pinning made by hand: what was asked, what was seen, and what the pages looked like meanwhile. */
#ifndef FAULTLINE_TESTS_PIN_CALL_H
#define FAULTLINE_TESTS_PIN_CALL_H

#include "check.h"

#include <faultline/fuzz/scenario.h>
#include <faultline/oracle/pin.h>

#define START    UINT64_C(0x400000)
#define FRAME    UINT64_C(300) /* of the first page; the others follow */
#define TASK     UINT64_C(0x00007ffffffff000)
#define CR4_PKE  (UINT64_C(1) << 22)
#define INSTANTS 4u

struct made {
    struct fl_pin_call c;
    struct fl_pin_seen s;
    struct fl_pin_view v[INSTANTS][FL_PIN_PAGES];
};

static inline void made_table(struct fl_pin_view *v, bool read, bool write)
{
    v->read.kind = read ? FL_ARCH_OK : FL_ARCH_PF;
    v->write.kind = write ? FL_ARCH_OK : FL_ARCH_PF;
}

/* A page of its own in a private area that may be read and written. */
static inline void made_page(struct fl_pin_view *v, unsigned i)
{
    memset(v, 0, sizeof *v);
    v->has_vma = true;
    v->vma = (struct fl_pin_vma){.start = START,
                                 .end = START + 64 * 4096,
                                 .generation = 1,
                                 .read = true,
                                 .write = true,
                                 .may_read = true,
                                 .may_write = true};
    v->mapped = v->leaf_write = v->page_valid = v->anon = v->exclusive = true;
    v->leaf_level = 1;
    v->pfn = FRAME + i;
    made_table(v, true, true);
}

/* n pages, pinned as they should be, by a call that something has raced with. */
static inline void make(struct made *m, uint8_t api, unsigned flags, unsigned n)
{
    bool fast = api == FL_PINAPI_FAST || api == FL_PINAPI_FAST_ONLY;

    memset(m, 0, sizeof *m);
    m->c = (struct fl_pin_call){.api = api,
                                .start = START,
                                .n = n,
                                .flags = flags | FL_FOLL_GET,
                                .pages = true,
                                .task_size = TASK,
                                .cpu = {.mode = FL_MODE_4LEVEL, .maxphyaddr = 40}};
    m->s.out = (struct fl_pinned){.pages = n, .lock_held = !fast};
    m->s.mm_held = !fast;
    m->s.has_special = true;
    m->s.ninstants = 2;
    m->s.view = (const struct fl_pin_view(*)[FL_PIN_PAGES])m->v;
    for (unsigned i = 0; i < FL_PIN_PAGES; i++) {
        for (unsigned t = 0; t < INSTANTS; t++)
            made_page(&m->v[t][i], i);
        m->s.pfn[i] = FRAME + i;
        m->s.refs[i] = 1;
    }
}

/* The same fact at every instant. */
#define EVERYWHERE(m, page, ...)                                                                                       \
    do {                                                                                                               \
        for (unsigned every = 0; every < INSTANTS; every++) {                                                          \
            struct fl_pin_view *v = &(m)->v[every][page];                                                              \
            __VA_ARGS__;                                                                                               \
        }                                                                                                              \
    } while (0)

/* The key of what the oracle finds; "" when it finds nothing. Static storage. */
static inline const char *judged(const struct made *m)
{
    static char key[160];
    struct fl_divergence d;

    memset(&d, 0, sizeof d);
    key[0] = '\0';
    if (fl_pin_judge(&m->c, &m->s, &d)) {
        fl_divergence_key(&d, key, sizeof key);
        CHECK(d.detail[0] && strlen(d.detail) < sizeof d.detail, "%s: a detail for people", key);
    }
    return key;
}

#endif
