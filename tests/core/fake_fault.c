/* SPDX-License-Identifier: MIT */
/* The plain faults of fake.h: machine, kernel, task and registers that a test changes one thing of. */
#include "fake.h"

#include <string.h>

struct fl_fault fake_fault(void)
{
    struct fl_fault f;

    memset(&f, 0, sizeof f);
    f.cpu = (struct fl_cpu){.mode = FL_MODE_4LEVEL,
                            .vendor = FL_VENDOR_AMD,
                            .family = 15,
                            .maxphyaddr = 40,
                            .cr0 = 0x80010001,
                            .cr3 = 0x1000,
                            .cr4 = 0x20,
                            .efer = 0xd00};
    f.kernel = (struct fl_kernel){.task_size = 0x7ffffffff000,
                                  .guard_gap = 0x100000,
                                  .mmap_min_addr = 0x10000,
                                  .word = 8,
                                  .generation = FL_GEN_CURRENT,
                                  .page_offset = 0xffff810000000000,
                                  .vmalloc_start = 0xffffc20000000000,
                                  .vmalloc_end = 0xffffe20000000000,
                                  .modules_start = 0xffffffff88000000,
                                  .modules_end = 0xfffffffffff00000,
                                  .text_start = 0xffffffff80200000,
                                  .text_end = 0xffffffff80400000,
                                  .idt = 0xffffffff80700000,
                                  .init_root = 0x2000,
                                  .low_frames = 0x100000};
    f.task = (struct fl_task){.pid = 42,
                              .uid = 1000,
                              .comm = "a.out",
                              .has_mm = true,
                              .stack_limit = 8 << 20,
                              .as_limit = UINT64_MAX,
                              .mm_root = 0x1000,
                              .active_root = 0x1000};
    f.codeseg = (struct fl_codeseg){.bits = 64};
    f.regs.cs = 0x33;
    f.regs.flags = 0x202;
    f.regs.ip = 0x400000;
    f.regs.gpr[FL_RSP] = 0x7ff800;
    f.cr2 = 0x7ff008;
    f.error_code = 6;
    return f;
}

struct fl_fault fake_fault32(enum fl_mode mode)
{
    struct fl_fault f = fake_fault();

    f.cpu.mode = (uint8_t)mode;
    f.cpu.cr4 = mode == FL_MODE_PAE ? 0x20 : 0x10;
    f.cpu.efer = mode == FL_MODE_PAE ? 0x800 : 0;
    f.kernel.word = 4;
    f.kernel.task_size = 0xc0000000;
    f.kernel.page_offset = 0xc0000000;
    f.kernel.vmalloc_start = 0xf8000000;
    f.kernel.vmalloc_end = 0xff800000;
    f.kernel.modules_start = f.kernel.modules_end = 0;
    f.kernel.text_start = 0xc0100000;
    f.kernel.text_end = 0xc0300000;
    f.kernel.fixaddr_top = 0xfffff000;
    f.kernel.idt = 0xc0400000;
    f.kernel.low_frames = 0x38000;
    f.codeseg = (struct fl_codeseg){.limit = UINT32_MAX, .bits = 32};
    f.regs.cs = 0x73;
    return f;
}
