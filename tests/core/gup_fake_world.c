/* SPDX-License-Identifier: MIT */
/* The world of gup_fake.h as the tests set it up and look at it. */
#include "gup_fake.h"

#include <string.h>

static unsigned entry_size(const struct gup_fake *k)
{
    return k->space.cpu.mode == FL_MODE_2LEVEL ? 4 : 8;
}

void gup_write(struct gup_fake *k, uint64_t paddr, uint64_t value)
{
    memcpy(&k->memory[paddr / 4096 % GUP_FRAMES][paddr % 4096], &value, entry_size(k));
}

uint64_t gup_value(const struct gup_fake *k, uint64_t paddr)
{
    uint64_t value = 0;

    memcpy(&value, &k->memory[paddr / 4096 % GUP_FRAMES][paddr % 4096], entry_size(k));
    return value;
}

static uint64_t map_under(struct gup_fake *k, uint64_t root, uint64_t va, unsigned level, uint64_t value)
{
    static const unsigned levels[FL_MODE_COUNT] = {
        [FL_MODE_2LEVEL] = 2, [FL_MODE_PAE] = 3, [FL_MODE_4LEVEL] = 4, [FL_MODE_5LEVEL] = 5};
    unsigned bits = entry_size(k) == 4 ? 10 : 9, at_level = levels[k->space.cpu.mode];
    uint64_t table = root, paddr;

    for (;; at_level--) {
        uint64_t entry;

        paddr = table + (va >> (12 + (at_level - 1) * bits) & ((1u << bits) - 1)) * entry_size(k);
        if (at_level == level)
            break;
        entry = gup_value(k, paddr);
        if (!entry) {
            if (k->frames == GUP_FRAMES)
                gup_misuse(k, "no frame left for tables");
            entry = E_FRAME(k->frames++, k->space.cpu.mode == FL_MODE_PAE && at_level == 3 ? E_P : E_ALL | E_D);
            gup_write(k, paddr, entry);
        }
        table = entry & UINT64_C(0xffffff000);
    }
    gup_write(k, paddr, value);
    return paddr;
}

uint64_t gup_map(struct gup_fake *k, uint64_t va, unsigned level, uint64_t value)
{
    return map_under(k, k->space.cpu.cr3, va, level, value);
}

uint64_t gup_map_kernel(struct gup_fake *k, uint64_t va, unsigned level, uint64_t value)
{
    return map_under(k, k->space.kernel_root, va, level, value);
}

void gup_fake_init(struct gup_fake *k, enum fl_mode mode)
{
    memset(k, 0, sizeof *k);
    k->frames = 3;
    k->space = (struct fl_gup_space){.soft = {.protnone = E_PROTNONE,
                                              .numa = E_NUMA,
                                              .special = E_SPECIAL,
                                              .devmap = E_DEVMAP,
                                              .splitting = E_SPLITTING},
                                     .task_size = mode >= FL_MODE_4LEVEL ? UINT64_C(0x7ffffffff000) : 0xc0000000,
                                     .kernel_root = 0x2000,
                                     .current = true,
                                     .has_special = true};
    k->space.cpu = (struct fl_cpu){.mode = (uint8_t)mode, .maxphyaddr = 40, .cr3 = 0x1000, .page1gb = true};
    k->space.cpu.cr4 = 1u << 4;   /* PSE */
    k->space.cpu.efer = 1u << 11; /* NXE */
    k->area[0] = (struct fl_pin_vma){.start = VA,
                                     .end = VA + 0x400000,
                                     .generation = 7,
                                     .read = true,
                                     .write = true,
                                     .may_read = true,
                                     .may_write = true};
    k->nareas = 1;
    k->mm_held = true;
}

int gup_refs(const struct gup_fake *k)
{
    int n = 0;

    for (unsigned i = 0; i < GUP_PAGES; i++)
        n += k->page[i].refs + k->page[i].tails;
    return n;
}

void gup_answer(struct gup_fake *k, enum fl_mm_result result, bool wrote)
{
    k->fault[k->nfaults++] = (struct gup_fault){.result = (uint8_t)result, .wrote = wrote};
}

void gup_answer_map(struct gup_fake *k, enum fl_mm_result result, uint64_t paddr, uint64_t value)
{
    k->fault[k->nfaults++] =
        (struct gup_fault){.result = (uint8_t)result, .wrote = true, .installs = true, .paddr = paddr, .value = value};
}
