/* SPDX-License-Identifier: MIT */
/* The layout of version 3, byte by byte: text, and the exact bytes that docs/scenario-format.md gives for it. */
#include "text_helpers.h"

static uint8_t bytes[FL_SCENARIO_MAX_BYTES], want[FL_SCENARIO_MAX_BYTES];
static struct fl_scenario s, decoded;

/* Hexadecimal digits with blanks anywhere; what is not given is zero. */
static void from_hex(const char *hex, uint8_t *out, size_t size)
{
    size_t digits = 0;

    memset(out, 0, size);
    for (; *hex != '\0'; hex++) {
        if (*hex == ' ')
            continue;
        if (digits / 2 >= size)
            abort();
        out[digits / 2] = (uint8_t)(out[digits / 2] << 4 | (*hex <= '9' ? *hex - '0' : *hex - 'a' + 10));
        digits++;
    }
}

static void parse(const char *text)
{
    struct fl_text_error error = {0};

    CHECK(fl_scenario_parse(text, strlen(text), &s, &error), "%u:%u: %s in\n%s", error.line, error.column,
          error.message, text);
}

/* That text is those bytes, and those bytes that text. */
static void check_machine(const char *text, const char *hex)
{
    from_hex(hex, want, FL_MACHINE_BYTES);
    parse(text);
    CHECK_EQ(fl_scenario_encode(&s, bytes, sizeof(bytes)), FL_MACHINE_BYTES, "machine");
    for (unsigned i = 0; i < FL_MACHINE_BYTES; i++)
        CHECK_EQ(bytes[i], want[i], "machine byte %u of\n%s", i, text);
    fl_scenario_decode(want, FL_MACHINE_BYTES, &decoded);
    CHECK(fl_scenario_equal(&s, &decoded), "machine");
}

static void test_machine(void)
{
    /* Exclusive or with 4level, 0x1f, 0x27, 256, 16, 1000, 0x202, 0x400000, 0x3ffff000, 2048 and all ones. The text is
     * one of version 1, and so are its bytes: what came later is zero. */
    check_machine("faultline-scenario 1\n"
                  "mode pae\nvendor amd\nfamily 15\nmaxphyaddr 52\npse36 no\nwp no\nsmap yes\npks yes\n"
                  "nxe no\nsplit 1g/3g\ncode-bits 16\nhas-mm no\nfaults-disabled yes\ncatches-signals no\npid 1\n"
                  "pkru 0x11223344\npkrs 0x55667788\nip 0x12345678\nsp 0x3ffff010\nflags 0x20203\n"
                  "seg-base 0xabcdef0\nseg-limit 0xffff\nstack-pages 16\nas-pages 4096\nguard-pages 1\n"
                  "min-addr-pages 0\ngpr-seed 77\n",
                  "03 01 09 0c a5 35 02 02 4d 00 0101 1000 0000 e9030000 01000200 44332211 88776655"
                  "7856741200000000 1000000000000000 f0debc0a 0000ffff 10080000 ffefffff");
    /* Exclusive or with 0x47, 1024, 1000 and 0xfffbf000; generation 1 of the mode's list is 2008-32. in-nmi brings
     * in-atomic with it. */
    check_machine("faultline-scenario 2\n"
                  "mode pae\ngeneration 2008-32\nfault-retry yes\nkernel-smap yes\nkernel-pku yes\nf00f-bug yes\n"
                  "shared-pmd no\noops-may-print no\nin-nmi yes\ncomm odd\nlow-frames 768\nuid 1001\n"
                  "idt 0x1000\nvmalloc-start 0xf0000000\nvmalloc-end 0xf1234000\n",
                  "03 000000 00 08 0000 00000000 00000000 00000000 00000000 00000000 00000000 0000000000000000"
                  "0000000000000000 00000000 00000000 00000000 00000000"
                  "aa 15 01 02 0007 0000 01000000 00e0fbff 000000f000000000 004023f100000000");
    check_machine("faultline-scenario 2\n"
                  "mode 4level\ngeneration 2016\nspurious-check yes\nno-user-fetch yes\nvsyscall yes\n"
                  "show-unhandled no\nlazy-mmu yes\nkprobe yes\ncomm long\nvmalloc-start 0xffffc90000001000\n",
                  "00 000000 00 00 0000 00000000 00000000 00000000 00000000 00000000 00000000 0000000000000000"
                  "0000000000000000 00000000 00000000 00000000 00000000"
                  "54 2a 04 03 0000 0000 00000000 00000000 0010000000c9ffff");
    check_machine("faultline-scenario 2\nmode 5level\nidt 0\ncomm init\nvmalloc-end 0xffb0000000000000\n",
                  "01 000000 00 00 0000 00000000 00000000 00000000 00000000 00000000 00000000 0000000000000000"
                  "0000000000000000 00000000 00000000 00000000 00000000"
                  "00 00 00 01 0000 0000 00000000 00000000 0000000000000000 000000000000b0ff");
    /* Two bits of byte 5 that were reserved before version 3. */
    check_machine("faultline-scenario 3\npte-special no\npv-flush yes\n",
                  "00 000000 00 c0 0000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 0000000000000000"
                  "0000000000000000 00000000 00000000 00000000 00000000");
    /* The mode follows from the arch. */
    check_machine("faultline-scenario 2\narch sh4\nsh4-fixed no\nvmalloc-end 0xe4000000\n",
                  "02 000000 00 00 0000 00000000 00000000 00000000 00000000 00000000 00000000 0000000000000000"
                  "0000000000000000 00000000 00000000 00000000 00000000"
                  "01 40 00 00 0000 0000 00000000 00000000 0000000000000000 000000e4");
}

static void test_records(void)
{
    static const struct {
        const char *text, *hex;
    } rows[] = {
        {"map 0xfedcba9876543210 frame 1023 level 3 flags p,u,d,g pkey 15", "00 02 55 0f ff030000 1032547698badcfe"},
        {"map 0 frame 0 level 1 flags w,a,nx,pat", "00 00 aa"},
        {"entry 0x1000 level 4 set 0x8000000000000001 mask 0xc000000000000003",
         "01 03 0000 00000000 0010000000000000 0100000000000080 03000000000000c0"},
        {"vma 0x7000 pages 16777216 prot rx growsdown pkey 9 file 3 pgoff 4660 size 2271560481",
         "02 35 03 09 ffffff00 0070000000000000 3412 000000000000 21436587"},
        {"vma 0x7000 pages 1 prot w shared", "02 0a 0000 00000000 0070"},
        {"unmap 0x8000 pages 257", "03 000000 00010000 0080"},
        {"protect 0x8000 pages 2 prot rwx", "04 07 0000 01000000 0080"},
        {"zap 0x8000 pages 3", "05 000000 02000000 0080"},
        {"regs kernel bits 32 ip 0x1122334455667788 sp 0x99aabbccddeeff00 flags 0x10046",
         "06 01 01 00 44020100 8877665544332211 00ffeeddccbbaa99"},
        {"regs user bits 16 ip 0x1 sp 0x2", "06 00 02 00 00000000 0100000000000000 02"},
        {"gpr r15 0xff", "07 0f 0000 00000000 ff"},
        {"gpr rdi 0xff", "07 07 0000 00000000 ff"},
        {"bytes 0x10: 01 02 03", "08 03 0000 00000000 1000000000000000 010203"},
        {"extable 0x10 fixup 0x20", "09 000000 00000000 1000000000000000 20"},
        {"inject lock-contended", "0a 00"},
        {"inject expand-refused", "0a 01"},
        {"inject mm-oom", "0a 02"},
        {"inject mm-sigbus", "0a 03"},
        {"inject mm-major", "0a 04"},
        {"inject probe from 14", "0a 05 0e"},
        {"access read user 0x10", "0b 00 00 00 00000000 10"},
        {"access write supervisor 0x10 ac", "0b 01 01 01 00000000 10"},
        {"access fetch implicit 0x10 exec", "0b 02 02 02 00000000 10"},
        {"fault cr2 0x10 code 0x80000007", "0c 000000 07000080 10"},
        {"exec user 0x10: 90", "0d 00 00 00 00000000 1000000000000000 90"},
        {"exec kernel 0x10: 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f",
         "0d 0e 01 00 00000000 1000000000000000 0102030405060708090a0b0c0d0e0f"},
        {"decode 64 user: 0f 0d", "0e 02 00 00 00000000 0000000000000000 0f0d"},
        {"decode 16 kernel fetch:", "0e 00 03 02"},
        {"decode 32 user fetch:", "0e 00 02 01"},
        {"inject mm-hwpoison", "0a 06"},
        {"inject mm-hwpoison-large", "0a 07"},
        {"inject mm-sigsegv", "0a 08"},
        {"inject mm-retry", "0a 09"},
        {"inject mm-retry-major", "0a 0a"},
        {"inject fatal-signal", "0a 0b"},
        {"inject yield-unmap", "0a 0c"},
        {"inject yield-protect", "0a 0d"},
        {"inject ratelimited", "0a 0e"},
        {"inject report-contended", "0a 0f"},
        {"inject kprobe", "0a 10"},
        {"inject vsyscall-fault", "0a 11"},
        {"ioremap 0xffffc90000001000 leaves 256 frame 513 level 2 flags p,w,a,d,g",
         "0f 01 5b ff 01020000 00100000 00c9ffff"},
        {"ioremap 0x1000 leaves 1 frame 0 level 1 flags none", "0f 00 00 00 00000000 0010"},
        {"iounmap 0xffffc90000001000 pages 3", "10 000000 02000000 00100000 00c9ffff"},
        {"fork mm 1", "11 00"},
        {"fork mm 3", "11 02"},
        {"switch mm 0", "12 00"},
        {"switch mm 3 lag", "12 03 01"},
        {"switch mm none", "12 04"},
        {"ldt 31 bits 16 base 0x12345678 limit 0xffff", "13 1f 02 00 0000ffff 78563412"},
        {"ldt 1 bits 64 base 0 limit 0xffffffff", "13 01"},
        {"cs 0x1234", "14 000000 3412"},
        {"touch write supervisor 0x10", "15 01 01 00 00000000 10"},
        {"touch fetch user 0x10", "15 02 00 00 00000000 10"},
        {"sync-all", "16"},
        {"area file 0x7000 pages 16777216 flags r,w,x,may-read,may-write,shared,locked file 3 pgoff 4660 size 2271560481 "
         "pkey 9",
         "17 01 bf00 ffffff00 0070000000000000 3412 03 09 00000000 21436587"},
        {"area anon 0x10000 pages 2 flags growsdown,huge", "17 00 4004 01000000 0000010000000000"},
        {"area special 0x10000 pages 1 flags may-read,may-write,io,pfnmap pkey 15",
         "17 06 1803 00000000 0000010000000000 0000 00 0f"},
        {"area hugetlb-1g 0x40000000 pages 262144 flags none", "17 04 0000 ffff0300 0000004000000000"},
        {"act gate-gone 0x1000", "18 19 00 00 00000000 0010"},
        {"act mprotect 0xfffffffffffff000 pages 3 mm 1 prot r,x", "18 04 01 05 02000000 00f0ffffffffffff"},
        {"race dontneed 0x1000 at mm-fault nth 255", "19 02 00 00 00000000 0010000000000000 12fe"},
        {"race mprotect 0x1000 pages 2 mm 1 prot w at irq-restore nth 1", "19 04 01 02 01000000 0010000000000000 1900"},
        {"answer garbage at page-head nth 2", "1a 07 01 0a"},
        {"answer refuse at read nth 1", "1a 00 00 00"},
        {"pin pin 0x123 pages 65535 flags write,touch,dump,force,nowait,mlock,split,hwpoison,migration,tried nonblocking "
         "remote get vmas",
         "1b 00 0b 00 ffff0000 2301000000000000 fb0d"},
        {"pin user 0x1000 pages 0 flags write,force", "1b 01 04 00 00000000 0010000000000000 1100"},
        {"pin fast-only 0x1000 pages 4294967295 flags write", "1b 02 00 00 ffffffff 0010000000000000 01"},
        {"pin fast 0x1000 pages 2", "1b 03 00 00 02000000 0010"},
        {"pin fixup 0x1000 pages 1 flags write nonblocking remote", "1b 04 03 00 01000000 0010000000000000 01"},
        {"pin dump 0x1000 pages 1 remote", "1b 05 02 00 01000000 0010"},
        {"pin follow 0x1000 pages 1 flags numa get", "1b 06 00 00 01000000 0010000000000000 0002"},
    };
    char text[256], line[256];

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        snprintf(text, sizeof(text), "faultline-scenario 3\n%s\n", rows[i].text);
        parse(text);
        memset(want, 0, FL_MACHINE_BYTES);
        from_hex(rows[i].hex, want + FL_MACHINE_BYTES, FL_RECORD_BYTES);
        CHECK_EQ(fl_scenario_encode(&s, bytes, sizeof(bytes)), FL_MACHINE_BYTES + FL_RECORD_BYTES, "%s", rows[i].text);
        for (unsigned at = 0; at < FL_MACHINE_BYTES + FL_RECORD_BYTES; at++)
            CHECK_EQ(bytes[at], want[at], "%s: byte %u of the record", rows[i].text, at - FL_MACHINE_BYTES);
        fl_scenario_decode(want, FL_MACHINE_BYTES + FL_RECORD_BYTES, &decoded);
        fl_record_print(&decoded.records[0], line, sizeof(line));
        /* The usual flags of regs are printed although they may be left out. */
        CHECK(strncmp(line, rows[i].text, strlen(rows[i].text)) == 0, "'%s' is printed as '%s'", rows[i].text, line);
    }
}

/* Bytes that are not canonical: what they decode to. */
static void test_not_canonical(void)
{
    static const struct {
        const char *hex, *text;
    } rows[] = {
        {"1c", "map 0 frame 0 level 1 flags none"},                               /* kind 28 modulo 28 */
        {"00 ff 01 f3 ffff", "map 0 frame 1023 level 1 flags p pkey 3"},          /* masks */
        {"01 07 0000 00000000 00 ", "entry 0 level 4 set 0 mask 0"},              /* 7 modulo 4 levels */
        {"03 000000 ffffff08 ff1f", "unmap 0x1000 pages 65536"},                  /* shifted by 8 */
        {"03 000000 ffffff10 ff1f", "unmap 0x1000 pages 256"},                    /* by 16 */
        {"03 000000 ffffff1f", "unmap 0 pages 1"},                                /* by 31 */
        {"03 000000 ffffff24", "unmap 0 pages 1048576"},                          /* by 36 modulo 32 */
        {"02 07 03 00 00000000 0000000000000000 ffff", "vma 0 pages 1 prot rwx"}, /* no file */
        {"07 04 0000 00000000 01", "gpr rax 0x1"},                                /* rsp */
        {"0a 17 1f", "inject probe from 15"},                                     /* 23 modulo 18 */
        {"0a 02 1f", "inject mm-oom"},                                            /* no offset */
        {"0b 03 03 fc", "access read user 0"},
        {"0d 0f 00 00 00000000 0000000000000000 9090", "exec user 0: 90"},
        {"0e f1 fc ff 00000000 0000000000000000 9090", "decode 64 user: 90"},
        {"0f ff 00 00 0004", "ioremap 0 leaves 1 frame 0 level 1 flags none"},
        {"10 000000 ffffff10 ff1f", "iounmap 0x1000 pages 256"},
        {"11 05 01", "fork mm 3"},   /* 5 modulo 3 */
        {"12 07 fe", "switch mm 2"}, /* 7 modulo 5 */
        {"13 41 00 00 ffffefff", "ldt 1 bits 64 base 0 limit 0x100fff"},
        {"13 00 fb", "ldt 0 bits 64 base 0 limit 0xffffffff"}, /* 3, in a mode whose own size it is */
        {"15 03 fe", "touch read user 0"},
        {"16 ffffff ffffffff ffffffffffffffff", "sync-all"},
        {"17 07 0200 00000000 ff1f", "area anon 0x1000 pages 1 flags w,may-write"},                    /* 7 modulo 7 */
        {"17 01 ffff", "area file 0 pages 1 flags r,w,x,may-read,may-write,shared,locked"},            /* of a file */
        {"17 00 6004 00000000 0000000000000000 ffffffff", "area anon 0 pages 1 flags shared pkey 15"}, /* no file */
        {"18 1e ff ff", "act mprotect 0 mm 1 prot r,w,x"},                                /* 30 modulo 26 */
        {"18 00 fe ff 00000000 ff1f000000000000 ffff", "act read 0x1000"},                /* no op */
        {"19 1a 00 00 00000000 00 ", "race read 0 at read nth 1"},                        /* 26 modulo 26 */
        {"19 01 00 00 00000000 0000000000000000 1bff", "race write 0 at ptl-lock nth 1"}, /* 255 modulo 255 */
        {"1a 1b ff 0b", "answer refuse at ptl-lock nth 1"},
        {"1b 00 00 00 ffffffff 0000000000000000 ffff",
         "pin pin 0 pages 65535 flags write,touch,dump,force,nowait,mlock,split,hwpoison,migration,tried get"},
        {"1b 01 ff 00 00000000 0000000000000000 ffff", "pin user 0 pages 0 flags write,force remote vmas"},
        {"1b 02 ff ff 05000000 0000000000000000 ffff", "pin fast-only 0 pages 5 flags write"},
        {"1b 05 ff ff 05000000 0000000000000000 ffff", "pin dump 0 pages 1 remote"},
        {"1b 0d fb ff 05000000 0000000000000000 ffff",
         "pin follow 0 pages 1 flags write,touch,dump,force,nowait,mlock,split,hwpoison,numa,migration,tried remote get"},
    };
    char line[256];

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        memset(want, 0, FL_MACHINE_BYTES);
        from_hex(rows[i].hex, want + FL_MACHINE_BYTES, FL_RECORD_BYTES);
        fl_scenario_decode(want, FL_MACHINE_BYTES + FL_RECORD_BYTES, &decoded);
        fl_record_print(&decoded.records[0], line, sizeof(line));
        CHECK(strcmp(line, rows[i].text) == 0, "%s is '%s', expected '%s'", rows[i].hex, line, rows[i].text);
    }
}

/* The L bit of a descriptor is there in every mode; 32-bit ones store it as 3. */
static void test_ldt_bits(void)
{
    static const struct {
        const char *mode;
        uint8_t xor, stored[3]; /* byte 0 of the machine; what 16, 32 and 64 are stored as */
    } rows[] = {
        {"2level", 2 ^ FL_MODE_2LEVEL, {2, 0, 3}},
        {"pae", 2 ^ FL_MODE_PAE, {2, 0, 3}},
        {"4level", 2 ^ FL_MODE_4LEVEL, {2, 1, 0}},
        {"5level", 2 ^ FL_MODE_5LEVEL, {2, 1, 0}},
    };
    char text[128], line[256];

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        for (unsigned size = 0; size < 3; size++) {
            unsigned bits = 16u << size;

            snprintf(text, sizeof(text), "faultline-scenario 2\nmode %s\nldt 2 bits %u\n", rows[i].mode, bits);
            parse(text);
            fl_scenario_encode(&s, bytes, sizeof(bytes));
            CHECK_EQ(bytes[0], rows[i].xor, "%s", rows[i].mode);
            CHECK_EQ(bytes[FL_MACHINE_BYTES + 2], rows[i].stored[size], "%s: %u", rows[i].mode, bits);
            CHECK(fl_scenario_valid(&s), "%s: %u", rows[i].mode, bits);
            fl_scenario_decode(bytes, FL_MACHINE_BYTES + FL_RECORD_BYTES, &decoded);
            CHECK_EQ(decoded.records[0].u.ldt.bits, bits, "%s", rows[i].mode);
            fl_record_print(&decoded.records[0], line, sizeof(line));
            snprintf(text, sizeof(text), "ldt 2 bits %u base 0 limit 0xffffffff", bits);
            CHECK(strcmp(line, text) == 0, "%s: '%s'", rows[i].mode, line);
        }
}

/* Machines that are not canonical: at the byte given, in a machine that is zero otherwise. */
static void test_machine_not_canonical(void)
{
    static const struct {
        unsigned at;
        const char *hex, *text;
    } rows[] = {
        {64, "40", "mode 4level\nvsyscall yes\n"},
        {64, "80", "mode 4level\n"}, /* no F00F there */
        {65, "01", "mode 4level\n"}, /* no PMDs of its own */
        {65, "c0", "mode 4level\n"}, /* not an SH4; reserved */
        {65, "10", "mode 4level\nin-nmi yes\n"},
        {66, "05", "mode 4level\n"}, /* 5 modulo 5 */
        {66, "09", "mode 4level\ngeneration 2016\n"},
        {67, "fe", "mode 4level\ncomm odd\n"},
        {76, "ff", "mode 4level\n"},                                     /* no IDT there */
        {80, "0110", "mode 4level\nvmalloc-start 0xffff800000001000\n"}, /* into the kernel's half, aligned */
        {88, "0010 0000 00ca ffff", "mode 4level\nvmalloc-end 0xffffca0000001000\n"},
        {88, "0010 0000 80ff ffff", "mode 4level\nvmalloc-end 0xffffff0000001000\n"}, /* the last top-level entry */
        {88, "0000 0000 00c9 ffff", "mode 4level\n"},                                 /* an empty range */
        {80, "0000 0000 00e9 ffff", "mode 4level\n"},
        /* An SH4 has nothing else: not the mode, the family, the idt, the generation. */
        {0,
         "03 01 09 00 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 "
         "00000000 00000000 00000000 00000000 00000000 00000000 00000000 01",
         "mode 2level\narch sh4\n"},
        {64, "ff bf 03 02 ffff ffff ffffffff ffffffff 00f0ffc0", "mode 2level\narch sh4\nvmalloc-start 0xc0fff000\n"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        size_t size;
        char *text;

        memset(want, 0, FL_MACHINE_BYTES);
        from_hex(rows[i].hex, want + rows[i].at, FL_MACHINE_BYTES - rows[i].at);
        fl_scenario_decode(want, FL_MACHINE_BYTES, &decoded);
        text = print_scenario(&decoded, &size);
        CHECK(strncmp(text, "faultline-scenario 3\n", 21) == 0 && strcmp(text + 21, rows[i].text) == 0,
              "%s at %u is '%s', expected '%s'", rows[i].hex, rows[i].at, text, rows[i].text);
        free(text);
    }
}

int main(void)
{
    test_machine_not_canonical();
    test_machine();
    test_records();
    test_not_canonical();
    test_ldt_bits();
    return check_done("scenario golden");
}
