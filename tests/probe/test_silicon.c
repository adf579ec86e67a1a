/* SPDX-License-Identifier: MIT */
/*
 * Prefetches on this machine's processor against what was measured on AMD's family 25 (2025): 0F 0D and 0F 18 with every
 * ModRM byte behind 0 to N prefixes, in each mode.
 *
 *   ends    #UD if and only if LOCK is among the prefixes, or it is 0F 0D with a register operand; else it runs
 *   loads   the line, if and only if it ran and has a memory operand; one relative to RIP cannot be told; 0F 0D /1 and /3
 *           (PREFETCHW and its alias) through CS, which cannot be written in 16- and 32-bit code, sometimes do (measured: 50 to
 *           92 % of the rounds): not judged
 *
 *     test_silicon [prefixes of ends (1..2) [prefixes of loads (0..1)]]
 */
#include "fixture.h"

static uint64_t nends, nloads, nunsure, through_cs_rounds, through_cs_hits;

static bool is_rip_relative(const struct fl_probe_case *c, uint8_t modrm)
{
    return c->bits == 64 && (modrm & 0xc7) == 0x05;
}

static bool writes_through_cs(unsigned bits, const uint8_t *prefixes, unsigned n, unsigned opcode, uint8_t modrm)
{
    return bits != 64 && n > 0 && prefixes[n - 1] == 0x2e && opcode == 0x0d && (modrm & 0x28) == 0x08;
}

static void look(struct fl_probe *p, unsigned bits, const uint8_t *prefixes, unsigned n, bool loads)
{
    struct fl_probe_case cases[512];
    uint8_t ends[512];
    bool lock = n > 0 && memchr(prefixes, 0xf0, n) != NULL;

    for (unsigned i = 0; i < 512; i++)
        cases[i] = fixture_prefetch(bits, prefixes, n, i < 256 ? 0x0d : 0x18, (uint8_t)i);
    CHECK_EQ(p->run(p, cases, 512, ends), FL_OK, "%s", p->why(p));
    for (unsigned i = 0; i < 512; i++) {
        uint8_t modrm = (uint8_t)i;
        bool memory = modrm < 0xc0, ud = lock || (i < 256 && !memory);
        CHECK(ends[i] == (ud ? FL_PROBE_UD : FL_PROBE_RAN), "%s: %s", fixture_text(&cases[i]),
              fl_probe_end_name(ends[i]));
        nends++;
        /* With displacement 0, mod 1 and 2 name what mod 0 does. */
        if (!loads || ud)
            continue;
        bool through_cs = writes_through_cs(bits, prefixes, n, i < 256 ? 0x0d : 0x18, modrm);
        struct fl_probe_loads l = {0};
        enum fl_status status = FL_FAILED;
        for (unsigned tries = 0; tries < 5; tries++) { /* other processes spoil a vote now and then */
            status = p->loads(p, &cases[i], &l);
            if (status != FL_OK || (l.sure && l.loads == memory) || is_rip_relative(&cases[i], modrm) || through_cs)
                break;
        }
        if (status == FL_UNSUPPORTED)
            continue;
        CHECK_EQ(status, FL_OK, "%s", p->why(p));
        if (is_rip_relative(&cases[i], modrm)) {
            CHECK(!l.sure, "%s: sure", fixture_text(&cases[i]));
            nunsure++;
        } else if (through_cs) {
            nunsure++;
            through_cs_rounds += l.rounds;
            through_cs_hits += l.hits;
        } else {
            CHECK(l.sure && l.loads == memory, "%s: %u of %u rounds", fixture_text(&cases[i]), l.hits, l.rounds);
            nloads++;
        }
    }
}

int main(int argc, char **argv)
{
    unsigned most = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 1;
    unsigned most_loads = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 0;
    struct fl_probe *p = fixture_open(fl_native_open);

    if (strncmp(p->version, "AuthenticAMD-", 13) != 0) {
        printf("skipped: measured on AMD, this is %s\n", p->version);
        p->close(p);
        return 77;
    }
    for (unsigned bits = 16; bits <= 64; bits *= 2) {
        uint8_t prefixes[27], two[2];
        unsigned n = fixture_prefixes(bits, prefixes);

        if ((fixture_mode(bits) & p->modes) == 0)
            continue;
        look(p, bits, NULL, 0, true);
        for (unsigned i = 0; i < n; i++)
            look(p, bits, &prefixes[i], 1, most_loads >= 1);
        for (unsigned i = 0; i < n * n && most >= 2; i++) {
            two[0] = prefixes[i / n];
            two[1] = prefixes[i % n];
            look(p, bits, two, 2, false);
        }
    }
    printf("%s: %" PRIu64 " ends; %" PRIu64 " operands that load or do not, %" PRIu64 " that cannot be told\n",
           p->version, nends, nloads, nunsure);
    if (through_cs_rounds != 0)
        printf("PREFETCHW through CS: the line was there in %" PRIu64 " of %" PRIu64 " rounds\n", through_cs_hits,
               through_cs_rounds);
    CHECK_EQ(p->close(p), FL_OK, "close");
    return check_done("silicon");
}
