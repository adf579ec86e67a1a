/* SPDX-License-Identifier: MIT */
/* Demand paging: every backing by every access, contents, copy on write, SIGBUS, memory used up. */
#include "fixture.h"

#define RW   (FL_PROT_READ | FL_PROT_WRITE)
#define BASE UINT64_C(0x10000000)

static uint8_t original(struct fl_world *w, unsigned page, unsigned offset)
{
    /* Contents of file 1 as a shared mapping far away from the tests' own shows them. */
    struct fl_record r = {.kind = FL_REC_VMA};
    uint64_t there = 0x30000000;
    r.u.vma.start = there;
    r.u.vma.pages = 1;
    r.u.vma.flags = FL_PROT_READ | FL_VMA_FILE | FL_VMA_SHARED;
    r.u.vma.file = 1;
    r.u.vma.pgoff = page;
    r.u.vma.file_pages = 65536;
    fl_world_apply(w, &r);
    touch(w, there, false);
    return *at(w, there + offset);
}

static void test_backings(struct fl_world *w)
{
    for (unsigned mode = 0; mode < FL_MODE_COUNT; mode++)
        for (unsigned flags = 0; flags <= FL_VMA_FLAGS; flags++)
            for (unsigned write = 0; write < 2; write++) {
                struct fl_machine m = machine_of(mode);
                bool file = flags & FL_VMA_FILE, shared = flags & FL_VMA_SHARED, may_write = flags & FL_PROT_WRITE;
                fl_world_begin(w, &m);
                CHECK_EQ(vma(w, BASE, 3, flags), FL_OK, "flags %#x", flags);
                CHECK(!look(w, BASE).present, "nothing is there before the fault");
                CHECK_EQ(touch(w, BASE + PAGE + 5, write), FL_MM_MINOR, "flags %#x", flags);
                struct seen s = look(w, BASE + PAGE);
                CHECK(!look(w, BASE).present && !look(w, BASE + 2 * PAGE).present, "only the page that was asked for");
                CHECK_EQ(s.present, (flags & FL_PROT_BITS) != 0, "%s flags %#x", mode_names[mode], flags);
                if (!s.present)
                    continue;
                CHECK(s.user && s.accessed, "%s flags %#x", mode_names[mode], flags);
                CHECK_EQ(s.nx, !(flags & FL_PROT_EXEC) && mode != FL_MODE_2LEVEL, "flags %#x", flags);
                CHECK_EQ(s.write, may_write && (write || shared), "%s flags %#x write %u", mode_names[mode], flags,
                         write);
                CHECK_EQ(s.dirty, may_write && write, "flags %#x write %u", flags, write);
                uint8_t have = *at(w, BASE + PAGE + 77);
                CHECK_EQ(have, file ? original(w, 5, 77) : 0, "contents, flags %#x write %u", flags, write);
                /* A page that was read becomes writable by the write that follows, its contents unchanged. */
                CHECK_EQ(touch(w, BASE + PAGE, true), FL_MM_MINOR, "flags %#x", flags);
                CHECK_EQ(look(w, BASE + PAGE).write, may_write, "flags %#x", flags);
                CHECK_EQ(*at(w, BASE + PAGE + 77), have, "contents kept, flags %#x", flags);
            }
}

static void test_cow(struct fl_world *w)
{
    for (unsigned mode = 0; mode < FL_MODE_COUNT; mode++) {
        struct fl_machine m = machine_of(mode);

        /* A private write never reaches the file; a shared one is seen by all who have no copy. */
        fl_world_begin(w, &m);
        uint8_t was = original(w, 4, 9);
        vma(w, BASE, 2, RW | FL_VMA_FILE);
        vma(w, BASE + 16 * PAGE, 2, RW | FL_VMA_FILE | FL_VMA_SHARED);
        vma(w, BASE + 32 * PAGE, 2, RW | FL_VMA_FILE);
        touch(w, BASE, true);
        guest_store(w, BASE + 9, (uint8_t)~was);
        CHECK_EQ(original(w, 4, 9), was, "%s: the file after a private write", mode_names[mode]);
        touch(w, BASE + 32 * PAGE, false);
        CHECK_EQ(*at(w, BASE + 32 * PAGE + 9), was, "%s: another private mapping", mode_names[mode]);
        touch(w, BASE + 16 * PAGE, true);
        guest_store(w, BASE + 16 * PAGE + 9, 0x5a);
        CHECK_EQ(original(w, 4, 9), 0x5a, "%s: the file after a shared write", mode_names[mode]);
        CHECK_EQ(*at(w, BASE + 32 * PAGE + 9), 0x5a, "%s: a mapping that only read sees it", mode_names[mode]);
        CHECK_EQ(*at(w, BASE + 9), (uint8_t)~was, "%s: a private copy does not", mode_names[mode]);
        CHECK(fl_world_not_transparent(w) != NULL, "mixed mappings of a file");

        /* DONTNEED: private pages start afresh, shared ones keep what they hold. */
        range(w, FL_REC_ZAP, BASE, 2, 0);
        CHECK(!look(w, BASE).present, "the leaf is gone");
        touch(w, BASE, false);
        CHECK_EQ(*at(w, BASE + 9), 0x5a, "the file's contents again");
        fl_world_begin(w, &m);
        vma(w, BASE, 2, RW | FL_VMA_SHARED);
        touch(w, BASE, true);
        guest_store(w, BASE, 0x33);
        range(w, FL_REC_ZAP, BASE, 2, 0);
        touch(w, BASE, false);
        CHECK_EQ(*at(w, BASE), 0x33, "shared anonymous memory outlives a zap");

        /* mprotect: taking write away shows at once; giving it back waits for the fault, and keeps the contents. */
        fl_world_begin(w, &m);
        vma(w, BASE, 2, RW);
        touch(w, BASE, true);
        guest_store(w, BASE, 0x44);
        range(w, FL_REC_PROTECT, BASE, 1, FL_PROT_READ);
        CHECK(look(w, BASE).present && !look(w, BASE).write, "read only now");
        range(w, FL_REC_PROTECT, BASE, 1, RW);
        CHECK(!look(w, BASE).write, "copy on write is not skipped");
        touch(w, BASE, true);
        CHECK(look(w, BASE).write, "after the fault");
        range(w, FL_REC_PROTECT, BASE, 1, 0);
        CHECK(!look(w, BASE).present, "no permission, no leaf");
        range(w, FL_REC_PROTECT, BASE, 1, RW);
        touch(w, BASE, false);
        CHECK_EQ(*at(w, BASE), 0x44, "the contents were kept");

        /* The zero page stays zero. */
        fl_world_begin(w, &m);
        vma(w, BASE, 2, RW);
        touch(w, BASE, false);
        touch(w, BASE + PAGE, false);
        CHECK_EQ(look(w, BASE).paddr, look(w, BASE + PAGE).paddr, "one zero page");
        touch(w, BASE, true);
        guest_store(w, BASE, 1);
        CHECK_EQ(*at(w, BASE + PAGE), 0, "it was not written");
    }
}

static void test_bytes(struct fl_world *w)
{
    struct fl_machine m = machine_of(FL_MODE_4LEVEL);

    fl_world_begin(w, &m);
    CHECK_EQ(bytes(w, BASE, "x"), FL_INVALID, "no VMA, no leaf");
    vma(w, BASE, 2, RW);
    CHECK_EQ(bytes(w, BASE + PAGE - 3, "abcdef"), FL_OK, "across two pages that are not there");
    CHECK(!look(w, BASE).present, "it maps nothing");
    touch(w, BASE, false);
    touch(w, BASE + PAGE, true);
    CHECK(memcmp(at(w, BASE + PAGE - 3), "abc", 3) == 0, "brought in by a read");
    CHECK(memcmp(at(w, BASE + PAGE), "def", 3) == 0, "brought in by a write");
    bytes(w, BASE, "now");
    CHECK(memcmp(at(w, BASE), "now", 3) == 0, "into the mapped page");

    fl_world_begin(w, &m);
    vma(w, BASE, 1, RW);
    touch(w, BASE, false);
    bytes(w, BASE, "z");
    touch(w, BASE, false);
    CHECK_EQ(*at(w, BASE), 'z', "in place of the zero page");
    vma(w, BASE + PAGE, 1, RW);
    touch(w, BASE + PAGE, false);
    CHECK_EQ(*at(w, BASE + PAGE), 0, "which is untouched");

    fl_world_begin(w, &m);
    vma(w, BASE, 10, FL_PROT_READ | FL_VMA_FILE);
    CHECK_EQ(bytes(w, BASE + PAGE, "file"), FL_OK, "into the page cache");
    touch(w, BASE + PAGE, false);
    CHECK(memcmp(at(w, BASE + PAGE), "file", 4) == 0, "seen by the mapping");
    CHECK_EQ(original(w, 5, 0), 'f', "seen by others");
    CHECK_EQ(bytes(w, BASE + 7 * PAGE, "x"), FL_OK, "the last page of the file");
    CHECK_EQ(bytes(w, BASE + 8 * PAGE, "x"), FL_INVALID, "beyond the file");

    fl_world_begin(w, &m);
    map(w, UINT64_C(0xffffffff81000000), 700, 1, FL_MAP_PRESENT | FL_MAP_WRITE);
    CHECK_EQ(bytes(w, UINT64_C(0xffffffff81000010), "kernel"), FL_OK, "through the tables");
    CHECK(memcmp(fl_world_ram(w).base + 700 * PAGE + 0x10, "kernel", 6) == 0, "in the frame that MAP named");
    CHECK(fl_world_not_transparent(w) == NULL, "a kernel mapping of scenario memory: %s", fl_world_not_transparent(w));
}

static void test_limits(struct fl_world *w)
{
    struct fl_machine m = machine_of(FL_MODE_4LEVEL);
    unsigned got = 0;

    fl_world_begin(w, &m);
    vma(w, BASE, 10, RW | FL_VMA_FILE); /* pages 4..13 of a file of 12 */
    CHECK_EQ(touch(w, BASE + 7 * PAGE, true), FL_MM_MINOR, "the last page of the file");
    CHECK_EQ(touch(w, BASE + 8 * PAGE, false), FL_MM_SIGBUS, "the page behind it");
    CHECK(!look(w, BASE + 8 * PAGE).present, "nothing was mapped");

    fl_world_begin(w, &m);
    vma(w, BASE, 4096, RW);
    for (bool room = true; room && got < FL_RAM_FRAMES; got += room) {
        struct fl_snapshot s;
        struct fl_fault f;
        fl_world_event_begin(w);
        fl_world_snapshot(w, BASE + got * PAGE, 6, &f, &s);
        room = s.mm_result[0] == FL_MM_MINOR;
        CHECK_EQ(touch(w, BASE + got * PAGE, true), s.mm_result[0], "page %u: foretold", got);
    }
    CHECK(got > 480 && got < FL_RAM_POOL_END, "%u pages before memory ran out", got);
    CHECK_EQ(touch(w, BASE + got * PAGE, true), FL_MM_OOM, "and it stays so");
    CHECK(!look(w, BASE + got * PAGE).present, "nothing was mapped");
    CHECK_EQ(touch(w, BASE + got * PAGE, false), FL_MM_MINOR, "the zero page needs no frame");
    CHECK_EQ(map(w, 0x7f0000000000, 600, 1, FL_MAP_PRESENT), FL_NO_MEMORY, "no frame for a table");
    CHECK(fl_world_not_transparent(w) != NULL, "used up");
    /* Two frames are not enough for two tables and a page: nothing is made, and that is foretold. */
    range(w, FL_REC_UNMAP, BASE, 2, 0);
    vma(w, BASE + (UINT64_C(1) << 31), 1, RW);
    for (unsigned i = 0; i < 3; i++) {
        struct fl_snapshot s;
        struct fl_fault f;
        fl_world_event_begin(w);
        fl_world_snapshot(w, BASE + (UINT64_C(1) << 31), 6, &f, &s);
        CHECK_EQ(s.mm_result[0], i < 2 ? FL_MM_OOM : FL_MM_MINOR, "%u frames", 2 + i / 2);
        CHECK_EQ(touch(w, BASE + (UINT64_C(1) << 31), true), s.mm_result[0], "%u frames", 2 + i / 2);
        if (i == 1)
            range(w, FL_REC_UNMAP, BASE + 2 * PAGE, 1, 0);
    }
    range(w, FL_REC_UNMAP, BASE + 3 * PAGE, 8, 0);
    CHECK_EQ(touch(w, BASE + got * PAGE, true), FL_MM_MINOR, "munmap gives frames back");
    CHECK_EQ(*at(w, BASE + got * PAGE), 0, "zeroed");
}

/* Whatever MAP and ENTRY did to the path, the access is permitted afterwards. */
static void test_repair(struct fl_world *w)
{
    uint64_t state = 1;

    for (unsigned i = 0; i < 4000; i++) {
        unsigned mode = i % FL_MODE_COUNT, n = (unsigned)(check_random(&state) % 6);
        struct fl_machine m = machine_of(mode);
        fl_world_begin(w, &m);
        vma(w, BASE, 16, RW | (check_random(&state) & FL_VMA_SHARED));
        for (unsigned k = 0; k < n; k++) {
            uint64_t r = check_random(&state), set = check_random(&state), va = BASE + (r >> 8) % 16 * PAGE;
            if (r & 1)
                map(w, va, (unsigned)(set % (r & 4 ? FL_RAM_FRAMES : 16)), 1 + (unsigned)(set >> 20) % 3,
                    (unsigned)(set >> 24) & FL_MAP_FLAGS);
            else if (r & 2)
                entry(w, va, 1 + (unsigned)(r >> 20) % 5, set & (r & 4 ? ~UINT64_C(0) : 0xffff), check_random(&state));
            else
                touch(w, va, r & 4);
        }
        for (unsigned k = 0; k < 4; k++) {
            uint64_t va = BASE + check_random(&state) % (16 * PAGE);
            bool write = check_random(&state) & 1;
            CHECK_EQ(touch(w, va, write), FL_MM_MINOR, "case %u", i);
            struct seen s = look(w, va);
            CHECK(s.present && s.user && s.shift == 12 && (s.write || !write) && s.paddr < FL_RAM_POOL_END * PAGE,
                  "case %u, %s: leaf %#" PRIx64 " write %d", i, mode_names[mode], s.leaf, write);
            CHECK_EQ(s.leaf & 0x180, 0, "case %u: reserved or PAT bits", i);
        }
    }
}

int main(void)
{
    struct fl_world *w = open_world();
    test_backings(w);
    test_cow(w);
    test_bytes(w);
    test_limits(w);
    test_repair(w);
    fl_world_close(w);
    return check_done("world paging");
}
