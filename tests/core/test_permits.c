/* SPDX-License-Identifier: MIT */
/*
 * permits: every combination of what can matter, against an expectation that is one sentence per rule of the manual
 * (Intel SDM vol. 3, 4.6 and 4.7; AMD APM vol. 2, 5.6.7), joined in a different order and with bits of its own.
 */
#include "check.h"
#include "fake.h"

enum { WP = 1 << 16, SMEP = 1 << 20, SMAP = 1 << 21, PKE = 1 << 22, PKS = 1 << 24, NXE = 1 << 11 };

static bool mode_is_long(unsigned mode)
{
    return mode == FL_MODE_4LEVEL || mode == FL_MODE_5LEVEL;
}

/* The error code, or -1 when the access is permitted. */
static int expected(const struct fl_cpu *cpu, const struct fl_walk *w, const struct fl_access *a)
{
    bool user = a->priv == FL_USER, data = a->kind != FL_FETCH, wr = a->kind == FL_WRITE, wp = cpu->cr0 & WP;
    bool ac = a->ac && a->priv != FL_IMPLICIT;
    uint32_t keys = w->user ? cpu->pkru : cpu->pkrs;
    unsigned key = keys >> 2 * w->pkey & 3;
    bool has_keys = mode_is_long(cpu->mode) && (w->user || cpu->vendor != FL_VENDOR_AMD);
    bool keys_on = has_keys && (cpu->cr4 & (w->user ? PKE : PKS));
    bool denied = false, key_denied = false;
    int code = (wr ? 2 : 0) | (user ? 4 : 0);

    if (!data && ((cpu->cr4 & SMEP) || (cpu->mode != FL_MODE_2LEVEL && (cpu->efer & NXE))))
        code |= 0x10;
    denied |= user && !w->user;
    denied |= wr && !w->writable && (user || wp);
    denied |= !data && w->nx;
    denied |= !data && !user && w->user && (cpu->cr4 & SMEP);
    denied |= data && !user && w->user && (cpu->cr4 & SMAP) && !ac;
    if (keys_on && data) {
        key_denied |= key & 1;
        key_denied |= wr && (key & 2) && (wp || (user && w->user));
    }
    if (!denied && !key_denied)
        return -1;
    return code | 1 | (key_denied ? 0x20 : 0);
}

static void test_all_mapped(void)
{
    uint64_t permitted = 0, faulted = 0;

    for (unsigned bits = 0; bits < 1u << 15; bits++)
        for (unsigned mode = 0; mode < FL_MODE_COUNT; mode++)
            for (unsigned kind = 0; kind < FL_ACCESS_KIND_COUNT; kind++)
                for (unsigned priv = 0; priv < FL_ACCESS_PRIV_COUNT; priv++) {
                    struct fl_cpu cpu = {.mode = (uint8_t)mode, .maxphyaddr = 40};
                    struct fl_walk w = {.end = FL_WALK_MAPPED, .level = 1, .page_shift = 12, .pkey = 5};
                    struct fl_access a = {.kind = (uint8_t)kind, .priv = (uint8_t)priv, .ac = bits & 1};
                    uint32_t code = 99;
                    bool faults = false;
                    int want;

                    cpu.vendor = bits & 1 << 14 ? FL_VENDOR_AMD : FL_VENDOR_INTEL;
                    w.user = bits & 2;
                    w.writable = bits & 4;
                    w.nx = (bits & 8) && (bits & 512);
                    cpu.cr0 = bits & 16 ? WP : 0;
                    cpu.cr4 = (bits & 32 ? SMEP : 0) | (bits & 64 ? SMAP : 0) | (bits & 128 ? PKE : 0) |
                              (bits & 256 ? PKS : 0);
                    cpu.efer = bits & 512 ? NXE : 0;
                    /* The other keys say the opposite. */
                    cpu.pkru = (bits >> 10 & 3) << 10 | (~(bits >> 10) & 3) << 8;
                    cpu.pkrs = (bits >> 12 & 3) << 10 | (~(bits >> 12) & 3) << 12;
                    want = expected(&cpu, &w, &a);
                    CHECK_EQ(fl_core()->permits(&cpu, &w, &a, &faults, &code), FL_OK, "bits %#x", bits);
                    if (faults != (want >= 0) || code != (uint32_t)(want < 0 ? 0 : want))
                        CHECK(false, "bits %#x mode %u kind %u priv %u: faults %d code %#x, expected %d", bits, mode,
                              kind, priv, faults, code, want);
                    permitted += !faults;
                    faulted += faults;
                }
    CHECK(permitted > 1000 && faulted > 1000, "permitted %" PRIu64 " faulted %" PRIu64, permitted, faulted);
}

static void test_not_mapped(void)
{
    for (unsigned i = 0; i < 1u << 6; i++)
        for (unsigned kind = 0; kind < FL_ACCESS_KIND_COUNT; kind++)
            for (unsigned priv = 0; priv < FL_ACCESS_PRIV_COUNT; priv++) {
                struct fl_cpu cpu = {.mode = (uint8_t)(i & 3), .vendor = i & 4 ? FL_VENDOR_AMD : FL_VENDOR_INTEL};
                struct fl_access a = {.kind = (uint8_t)kind, .priv = (uint8_t)priv};
                struct fl_walk w = {.level = i & 32 ? 3 : 2};
                uint32_t code = 99, about;
                bool faults = false, gp;

                cpu.efer = i & 8 ? NXE : 0;
                cpu.cr4 = i & 16 ? SMEP | PKE | PKS : 0;
                cpu.pkru = cpu.pkrs = UINT32_MAX;
                about = (kind == FL_WRITE ? 2 : 0) | (priv == FL_USER ? 4 : 0);
                if (kind == FL_FETCH && ((i & 16) || ((i & 8) && (i & 3) != FL_MODE_2LEVEL)))
                    about |= 0x10;

                w.end = FL_WALK_ABSENT;
                CHECK_EQ(fl_core()->permits(&cpu, &w, &a, &faults, &code), FL_OK, "case %u", i);
                CHECK(faults, "case %u", i);
                CHECK_EQ(code, about, "case %u", i);

                w.end = FL_WALK_RESERVED;
                code = 99;
                gp = cpu.mode == FL_MODE_PAE && cpu.vendor == FL_VENDOR_INTEL && w.level == 3;
                CHECK_EQ(fl_core()->permits(&cpu, &w, &a, &faults, &code), gp ? FL_UNSUPPORTED : FL_OK, "case %u", i);
                CHECK_EQ(code, gp ? 99 : about | 9, "case %u", i);
            }
}

static void test_invalid(void)
{
    struct fl_cpu cpu = {.mode = FL_MODE_4LEVEL};
    struct fl_walk w = {.end = FL_WALK_ABSENT, .level = 1};
    struct fl_access a = {.kind = FL_READ};
    bool faults = false;
    uint32_t code = 99;
    const struct fl_core *core = fl_core();

    CHECK_EQ(core->permits(NULL, &w, &a, &faults, &code), FL_INVALID, "cpu");
    CHECK_EQ(core->permits(&cpu, NULL, &a, &faults, &code), FL_INVALID, "walk");
    CHECK_EQ(core->permits(&cpu, &w, NULL, &faults, &code), FL_INVALID, "access");
    CHECK_EQ(core->permits(&cpu, &w, &a, NULL, &code), FL_INVALID, "faults");
    CHECK_EQ(core->permits(&cpu, &w, &a, &faults, NULL), FL_INVALID, "code");
    w.end = FL_WALK_NO_TABLE;
    CHECK_EQ(core->permits(&cpu, &w, &a, &faults, &code), FL_UNSUPPORTED, "no table");
    w.end = FL_WALK_NONCANONICAL;
    CHECK_EQ(core->permits(&cpu, &w, &a, &faults, &code), FL_UNSUPPORTED, "non-canonical");
    w.end = FL_WALK_NONCANONICAL + 1;
    CHECK_EQ(core->permits(&cpu, &w, &a, &faults, &code), FL_INVALID, "end");
    w.end = FL_WALK_ABSENT;
    a.kind = FL_ACCESS_KIND_COUNT;
    CHECK_EQ(core->permits(&cpu, &w, &a, &faults, &code), FL_INVALID, "kind");
    a.kind = FL_READ;
    a.priv = FL_ACCESS_PRIV_COUNT;
    CHECK_EQ(core->permits(&cpu, &w, &a, &faults, &code), FL_INVALID, "priv");
    a.priv = FL_USER;
    cpu.mode = FL_MODE_COUNT;
    CHECK_EQ(core->permits(&cpu, &w, &a, &faults, &code), FL_INVALID, "mode");
    CHECK(!faults && code == 99, "outputs are untouched");
}

int main(void)
{
    test_all_mapped();
    test_not_mapped();
    test_invalid();
    return check_done("permits");
}
