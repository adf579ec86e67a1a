/* SPDX-License-Identifier: MIT */
/*
 * Random instruction bytes, in all widths and at both privileges, with faults that are repaired: whatever they do, the
 * executor stays whole, ends within its limits, and answers a control case as before.
 *
 *     test_soak [runs [first]]
 */
#include "check.h"
#include "fixture.h"

#include <unistd.h>

static struct program p;

/* Opcodes that do something to the machine, so that they come up more often than by chance. */
static const char *const favourites[] = {
    "\xf3\xa4", "\xf3\xaa", "\x0f\x05",    "\x0f\x34",     "\x0f\x35",     "\x0f\x07",         "\x48\xcf",
    "\xcf",     "\xcb",     "\x0f\x30",    "\x0f\x32",     "\x0f\x22\xd8", "\x0f\x22\xc0",     "\x0f\x22\xe0",
    "\x8e\xd0", "\x17",     "\xfb\xf4",    "\x0f\x01\xd8", "\x0f\xaa",     "\x0f\x01\xf9",     "\xc8\xff\xff\x1f",
    "\x9d",     "\xe2\xfe", "\xf2\xae",    "\x0f\xae\x0f", "\x0f\xc7\x0f", "\xf0\x0f\xb1\x0f", "\xcd\x01",
    "\xf1",     "\xcc",     "\x0f\x23\xf8"};

static uint64_t pointer(uint64_t *seed)
{
    uint64_t v = check_random(seed);

    switch (v % 8) {
    case 0: return v >> 32;
    case 1: return v;
    case 2: return CODE_VA + (v >> 8 & 0x2fff);
    case 3: return STACK_VA - (v >> 8 & 0x2fff);
    case 4: return DATA_VA + (v >> 8 & 0xf) * 0x1000 + 0xff8 + (v >> 16 & 0xf);
    default: return DATA_VA + (v >> 8 & 0x1ffff);
    }
}

/* A program that must always end the same. */
static void control(struct fixture *f, uint64_t n)
{
    program_begin(&p, f, 64, true);
    PROGRAM_CODE(&p, "\x48\x8b\x07\x48\x83\xc0\x05\x48\x89\x07\x0f\x28\xc1");
    p.regs.gpr[FL_RDI] = DATA_VA + 8;
    CHECK_EQ(program_run(&p), FL_EXEC_OK, "control after run %" PRIu64 ": %s", n, p.r.reason ? p.r.reason : "");
    CHECK(p.r.end == FL_END_DONE && p.r.faults == 1 && p.r.error_code == 4 && p.r.regs.gpr[FL_RAX] == 5,
          "control after run %" PRIu64, n);
}

int main(int argc, char **argv)
{
    uint64_t runs = argc > 1 ? strtoull(argv[1], NULL, 0) : 30000, first = argc > 2 ? strtoull(argv[2], NULL, 0) : 0;
    uint64_t ends[FL_END_COUNT] = {0}, unsupported = 0, faults = 0;
    struct fixture f;

    fixture_open(&f, 4u << 20);
    alarm(600); /* a run that does not come back ends the test by a signal */
    for (uint64_t n = first; n < first + runs; n++) {
        uint64_t seed = n;
        unsigned bits = 16u << check_random(&seed) % 3;
        uint8_t code[48];
        program_begin(&p, &f, bits, check_random(&seed) & 1);
        for (unsigned i = 0; i < sizeof code; i++)
            code[i] = (uint8_t)check_random(&seed);
        for (unsigned i = 0; i < 3; i++)
            if (check_random(&seed) % 2) {
                const char *s = favourites[check_random(&seed) % (sizeof favourites / sizeof favourites[0])];
                memcpy(code + (i == 0 ? 0 : check_random(&seed) % 32), s, strlen(s));
            }
        if (bits == 16) {
            p.cs.base = CODE_VA;
            p.regs.ip = 0;
            memcpy(f.ram.base + CODE_PA, code, sizeof code);
        } else {
            program_code(&p, (const char *)code, sizeof code);
        }
        for (unsigned i = 0; i < FL_GPR_COUNT; i++)
            p.regs.gpr[i] = pointer(&seed);
        if (check_random(&seed) % 4)
            p.regs.gpr[FL_RSP] = STACK_VA - 0x800;
        p.regs.flags = check_random(&seed) & 0x40cd5;
        p.limits.max_faults = 1 + (unsigned)(check_random(&seed) % 200);
        enum fl_exec_status status = program_run(&p);
        CHECK(status != FL_EXEC_BROKEN, "run %" PRIu64 ": %s", n, p.r.reason ? p.r.reason : "");
        CHECK(p.r.faults <= p.limits.max_faults, "run %" PRIu64, n);
        if (status == FL_EXEC_OK)
            ends[p.r.end]++;
        unsupported += status == FL_EXEC_UNSUPPORTED;
        faults += p.nfaults;
        if (n % 16 == 0)
            control(&f, n);
    }
    printf("soak: done %" PRIu64 ", fault %" PRIu64 ", exception %" PRIu64 ", bus %" PRIu64 ", limit %" PRIu64
           ", unsupported %" PRIu64 "; %" PRIu64 " faults\n",
           ends[0], ends[1], ends[2], ends[3], ends[4], unsupported, faults);
    for (unsigned i = 0; i < FL_END_COUNT; i++)
        CHECK(i == FL_END_BUS || ends[i] != 0, "no run ended as %u", i);
    fixture_close(&f);
    return check_done("exec soak");
}
