/* SPDX-License-Identifier: MIT */
/* The messages of one line, byte for byte, and the text that they are put together with. */
#include "report_check.h"

#include "text.h"

/* ---- numbers ---- */

static void test_numbers(void)
{
    static const uint64_t values[] = {0,         1,   9,         10,         15,         16,         0xff,
                                      99,        100, INT32_MAX, 0x80000000, UINT32_MAX, 1ull << 32, 0x0123456789abcdef,
                                      UINT64_MAX};
    uint64_t seed = 1;

    for (unsigned i = 0; i < 2000; i++) {
        uint64_t value = i < COUNT(values) ? values[i] : check_random(&seed) >> i % 64;
        unsigned width = 1 + i % 16;
        struct fake k = fake_world();
        struct text t;
        char want[64];

        core_text_begin(&t, &fake_ops, &k);
        core_text_hex(&t, value, width);
        core_text_string(&t, " ");
        core_text_decimal(&t, (int32_t)(uint32_t)value);
        core_text_end(&t);
        snprintf(want, sizeof want, "%0*" PRIx64 " %" PRId32, (int)width, value, (int32_t)(uint32_t)value);
        check_log(&k, want, "number");
    }
}

/* Text of any length comes out whole, and nothing is logged for no text. */
static void test_long_text(void)
{
    static const size_t lengths[] = {0, 1, TEXT_SIZE - 1, TEXT_SIZE, TEXT_SIZE + 1, 2 * TEXT_SIZE, 2 * TEXT_SIZE + 1};
    char source[2 * TEXT_SIZE + 8];

    for (size_t i = 0; i < sizeof source; i++)
        source[i] = (char)('a' + i % 26);
    for (size_t i = 0; i < COUNT(lengths); i++) {
        struct fake k = fake_world();
        struct text t;
        char want[sizeof source + 1] = "";

        core_text_begin(&t, &fake_ops, &k);
        core_text_bounded(&t, source, lengths[i]);
        core_text_end(&t);
        memcpy(want, source, lengths[i]);
        check_log(&k, want, "length");
        check_trace(&k, lengths[i] ? "l" : "", "length");
    }
}

/* A number that begins anywhere near the end of a piece comes out whole. */
static void test_number_at_the_end(void)
{
    char source[TEXT_SIZE];

    memset(source, 'x', sizeof source);
    for (size_t before = TEXT_SIZE - 20; before <= TEXT_SIZE; before++) {
        struct fake k = fake_world();
        struct text t;
        char want[sizeof source + 40];

        core_text_begin(&t, &fake_ops, &k);
        core_text_bytes(&t, source, before);
        core_text_hex(&t, 0x123456789abcdef, 16);
        core_text_decimal(&t, -42);
        core_text_end(&t);
        snprintf(want, sizeof want, "%.*s0123456789abcdef-42", (int)before, source);
        check_log(&k, want, "end of a piece");
    }
}

/* ---- the segfault line ---- */

static void test_segfault_line(void)
{
    static const struct {
        const char *name;
        unsigned word;
        uint32_t pid;
        const char *comm;
        uint64_t cr2, ip, sp, code;
        const char *text;
    } cases[] = {
        {"64-bit", 8, 42, "a.out", 0xdeadbeef, 0x400123, 0x7fff12345678, 6,
         "<6>a.out[42]: segfault at deadbeef ip 400123 sp 7fff12345678 error 6\n"},
        {"64-bit zeros", 8, 42, "a.out", 0, 0, 0, 0, "<6>a.out[42]: segfault at 0 ip 0 sp 0 error 0\n"},
        {"64-bit, widest", 8, 42, "fifteen-letters", UINT64_MAX, UINT64_MAX - 1, UINT64_MAX - 2, UINT64_MAX,
         "<6>fifteen-letters[42]: segfault at ffffffffffffffff ip fffffffffffffffe sp fffffffffffffffd error "
         "ffffffffffffffff\n"},
        {"32-bit", 4, 42, "a.out", 0xdeadbeef, 0x8048abc, 0xbffff000, 0x15,
         "<6>a.out[42]: segfault at deadbeef ip 08048abc sp bffff000 error 15\n"},
        {"32-bit zeros", 4, 42, "a.out", 0, 0, 0, 0,
         "<6>a.out[42]: segfault at 00000000 ip 00000000 sp 00000000 error 0\n"},
        {"32-bit: modulo 2^32", 4, 42, "a.out", 0x100000001, 0xfffffffff0000002, 0x7700000003, 0xabc00000004,
         "<6>a.out[42]: segfault at 00000001 ip f0000002 sp 00000003 error 4\n"},
        {"init", 8, 1, "init", 0, 0, 0, 4, "<0>init[1]: segfault at 0 ip 0 sp 0 error 4\n"},
        {"init, 32-bit", 4, 1, "init", 0, 0, 0, 4,
         "<0>init[1]: segfault at 00000000 ip 00000000 sp 00000000 error 4\n"},
        {"idle", 8, 0, "swapper", 0, 0, 0, 4, "<0>swapper[0]: segfault at 0 ip 0 sp 0 error 4\n"},
        {"the first after init", 8, 2, "a", 0, 0, 0, 4, "<6>a[2]: segfault at 0 ip 0 sp 0 error 4\n"},
        {"greatest pid", 8, INT32_MAX, "a", 0, 0, 0, 4, "<6>a[2147483647]: segfault at 0 ip 0 sp 0 error 4\n"},
        {"a pid is an int", 8, 0x80000000, "a", 0, 0, 0, 4, "<0>a[-2147483648]: segfault at 0 ip 0 sp 0 error 4\n"},
        {"... an int", 8, UINT32_MAX, "a", 0, 0, 0, 4, "<0>a[-1]: segfault at 0 ip 0 sp 0 error 4\n"},
        {"names are raw", 8, 42, "%s%n\n<0>\x1b\xff", 0, 0, 0, 4,
         "<6>%s%n\n<0>\x1b\xff[42]: segfault at 0 ip 0 sp 0 error 4\n"},
        {"no name", 8, 42, "", 0, 0, 0, 4, "<6>[42]: segfault at 0 ip 0 sp 0 error 4\n"},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        struct fake k = fake_world();
        struct fl_fault f = fault_of(cases[i].word);

        f.task.pid = cases[i].pid;
        memcpy(f.task.comm, cases[i].comm, strlen(cases[i].comm) + 1);
        f.cr2 = cases[i].cr2;
        f.regs.ip = cases[i].ip;
        f.regs.gpr[FL_RSP] = cases[i].sp;
        f.error_code = 0x77; /* the line shows the code it is given */
        k.no_vma = true;
        core_report_segfault(&f, &fake_ops, &k, cases[i].code);
        check_log(&k, cases[i].text, cases[i].name);
        check_trace(&k, cases[i].word == 8 ? "tvdl" : "l", cases[i].name);
    }
}

/*
 *   0x400000      0x403000            0x600000   0x601000
 *      |  code_vma  |                    |  vma     |
 */
static void test_segfault_vma(void)
{
    enum { MM = 1, ATOMIC = 2, NMI = 4, REFUSED = 8, NO_VMA = 16, ANON = 32 };
    static const struct {
        const char *name;
        unsigned how;
        uint64_t ip;
        const char *trace, *tail;
    } cases[] = {
        {"first byte", MM, 0x400000, "tvdAl", " in libc-2.7.so[400000+3000]\n"},
        {"last byte", MM, 0x402fff, "tvdAl", " in libc-2.7.so[400000+3000]\n"},
        {"below: a hole", MM, 0x3fffff, "tvdl", "\n"},
        {"hole below the next", MM, 0x403000, "tvdl", "\n"},
        {"the next", MM, 0x600000, "tvdAl", " in libc-2.7.so[600000+1000]\n"},
        {"above all", MM, 0x601000, "tvdl", "\n"},
        {"anonymous", MM | ANON, 0x400000, "tvdl", "\n"},
        {"no VMA at all", MM | NO_VMA, 0x400000, "tvdl", "\n"},
        {"lock refused", MM | REFUSED, 0x400000, "fl", "\n"},
        {"atomic", MM | ATOMIC, 0x400000, "l", "\n"},
        {"NMI", MM | NMI, 0x400000, "l", "\n"},
        {"atomic NMI", MM | ATOMIC | NMI, 0x400000, "l", "\n"},
        {"no mm", 0, 0x400000, "l", "\n"},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        struct fake k = fake_world();
        struct fl_fault f = fake_fault();
        char want[160];

        k.code_vma = (struct fl_vma){.start = 0x400000, .end = 0x403000, .backing = FL_BACK_FILE, .file = 3};
        k.vma = (struct fl_vma){.start = 0x600000, .end = 0x601000, .backing = FL_BACK_FILE, .file = 3};
        if (cases[i].how & ANON)
            k.code_vma.backing = FL_BACK_ANON;
        if (cases[i].how & NO_VMA)
            k.no_vma = true, k.code_vma.end = 0;
        k.refuse_try = cases[i].how & REFUSED ? 1 : 0;
        k.file = "libc-2.7.so";
        f.task.has_mm = cases[i].how & MM;
        f.task.in_atomic = cases[i].how & ATOMIC;
        f.task.in_nmi = cases[i].how & NMI;
        f.regs.ip = cases[i].ip;
        core_report_segfault(&f, &fake_ops, &k, 4);
        snprintf(want, sizeof want, "<6>a.out[42]: segfault at 7ff008 ip %" PRIx64 " sp 7ff800 error 4%s", cases[i].ip,
                 cases[i].tail);
        check_log(&k, want, cases[i].name);
        check_trace(&k, cases[i].trace, cases[i].name);
        if (strchr(k.trace, 'v'))
            CHECK_EQ(k.found, cases[i].ip, "%s", cases[i].name);
        if (strchr(k.trace, 'A'))
            CHECK_EQ(k.file_asked, 3, "%s", cases[i].name);
    }
}

/* Fills the whole buffer and leaves out the zero, against the contract. */
static void endless_file_name(void *ctx, uint8_t file, char *buf, size_t size)
{
    (void)ctx, (void)file;
    memset(buf, 'x', size);
}

static void test_file_names(void)
{
    static const char head[] = "<6>a.out[42]: segfault at 7ff008 ip 400000 sp 7ff800 error 4 in ";
    static const char tail[] = "[400000+1000]\n";
    char longest[256];
    const char *names[] = {"", "%n%s\n\x01\xff", "a name with blanks", longest};
    struct fl_fault f = fake_fault();
    struct fl_ops endless = fake_ops;

    memset(longest, 'n', sizeof longest - 1);
    longest[sizeof longest - 1] = 0;
    for (size_t i = 0; i < COUNT(names); i++) {
        struct fake k = fake_world();
        char want[512];

        k.code_vma = (struct fl_vma){.start = 0x400000, .end = 0x401000, .backing = FL_BACK_FILE};
        k.file = names[i];
        core_report_segfault(&f, &fake_ops, &k, 4);
        snprintf(want, sizeof want, "%s%s%s", head, names[i], tail);
        check_log(&k, want, "file name");
    }

    struct fake k = fake_world();

    k.code_vma = (struct fl_vma){.start = 0x400000, .end = 0x401000, .backing = FL_BACK_FILE};
    endless.file_name = endless_file_name;
    core_report_segfault(&f, &endless, &k, 4);
    CHECK(strncmp(k.log, head, sizeof head - 1) == 0 && strstr(k.log, tail), "%s", k.log);
    CHECK_EQ(strspn(k.log + sizeof head - 1, "x"), 256, "a name without an end is cut off at its buffer's");
}

/* ---- the other lines ---- */

static void test_one_liners(void)
{
    static const struct {
        const char *name;
        report_fn *report;
        unsigned word;
        uint32_t pid;
        const char *comm;
        uint64_t cr2;
        const char *text;
    } cases[] = {
        {"OOM", core_report_out_of_memory, 8, 42, "a.out", 0, "VM: killing process a.out\n"},
        {"OOM, 32-bit", core_report_out_of_memory, 4, 42, "%s\x7f", 0, "VM: killing process %s\x7f\n"},
        {"MCE", core_report_poison, 8, 42, "a.out", 0x7f3309503400,
         "<3>MCE: Killing a.out:42 due to hardware memory corruption fault at 7f3309503400\n"},
        {"MCE: no zeros", core_report_poison, 4, 1, "", 0xabc,
         "<3>MCE: Killing :1 due to hardware memory corruption fault at abc\n"},
        {"MCE: modulo 2^32", core_report_poison, 4, UINT32_MAX, "%x", 0x1bffff000,
         "<3>MCE: Killing %x:-1 due to hardware memory corruption fault at bffff000\n"},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        struct fake k = fake_world();
        struct fl_fault f = fault_of(cases[i].word);

        f.task.pid = cases[i].pid;
        memcpy(f.task.comm, cases[i].comm, strlen(cases[i].comm) + 1);
        f.cr2 = cases[i].cr2;
        cases[i].report(&f, &fake_ops, &k);
        check_log(&k, cases[i].text, cases[i].name);
        check_trace(&k, "l", cases[i].name);
    }

    struct fake k = fake_world();

    core_report_erratum93(&fake_ops, &k);
    check_log(&k,
              "<3>******* Your BIOS seems to not contain a fix for K8 errata #93\n"
              "<3>******* Working around it, but it may cause SEGVs or burn power.\n"
              "<3>******* Please consider a BIOS update.\n"
              "<3>******* Disabling USB legacy in the BIOS may also help.\n",
              "erratum 93");
    check_trace(&k, "l", "erratum 93");
}

/* A name without its zero ends at the end of the field. */
static void test_comm_unterminated(void)
{
    struct fake k = fake_world();
    struct fl_fault f = fake_fault();

    memset(f.task.comm, 'c', FL_COMM);
    core_report_out_of_memory(&f, &fake_ops, &k);
    check_log(&k, "VM: killing process cccccccccccccccc\n", "unterminated");
}

int main(void)
{
    test_numbers();
    test_long_text();
    test_number_at_the_end();
    test_segfault_line();
    test_segfault_vma();
    test_file_names();
    test_one_liners();
    test_comm_unterminated();
    return check_done("report");
}
