/* SPDX-License-Identifier: MIT */
/*
 * The world against the arch walk, over random tables and machines: the user accessor reads a byte just where the
 * processor would let CPL 3 read it, and what mm_fault answered for is permitted afterwards.
 */
#include "fixture.h"

#define BASE UINT64_C(0x10000000)

static enum fl_arch_kind arch(struct fl_world *w, uint64_t va, unsigned kind, struct fl_arch_result *r)
{
    struct fl_access a = {.va = va, .kind = (uint8_t)kind, .priv = FL_USER};
    if (fl_arch_walk(fl_world_cpu(w), &a, fl_world_read, w, r) != FL_OK) {
        fprintf(stderr, "the arch walk refused %#" PRIx64 "\n", va);
        exit(1);
    }
    return (enum fl_arch_kind)r->kind;
}

int main(void)
{
    const struct fl_ops *ops = fl_world_ops();
    struct fl_world *w = open_world();
    uint64_t state = 3, ram = fl_world_ram(w).size;
    unsigned readable = 0, unreadable = 0, repaired = 0;

    for (unsigned t = 0; t < 40000; t++) {
        struct fl_machine m = machine_of(t % FL_MODE_COUNT);
        uint64_t x = check_random(&state);
        m.maxphyaddr = (uint8_t)(32 + (x & 0xff) % 21);
        m.vendor = x >> 8 & 1;
        m.nxe = x >> 9 & 1;
        m.pse = x >> 10 & 3;
        m.pse36 = x >> 12 & 1;
        m.page1gb = x >> 13 & 1;
        m.wp = x >> 14 & 1;
        fl_world_begin(w, &m);
        vma(w, BASE, 16, FL_PROT_READ | FL_PROT_WRITE | FL_PROT_EXEC | (x >> 15 & FL_VMA_SHARED));
        for (unsigned i = 0, n = 1 + (x >> 20 & 3); i < n; i++) {
            uint64_t r = check_random(&state), set = check_random(&state), va = BASE + (r >> 8) % 16 * PAGE;
            map(w, va, (unsigned)set % FL_RAM_FRAMES, 1 + (unsigned)(set >> 20) % 3,
                (unsigned)(set >> 24 & FL_MAP_FLAGS) | FL_MAP_PRESENT | (r & FL_MAP_USER));
            /* mostly one bit, else many */
            entry(w, va, 1 + (unsigned)(r >> 20) % 5, r & 1 ? UINT64_MAX : set,
                  r & 6 ? UINT64_C(1) << (set >> 56) % 64 : check_random(&state));
        }
        for (unsigned i = 0; i < 4; i++) {
            uint64_t va = BASE + check_random(&state) % (16 * PAGE);
            struct fl_arch_result r;
            bool may = arch(w, va, FL_READ, &r) == FL_ARCH_OK && r.paddr < ram;
            uint8_t byte = 0;
            CHECK_EQ(ops->probe_byte(w, va, true, &byte), may, "trace %u, %s, va %#" PRIx64 " entry %#" PRIx64, t,
                     mode_names[m.mode], va, r.entry);
            *(may ? &readable : &unreadable) += 1;
        }
        for (unsigned i = 0; i < 2; i++) {
            uint64_t va = BASE + check_random(&state) % (16 * PAGE);
            unsigned kind = (unsigned)(check_random(&state) % FL_ACCESS_KIND_COUNT);
            struct fl_arch_result r;
            bool before = arch(w, va, kind, &r) == FL_ARCH_OK;
            CHECK_EQ(touch(w, va, kind == FL_WRITE), FL_MM_MINOR, "trace %u", t);
            CHECK_EQ(arch(w, va, kind, &r), FL_ARCH_OK, "trace %u, %s, va %#" PRIx64 " level %u entry %#" PRIx64, t,
                     mode_names[m.mode], va, r.level, r.entry);
            repaired += !before;
        }
    }
    CHECK(readable > 10000 && unreadable > 10000 && repaired > 10000, "%u readable, %u not, %u repaired", readable,
          unreadable, repaired);
    printf("%u readable, %u not, %u repaired\n", readable, unreadable, repaired);
    fl_world_close(w);
    return check_done("world against arch");
}
