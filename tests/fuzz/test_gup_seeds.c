/* SPDX-License-Identifier: MIT */
/*
 * The seeds of target gup. Arguments: all files of corpus/seeds. Together they have every function, flag, act, kind of area
 * and kind of page in a working call or act; each is clean, each of its acts does something; and none has a race or an
 * answer: those are for fuzzing to find.
 */
#include "check.h"

#include <faultline/fuzz/judge.h>
#include <faultline/fuzz/pin_story.h>

#define COUNT(a) (sizeof(a) / sizeof(a)[0])

/* Pages as they are met by a call. */
enum page {
    PAGE_ANON,
    PAGE_ANON_SHARED, /* by a fork */
    PAGE_FILE,
    PAGE_SHMEM,
    PAGE_HUGETLB_2M,
    PAGE_HUGETLB_4M,
    PAGE_HUGETLB_1G,
    PAGE_THP,
    PAGE_ZERO,
    PAGE_HUGE_ZERO,
    PAGE_DEVICE,
    PAGE_SPECIAL,
    PAGE_SWAPPED,
    PAGE_MIGRATING,
    PAGE_POISONED,
    PAGE_HINT,
    PAGE_SPLITTING,
    PAGE_NONE,
    PAGE_COUNT
};
static const char *const page_names[PAGE_COUNT] = {"anonymous",     "anonymous, of a fork",
                                                   "of a file",     "of shmem",
                                                   "hugetlb 2 MiB", "hugetlb 4 MiB",
                                                   "hugetlb 1 GiB", "huge",
                                                   "zero page",     "huge zero",
                                                   "device",        "special",
                                                   "swapped out",   "migrating",
                                                   "poisoned",      "NUMA hint",
                                                   "splitting",     "absent"};

static struct {
    const char *path;
    uint64_t files, calls, modes[FL_MODE_COUNT];
    uint64_t api[FL_PINAPI_COUNT], pinned[FL_PINAPI_COUNT], refused[FL_PINAPI_COUNT];
    uint64_t foll[12], how[4]; /* nonblocking, remote, get, vmas */
    uint64_t act[FL_ACTOR_COUNT], area[FL_AREA_KIND_COUNT], area_flag[11], page[PAGE_COUNT];
    uint64_t special_bit[2], pv[2];
} seen;

static uint8_t area_kind_at(const struct fl_pin_world *w, uint64_t va)
{
    struct fl_pin_area a;

    for (unsigned i = 0; fl_pin_world_area(w, 0, i, &a); i++)
        if (va >= a.vma.start && va < a.vma.end)
            return a.kind;
    return FL_AREA_KIND_COUNT;
}

static enum page page_kind(const struct fl_pin_world *w, uint64_t va)
{
    struct fl_pin_place p;
    bool huge;

    fl_pin_world_look(w, 0, va, &p);
    huge = p.nlevels && p.walk[p.nlevels - 1].level > 1;
    if (!p.mapped)
        return p.swap == FL_SWAP_SLOT        ? PAGE_SWAPPED
               : p.swap == FL_SWAP_MIGRATION ? PAGE_MIGRATING
               : p.swap == FL_SWAP_HWPOISON  ? PAGE_POISONED
                                             : PAGE_NONE;
    if (p.hint)
        return PAGE_HINT;
    if (p.splitting)
        return PAGE_SPLITTING;
    if (!p.valid)
        return PAGE_SPECIAL;
    switch (p.kind) {
    case FL_PIN_PAGE_ZERO: return huge ? PAGE_HUGE_ZERO : PAGE_ZERO;
    case FL_PIN_PAGE_DEVICE: return PAGE_DEVICE;
    case FL_PIN_PAGE_HUGETLB: return p.order == 9 ? PAGE_HUGETLB_2M : p.order == 10 ? PAGE_HUGETLB_4M : PAGE_HUGETLB_1G;
    case FL_PIN_PAGE_ANON: return huge ? PAGE_THP : p.exclusive ? PAGE_ANON : PAGE_ANON_SHARED;
    default: return area_kind_at(w, va) == FL_AREA_SHMEM ? PAGE_SHMEM : PAGE_FILE;
    }
}

static void watch(void *ctx, unsigned record, bool other_way, const struct fl_pin_world *w,
                  const struct fl_pin_step *step)
{
    const struct fl_record *r = step->record;

    (void)ctx;
    if (other_way)
        return;
    if (step->kind == FL_PIN_STEP_ACT) {
        CHECK_EQ(step->status, FL_OK, "%s: record %u has no effect", seen.path, record + 1);
        if (r->kind == FL_REC_ACT)
            seen.act[r->u.act.act]++;
        if (r->kind != FL_REC_AREA)
            return;
        seen.area[r->u.area.kind]++;
        for (unsigned bit = 0; bit < 11; bit++)
            seen.area_flag[bit] += r->u.area.flags >> bit & 1;
    } else if (step->kind == FL_PIN_STEP_BEGIN) {
        seen.page[page_kind(w, r->u.pin.start)]++;
    } else if (step->kind == FL_PIN_STEP_END) {
        CHECK(step->pin->quiet || step->seen->fatal, "%s: record %u is disturbed", seen.path, record + 1);
        seen.calls++;
        seen.api[r->u.pin.api]++;
        if (step->seen->out.error == FL_PIN_OK && (r->u.pin.api == FL_PINAPI_FIXUP || step->seen->out.pages != 0))
            seen.pinned[r->u.pin.api]++;
        else
            seen.refused[r->u.pin.api]++;
        for (unsigned bit = 0; bit < 12; bit++)
            seen.foll[bit] += r->u.pin.flags >> bit & 1;
        seen.how[0] += r->u.pin.nonblocking;
        seen.how[1] += r->u.pin.remote;
        seen.how[2] += r->u.pin.pages;
        seen.how[3] += r->u.pin.vmas;
    }
}

static char *read_file(const char *path, size_t *size)
{
    static char text[1 << 16];
    FILE *f = fopen(path, "rb");

    CHECK(f != NULL, "cannot read %s", path);
    *size = f ? fread(text, 1, sizeof text, f) : 0;
    CHECK(*size < sizeof text, "%s is too long", path);
    if (f)
        fclose(f);
    return text;
}

static void look(struct fl_judge *j, const char *path)
{
    static struct fl_scenario s;
    struct fl_text_error error = {0};
    struct fl_divergence d;
    unsigned record, calls = 0, others = 0;
    size_t size;
    const char *text = read_file(path, &size);

    CHECK(fl_scenario_parse(text, size, &s, &error), "%s:%u:%u: %s", path, error.line, error.column, error.message);
    for (uint32_t i = 0; i < s.nrecords; i++) {
        CHECK(s.records[i].kind != FL_REC_RACE, "%s: a seed has a race, record %u", path, i + 1);
        CHECK(s.records[i].kind != FL_REC_ANSWER, "%s: a seed has an answer, record %u", path, i + 1);
        calls += s.records[i].kind == FL_REC_PIN;
        others += s.records[i].kind < FL_REC_AREA;
    }
    if (!calls)
        return;
    seen.path = path;
    seen.files++;
    seen.modes[s.machine.mode]++;
    seen.special_bit[s.machine.pte_special]++;
    seen.pv[s.machine.pv_flush]++;
    CHECK_EQ(others, 0, "%s: records that mean nothing to pinning", path);
    CHECK(!fl_judge_scenario(j, &s, &d, &record), "%s: record %u: %s", path, record + 1, d.detail);
}

static void everything_is_there(void)
{
    for (unsigned i = 0; i < FL_MODE_COUNT; i++)
        CHECK(seen.modes[i] != 0, "no seed in mode %u", i);
    for (unsigned i = 0; i < FL_PINAPI_COUNT; i++) {
        CHECK(seen.pinned[i] != 0, "no seed in which %s succeeds", fl_pin_api_name(i));
        CHECK(seen.refused[i] != 0, "no seed in which %s fails", fl_pin_api_name(i));
    }
    for (unsigned bit = 0; bit < 12; bit++)
        if (1u << bit == FL_FOLL_GET) /* u.pin.pages says it */
            CHECK_EQ(seen.foll[bit], 0, "flag get");
        else
            CHECK(seen.foll[bit] != 0, "no seed has flag %u of a call", bit);
    for (unsigned i = 0; i < COUNT(seen.how); i++)
        CHECK(seen.how[i] != 0 && seen.how[i] < seen.calls, "option %u of a call: %" PRIu64 " of %" PRIu64, i,
              seen.how[i], seen.calls);
    for (unsigned i = 0; i < FL_ACTOR_COUNT; i++)
        CHECK(seen.act[i] != 0, "no seed has act %s", fl_pin_actor_name(i));
    for (unsigned i = 0; i < FL_AREA_KIND_COUNT; i++)
        CHECK(seen.area[i] != 0, "no seed has an area of kind %u", i);
    for (unsigned bit = 0; bit < 11; bit++)
        CHECK(seen.area_flag[bit] != 0, "no seed has flag %u of an area", bit);
    for (unsigned i = 0; i < PAGE_COUNT; i++)
        CHECK(seen.page[i] != 0, "no seed begins a call at a page that is: %s", page_names[i]);
    for (unsigned i = 0; i < 2; i++)
        CHECK(seen.special_bit[i] != 0 && seen.pv[i] != 0, "pte-special and pv-flush: %u", i);
}

int main(int argc, char **argv)
{
    struct fl_judge_options options = {.target = FL_TARGET_GUP, .sound = true};
    struct fl_judge *j;
    char why[256];

    if (fl_judge_open(&options, &j, why) != FL_OK) {
        fprintf(stderr, "%s\n", why);
        return 1;
    }
    fl_judge_set_watch_pin(j, watch, NULL);
    for (int i = 1; i < argc; i++)
        look(j, argv[i]);
    everything_is_there();
    printf("%" PRIu64 " of %d seeds are of pinning, %" PRIu64 " calls\n", seen.files, argc - 1, seen.calls);
    fl_judge_close(j);
    return check_done("gup seeds");
}
