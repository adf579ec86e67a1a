/* SPDX-License-Identifier: MIT */
/* Opening: calibration, many engines, sparse RAM of the largest size; accesses by hand in every mode. */
#include "check.h"
#include "fixture.h"

#include <faultline/oracle/arch.h>

static struct fl_exec_result r;

static void access_is(struct fixture *f, const struct fl_cpu *cpu, uint64_t va, uint8_t kind, uint8_t priv, bool ac,
                      uint8_t end, uint64_t what)
{
    struct fl_access a = {va, kind, priv, ac};
    enum fl_exec_status status = f->ex->access(f->ex, cpu, &a, &r);

    CHECK_EQ(status, FL_EXEC_OK, "mode %u va %#" PRIx64 ": %s", cpu->mode, va, r.reason ? r.reason : "");
    CHECK_EQ(r.end, end, "mode %u va %#" PRIx64 " kind %u priv %u code %#x", cpu->mode, va, kind, priv, r.error_code);
    if (end == FL_END_FAULT) {
        CHECK_EQ(r.error_code, what, "mode %u va %#" PRIx64 " kind %u priv %u", cpu->mode, va, kind, priv);
        CHECK_EQ(r.cr2, va, "mode %u va %#" PRIx64 " kind %u priv %u", cpu->mode, va, kind, priv);
    } else if (end == FL_END_EXCEPTION) {
        CHECK_EQ(r.vector, what, "mode %u va %#" PRIx64, cpu->mode, va);
    } else {
        CHECK(r.has_paddr == (what != 0), "mode %u va %#" PRIx64, cpu->mode, va);
        CHECK_EQ(r.paddr, what, "mode %u va %#" PRIx64 " kind %u priv %u", cpu->mode, va, kind, priv);
    }
}

static void by_hand(struct fixture *f)
{
    for (uint8_t mode = 0; mode < FL_MODE_COUNT; mode++) {
        struct fl_cpu cpu = fixture_cpu(mode);
        uint64_t high = mode < FL_MODE_4LEVEL    ? 0xc0000000
                        : mode == FL_MODE_4LEVEL ? 0xffff888000000000
                                                 : 0xff11000000000000;
        bool nx = mode != FL_MODE_2LEVEL;
        memset(f->ram.base, 0, 0x100000);
        f->next_table = 0x2000;
        fixture_map(f, &cpu, 0, 0x200000, 0x67);        /* page 0 */
        fixture_map(f, &cpu, 0x400000, 0x201000, 0x67); /* where the executor's own code lies */
        fixture_map(f, &cpu, 0x540000, 0x202000, 0x65); /* there too, read-only */
        fixture_map(f, &cpu, high, 0x203000, 0x63);     /* supervisor */
        fixture_map(f, &cpu, 0x600000, 0x204000, nx ? 0x67 | 1ull << 63 : 0x67);
        fixture_map(f, &cpu, 0x601000, 0x7ff000000ull & (mode == FL_MODE_2LEVEL ? 0x7f000000 : ~0ull),
                    0x67); /* no RAM */
        for (unsigned priv = 0; priv < 2; priv++) {
            unsigned u = priv == FL_USER ? 4 : 0;
            for (unsigned kind = 0; kind < 3; kind++) {
                unsigned w = kind == FL_WRITE ? 2 : 0, x = kind == FL_FETCH && nx ? 16 : 0;
                access_is(f, &cpu, 0, (uint8_t)kind, (uint8_t)priv, false, FL_END_DONE, 0x200000);
                access_is(f, &cpu, 0xfff, (uint8_t)kind, (uint8_t)priv, false, FL_END_DONE, 0x200fff);
                access_is(f, &cpu, 0x400123, (uint8_t)kind, (uint8_t)priv, false, FL_END_DONE, 0x201123);
                access_is(f, &cpu, 0x401123, (uint8_t)kind, (uint8_t)priv, false, FL_END_FAULT, u | w | x);
                if (kind == FL_WRITE)
                    access_is(f, &cpu, 0x540010, FL_WRITE, (uint8_t)priv, false, FL_END_FAULT, 3 | u);
                else
                    access_is(f, &cpu, 0x540010, (uint8_t)kind, (uint8_t)priv, false, FL_END_DONE, 0x202010);
                if (priv == FL_USER)
                    access_is(f, &cpu, high + 5, (uint8_t)kind, FL_USER, false, FL_END_FAULT, 5 | w | x);
                else
                    access_is(f, &cpu, high + 5, (uint8_t)kind, FL_SUPERVISOR, false, FL_END_DONE, 0x203005);
                if (kind == FL_FETCH && nx)
                    access_is(f, &cpu, 0x600000, FL_FETCH, (uint8_t)priv, false, FL_END_FAULT, 0x11 | u);
                access_is(f, &cpu, 0x601008, (uint8_t)kind, (uint8_t)priv, false, FL_END_BUS,
                          mode == FL_MODE_2LEVEL ? 0x7f000008 : 0x7ff000008);
            }
        }
        access_is(f, &cpu, high + 8, FL_READ, FL_IMPLICIT, false, FL_END_DONE, 0x203008);
        access_is(f, &cpu, high + 0x1008, FL_READ, FL_IMPLICIT, false, FL_END_FAULT, 0);
        access_is(f, &cpu, 0, FL_READ, FL_IMPLICIT, true, FL_END_DONE, 0x200000);
        struct fl_cpu smap = cpu;
        smap.cr4 |= 1 << 21 | 1 << 20;
        access_is(f, &smap, 0, FL_READ, FL_SUPERVISOR, false, FL_END_FAULT, 1);
        access_is(f, &smap, 0, FL_READ, FL_SUPERVISOR, true, FL_END_DONE, 0x200000);
        access_is(f, &smap, 0, FL_READ, FL_IMPLICIT, true, FL_END_FAULT, 1); /* AC does not help */
        access_is(f, &smap, 0, FL_FETCH, FL_SUPERVISOR, false, FL_END_FAULT, 0x11);
        access_is(f, &smap, 0, FL_READ, FL_USER, false, FL_END_DONE, 0x200000);
        if (mode >= FL_MODE_4LEVEL) {
            for (unsigned kind = 0; kind < 3; kind++)
                access_is(f, &cpu, 1ull << 62, (uint8_t)kind, FL_USER, false, FL_END_EXCEPTION, 13);
        }
        struct fl_cpu nowhere = cpu;
        nowhere.cr3 = 0x7f000000;
        access_is(f, &nowhere, 0x1000, FL_READ, FL_USER, false, FL_END_BUS, 0);
        access_is(f, &nowhere, 0x1000, FL_FETCH, FL_USER, false, FL_END_BUS, 0);
    }
}

/* A write leaves the byte as it was, also where it lies in the table itself. */
static void bytes_stay(struct fixture *f)
{
    struct fl_cpu cpu = fixture_cpu(FL_MODE_4LEVEL);

    memset(f->ram.base, 0, 0x100000);
    f->next_table = 0x2000;
    fixture_map(f, &cpu, 0x7000, 0x4000, 0x7); /* its own page table: entry 7 at 0x4038 */
    for (unsigned v = 0; v < 256; v += 51) {
        f->ram.base[0x4500] = (uint8_t)v;
        access_is(f, &cpu, 0x7500, FL_WRITE, FL_USER, false, FL_END_DONE, 0x4500);
        CHECK_EQ(f->ram.base[0x4500], v, "the byte is put back");
        CHECK_EQ(r.nstores, 0, "no store is left to note");
    }
    f->ram.base[0x4038] = 0x07;
    access_is(f, &cpu, 0x7038, FL_WRITE, FL_USER, false, FL_END_DONE, 0x4038);
    CHECK_EQ(f->ram.base[0x4038], 0x67, "the entry that maps itself keeps its accessed and dirty bits");
}

static void refusals(struct fixture *f)
{
    struct fl_cpu cpu = fixture_cpu(FL_MODE_4LEVEL);
    struct fl_access a = {0, FL_READ, FL_USER, false};

    cpu.maxphyaddr = 46;
    CHECK_EQ(f->ex->access(f->ex, &cpu, &a, &r), FL_EXEC_UNSUPPORTED, "46 bits");
    CHECK(strcmp(r.reason, "maxphyaddr") == 0, "46 bits");
    cpu = fixture_cpu(FL_MODE_4LEVEL);
    cpu.cr4 |= 1 << 24;
    CHECK_EQ(f->ex->access(f->ex, &cpu, &a, &r), FL_EXEC_UNSUPPORTED, "PKS");
    cpu = fixture_cpu(FL_MODE_4LEVEL);
    cpu.page1gb = false;
    CHECK_EQ(f->ex->access(f->ex, &cpu, &a, &r), FL_EXEC_UNSUPPORTED, "no 1 GiB pages");
    cpu = fixture_cpu(FL_MODE_2LEVEL);
    cpu.cr4 |= 1 << 4;
    cpu.pse36 = false;
    CHECK_EQ(f->ex->access(f->ex, &cpu, &a, &r), FL_EXEC_UNSUPPORTED, "no PSE-36");
    a.priv = FL_IMPLICIT;
    a.kind = FL_WRITE;
    cpu.pse36 = true;
    CHECK_EQ(f->ex->access(f->ex, &cpu, &a, &r), FL_EXEC_UNSUPPORTED, "implicit write");
}

/* Tables anywhere below the executor's own frames, in memory that is not there until it is touched. */
static void sparse(void)
{
    struct fixture f;
    struct fl_cpu cpu = fixture_cpu(FL_MODE_4LEVEL);

    fixture_open(&f, FL_UNICORN_MAX_RAM);
    f.next_table = FL_UNICORN_MAX_RAM - 0x10000;
    cpu.cr3 = 0x1234567000;
    fixture_map(&f, &cpu, 0x7fffdeadb000, 0x9000000000, 0x67);
    access_is(&f, &cpu, 0x7fffdeadbeef, FL_WRITE, FL_USER, false, FL_END_DONE, 0x9000000eefull);
    access_is(&f, &cpu, 0x7fffdeadceef, FL_WRITE, FL_USER, false, FL_END_FAULT, 6);
    fixture_close(&f);
}

int main(void)
{
    struct fixture f;

    for (unsigned i = 0; i < 8; i++) {
        fixture_open(&f, i == 0 ? 4096 : 4u << 20);
        CHECK(strcmp(f.ex->name, "unicorn") == 0 && f.ex->version[0] == '2', "name and version");
        fixture_close(&f);
    }
    fixture_open(&f, 4u << 20);
    by_hand(&f);
    bytes_stay(&f);
    refusals(&f);
    fixture_close(&f);
    sparse();
    return check_done("exec open");
}
