/* SPDX-License-Identifier: MIT */
/* The records of target gup in the text form, as rows. */
#include "vocabulary.h"

#include <faultline/pin.h>

/* ---- words ------------------------------------------------------------------------------------------------------ */

static const struct fl_word area_kinds[] = {{"anon", FL_AREA_ANON},
                                            {"file", FL_AREA_FILE},
                                            {"shmem", FL_AREA_SHMEM},
                                            {"hugetlb", FL_AREA_HUGETLB},
                                            {"hugetlb-1g", FL_AREA_HUGETLB1G},
                                            {"device", FL_AREA_DEVICE},
                                            {"special", FL_AREA_SPECIAL},
                                            {NULL, 0}};
static const struct fl_word area_flags[] = {{"r", FL_AREA_READ},
                                            {"w", FL_AREA_WRITE},
                                            {"x", FL_AREA_EXEC},
                                            {"may-read", FL_AREA_MAY_READ},
                                            {"may-write", FL_AREA_MAY_WRITE},
                                            {"shared", FL_AREA_SHARED},
                                            {"growsdown", FL_AREA_GROWSDOWN},
                                            {"locked", FL_AREA_LOCKED},
                                            {"io", FL_AREA_IO},
                                            {"pfnmap", FL_AREA_PFNMAP},
                                            {"huge", FL_AREA_HUGE},
                                            {NULL, 0}};
static const struct fl_word prots[] = {{"r", FL_AREA_READ}, {"w", FL_AREA_WRITE}, {"x", FL_AREA_EXEC}, {NULL, 0}};
static const struct fl_word acts[] = {{"read", FL_ACTOR_READ},
                                      {"write", FL_ACTOR_WRITE},
                                      {"dontneed", FL_ACTOR_DONTNEED},
                                      {"munmap", FL_ACTOR_MUNMAP},
                                      {"mprotect", FL_ACTOR_MPROTECT},
                                      {"fork", FL_ACTOR_FORK},
                                      {"exit", FL_ACTOR_EXIT},
                                      {"mlock", FL_ACTOR_MLOCK},
                                      {"uffd-continue", FL_ACTOR_UFFD_CONTINUE},
                                      {"reclaim", FL_ACTOR_RECLAIM},
                                      {"migrate-begin", FL_ACTOR_MIGRATE_BEGIN},
                                      {"migrate-end", FL_ACTOR_MIGRATE_END},
                                      {"hint", FL_ACTOR_HINT},
                                      {"collapse", FL_ACTOR_COLLAPSE},
                                      {"split-begin", FL_ACTOR_SPLIT_BEGIN},
                                      {"split", FL_ACTOR_SPLIT},
                                      {"poison", FL_ACTOR_POISON},
                                      {"truncate", FL_ACTOR_TRUNCATE},
                                      {"clean", FL_ACTOR_CLEAN},
                                      {"device-gone", FL_ACTOR_DEVICE_GONE},
                                      {"saturate", FL_ACTOR_SATURATE},
                                      {"sigkill", FL_ACTOR_SIGKILL},
                                      {"sigkill-other", FL_ACTOR_SIGKILL_OTHER},
                                      {"unpin", FL_ACTOR_UNPIN},
                                      {"use", FL_ACTOR_USE},
                                      {"gate-gone", FL_ACTOR_GATE_GONE},
                                      {NULL, 0}};
static const struct fl_word ops[] = {{"read", FL_PINOP_READ},
                                     {"ptl-lock", FL_PINOP_PTL_LOCK},
                                     {"ptl-unlock", FL_PINOP_PTL_UNLOCK},
                                     {"migration-wait", FL_PINOP_MIGRATION_WAIT},
                                     {"split-huge", FL_PINOP_SPLIT_HUGE},
                                     {"split-wait", FL_PINOP_SPLIT_WAIT},
                                     {"touch-leaf", FL_PINOP_TOUCH_LEAF},
                                     {"page-head", FL_PINOP_PAGE_HEAD},
                                     {"page-get", FL_PINOP_PAGE_GET},
                                     {"page-get-speculative", FL_PINOP_PAGE_GET_SPECULATIVE},
                                     {"page-put", FL_PINOP_PAGE_PUT},
                                     {"page-tail-get", FL_PINOP_PAGE_TAIL_GET},
                                     {"page-fact", FL_PINOP_PAGE_FACT},
                                     {"page-mark", FL_PINOP_PAGE_MARK},
                                     {"device-get", FL_PINOP_DEVICE_GET},
                                     {"device-put", FL_PINOP_DEVICE_PUT},
                                     {"vma-find", FL_PINOP_VMA_FIND},
                                     {"gate-vma", FL_PINOP_GATE_VMA},
                                     {"mm-fault", FL_PINOP_MM_FAULT},
                                     {"hugetlb-fault", FL_PINOP_HUGETLB_FAULT},
                                     {"mm-lock", FL_PINOP_MM_LOCK},
                                     {"mm-unlock", FL_PINOP_MM_UNLOCK},
                                     {"fatal-signal", FL_PINOP_FATAL_SIGNAL},
                                     {"resched", FL_PINOP_RESCHED},
                                     {"irq-save", FL_PINOP_IRQ_SAVE},
                                     {"irq-restore", FL_PINOP_IRQ_RESTORE},
                                     {NULL, 0}};
static const struct fl_word answers[] = {{"refuse", FL_PINANS_REFUSE},
                                         {"sigbus", FL_PINANS_SIGBUS},
                                         {"sigsegv", FL_PINANS_SIGSEGV},
                                         {"hwpoison", FL_PINANS_HWPOISON},
                                         {"hwpoison-large", FL_PINANS_HWPOISON_LARGE},
                                         {"retry", FL_PINANS_RETRY},
                                         {"retry-major", FL_PINANS_RETRY_MAJOR},
                                         {"major", FL_PINANS_MAJOR},
                                         {"lazy", FL_PINANS_LAZY},
                                         {"opposite", FL_PINANS_TRUE},
                                         {"garbage", FL_PINANS_GARBAGE},
                                         {NULL, 0}};
static const struct fl_word apis[] = {
    {"pin", FL_PINAPI_PIN},     {"user", FL_PINAPI_USER}, {"fast-only", FL_PINAPI_FAST_ONLY}, {"fast", FL_PINAPI_FAST},
    {"fixup", FL_PINAPI_FIXUP}, {"dump", FL_PINAPI_DUMP}, {"follow", FL_PINAPI_FOLLOW},       {NULL, 0}};
static const struct fl_word folls[] = {
    {"write", FL_FOLL_WRITE},         {"touch", FL_FOLL_TOUCH},       {"dump", FL_FOLL_DUMP},
    {"force", FL_FOLL_FORCE},         {"nowait", FL_FOLL_NOWAIT},     {"mlock", FL_FOLL_MLOCK},
    {"split", FL_FOLL_SPLIT},         {"hwpoison", FL_FOLL_HWPOISON}, {"numa", FL_FOLL_NUMA},
    {"migration", FL_FOLL_MIGRATION}, {"tried", FL_FOLL_TRIED},       {NULL, 0}};

/* ---- rows ------------------------------------------------------------------------------------------------------- */

#define PAGE_RULE "a page-aligned address, below 4 GiB in modes 2level and pae"
#define FILE_RULE "file, pgoff and size only with a kind that has a file"

#define R(member) FIELD(struct fl_record, u.member)

static const struct fl_item area_items[] = {
    {R(area.kind), .type = FL_ITEM_WORD, .words = area_kinds},
    {R(area.start), .type = FL_ITEM_HEX, ANY64, .rule = PAGE_RULE},
    {.key = "pages", R(area.pages), .type = FL_ITEM_DEC, .min = 1, .max = 1u << 24},
    {.key = "flags",
     R(area.flags),
     .type = FL_ITEM_SET,
     .words = area_flags,
     .mask = FL_AREA_FLAGS,
     .rule =
         "may-read with r, may-write with w; growsdown and huge only with anon, not shared; io and pfnmap only with "
         "special"},
    {.key = "file", R(area.file), .type = FL_ITEM_DEC, .max = 3, .presence = FL_ITEM_OPTIONAL, .rule = FILE_RULE},
    {.key = "pgoff", R(area.pgoff), .type = FL_ITEM_DEC, .max = 65535, .presence = FL_ITEM_OPTIONAL, .rule = FILE_RULE},
    {.key = "size", R(area.file_pages), .type = FL_ITEM_DEC, ANY32, .presence = FL_ITEM_OPTIONAL, .rule = FILE_RULE},
    {.key = "pkey", R(area.pkey), .type = FL_ITEM_DEC, .max = 15, .presence = FL_ITEM_OPTIONAL},
    {.width = 0},
};

#define ACT_ITEMS                                                                                                      \
    {R(act.act), .type = FL_ITEM_WORD, .words = acts}, {R(act.va), .type = FL_ITEM_HEX, ANY64, .rule = PAGE_RULE},     \
        {.key = "pages",                                                                                               \
         R(act.pages),                                                                                                 \
         .type = FL_ITEM_DEC,                                                                                          \
         .min = 1,                                                                                                     \
         .max = 1u << 24,                                                                                              \
         .usual = 1,                                                                                                   \
         .presence = FL_ITEM_OPTIONAL},                                                                                \
        {.key = "mm", R(act.mm), .type = FL_ITEM_DEC, .max = 1, .presence = FL_ITEM_OPTIONAL},                         \
    {                                                                                                                  \
        .key = "prot", R(act.arg), .type = FL_ITEM_SET, .words = prots, .mask = 7, .presence = FL_ITEM_OPTIONAL,       \
        .rule = "prot only with mprotect"                                                                              \
    }
#define AT_ITEMS(where)                                                                                                \
    {.key = "at", R(where.op), .type = FL_ITEM_WORD, .words = ops},                                                    \
    {                                                                                                                  \
        .key = "nth", R(where.nth), .type = FL_ITEM_DEC, .min = 1, .max = 255, .usual = 1, .presence = FL_ITEM_SHOWN   \
    }

static const struct fl_item act_items[] = {ACT_ITEMS, {.width = 0}};
static const struct fl_item race_items[] = {ACT_ITEMS, AT_ITEMS(act), {.width = 0}};
static const struct fl_item answer_items[] = {
    {R(answer.answer), .type = FL_ITEM_WORD, .words = answers}, AT_ITEMS(answer), {.width = 0}};
static const struct fl_item pin_items[] = {
    {R(pin.api), .type = FL_ITEM_WORD, .words = apis},
    {R(pin.start), .type = FL_ITEM_HEX, ANY64, .rule = BELOW_4G},
    {.key = "pages",
     R(pin.n),
     .type = FL_ITEM_DEC,
     ANY32,
     .usual = 1,
     .presence = FL_ITEM_SHOWN,
     .rule = "pages 0..65535 with pin and user, 1 with fixup, dump and follow"},
    {.key = "flags",
     R(pin.flags),
     .type = FL_ITEM_SET,
     .words = folls,
     .mask = FL_FOLL_BITS,
     .presence = FL_ITEM_OPTIONAL,
     .rule = "flags that the call takes"},
    {.key = "nonblocking",
     R(pin.nonblocking),
     .type = FL_ITEM_FLAG,
     .mask = 1,
     .presence = FL_ITEM_OPTIONAL,
     .rule = "nonblocking only with pin and fixup"},
    {.key = "remote",
     R(pin.remote),
     .type = FL_ITEM_FLAG,
     .mask = 1,
     .presence = FL_ITEM_OPTIONAL,
     .rule = "remote not with fast and fast-only"},
    {.key = "get",
     R(pin.pages),
     .type = FL_ITEM_FLAG,
     .mask = 1,
     .presence = FL_ITEM_OPTIONAL,
     .rule = "get only with pin, user and follow"},
    {.key = "vmas",
     R(pin.vmas),
     .type = FL_ITEM_FLAG,
     .mask = 1,
     .presence = FL_ITEM_OPTIONAL,
     .rule = "vmas only with pin and user"},
    {.width = 0},
};

const struct fl_record_spec fl_record_specs_pin[FL_REC_COUNT - FL_REC_AREA] = {
    {"area", false, area_items},     {"act", false, act_items}, {"race", false, race_items},
    {"answer", false, answer_items}, {"pin", true, pin_items},
};

/* ---- names ------------------------------------------------------------------------------------------------------ */

static const char *name_of(const struct fl_word *words, unsigned value)
{
    for (; words->text; words++)
        if (words->value == value)
            return words->text;
    return "?";
}

const char *fl_pin_actor_name(unsigned act)
{
    return name_of(acts, act);
}

const char *fl_pin_op_name(unsigned op)
{
    return name_of(ops, op);
}

const char *fl_pin_answer_name(unsigned answer)
{
    return name_of(answers, answer);
}

const char *fl_pin_api_name(unsigned api)
{
    return name_of(apis, api);
}
