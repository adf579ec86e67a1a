/* SPDX-License-Identifier: MIT */
/* The layout of version 1, byte by byte: text, and the exact bytes that docs/scenario-format.md gives for it. */
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

static void test_machine(void)
{
    static const char text[] =
        "faultline-scenario 1\n"
        "mode pae\nvendor amd\nfamily 15\nmaxphyaddr 52\npse36 no\nwp no\nsmap yes\npks yes\n"
        "nxe no\nsplit 1g/3g\ncode-bits 16\nhas-mm no\nfaults-disabled yes\ncatches-signals no\npid 1\npkru 0x11223344\n"
        "pkrs 0x55667788\nip 0x12345678\nsp 0x3ffff010\nflags 0x20203\nseg-base 0xabcdef0\n"
        "seg-limit 0xffff\nstack-pages 16\nas-pages 4096\nguard-pages 1\nmin-addr-pages 0\n"
        "gpr-seed 77\n";

    /* Exclusive or with 4level, 0x1f, 0x27, 256, 16, 1000, 0x202, 0x400000, 0x3ffff000, 2048 and all ones. */
    from_hex("03 01 09 0c a5 35 02 02 4d 00 0101 1000 0000 e9030000 01000200 44332211 88776655"
             "7856741200000000 1000000000000000 f0debc0a 0000ffff 10080000 ffefffff",
             want, FL_MACHINE_BYTES);
    parse(text);
    CHECK_EQ(fl_scenario_encode(&s, bytes, sizeof(bytes)), FL_MACHINE_BYTES, "machine");
    for (unsigned i = 0; i < FL_MACHINE_BYTES; i++)
        CHECK_EQ(bytes[i], want[i], "machine byte %u", i);
    fl_scenario_decode(want, FL_MACHINE_BYTES, &decoded);
    CHECK(fl_scenario_equal(&s, &decoded), "machine");
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
    };
    char text[256], line[256];

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        snprintf(text, sizeof(text), "faultline-scenario 1\n%s\n", rows[i].text);
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
        {"0f", "map 0 frame 0 level 1 flags none"},                               /* kind 15 modulo 15 */
        {"00 ff 01 f3 ffff", "map 0 frame 1023 level 1 flags p pkey 3"},          /* masks */
        {"01 07 0000 00000000 00 ", "entry 0 level 4 set 0 mask 0"},              /* 7 modulo 4 levels */
        {"03 000000 ffffff08 ff1f", "unmap 0x1000 pages 65536"},                  /* shifted by 8 */
        {"03 000000 ffffff10 ff1f", "unmap 0x1000 pages 256"},                    /* by 16 */
        {"03 000000 ffffff1f", "unmap 0 pages 1"},                                /* by 31 */
        {"03 000000 ffffff24", "unmap 0 pages 1048576"},                          /* by 36 modulo 32 */
        {"02 07 03 00 00000000 0000000000000000 ffff", "vma 0 pages 1 prot rwx"}, /* no file */
        {"07 04 0000 00000000 01", "gpr rax 0x1"},                                /* rsp */
        {"0a 0b 1f", "inject probe from 15"},                                     /* 11 modulo 6 */
        {"0a 02 1f", "inject mm-oom"},                                            /* no offset */
        {"0b 03 03 fc", "access read user 0"},
        {"0d 0f 00 00 00000000 0000000000000000 9090", "exec user 0: 90"},
        {"0e f1 fc ff 00000000 0000000000000000 9090", "decode 64 user: 90"},
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

int main(void)
{
    test_machine();
    test_records();
    test_not_canonical();
    return check_done("scenario golden");
}
