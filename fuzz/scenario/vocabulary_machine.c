/* SPDX-License-Identifier: MIT */
/* The machine keys of the text form, as rows. docs/scenario-format.md lists the same; a test holds it against them. */
#include "vocabulary.h"

/* ---- words ------------------------------------------------------------------------------------------------------ */

static const struct fl_word yes_no[] = {{"yes", 1}, {"no", 0}, {NULL, 0}};
static const struct fl_word modes[] = {{"2level", FL_MODE_2LEVEL},
                                       {"pae", FL_MODE_PAE},
                                       {"4level", FL_MODE_4LEVEL},
                                       {"5level", FL_MODE_5LEVEL},
                                       {NULL, 0}};
static const struct fl_word vendors[] = {{"intel", FL_VENDOR_INTEL}, {"amd", FL_VENDOR_AMD}, {NULL, 0}};
static const struct fl_word splits[] = {{"3g/1g", 0}, {"2g/2g", 1}, {"1g/3g", 2}, {NULL, 0}};
static const struct fl_word archs[] = {{"x86", 0}, {"sh4", 1}, {NULL, 0}};
static const struct fl_word generations[] = {{"current", FL_GEN_CURRENT},     {"2008-32", FL_GEN_2008_32},
                                             {"2008-64", FL_GEN_2008_64},     {"2014-native", FL_GEN_2014_NATIVE},
                                             {"2014-pv32", FL_GEN_2014_PV32}, {"2014-pv64", FL_GEN_2014_PV64},
                                             {"2016", FL_GEN_2016},           {NULL, 0}};
static const struct fl_word comms[] = {{"cat", 0}, {"init", 1}, {"odd", 2}, {"long", 3}, {NULL, 0}};

/* ---- rows ------------------------------------------------------------------------------------------------------- */

#define GENERATION_RULE                                                                                                \
    "a generation that the mode has (2level and pae: current, 2008-32, 2014-native, 2014-pv32, 2016; 4level: "         \
    "current, 2008-64, 2014-native, 2014-pv64, 2016; 5level and arch sh4: current)"
#define VMALLOC_RULE                                                                                                   \
    "a page-aligned kernel address (64-bit: not in the last top-level entry), and vmalloc-start below vmalloc-end"

#define M(name, member) .key = name, FIELD(struct fl_machine, member), .presence = FL_ITEM_OPTIONAL
#define YES_NO(name, member, value)                                                                                    \
    {                                                                                                                  \
        M(name, member), .type = FL_ITEM_WORD, .words = yes_no, .usual = value                                         \
    }

const struct fl_item fl_machine_items[] = {
    {.key = "mode",
     FIELD(struct fl_machine, mode),
     .presence = FL_ITEM_SHOWN,
     .type = FL_ITEM_WORD,
     .words = modes,
     .usual = FL_MODE_4LEVEL,
     .rule = "mode 2level with arch sh4",
     .on_sh4 = true},
    {M("arch", sh4), .type = FL_ITEM_WORD, .words = archs, .on_sh4 = true},
    {M("vendor", vendor), .type = FL_ITEM_WORD, .words = vendors},
    {M("family", family), .type = FL_ITEM_DEC, .min = 4, .max = 255, .usual = 6},
    {M("maxphyaddr", maxphyaddr), .type = FL_ITEM_DEC, .min = 32, .max = 52, .usual = 40},
    YES_NO("pse36", pse36, 1),
    YES_NO("page1gb", page1gb, 1),
    YES_NO("wp", wp, 1),
    YES_NO("pse", pse, 1),
    YES_NO("smep", smep, 1),
    YES_NO("smap", smap, 0),
    YES_NO("pke", pke, 0),
    YES_NO("pks", pks, 0),
    YES_NO("nxe", nxe, 1),
    {M("split", split), .type = FL_ITEM_WORD, .words = splits, .rule = "split 3g/1g in modes 4level and 5level"},
    {M("code-bits", code_bits), .type = FL_ITEM_WORD, .words = code_sizes, .usual = 64, .rule = BITS_RULE},
    {M("privilege", user), .type = FL_ITEM_WORD, .words = privileges, .usual = 1},
    YES_NO("has-mm", has_mm, 1),
    {M("in-atomic", in_atomic), .type = FL_ITEM_WORD, .words = yes_no, .rule = "in-atomic yes with in-nmi yes"},
    YES_NO("faults-disabled", faults_disabled, 0),
    YES_NO("catches-signals", catches_signals, 1),
    {M("pid", pid), .type = FL_ITEM_DEC, .min = 1, ANY32, .usual = 1000},
    {M("pkru", pkru), .type = FL_ITEM_HEX, ANY32},
    {M("pkrs", pkrs), .type = FL_ITEM_HEX, ANY32},
    {M("ip", ip), .type = FL_ITEM_HEX, ANY64, .usual = 0x400000, .rule = BELOW_4G},
    {M("sp", sp), .type = FL_ITEM_HEX, ANY64, .usual = 0x3ffff000, .rule = BELOW_4G},
    {M("flags", flags), .type = FL_ITEM_HEX, ANY32, .usual = 0x202, .rule = FLAG_RULE},
    {M("seg-base", seg_base), .type = FL_ITEM_HEX, ANY32, .rule = "seg-base 0 for 64-bit code"},
    {M("seg-limit", seg_limit), .type = FL_ITEM_HEX, ANY32, .usual = UINT32_MAX},
    {M("stack-pages", stack_pages), .type = FL_ITEM_DEC, ANY32, .usual = 2048},
    {M("as-pages", as_pages), .type = FL_ITEM_DEC, ANY32, .usual = UINT32_MAX},
    {M("guard-pages", guard_pages), .type = FL_ITEM_DEC, .max = 65535, .usual = 256},
    {M("min-addr-pages", min_addr_pages), .type = FL_ITEM_DEC, .max = 65535, .usual = 16},
    {M("gpr-seed", gpr_seed), .type = FL_ITEM_DEC, .max = 255},
    /* the kernel */
    {M("generation", generation), .type = FL_ITEM_WORD, .words = generations, .rule = GENERATION_RULE, .on_sh4 = true},
    YES_NO("fault-retry", fault_retry, 0),
    YES_NO("spurious-check", spurious_check, 0),
    YES_NO("kernel-smap", kernel_smap, 0),
    YES_NO("no-user-fetch", no_user_fetch, 0),
    YES_NO("kernel-pku", kernel_pku, 0),
    {M("vsyscall", vsyscall), .type = FL_ITEM_WORD, .words = yes_no, .rule = "vsyscall no in modes 2level and pae"},
    {M("f00f-bug", f00f_bug), .type = FL_ITEM_WORD, .words = yes_no, .rule = "f00f-bug no in modes 4level and 5level"},
    {M("shared-pmd", shared_pmd), .type = FL_ITEM_WORD, .words = yes_no, .usual = 1,
     .rule = "shared-pmd yes in all modes but pae"},
    YES_NO("show-unhandled", show_unhandled, 1),
    YES_NO("oops-may-print", oops_may_print, 1),
    YES_NO("lazy-mmu", lazy_mmu, 0),
    YES_NO("in-nmi", in_nmi, 0),
    YES_NO("kprobe", kprobe_running, 0),
    YES_NO("pte-special", pte_special, 1),
    YES_NO("pv-flush", pv_flush, 0),
    {M("sh4-fixed", sh4_fixed), .type = FL_ITEM_WORD, .words = yes_no, .usual = 1,
     .rule = "sh4-fixed yes with arch x86", .on_sh4 = true},
    {M("comm", comm), .type = FL_ITEM_WORD, .words = comms},
    {M("low-frames", low_frames), .type = FL_ITEM_DEC, .max = 65535, .usual = 1024},
    {M("uid", uid), .type = FL_ITEM_DEC, ANY32, .usual = 1000},
    {M("idt", idt), .type = FL_ITEM_HEX, ANY32, .usual = 0xfffbf000, .rule = "idt 0 in modes 4level and 5level"},
    {M("vmalloc-start", vmalloc_start), .type = FL_ITEM_HEX, ANY64, .rule = VMALLOC_RULE, .on_sh4 = true},
    {M("vmalloc-end", vmalloc_end), .type = FL_ITEM_HEX, ANY64, .rule = VMALLOC_RULE, .on_sh4 = true},
    {.width = 0},
};

_Static_assert(sizeof(fl_machine_items) / sizeof(fl_machine_items[0]) <= FL_MAX_ITEMS, "parse.c remembers each item");
