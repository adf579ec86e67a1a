/* SPDX-License-Identifier: MIT */
/* What calls that nobody disturbs come to, beside the page-by-page rules: ranges, the fast path alone, fixup_user_fault. */
#include "quiet.h"

static uint64_t calls;

/* ---- ranges ------------------------------------------------------------------------------------------------------------ */

/* Pages up to the first that cannot be had; its error only where there is none before it. */
static void test_ranges(void)
{
    static struct made m;

    for (unsigned i = 0; i < 256; i++) {
        enum fate fate[4];
        unsigned n = 0;
        struct fl_divergence d;

        start(&m, FL_PINAPI_PIN);
        m.c.flags = FL_FOLL_GET | FL_FOLL_WRITE;
        m.c.n = 4;
        for (unsigned k = 0; k < 4; k++) {
            struct fl_pin_view *v = &m.v[0][k];

            fate[k] = (enum fate)(i >> 2 * k & 3);
            set_state(v, fate[k] == PINNED ? OWN_W : HOLE);
            v->fault_write = fate[k] == NO_MEMORY ? FL_MM_OOM : FL_MM_SIGBUS;
            if (fate[k] == POISONED)
                v->splitting = v->mapped = true; /* stands for what is open */
        }
        while (n < 4 && fate[n] == PINNED)
            n++;
        for (unsigned pages = 0; pages <= 4; pages++)
            for (unsigned error = 0; error < FL_PIN_ERROR_COUNT; error++) {
                bool open = n < 4 && fate[n] == POISONED, right = pages == n;

                if (right && pages == 0)
                    right = error == errors[fate[0]];
                m.s.out.pages = pages;
                m.s.out.error = (uint8_t)error;
                calls++;
                CHECK_EQ(!fl_pin_judge(&m.c, &m.s, &d), (open || right) && error != FL_PIN_BUG,
                         "range %#x comes to %u pages, error %u", i, pages, error);
            }
    }
    start(&m, FL_PINAPI_PIN);
    m.c.n = 0;
    CHECK(comes_to(&m, REFUSED) && !comes_to(&m, PINNED), "of no pages none are pinned");
    /* Of what lies behind the pages that are looked at, only that it is not less. */
    start(&m, FL_PINAPI_PIN);
    m.c.flags = FL_FOLL_GET | FL_FOLL_WRITE;
    m.c.n = FL_PIN_PAGES + 8;
    for (unsigned pages = FL_PIN_PAGES - 2; pages <= FL_PIN_PAGES + 8; pages++) {
        struct fl_divergence d;

        m.s.out.pages = pages;
        CHECK_EQ(!fl_pin_judge(&m.c, &m.s, &d), pages >= FL_PIN_PAGES, "%u pages of %u", pages, FL_PIN_PAGES + 8);
    }
}

/* What only the fast path pins: at least all that is plainly there, and nothing of a range that is none. */
static void test_fast_only(void)
{
    static struct made m;
    struct fl_divergence d;

    for (unsigned i = 0; i < 1024; i++) {
        bool sure = !i, large = i & 256, tells = i & 512;
        struct fl_pin_view *v = &m.v[0][0];

        start(&m, FL_PINAPI_FAST_ONLY);
        m.c.cpu.cr4 = CR4_PKE;
        m.c.cpu.pkru = i & 128 ? 1 : 0;
        v->has_vma = !(i & 1);
        v->mapped = !(i & 2);
        v->write.kind = i & 4 ? FL_ARCH_PF : FL_ARCH_OK;
        v->page_valid = !(i & 8);
        v->special = i & 16;
        v->splitting = i & 32;
        v->device = i & 64;
        v->leaf_level = large ? 2 : 1;
        m.s.has_special = tells;
        sure = !(i & 255) && (large || tells);
        m.s.out.pages = 0;
        calls++;
        CHECK_EQ(!fl_pin_judge(&m.c, &m.s, &d), !sure, "fast case %#x: nothing pinned", i);
        m.s.out.pages = 1;
        CHECK(!fl_pin_judge(&m.c, &m.s, &d), "fast case %#x: more than is sure", i);
        v->saturated = true;
        m.s.out.pages = 0;
        CHECK(!fl_pin_judge(&m.c, &m.s, &d), "fast case %#x: a count that is full", i);
    }
    for (unsigned i = 0; i < 2; i++) {
        static const struct {
            uint64_t start;
            int64_t n;
            bool any;
        } ranges[] = {{START, 1, true},
                      {START, 0, false},
                      {START, -1, false},
                      {START, INT32_MIN, false},
                      {TASK - 0x1000, 1, true},
                      {TASK - 0x1000, 2, false},
                      {TASK, 1, false},
                      {UINT64_MAX - 0xfff, 1, false},
                      {UINT64_MAX - 0xfff, 2, false},
                      {UINT64_C(0xffffffffff600000), 1, false},
                      {TASK - 0x1001, 1, true},
                      {TASK - 1, 1, true},
                      {TASK - 1, 2, false}};

        for (unsigned k = 0; k < COUNT(ranges); k++) {
            start(&m, FL_PINAPI_FAST_ONLY);
            m.c.start = ranges[k].start;
            m.c.n = ranges[k].n;
            m.s.out.pages = i;
            calls++;
            CHECK_EQ(!fl_pin_judge(&m.c, &m.s, &d), ranges[k].any == (i == 1), "range %u, %u pages", k, i);
        }
    }
}

static void test_fixup(void)
{
    static const uint8_t all[] = {FL_MM_MINOR,    FL_MM_MAJOR,          FL_MM_OOM,    FL_MM_SIGBUS,
                                  FL_MM_HWPOISON, FL_MM_HWPOISON_LARGE, FL_MM_SIGSEGV};
    static const uint8_t due[] = {FL_PIN_OK,        FL_PIN_OK,        FL_PIN_ENOMEM, FL_PIN_EFAULT,
                                  FL_PIN_EHWPOISON, FL_PIN_EHWPOISON, FL_PIN_EFAULT};
    static struct made m;
    struct fl_divergence d;

    for (unsigned i = 0; i < COUNT(all); i++)
        for (unsigned facts = 0; facts < 32; facts++)
            for (unsigned error = 0; error < FL_PIN_ERROR_COUNT; error++) {
                bool write = facts & 1, area = facts & 2, readable = facts & 4, writable = facts & 8;
                bool key = facts & 16, permitted = area && (write ? writable : readable) && !key;
                uint8_t want = permitted ? due[i] : FL_PIN_EFAULT;

                start(&m, FL_PINAPI_FIXUP);
                m.c.flags = write ? FL_FOLL_WRITE : 0;
                m.c.cpu.cr4 = CR4_PKE;
                m.c.cpu.pkru = key ? 1 : 0;
                m.v[0][0].has_vma = area;
                m.v[0][0].vma.read = readable;
                m.v[0][0].vma.write = writable;
                m.v[0][0].fault_read = write ? FL_MM_OOM : all[i];
                m.v[0][0].fault_write = write ? all[i] : FL_MM_OOM;
                m.s.served = true;
                m.s.out.pages = 0;
                m.s.out.error = (uint8_t)error;
                calls++;
                /* What the oracle has no name for (a BUG, a signal, BUSY) is never due without a race. */
                CHECK_EQ(!fl_pin_judge(&m.c, &m.s, &d), error == want, "fixup, answer %u, facts %#x, error %u", all[i],
                         facts, error);
            }
}

int main(void)
{
    test_ranges();
    test_fast_only();
    test_fixup();
    CHECK(calls > 5000, "%" PRIu64 " calls", calls);
    return check_done("pin-decide-calls");
}
