/* SPDX-License-Identifier: MIT */
/*
 * The comparers of a walk: each check fires for its own seeded difference, with the key that is written here, and for
 * nothing else.
 */
#include "check.h"
#include "key.h"

#include <faultline/oracle/compare.h>

static const struct fl_cpu cpu = {.mode = FL_MODE_4LEVEL};
static const struct fl_access access_ = {.va = 0x1234, .kind = FL_WRITE};
static const struct fl_arch_result mapped = {.kind = FL_ARCH_OK,
                                             .level = 1,
                                             .page_shift = 12,
                                             .pkey = 3,
                                             .writable = true,
                                             .entry = 0x5023,
                                             .paddr = 0x5234},
                                   denied = {.kind = FL_ARCH_PF,
                                             .level = 1,
                                             .page_shift = 12,
                                             .error_code = 0x7,
                                             .entry = 0x41},
                                   absent = {.kind = FL_ARCH_PF, .level = 2, .error_code = 0x6},
                                   noncanonical = {.kind = FL_ARCH_GP}, no_memory = {.kind = FL_ARCH_BUS, .level = 2};

static struct fl_walk_claim claim_of(const struct fl_arch_result *r)
{
    bool leaf = r->page_shift != 0;
    return (struct fl_walk_claim){.who = "test",
                                  .faults = r->kind == FL_ARCH_PF,
                                  .gp = r->kind == FL_ARCH_GP,
                                  .bus = r->kind == FL_ARCH_BUS,
                                  .error_code = r->error_code,
                                  .has_level = true,
                                  .level = r->level,
                                  .has_paddr = leaf,
                                  .paddr = r->paddr,
                                  .has_perm = leaf,
                                  .writable = r->writable,
                                  .user = r->user,
                                  .nx = r->nx,
                                  .has_pkey = leaf,
                                  .pkey = r->pkey,
                                  .has_entry = true,
                                  .entry = r->entry,
                                  .entry_there = r->entry,
                                  .has_leaf = leaf,
                                  .page_shift = r->page_shift,
                                  .accessed = r->entry & 0x20,
                                  .dirty = r->entry & 0x40};
}

#define WALK(arch, key, ...)                                                                                           \
    do {                                                                                                               \
        struct fl_divergence d;                                                                                        \
        struct fl_walk_claim c = claim_of(&(arch));                                                                    \
        CHECK(!fl_compare_walk(FL_CHECK_WALK, &cpu, &access_, &(arch), &c, &d), "equal claims differ");                \
        __VA_ARGS__;                                                                                                   \
        CHECK(fl_compare_walk(FL_CHECK_WALK, &cpu, &access_, &(arch), &c, &d), "not seen: " #__VA_ARGS__);             \
        expect_key(&d, key, #__VA_ARGS__);                                                                             \
    } while (0)

static void test_walk(void)
{
    WALK(mapped, "walk/kind/ok/pf-write", c.faults = true, c.error_code = 7);
    WALK(mapped, "walk/kind/ok/pf-read", c.faults = true, c.error_code = 5);
    WALK(mapped, "walk/kind/ok/pf-fetch", c.faults = true, c.error_code = 0x15);
    WALK(mapped, "walk/kind/ok/pf-absent", c.faults = true, c.error_code = 4);
    WALK(mapped, "walk/kind/ok/pf-reserved", c.faults = true, c.error_code = 0xd);
    WALK(mapped, "walk/kind/ok/pf-pkey", c.faults = true, c.error_code = 0x25);
    WALK(mapped, "walk/kind/ok/gp", c.gp = true);
    WALK(mapped, "walk/kind/ok/bus", c.bus = true);
    WALK(denied, "walk/kind/pf-write/ok", c.faults = false, c.error_code = 0);
    WALK(noncanonical, "walk/kind/gp/pf-absent", c.gp = false, c.faults = true);
    WALK(no_memory, "walk/kind/bus/pf-absent", c.bus = false, c.faults = true);
    WALK(denied, "walk/code/pf-code-p/pf-code-no-p", c.error_code = 6);
    WALK(denied, "walk/code/pf-code-w/pf-code-no-w", c.error_code = 5);
    WALK(denied, "walk/code/pf-code-u/pf-code-no-u", c.error_code = 3);
    WALK(denied, "walk/code/pf-code-no-rsvd/pf-code-rsvd", c.error_code = 0xf);
    WALK(denied, "walk/code/pf-code-no-i/pf-code-i", c.error_code = 0x17);
    WALK(denied, "walk/code/pf-code-no-pk/pf-code-pk", c.error_code = 0x27);
    WALK(denied, "walk/code/pf-code-rest/pf-code-rest-other", c.error_code = 0x8007);
    WALK(absent, "walk/level/level/lower", c.level = 1);
    WALK(absent, "walk/level/level/higher", c.level = 3);
    WALK(absent, "walk/leaf/none/leaf", c.has_paddr = true);
    WALK(mapped, "walk/paddr/frame/frame-other", c.paddr = 0x6234);
    WALK(denied, "walk/paddr/offset/offset-other", c.paddr = 0x1);
    WALK(mapped, "walk/permission/writable/read-only", c.writable = false);
    WALK(mapped, "walk/permission/supervisor/user", c.user = true);
    WALK(mapped, "walk/permission/executable/nx", c.nx = true);
    WALK(mapped, "walk/pkey/pkey/pkey-other", c.pkey = 0);

    WALK(mapped, "walk/page-size/page-size/smaller", c.page_shift = 0);
    WALK(mapped, "walk/page-size/page-size/larger", c.page_shift = 21);
    WALK(mapped, "walk/accessed/set/clear", c.accessed = false);
    WALK(denied, "walk/accessed/clear/set", c.accessed = true);
    WALK(mapped, "walk/dirty/clear/set", c.dirty = true);
    WALK(denied, "walk/dirty/set/clear", c.dirty = false);
    WALK(absent, "walk/leaf/none/leaf", c.has_leaf = true);
    WALK(mapped, "walk/entry/entry/entry-other", c.entry = 0x5003);
    WALK(absent, "walk/entry/entry/entry-other", c.entry = 2);
    WALK(noncanonical, "walk/entry/entry/entry-other", c.entry = 1);
    WALK(no_memory, "walk/level/level/lower", c.level = 1);
    WALK(mapped, "walk/entry-paddr/entry/entry-other", c.entry_there = 0);
    WALK(no_memory, "walk/entry-paddr/entry/entry-other", c.entry_there = 1);

    /* What the one who answers does not know is not compared. */
    struct fl_walk_claim c = {.who = "test",
                              .paddr = 1,
                              .user = true,
                              .nx = true,
                              .pkey = 9,
                              .level = 9,
                              .entry = 1,
                              .entry_there = 2,
                              .page_shift = 30,
                              .dirty = true};
    struct fl_divergence d;
    CHECK(!fl_compare_walk(FL_CHECK_EXECUTOR, &cpu, &access_, &mapped, &c, &d), "%s", "compared what is not known");
    c.faults = true;
    c.error_code = 7;
    CHECK(fl_compare_walk(FL_CHECK_EXECUTOR, &cpu, &access_, &mapped, &c, &d), "executor");
    expect_key(&d, "executor/kind/ok/pf-write", "executor");
}

static void test_rewalk(void)
{
    struct fl_divergence d;
    CHECK(!fl_compare_rewalk(&mapped, &access_, &d), "permitted");
    CHECK(fl_compare_rewalk(&absent, &access_, &d), "absent");
    expect_key(&d, "rewalk/access/ok/pf-absent", "absent");
    CHECK(fl_compare_rewalk(&denied, &access_, &d), "denied");
    expect_key(&d, "rewalk/access/ok/pf-write", "denied");
    CHECK(fl_compare_rewalk(&no_memory, &access_, &d), "no memory");
    expect_key(&d, "rewalk/access/ok/bus", "no memory");
}

int main(void)
{
    test_walk();
    test_rewalk();
    return check_done("policy compare walk");
}
