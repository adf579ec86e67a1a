/* SPDX-License-Identifier: MIT */
/*
 * Random traces of every record kind, faults and guest stores:
 *   - the model's invariants hold after each step,
 *   - a snapshot foretells mm_fault's answer,
 *   - begin leaves RAM as open did: zero,
 *   - paged on demand or prefaulted, the task sees the same bytes.
 */
#include "fixture.h"
#include "world/state.h"

#define BASE UINT64_C(0x10000000)

/* Addresses crowd: 24 pages around one place, and a few that matter. */
static uint64_t some_va(uint64_t r, const struct fl_world *w)
{
    switch (r >> 56 & 15) {
    case 0: return w->kernel.task_size - PAGE;
    case 1: return w->kernel.task_size + (r & 0xfff000);
    case 2: return r;
    case 3: return BASE + (r & 0x3ff000);
    default: return BASE + r % 24 * PAGE;
    }
}

/* Kernel addresses crowd around the start of the vmalloc range, and a large step behind it. */
static uint64_t kernel_va(uint64_t r, const struct fl_world *w)
{
    uint64_t base = w->kernel.vmalloc_start;

    switch (r >> 60) {
    case 0: return w->kernel.page_offset + (r & 0xfffffff);
    case 1: return ~(r & 0xffffff);
    case 2: return r;
    case 3:
    case 4: return base + ((r & 3) << 39) + (r & 0x7fffff000);
    default: return base + (r & 0x3fff000);
    }
}

static struct fl_record some_record(uint64_t *state, const struct fl_world *w, bool orderly)
{
    struct fl_record r = {0};
    uint64_t a = check_random(state), b = check_random(state), va = some_va(check_random(state), w);

    do {
        r.kind = (uint8_t)(check_random(state) % FL_REC_COUNT);
    } while (orderly && (r.kind == FL_REC_MAP || r.kind == FL_REC_ENTRY || r.kind == FL_REC_INJECT ||
                         r.kind == FL_REC_IOREMAP || r.kind == FL_REC_SWITCH));
    switch (r.kind) {
    case FL_REC_MAP:
        r.u.map.va = va + (a & 0xfff);
        r.u.map.frame = (uint16_t)(b % (b >> 60 ? FL_RAM_FRAMES : 32));
        r.u.map.level = (uint8_t)(1 + (a >> 20) % 3);
        r.u.map.flags = (uint8_t)(a >> 30);
        break;
    case FL_REC_ENTRY:
        r.u.entry.va = va;
        r.u.entry.level = (uint8_t)(1 + (a >> 20) % 5);
        r.u.entry.mask = a >> 63 ? UINT64_MAX : b;
        r.u.entry.set = (a >> 62 & 1 ? check_random(state) : check_random(state) & 0x3ff0ff) & r.u.entry.mask;
        break;
    case FL_REC_VMA:
        r.u.vma.start = va & ~UINT64_C(0xfff);
        r.u.vma.pages = (uint32_t)(a >> 8 & 7 ? 1 + (a & 7) : 1 + (a & 0xffffff));
        r.u.vma.flags = (uint8_t)(b & FL_VMA_FLAGS);
        r.u.vma.file = (uint8_t)(b >> 8 & 3);
        r.u.vma.pgoff = (uint32_t)(b >> 16 & 3);
        r.u.vma.file_pages = (uint32_t)(b >> 20 & 15);
        break;
    case FL_REC_UNMAP:
    case FL_REC_PROTECT:
    case FL_REC_ZAP:
        r.u.range.start = va & ~UINT64_C(0xfff);
        r.u.range.pages = (uint32_t)(1 + (a & 3));
        r.u.range.prot = (uint8_t)(b & 7);
        break;
    case FL_REC_REGS:
        r.u.regs.ip = va;
        r.u.regs.sp = b;
        r.u.regs.flags = (uint32_t)a;
        r.u.regs.user = a >> 40 & 1;
        r.u.regs.code_bits = (uint8_t)(16 << (a >> 41) % 3);
        break;
    case FL_REC_BYTES:
        r.u.bytes.va = va + (a & 0xfff);
        r.u.bytes.n = (uint8_t)(b & 15);
        memcpy(r.u.bytes.data, &a, 8);
        break;
    case FL_REC_INJECT:
        r.u.inject.op = (uint8_t)(a % FL_INJ_COUNT);
        r.u.inject.n = (uint8_t)(b & 15);
        break;
    case FL_REC_IOREMAP:
        r.u.ioremap.va = kernel_va(b, w);
        r.u.ioremap.leaves = (uint16_t)(a & 7 ? a >> 8 & 3 : a >> 8 & 0x1ff);
        r.u.ioremap.frame = (uint16_t)(a >> 20);
        r.u.ioremap.level = (uint8_t)(1 + (a >> 40) % 3);
        r.u.ioremap.flags = (uint8_t)(a >> 48);
        break;
    case FL_REC_IOUNMAP:
        r.u.iounmap.start = kernel_va(b, w);
        r.u.iounmap.pages = (uint32_t)(a >> 60 ? 1 + (a & 0xfff) : 1 + (a & 0xffffff));
        break;
    case FL_REC_FORK:
    case FL_REC_SWITCH:
        r.u.mm.mm = (uint8_t)(a % (FL_MM_NONE + 2));
        r.u.mm.lag = a >> 8 & 1;
        break;
    case FL_REC_LDT:
        r.u.ldt.index = (uint8_t)(a % (FL_MAX_LDT + 1));
        r.u.ldt.bits = (uint8_t)(16 << (a >> 8) % 3);
        r.u.ldt.base = (uint32_t)b;
        r.u.ldt.limit = (uint32_t)(b >> 32);
        break;
    case FL_REC_CS: r.u.cs.selector = (uint16_t)a; break;
    default: /* GPR, EXTABLE and the events: two words */
        r.u.extable.ip = a;
        r.u.extable.fixup = b;
        break;
    }
    return r;
}

static void check_invariants(struct fl_world *w, uint64_t trace)
{
    uint8_t users[FL_RAM_POOL_END] = {0};
    unsigned live = 0, spare = 0;

    for (unsigned i = 0; i < w->nvmas; i++) {
        const struct fl_vma *v = &w->vmas[i];
        CHECK(v->start < v->end && v->end <= w->kernel.task_size && ((v->start | v->end) & 0xfff) == 0,
              "trace %" PRIu64 ": VMA %u", trace, i);
        CHECK(i == 0 || v[-1].end <= v->start, "trace %" PRIu64 ": VMA %u overlaps", trace, i);
        CHECK(v->generation != 0 && v->generation <= w->generation, "trace %" PRIu64 ": VMA %u", trace, i);
        for (unsigned k = 0; k < i; k++)
            CHECK(w->vmas[k].generation != v->generation, "trace %" PRIu64 ": VMAs %u %u", trace, k, i);
    }
    for (unsigned i = 0; i < w->npages; i++) {
        const struct page *p = &w->pages[i];
        if (!p->kind)
            continue;
        live++;
        const struct fl_vma *v = vma_find(w, p->va);
        CHECK(v && v->start <= p->va, "trace %" PRIu64 ": a page outside all VMAs", trace);
        CHECK(page_find(w, p->va) == p, "trace %" PRIu64 ": a page twice, or not to be found", trace);
        uint8_t want = p->kind == PAGE_ANON ? TAG_ANON : p->kind == PAGE_CACHE ? TAG_CACHE : TAG_ZERO;
        CHECK_EQ(w->tag[p->frame], want, "trace %" PRIu64 ": tag of frame %u", trace, p->frame);
        if (p->kind == PAGE_ANON)
            CHECK_EQ(users[p->frame]++, 0, "trace %" PRIu64 ": frame %u has two owners", trace, p->frame);
    }
    CHECK_EQ(live, w->live_pages, "trace %" PRIu64 ": page records", trace);
    for (unsigned f = FRAME_POOL; f < w->next_frame; f++) {
        spare += w->tag[f] == TAG_FREE;
        CHECK(w->tag[f] != TAG_ANON || users[f] == 1, "trace %" PRIu64 ": frame %u is lost", trace, f);
        CHECK(w->tag[f] != TAG_CACHE || cache_find(w, w->cache_file[f], w->cache_index[f]) == f,
              "trace %" PRIu64 ": cached frame %u", trace, f);
    }
    CHECK_EQ(spare, w->nspare, "trace %" PRIu64 ": free frames", trace);
}

/* Nothing but the lines that are marked may differ from zero. */
static void check_marks(struct fl_world *w, uint64_t trace)
{
    static const uint8_t zeros[64];
    for (unsigned f = 0; f < FL_RAM_FRAMES; f++)
        for (unsigned line = 0; line < 64; line++)
            if (!(w->lines[f] >> line & 1) && memcmp(frame_bytes(w, f) + line * 64, zeros, 64) != 0) {
                CHECK(false, "trace %" PRIu64 ": frame %u line %u was written and not marked", trace, f, line);
                return;
            }
}

static unsigned foretold[FL_MM_COUNT], applied[FL_REC_COUNT], grown_cases;

static void one_fault(struct fl_world *w, uint64_t va, bool write, uint64_t trace)
{
    const struct fl_ops *ops = fl_world_ops();
    struct fl_snapshot s;
    struct fl_fault f;
    struct fl_vma v;

    fl_world_event_begin(w);
    fl_world_snapshot(w, va, write ? 6 : 4, &f, &s);
    uint64_t before = fl_world_digest(w);
    fl_world_snapshot(w, va, write ? 6 : 4, &f, &s);
    CHECK_EQ(fl_world_digest(w), before, "trace %" PRIu64 ": a snapshot changes nothing", trace);
    if (!ops->lock_try(w)) {
        CHECK(s.lock_contended, "trace %" PRIu64, trace);
        ops->lock_take(w);
    }
    if (ops->vma_find(w, va, &v)) {
        enum fl_status status = FL_OK;
        if (va < v.start) {
            status = ops->vma_expand(w, v.generation, va & ~UINT64_C(0xfff), &v);
            CHECK_EQ(status == FL_NO_MEMORY, s.expand_refused, "trace %" PRIu64, trace);
            grown_cases++;
        }
        if (status == FL_OK) {
            enum fl_mm_result got =
                ops->mm_fault(w, v.generation, va,
                              (write ? FL_MM_WRITE : 0u) | (s.kernel.fault_retry ? (unsigned)FL_MM_ALLOW_RETRY : 0));
            CHECK_EQ(got, s.mm_result[0], "trace %" PRIu64 ": va %#" PRIx64 " write %d", trace, va, write);
            foretold[s.mm_result[0]]++;
            if (got == FL_MM_RETRY || got == FL_MM_RETRY_MAJOR)
                ops->lock_take(w);
        }
    }
    ops->lock_drop(w);
    CHECK(!fl_world_effects(w)->stale_generation && !fl_world_effects(w)->lock_missing, "trace %" PRIu64, trace);
    fl_world_event_end(w);
}

/* A store wherever the tables let the guest write, tables included; also as an executor that lost count. */
static void random_store(struct fl_world *w, uint64_t *state)
{
    uint64_t r = check_random(state), va = some_va(check_random(state), w) + (r & 0xfff);
    struct fl_ram ram = fl_world_ram(w);
    struct seen s = look(w, w->kernel.word == 4 ? (uint32_t)va : va);
    struct fl_exec_result result = {0};

    if (!s.present || s.paddr >= ram.size || !(s.write || !(w->cpu.cr0 & 1u << 16)))
        return;
    ram.base[s.paddr] = (uint8_t)(r >> 16);
    if (r >> 60 == 0) {
        result.stores_lost = true;
    } else {
        result.nstores = 1;
        result.stores[0].paddr = s.paddr;
        result.stores[0].size = (uint32_t)(r >> 40 & 15) + 1;
    }
    fl_world_note_stores(w, &result);
}

/* What a wild core writes: anywhere in RAM, sometimes by way of the queue. */
static void random_entry(struct fl_world *w, uint64_t *state)
{
    uint64_t r = check_random(state), value = check_random(state);
    unsigned size = r & 1 ? 8 : 4;

    if (r & 2) /* an entry that names a frame */
        value = (value & 0x3ff067) | 1;
    fl_world_ops()->write_entry(w, (r >> 8) % ((r & 4 ? 16 : FL_RAM_FRAMES) * PAGE / size) * size, size, value,
                                (enum fl_set)((r >> 4) % FL_SET_COUNT));
}

static void test_wild(struct fl_world *w, unsigned traces)
{
    uint64_t state = 42;
    struct fl_ram ram = fl_world_ram(w);
    uint8_t *zero = calloc(1, ram.size);

    for (unsigned t = 0; t < traces; t++) {
        struct fl_machine m = machine_of(t % FL_MODE_COUNT);
        uint64_t r = check_random(&state);
        m.wp = r & 7;
        m.pse = r & 0x38;
        m.nxe = r & 0x1c0;
        m.vendor = r >> 9 & 1;
        m.shared_pmd = r >> 11 & 1;
        m.fault_retry = r >> 12 & 1;
        m.lazy_mmu = r >> 13 & 1;
        m.sh4 = m.mode == FL_MODE_2LEVEL && (r >> 14 & 3) == 0;
        fl_world_set_prefault(w, r >> 10 & 1);
        fl_world_begin(w, &m);
        if (t % 16 == 0)
            CHECK(memcmp(ram.base, zero, ram.size) == 0, "trace %u: memory is not as it was", t);
        for (unsigned i = 0, n = r >> 20 & 31; i < n; i++) {
            struct fl_record record = some_record(&state, w, false);
            enum fl_status status = fl_world_apply(w, &record);
            if (fl_record_is_event((enum fl_record_kind)record.kind))
                CHECK_EQ(status, FL_INVALID, "events are not applied");
            applied[record.kind] += status == FL_OK;
            uint64_t x = check_random(&state);
            if (x & 1)
                one_fault(w, some_va(check_random(&state), w) + (x >> 8 & 0xfff), x & 2, t);
            if (x & 4)
                random_store(w, &state);
            if ((x & 0x78) == 0)
                random_entry(w, &state);
        }
        check_invariants(w, t);
        if (t % 16 == 1)
            check_marks(w, t);
    }
    struct fl_machine m = machine_of(FL_MODE_4LEVEL);
    fl_world_set_prefault(w, false);
    fl_world_begin(w, &m);
    CHECK(memcmp(ram.base, zero, ram.size) == 0, "memory is not as it was");
    free(zero);
}

/* The same records and stores in both worlds; a store that the task may make is preceded by the fault it takes. */
static void test_transparency(struct fl_world *demand, struct fl_world *mapped, unsigned traces)
{
    uint64_t state = 7, va;
    unsigned eligible = 0, stores = 0;

    fl_world_set_prefault(mapped, true);
    for (unsigned t = 0; t < traces; t++) {
        struct fl_machine m = machine_of(t % FL_MODE_COUNT);
        fl_world_begin(demand, &m);
        fl_world_begin(mapped, &m);
        for (unsigned i = 0; i < 24; i++) {
            struct fl_record record = some_record(&state, demand, true);
            CHECK_EQ(fl_world_apply(demand, &record), fl_world_apply(mapped, &record), "trace %u: the same answer", t);
            for (unsigned k = 0; k < 4; k++) {
                uint64_t x = check_random(&state), place = BASE + (x >> 8) % 24 * PAGE;
                const struct fl_vma *v = vma_find(demand, place);
                if (!v || v->start > place || !(v->read || v->write || v->exec))
                    continue;
                bool write = v->write && (x & 1);
                if (touch(demand, place, write) != FL_MM_MINOR)
                    continue;
                fl_world_populate(mapped, place); /* FL_INVALID where it is mapped already */
                if (!look(mapped, place).present) {
                    CHECK(fl_world_not_transparent(mapped) != NULL, "trace %u: demand paging mapped it", t);
                    continue;
                }
                CHECK_EQ(look(mapped, place).write, v->write, "trace %u: as after a write", t);
                if (write) {
                    guest_store(demand, place + (x >> 32 & 0xfff), (uint8_t)(x >> 50));
                    guest_store(mapped, place + (x >> 32 & 0xfff), (uint8_t)(x >> 50));
                    stores++;
                }
                if (!fl_world_not_transparent(demand) && !fl_world_not_transparent(mapped))
                    CHECK(memcmp(at(demand, place), at(mapped, place), PAGE) == 0, "trace %u: %#" PRIx64, t, place);
            }
        }
        if (fl_world_not_transparent(demand) || fl_world_not_transparent(mapped))
            continue;
        eligible++;
        CHECK(!fl_world_differs(demand, mapped, &va), "trace %u: differs at %#" PRIx64, t, va);
        /* And a difference is seen, at its byte, whichever side holds it. */
        for (unsigned i = 0; i < mapped->npages; i++) {
            const struct page *p = &mapped->pages[i];
            if (p->kind != PAGE_ANON)
                continue;
            frame_bytes(mapped, p->frame)[123] ^= 1;
            va = 0;
            CHECK(fl_world_differs(demand, mapped, &va) && va == p->va + 123, "trace %u: %#" PRIx64, t, va);
            va = 0;
            CHECK(fl_world_differs(mapped, demand, &va) && va == p->va + 123, "trace %u: %#" PRIx64, t, va);
            frame_bytes(mapped, p->frame)[123] ^= 1;
        }
    }
    CHECK(eligible > traces / 4 && stores > traces, "%u eligible, %u stores", eligible, stores);
    fl_world_set_prefault(mapped, false);
}

/* A page that is brought in is zeroed even where the guest wrote to its frame, free then, in the same event. */
static void test_aliased_frame(struct fl_world *w)
{
    for (unsigned level = 1; level <= 2; level++) {
        struct fl_machine m = machine_of(FL_MODE_4LEVEL);
        fl_world_begin(w, &m);
        vma(w, BASE, 1, FL_PROT_READ | FL_PROT_WRITE);
        for (unsigned frame = 7; frame < 24; frame++) { /* 4 to 6 become the tables of these */
            if (level == 1 || frame == 7)
                map(w, 0x40000000 + frame * PAGE, frame, level, FL_MAP_PRESENT | FL_MAP_WRITE | FL_MAP_USER);
        }
        for (unsigned frame = w->next_frame; frame < 24; frame++)
            memset(frame_bytes(w, frame), 0xaa, PAGE);
        touch(w, BASE, true);
        uint8_t *page = at(w, BASE);
        CHECK(page[0] == 0 && memcmp(page, page + 1, PAGE - 1) == 0, "level %u", level);
        struct fl_exec_result lost = {.stores_lost = true};
        fl_world_note_stores(w, &lost);
        check_marks(w, level);
    }
}

/* Of another world: none is carried out here. */
static bool is_pinning(unsigned kind)
{
    return kind >= FL_REC_AREA && kind <= FL_REC_PIN;
}

int main(void)
{
    struct fl_world *w = open_world(), *mapped = open_world();
    test_wild(w, 20000);
    test_transparency(w, mapped, 3000);
    test_aliased_frame(w);
    for (unsigned i = 0; i < FL_MM_COUNT; i++)
        CHECK(foretold[i] > 0, "mm_fault never answered %u", i);
    for (unsigned i = 0; i < FL_REC_COUNT; i++)
        CHECK((applied[i] > 100) != (fl_record_is_event((enum fl_record_kind)i) || is_pinning(i)), "kind %u: %u times",
              i, applied[i]);
    CHECK(grown_cases > 100, "%u expansions", grown_cases);
    printf("foretold: %u minor, %u major, %u no memory, %u SIGBUS; %u expansions\n", foretold[FL_MM_MINOR],
           foretold[FL_MM_MAJOR], foretold[FL_MM_OOM], foretold[FL_MM_SIGBUS], grown_cases);
    fl_world_close(mapped);
    fl_world_close(w);
    return check_done("world random");
}
