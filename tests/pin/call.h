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

/* ---- calls that keep every rule ----------------------------------------------------------------------------------- */

static inline void reads(struct made *m)
{
    make(m, FL_PINAPI_USER, FL_FOLL_TOUCH, 2);
}

static inline void writes(struct made *m)
{
    make(m, FL_PINAPI_USER, FL_FOLL_TOUCH | FL_FOLL_WRITE, 2);
}

/* Private and read only; the copy has been made. */
static inline void forces(struct made *m)
{
    make(m, FL_PINAPI_USER, FL_FOLL_TOUCH | FL_FOLL_WRITE | FL_FOLL_FORCE, 1);
    EVERYWHERE(m, 0, v->vma.write = v->leaf_write = false; made_table(v, true, false));
}

static inline void shares(struct made *m)
{
    make(m, FL_PINAPI_PIN, FL_FOLL_TOUCH | FL_FOLL_WRITE, 1);
    EVERYWHERE(m, 0, v->vma.shared = true; v->anon = v->exclusive = false);
}

/* A file that may only be read: there is no copy to be made. */
static inline void reads_file(struct made *m)
{
    make(m, FL_PINAPI_PIN, 0, 1);
    EVERYWHERE(m, 0, v->vma.write = v->vma.may_write = v->leaf_write = v->anon = v->exclusive = false;
               made_table(v, true, false));
}

static inline void fast_writes(struct made *m)
{
    make(m, FL_PINAPI_FAST, FL_FOLL_TOUCH | FL_FOLL_WRITE, 2);
}

static inline void fast_only(struct made *m)
{
    make(m, FL_PINAPI_FAST_ONLY, FL_FOLL_TOUCH, 1);
}

static inline void dumps(struct made *m)
{
    make(m, FL_PINAPI_DUMP, FL_FOLL_FORCE | FL_FOLL_DUMP, 1);
}

static inline void fixes(struct made *m)
{
    make(m, FL_PINAPI_FIXUP, FL_FOLL_WRITE, 1);
    m->c.flags &= ~(unsigned)FL_FOLL_GET;
    m->c.pages = false;
    m->s.out.pages = 0;
    m->s.served = true;
}

static inline void follows(struct made *m)
{
    make(m, FL_PINAPI_FOLLOW, 0, 1);
}

static inline void follows_to_write(struct made *m)
{
    make(m, FL_PINAPI_FOLLOW, FL_FOLL_WRITE, 1);
}

static inline void reads_gate(struct made *m)
{
    make(m, FL_PINAPI_USER, FL_FOLL_TOUCH, 1);
    EVERYWHERE(m, 0, v->has_vma = v->anon = v->exclusive = v->leaf_write = false;
               v->vma =
                   (struct fl_pin_vma){
                       .start = START, .end = START + 4096, .read = true, .exec = true, .may_read = true, .gate = true};
               made_table(v, true, false));
}

/* The page's key is 3, and keys are in force. */
static inline void keyed(struct made *m)
{
    writes(m);
    m->c.cpu.cr4 |= CR4_PKE;
    for (unsigned i = 0; i < 2; i++)
        EVERYWHERE(m, i, v->vma.pkey = 3);
}

static inline void keyed_read(struct made *m)
{
    keyed(m);
    m->c.flags &= ~(unsigned)FL_FOLL_WRITE;
}

/* A call that nobody disturbs and that comes to what the views say. */
static inline void quiet(struct made *m)
{
    writes(m);
    m->c.quiet = true;
}

/* Before the first fault; gone again after it; and a third time. */
static inline void comes_late(struct made *m)
{
    writes(m);
    m->s.ninstants = 3;
    for (unsigned t = 0; t < 3; t++)
        if (t != 1)
            m->v[t][1].mapped = false;
}

static inline void retried(struct made *m)
{
    make(m, FL_PINAPI_PIN, FL_FOLL_WRITE, 1);
    m->c.nonblocking = true;
    m->s.lock_dropped = true;
    m->s.mm_held = m->s.out.lock_held = false;
    m->s.out.pages = 0;
}

static inline void killed(struct made *m)
{
    writes(m);
    m->s.fatal = true;
    m->s.after_fatal = 1;
}

static inline void hostile(struct made *m)
{
    writes(m);
    m->c.hostile = true;
}

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
