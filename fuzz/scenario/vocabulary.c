/* SPDX-License-Identifier: MIT */
/* The records of the text form, as rows. docs/scenario-format.md lists the same; a test holds it against them. */
#include "vocabulary.h"

/* ---- words ------------------------------------------------------------------------------------------------------ */

static const struct fl_word map_flags[] = {{"p", FL_MAP_PRESENT},  {"w", FL_MAP_WRITE}, {"u", FL_MAP_USER},
                                           {"a", FL_MAP_ACCESSED}, {"d", FL_MAP_DIRTY}, {"nx", FL_MAP_NX},
                                           {"g", FL_MAP_GLOBAL},   {"pat", FL_MAP_PAT}, {NULL, 0}};
static const struct fl_word prots[] = {{"r", FL_PROT_READ}, {"w", FL_PROT_WRITE}, {"x", FL_PROT_EXEC}, {NULL, 0}};
static const struct fl_word gprs[] = {{"rax", FL_RAX}, {"rcx", FL_RCX}, {"rdx", FL_RDX}, {"rbx", FL_RBX},
                                      {"rbp", FL_RBP}, {"rsi", FL_RSI}, {"rdi", FL_RDI}, {"r8", FL_R8},
                                      {"r9", FL_R9},   {"r10", FL_R10}, {"r11", FL_R11}, {"r12", FL_R12},
                                      {"r13", FL_R13}, {"r14", FL_R14}, {"r15", FL_R15}, {NULL, 0}};
static const struct fl_word injections[] = {{"lock-contended", FL_INJ_LOCK_CONTENDED},
                                            {"expand-refused", FL_INJ_EXPAND_REFUSED},
                                            {"mm-oom", FL_INJ_MM_OOM},
                                            {"mm-sigbus", FL_INJ_MM_SIGBUS},
                                            {"mm-major", FL_INJ_MM_MAJOR},
                                            {"probe", FL_INJ_PROBE},
                                            {"mm-hwpoison", FL_INJ_MM_HWPOISON},
                                            {"mm-hwpoison-large", FL_INJ_MM_HWPOISON_LARGE},
                                            {"mm-sigsegv", FL_INJ_MM_SIGSEGV},
                                            {"mm-retry", FL_INJ_MM_RETRY},
                                            {"mm-retry-major", FL_INJ_MM_RETRY_MAJOR},
                                            {"fatal-signal", FL_INJ_FATAL_SIGNAL},
                                            {"yield-unmap", FL_INJ_YIELD_UNMAP},
                                            {"yield-protect", FL_INJ_YIELD_PROTECT},
                                            {"ratelimited", FL_INJ_RATELIMITED},
                                            {"report-contended", FL_INJ_REPORT_CONTENDED},
                                            {"kprobe", FL_INJ_KPROBE},
                                            {"vsyscall-fault", FL_INJ_VSYSCALL_FAULT},
                                            {NULL, 0}};
static const struct fl_word access_kinds[] = {{"read", FL_READ}, {"write", FL_WRITE}, {"fetch", FL_FETCH}, {NULL, 0}};
static const struct fl_word access_privs[] = {
    {"user", FL_USER}, {"supervisor", FL_SUPERVISOR}, {"implicit", FL_IMPLICIT}, {NULL, 0}};
static const struct fl_word touch_privs[] = {{"user", FL_USER}, {"supervisor", FL_SUPERVISOR}, {NULL, 0}};
static const struct fl_word mms[] = {{"0", 0}, {"1", 1}, {"2", 2}, {"3", 3}, {"none", FL_MM_NONE}, {NULL, 0}};

_Static_assert(FL_MAX_MMS == 4, "mms names each address space");

/* ---- rows ------------------------------------------------------------------------------------------------------- */

#define PAGE_RULE "a page-aligned address, below 4 GiB in modes 2level and pae"
#define FILE_RULE "pgoff and size only together with file"

#define R(member) FIELD(struct fl_record, u.member)

/* Pieces that several records share. */
#define ADDRESS(member)                                                                                                \
    {                                                                                                                  \
        R(member), .type = FL_ITEM_HEX, ANY64, .rule = BELOW_4G                                                        \
    }
#define PAGE_ADDR(member)                                                                                              \
    {                                                                                                                  \
        R(member), .type = FL_ITEM_HEX, ANY64, .rule = PAGE_RULE                                                       \
    }
#define CHOICE(member, of)                                                                                             \
    {                                                                                                                  \
        R(member), .type = FL_ITEM_WORD, .words = of                                                                   \
    }
#define PAGES(member)                                                                                                  \
    {                                                                                                                  \
        .key = "pages", R(member), .type = FL_ITEM_DEC, .min = 1, .max = 1u << 24                                      \
    }
#define PKEY(member)                                                                                                   \
    {                                                                                                                  \
        .key = "pkey", R(member), .type = FL_ITEM_DEC, .max = 15, .presence = FL_ITEM_OPTIONAL                         \
    }
#define PROT(member)                                                                                                   \
    {                                                                                                                  \
        .key = "prot", R(member), .type = FL_ITEM_PROT, .words = prots, .mask = FL_PROT_BITS                           \
    }
#define CODE(count, code, least)                                                                                       \
    {                                                                                                                  \
        R(count), .type = FL_ITEM_CODE, .data = offsetof(struct fl_record, u.code), .min = least, .max = FL_MAX_CODE   \
    }
#define FLAG(name, member, bits)                                                                                       \
    {                                                                                                                  \
        .key = name, R(member), .type = FL_ITEM_FLAG, .mask = bits, .presence = FL_ITEM_OPTIONAL                       \
    }
#define END                                                                                                            \
    {                                                                                                                  \
        .width = 0                                                                                                     \
    }

static const struct fl_item map_items[] = {
    ADDRESS(map.va),
    {.key = "frame", R(map.frame), .type = FL_ITEM_DEC, .max = 1023},
    {.key = "level", R(map.level), .type = FL_ITEM_DEC, .min = 1, .max = 3, .usual = 1, .presence = FL_ITEM_SHOWN},
    {.key = "flags", R(map.flags), .type = FL_ITEM_SET, .words = map_flags, .mask = FL_MAP_FLAGS},
    PKEY(map.pkey),
    END,
};
static const struct fl_item entry_items[] = {
    ADDRESS(entry.va),
    {.key = "level",
     R(entry.level),
     .type = FL_ITEM_DEC,
     .min = 1,
     .max = 5,
     .rule = "a level that the mode has (2level: 1..2, pae: 1..3, 4level: 1..4, 5level: 1..5)"},
    {.key = "set",
     R(entry.set),
     .type = FL_ITEM_HEX,
     ANY64,
     .rule = "set without bits outside mask (and of 32 bits in mode 2level)"},
    {.key = "mask", R(entry.mask), .type = FL_ITEM_HEX, ANY64, .rule = "a mask of 32 bits in mode 2level"},
    END,
};
static const struct fl_item vma_items[] = {
    PAGE_ADDR(vma.start),
    PAGES(vma.pages),
    PROT(vma.flags),
    FLAG("shared", vma.flags, FL_VMA_SHARED),
    FLAG("growsdown", vma.flags, FL_VMA_GROWSDOWN),
    PKEY(vma.pkey),
    {.key = "file", R(vma.file), .type = FL_ITEM_DEC, .max = 3, .presence = FL_ITEM_OPTIONAL, .vma_sets = FL_VMA_FILE},
    {.key = "pgoff",
     R(vma.pgoff),
     .type = FL_ITEM_DEC,
     .max = 65535,
     .presence = FL_ITEM_OPTIONAL,
     .vma_needs = FL_VMA_FILE,
     .rule = FILE_RULE},
    {.key = "size", R(vma.file_pages), .type = FL_ITEM_DEC, ANY32, .vma_needs = FL_VMA_FILE, .rule = FILE_RULE},
    END,
};
static const struct fl_item range_items[] = {PAGE_ADDR(range.start), PAGES(range.pages), END};
static const struct fl_item protect_items[] = {PAGE_ADDR(range.start), PAGES(range.pages), PROT(range.prot), END};
static const struct fl_item regs_items[] = {
    CHOICE(regs.user, privileges),
    {.key = "bits", R(regs.code_bits), .type = FL_ITEM_WORD, .words = code_sizes, .rule = BITS_RULE},
    {.key = "ip", R(regs.ip), .type = FL_ITEM_HEX, ANY64, .rule = BELOW_4G},
    {.key = "sp", R(regs.sp), .type = FL_ITEM_HEX, ANY64, .rule = BELOW_4G},
    {.key = "flags",
     R(regs.flags),
     .type = FL_ITEM_HEX,
     ANY32,
     .usual = 0x202,
     .presence = FL_ITEM_SHOWN,
     .rule = FLAG_RULE},
    END,
};
static const struct fl_item gpr_items[] = {
    {R(gpr.index), .type = FL_ITEM_WORD, .words = gprs, .rule = "rax to rdi in modes 2level and pae"},
    ADDRESS(gpr.value),
    END,
};
static const struct fl_item bytes_items[] = {
    ADDRESS(bytes.va),
    CODE(bytes.n, bytes.data, 0),
    END,
};
static const struct fl_item extable_items[] = {
    ADDRESS(extable.ip),
    {.key = "fixup", R(extable.fixup), .type = FL_ITEM_HEX, ANY64, .rule = BELOW_4G},
    END,
};
static const struct fl_item inject_items[] = {
    CHOICE(inject.op, injections),
    {.key = "from",
     R(inject.n),
     .type = FL_ITEM_DEC,
     .max = 15,
     .presence = FL_ITEM_OPTIONAL,
     .rule = "from only with probe"},
    END,
};
static const struct fl_item access_items[] = {
    CHOICE(access.kind, access_kinds), CHOICE(access.priv, access_privs), ADDRESS(access.va),
    FLAG("ac", access.ac, 1),          FLAG("exec", access.execute, 1),   END,
};
static const struct fl_item fault_items[] = {
    {.key = "cr2", R(fault.cr2), .type = FL_ITEM_HEX, ANY64, .rule = BELOW_4G},
    {.key = "code", R(fault.code), .type = FL_ITEM_HEX, ANY32},
    END,
};
static const struct fl_item exec_items[] = {
    CHOICE(exec.user, privileges),
    ADDRESS(exec.ip),
    CODE(exec.n, exec.code, 1),
    END,
};
static const struct fl_item decode_items[] = {
    {R(decode.bits), .type = FL_ITEM_WORD, .words = code_sizes, .rule = BITS_RULE},
    CHOICE(decode.user, privileges),
    FLAG("fetch", decode.fetch, 1),
    CODE(decode.n, decode.code, 0),
    END,
};
static const struct fl_item ioremap_items[] = {
    ADDRESS(ioremap.va),
    {.key = "leaves",
     R(ioremap.leaves),
     .type = FL_ITEM_DEC,
     .min = 1,
     .max = 256,
     .usual = 1,
     .presence = FL_ITEM_SHOWN},
    {.key = "frame", R(ioremap.frame), .type = FL_ITEM_DEC, .max = 1023},
    {.key = "level", R(ioremap.level), .type = FL_ITEM_DEC, .min = 1, .max = 3, .usual = 1, .presence = FL_ITEM_SHOWN},
    {.key = "flags", R(ioremap.flags), .type = FL_ITEM_SET, .words = map_flags, .mask = FL_MAP_FLAGS},
    END,
};
static const struct fl_item iounmap_items[] = {PAGE_ADDR(iounmap.start), PAGES(iounmap.pages), END};
static const struct fl_item fork_items[] = {
    {.key = "mm", R(mm.mm), .type = FL_ITEM_DEC, .min = 1, .max = FL_MAX_MMS - 1},
    END,
};
static const struct fl_item switch_items[] = {
    {.key = "mm", R(mm.mm), .type = FL_ITEM_WORD, .words = mms},
    FLAG("lag", mm.lag, 1),
    END,
};
static const struct fl_item ldt_items[] = {
    {R(ldt.index), .type = FL_ITEM_DEC, .max = FL_MAX_LDT - 1},
    {.key = "bits", R(ldt.bits), .type = FL_ITEM_WORD, .words = code_sizes},
    {.key = "base", R(ldt.base), .type = FL_ITEM_HEX, ANY32, .presence = FL_ITEM_SHOWN},
    {.key = "limit",
     R(ldt.limit),
     .type = FL_ITEM_HEX,
     ANY32,
     .usual = UINT32_MAX,
     .presence = FL_ITEM_SHOWN,
     .rule = "a limit of at most 0xfffff, or one that ends in fff"},
    END,
};
static const struct fl_item cs_items[] = {{R(cs.selector), .type = FL_ITEM_HEX, .max = 0xffff}, END};
static const struct fl_item touch_items[] = {
    CHOICE(touch.kind, access_kinds),
    CHOICE(touch.priv, touch_privs),
    ADDRESS(touch.va),
    END,
};
static const struct fl_item syncall_items[] = {END};

const struct fl_record_spec fl_record_specs[FL_REC_AREA] = {
    [FL_REC_MAP] = {"map", false, map_items},
    [FL_REC_ENTRY] = {"entry", false, entry_items},
    [FL_REC_VMA] = {"vma", false, vma_items},
    [FL_REC_UNMAP] = {"unmap", false, range_items},
    [FL_REC_PROTECT] = {"protect", false, protect_items},
    [FL_REC_ZAP] = {"zap", false, range_items},
    [FL_REC_REGS] = {"regs", false, regs_items},
    [FL_REC_GPR] = {"gpr", false, gpr_items},
    [FL_REC_BYTES] = {"bytes", false, bytes_items},
    [FL_REC_EXTABLE] = {"extable", false, extable_items},
    [FL_REC_INJECT] = {"inject", false, inject_items},
    [FL_REC_ACCESS] = {"access", true, access_items},
    [FL_REC_FAULT] = {"fault", true, fault_items},
    [FL_REC_EXEC] = {"exec", true, exec_items},
    [FL_REC_DECODE] = {"decode", true, decode_items},
    [FL_REC_IOREMAP] = {"ioremap", false, ioremap_items},
    [FL_REC_IOUNMAP] = {"iounmap", false, iounmap_items},
    [FL_REC_FORK] = {"fork", false, fork_items},
    [FL_REC_SWITCH] = {"switch", false, switch_items},
    [FL_REC_LDT] = {"ldt", false, ldt_items},
    [FL_REC_CS] = {"cs", false, cs_items},
    [FL_REC_TOUCH] = {"touch", true, touch_items},
    [FL_REC_SYNCALL] = {"sync-all", true, syncall_items},
};
