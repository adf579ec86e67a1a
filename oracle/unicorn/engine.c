/* SPDX-License-Identifier: MIT */
/* Opening and closing the engine, its memory map and its hooks. */
#include "engine.h"
#include "watchdog.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* Unicorn 2.1.1 leaks 32 bytes for each engine (uc_open, uc_close, nothing else). The leak checker is told so
 * here and not by an option, so that tests and fuzz targets need none. */
#if defined(__has_feature)
#    if __has_feature(address_sanitizer)
#        define LEAK_CHECKER 1
#    endif
#elif defined(__SANITIZE_ADDRESS__)
#    define LEAK_CHECKER 1
#endif
#ifdef LEAK_CHECKER
#    include <sanitizer/lsan_interface.h>
#    define LEAKS_OFF() __lsan_disable()
#    define LEAKS_ON()  __lsan_enable()
#else
#    define LEAKS_OFF() ((void)0)
#    define LEAKS_ON()  ((void)0)
#endif

/* ---- hooks
 * ------------------------------------------------------------------------------------------------------ */

static void on_interrupt(uc_engine *uc, uint32_t vector, void *user)
{
    struct engine *e = user;

    switch (e->phase) {
    case PHASE_FILL:
        if (vector != 3) {
            e->broken = "the executor's own code page could not be fetched";
            uc_emu_stop(uc);
            return;
        }
        e->phase = PHASE_ACCESS;
        uc_context_restore(uc, e->now);
        return;
    case PHASE_RUN: run_interrupted(e, (int)vector); return;
    case PHASE_RECORD:
    case PHASE_ACCESS:
    case PHASE_FETCH:
        e->vector = (int)vector;
        if (vector != 3 || e->phase == PHASE_RECORD)
            uc_context_save(uc, e->seen);
        uc_emu_stop(uc);
        return;
    }
}

static void on_data(uc_engine *uc, uc_mem_type type, uint64_t paddr, int size, int64_t value, void *user)
{
    struct engine *e = user;

    (void)uc;
    (void)value;
    if (!e->touched)
        e->paddr = paddr;
    e->touched = true;
    if (paddr - OWN_BASE < OWN_SIZE && e->phase != PHASE_RECORD)
        e->bus = true;
    if (type != UC_MEM_WRITE)
        return;
    if (e->phase == PHASE_ACCESS && paddr < e->ram.size) {
        e->wrote = true;
        e->old_byte = e->ram.base[paddr];
    } else if (e->phase == PHASE_RUN && paddr < e->ram.size) {
        struct fl_exec_result *out = e->run.out;
        code_stored(e, paddr, (unsigned)size);
        if ((paddr & 0xfff) + (unsigned)size > 0x1000)
            out->stores_lost = true; /* the hook tells only the first page of a store that crosses */
        if (out->nstores < FL_EXEC_MAX_STORES) {
            out->stores[out->nstores].paddr = paddr;
            out->stores[out->nstores++].size = (uint32_t)size;
        } else {
            out->stores_lost = true;
        }
    }
}

/* RAM has no execute permission, so that this sees the physical address of every byte that is translated. */
static bool on_fetch(uc_engine *uc, uc_mem_type type, uint64_t paddr, int size, int64_t value, void *user)
{
    struct engine *e = user;

    (void)uc;
    (void)type;
    (void)value;
    e->touched = true;
    e->paddr = paddr;
    if (e->phase != PHASE_RUN)
        return false;
    if (paddr >= e->ram.size) {
        e->bus = true;
        return false;
    }
    return code_seen(e, paddr, (unsigned)size);
}

static bool on_protected_write(uc_engine *uc, uc_mem_type type, uint64_t paddr, int size, int64_t value, void *user)
{
    struct engine *e = user;

    (void)uc;
    (void)type;
    (void)paddr;
    (void)size;
    (void)value;
    e->bus = true;
    return false;
}

static uint64_t on_missing_read(uc_engine *uc, uint64_t offset, unsigned size, void *user)
{
    struct engine *e = user;

    (void)uc;
    (void)offset;
    (void)size;
    e->bus = true;
    return 0;
}

static void on_missing_write(uc_engine *uc, uint64_t offset, unsigned size, uint64_t value, void *user)
{
    struct engine *e = user;

    (void)uc;
    (void)offset;
    (void)size;
    (void)value;
    e->bus = true;
}

/* ---- running
 * ---------------------------------------------------------------------------------------------------- */

uc_err uc_go(struct engine *e, uint64_t ip)
{
    e->vector = -1;
    e->bus = e->touched = e->wrote = false;
    e->broken = NULL;
    watchdog_enter();
    uc_err err = uc_emu_start(e->uc, ip, 0, 0, 0);
    watchdog_leave();
    return err;
}

int uc_probe(struct engine *e, uc_context *c, uint64_t ip)
{
    e->phase = PHASE_RECORD;
    if (uc_context_restore(e->uc, c) != UC_ERR_OK || uc_ctl_flush_tlb(e->uc) != UC_ERR_OK)
        return -1;
    uc_go(e, ip);
    return e->vector;
}

/* ---- opening
 * ---------------------------------------------------------------------------------------------------- */

static uint64_t own_frame(enum own_page page)
{
    return OWN_BASE + 0x1000ull * (unsigned)page;
}

static uint64_t *own_entry(struct engine *e, enum own_page page, unsigned index)
{
    return (uint64_t *)(void *)(e->own + 0x1000u * (unsigned)page) + index;
}

/* Present, writable, user, accessed, dirty (SDM vol. 3, tables 4-15 to 4-20): nothing is ever updated here.
 * */
#define OWN_FLAGS 0x67ull

static void build_own_tables(struct engine *e)
{
    static const struct {
        enum slot slot;
        uint8_t bytes[12];
    } code[] = {
        {SLOT_INT3, {0xcc}},
        {SLOT_LOAD, {0x8a, 0x07, 0xcc}},       /* mov al,[rdi] */
        {SLOT_STORE, {0x88, 0x07, 0xcc}},      /* mov [rdi],al */
        {SLOT_VERR, {0x0f, 0x00, 0xe1, 0xcc}}, /* verr cx */
        {SLOT_CLI, {0xfa, 0xcc}},
        {SLOT_WRPKRU, {0x0f, 0x01, 0xef, 0xcc}},
        {SLOT_INT33, {0xcd, 0x21, 0xcc}},
        {SLOT_NOPS, {0x90, 0x90, 0xcc}},
        {SLOT_MOV_CS, {0x8c, 0xc8, 0xcc}}, /* mov eax,cs */
        /* inc eax, dec eax in 16- and 32-bit code, a REX prefix each in 64-bit code; then mov cx,1 or mov
         * ecx,... */
        {SLOT_WIDTH, {0x40, 0x90, 0xb9, 0x01, 0x00, 0x90, 0x90, 0xcc}},
    };
    uint64_t frame = own_frame(OWN_SCRATCH);

    *own_entry(e, OWN_PML4, 0) = own_frame(OWN_PDPT) | OWN_FLAGS;
    *own_entry(e, OWN_PML4, 1) = own_frame(OWN_WINDOW0) | OWN_FLAGS;
    *own_entry(e, OWN_PML4, 2) = own_frame(OWN_WINDOW1) | OWN_FLAGS;
    for (unsigned i = 0; i < 1024; i++)
        *own_entry(e, OWN_WINDOW0, i) = (uint64_t)i << 30 | OWN_FLAGS | 0x80; /* the two pages are adjacent */
    *own_entry(e, OWN_PDPT, 0) = own_frame(OWN_PD) | OWN_FLAGS;
    *own_entry(e, OWN_PD, CODE_A >> 21) = own_frame(OWN_PT) | OWN_FLAGS;
    *own_entry(e, OWN_PT, (CODE_A >> 12) & 511) = own_frame(OWN_CODE) | OWN_FLAGS;
    *own_entry(e, OWN_PT, (CODE_B >> 12) & 511) = own_frame(OWN_CODE) | OWN_FLAGS;
    for (unsigned i = 0; i < SC_COUNT; i++)
        *own_entry(e, OWN_PT, (SCRATCH(i) >> 12) & 511) = frame | OWN_FLAGS;
    *own_entry(e, OWN_PT, (SCRATCH(SC_ABSENT) >> 12) & 511) = 0;
    *own_entry(e, OWN_PT, (SCRATCH(SC_READ_ONLY) >> 12) & 511) &= ~2ull;
    *own_entry(e, OWN_PT, (SCRATCH(SC_SUPERVISOR) >> 12) & 511) &= ~4ull;
    *own_entry(e, OWN_PT, (SCRATCH(SC_NX) >> 12) & 511) |= 1ull << 63;
    *own_entry(e, OWN_PT, (SCRATCH(SC_RESERVED) >> 12) & 511) |= 1ull << 51;
    *own_entry(e, OWN_PT, (SCRATCH(SC_PKEY1) >> 12) & 511) |= 1ull << 59;
    for (size_t i = 0; i < sizeof code / sizeof code[0]; i++)
        memcpy(e->own + 0x1000u * OWN_CODE + 16u * (unsigned)code[i].slot, code[i].bytes, sizeof code[i].bytes);
}

static bool map_missing(struct engine *e, uint64_t from, uint64_t to)
{
    return from >= to || uc_mmio_map(e->uc, from, to - from, on_missing_read, e, on_missing_write, e) == UC_ERR_OK;
}

static const char *map_memory(struct engine *e)
{
    if (uc_mem_map_ptr(e->uc, 0, e->ram.size, UC_PROT_READ | UC_PROT_WRITE, e->ram.base) != UC_ERR_OK)
        return "cannot map the guest's RAM";
    if (uc_mem_map_ptr(e->uc, OWN_BASE, OWN_SIZE, UC_PROT_READ | UC_PROT_EXEC, e->own) != UC_ERR_OK)
        return "cannot map the executor's own frames";
    if (!map_missing(e, e->ram.size, OWN_BASE) || !map_missing(e, OWN_BASE + OWN_SIZE, 1ull << UC_PHYS_BITS))
        return "cannot map the physical addresses without memory";
    return NULL;
}

/* Unicorn's callbacks are of many types behind one void pointer. */
static bool add_hook(struct engine *e, int type, void *callback)
{
    uc_hook hook;

    return uc_hook_add(e->uc, &hook, type, callback, e, 1, 0) == UC_ERR_OK;
}

static const char *add_hooks(struct engine *e)
{
    if (!add_hook(e, UC_HOOK_INTR, (void *)(uintptr_t)on_interrupt) ||
        !add_hook(e, UC_HOOK_MEM_READ | UC_HOOK_MEM_WRITE, (void *)(uintptr_t)on_data) ||
        !add_hook(e, UC_HOOK_MEM_FETCH_PROT | UC_HOOK_MEM_FETCH_UNMAPPED, (void *)(uintptr_t)on_fetch) ||
        !add_hook(e, UC_HOOK_MEM_WRITE_PROT | UC_HOOK_MEM_READ_UNMAPPED | UC_HOOK_MEM_WRITE_UNMAPPED,
                  (void *)(uintptr_t)on_protected_write))
        return "cannot add hooks";
    return NULL;
}

static void unicorn_close(struct fl_executor *ex)
{
    struct engine *e = (struct engine *)ex;

    if (e == NULL)
        return;
    uc_context *contexts[] = {e->pristine, e->fill, e->now, e->prog, e->seen};
    for (size_t i = 0; i < sizeof contexts / sizeof contexts[0]; i++)
        if (contexts[i] != NULL)
            uc_context_free(contexts[i]);
    if (e->uc != NULL)
        uc_close(e->uc);
    if (e->own != NULL)
        munmap(e->own, OWN_SIZE);
    free(e);
}

static const char *open_engine(struct engine *e)
{
    unsigned v = uc_version(NULL, NULL);
    const char *why;

    snprintf(e->version, sizeof e->version, "%u.%u.%u", v >> 24, v >> 16 & 255, v >> 8 & 255);
    if (v >> 16 < 0x201)
        return "version 2.1 or newer is needed: older ones do not use the guest's translations";
    if (uc_open(UC_ARCH_X86, UC_MODE_64, &e->uc) != UC_ERR_OK)
        return "uc_open failed";
    /* Emptying the code buffer costs time in proportion to its size (1 GiB by default) and commits all of it.
     * */
    if (uc_ctl_set_tcg_buffer_size(e->uc, TCG_BUFFER) != UC_ERR_OK)
        return "cannot set the size of the code buffer";
    /* Without it the address `until` could never be executed. */
    if (uc_ctl_exits_enable(e->uc) != UC_ERR_OK)
        return "cannot switch to explicit exits";
    e->own = mmap(NULL, OWN_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (e->own == MAP_FAILED) {
        e->own = NULL;
        return "out of memory";
    }
    build_own_tables(e);
    if ((why = map_memory(e)) != NULL || (why = add_hooks(e)) != NULL)
        return why;
    uc_context **contexts[] = {&e->pristine, &e->fill, &e->now, &e->prog, &e->seen};
    for (size_t i = 0; i < sizeof contexts / sizeof contexts[0]; i++)
        if (uc_context_alloc(e->uc, contexts[i]) != UC_ERR_OK)
            return "out of memory";
    if ((why = layout_find(e)) != NULL)
        return why;
    return prove(e);
}

enum fl_status fl_unicorn_open(const struct fl_ram *ram, struct fl_executor **out, char why[256])
{
    struct engine *e;
    const char *wrong;

    if (ram == NULL || out == NULL || why == NULL || ram->base == NULL || ram->size == 0 || ram->size % 4096 != 0 ||
        (uintptr_t)ram->base % 4096 != 0 || ram->size > FL_UNICORN_MAX_RAM)
        return FL_INVALID;
    e = calloc(1, sizeof *e);
    if (e == NULL) {
        snprintf(why, 256, "out of memory");
        return FL_FAILED;
    }
    e->ram = *ram;
    e->base = (struct fl_executor){"unicorn", e->version, "any", unicorn_access, unicorn_run, unicorn_close};
    LEAKS_OFF();
    wrong = open_engine(e);
    LEAKS_ON();
    if (wrong != NULL) {
        snprintf(why, 256, "Unicorn %s: %s", e->version, wrong);
        unicorn_close(&e->base);
        return FL_FAILED;
    }
    *out = &e->base;
    return FL_OK;
}
