/* SPDX-License-Identifier: MIT */
/*
 * The instruction catalogue: each encoding is one instruction of the stated length and mnemonic to every disassembler
 * that is installed, its memory operand has the stated size and register, and aiming makes canonical records.
 */
#include "check.h"

#include <faultline/fuzz/insn.h>

#ifdef FL_TEST_CAPSTONE
#    include <capstone/capstone.h>
#endif
#ifdef FL_TEST_ZYDIS
#    include <Zydis/Zydis.h>
#endif

static const unsigned all_bits[3] = {16, 32, 64};

/* ---- the rows themselves ---------------------------------------------------------------------------------------- */

static void test_shape(void)
{
    size_t count;
    const struct fl_insn *rows = fl_insn_rows(&count);
    unsigned kinds[FL_INSN_KIND_COUNT] = {0};

    CHECK(count > 50, "%zu rows", count);
    for (size_t i = 0; i < count; i++) {
        unsigned forms = 0;

        CHECK(rows[i].kind < FL_INSN_KIND_COUNT, "row %zu", i);
        kinds[rows[i].kind]++;
        CHECK(rows[i].address < FL_GPR_COUNT, "row %zu %s", i, rows[i].mnemonic);
        CHECK(rows[i].address2 < FL_GPR_COUNT || rows[i].address2 == FL_INSN_NO_REG, "row %zu", i);
        CHECK(!rows[i].below || rows[i].address == FL_RSP, "row %zu", i);
        for (unsigned b = 0; b < 3; b++) {
            const struct fl_insn_form *form = fl_insn_form(&rows[i], all_bits[b]);

            if (!form)
                continue;
            forms++;
            CHECK(form->n <= sizeof(form->bytes) && form->n <= FL_MAX_CODE, "row %zu", i);
            for (size_t j = 0; j < i; j++) {
                const struct fl_insn_form *other = fl_insn_form(&rows[j], all_bits[b]);

                CHECK(!other || other->n != form->n || memcmp(other->bytes, form->bytes, form->n) != 0,
                      "rows %zu and %zu (%s) are the same in %u-bit code", j, i, rows[i].mnemonic, all_bits[b]);
            }
        }
        CHECK(forms > 0, "row %zu %s exists nowhere", i, rows[i].mnemonic);
    }
    for (unsigned k = 0; k < FL_INSN_KIND_COUNT; k++) {
        CHECK(kinds[k] > 0, "no row is a %s", fl_insn_kind_name((enum fl_insn_kind)k));
        printf("  %-8s %u rows\n", fl_insn_kind_name((enum fl_insn_kind)k), kinds[k]);
    }
}

/* ---- disassemblers ---------------------------------------------------------------------------------------------- */

#ifdef FL_TEST_CAPSTONE
/* Where Capstone's name of an instruction is another one. */
static const char *const capstone_names[][2] = {
    {"pusha", "pushaw"}, {"pushad", "pushal"}, {"popa", "popaw"},
    {"popad", "popal"},  {"setz", "sete"},     {"xlat", "xlatb"},
};

static bool capstone_calls_it(const char *name, const char *mnemonic)
{
    for (size_t i = 0; i < sizeof(capstone_names) / sizeof(capstone_names[0]); i++)
        if (strcmp(capstone_names[i][0], mnemonic) == 0 && strcmp(capstone_names[i][1], name) == 0)
            return true;
    return strcmp(name, mnemonic) == 0;
}

/* Capstone 4 and 5 take SSE instructions with a mandatory prefix for other ones in 16-bit code; 4 does not know
 * 0F 0D /0 either (decode/rows.c). Zydis checks those. */
static bool capstone_knows(const struct fl_insn *row, const struct fl_insn_form *form, unsigned bits)
{
    bool prefix = false;

    for (unsigned i = 0; i + 1 < form->n && bits == 16; i++) {
        prefix |= form->bytes[i] == 0x66 || form->bytes[i] == 0xf2 || form->bytes[i] == 0xf3;
        if (prefix && form->bytes[i + 1] == 0x0f)
            return false;
    }
    return CS_API_MAJOR >= 5 || strcmp(row->mnemonic, "prefetch") != 0;
}

static void test_capstone(void)
{
    static const cs_mode modes[3] = {CS_MODE_16, CS_MODE_32, CS_MODE_64};
    size_t count;
    const struct fl_insn *rows = fl_insn_rows(&count);
    unsigned checked = 0;

    for (unsigned b = 0; b < 3; b++) {
        csh handle;

        CHECK(cs_open(CS_ARCH_X86, modes[b], &handle) == CS_ERR_OK, "%u bits", all_bits[b]);
        for (size_t i = 0; i < count; i++) {
            const struct fl_insn_form *form = fl_insn_form(&rows[i], all_bits[b]);
            cs_insn *insn;
            size_t n;

            if (!form || !capstone_knows(&rows[i], form, all_bits[b]))
                continue;
            n = cs_disasm(handle, form->bytes, form->n, 0x1000, 0, &insn);
            CHECK_EQ(n, 1, "row %zu %s in %u-bit code", i, rows[i].mnemonic, all_bits[b]);
            if (n == 1) {
                CHECK_EQ(insn->size, form->n, "row %zu %s in %u-bit code", i, rows[i].mnemonic, all_bits[b]);
                CHECK(capstone_calls_it(cs_insn_name(handle, insn->id), rows[i].mnemonic),
                      "row %zu is %s to Capstone in %u-bit code", i, cs_insn_name(handle, insn->id), all_bits[b]);
                checked++;
            }
            cs_free(insn, n);
        }
        cs_close(&handle);
    }
    printf("  capstone: %u encodings\n", checked);
}
#endif

#ifdef FL_TEST_ZYDIS
/* What Zydis calls the register that holds the address, without its width. */
static enum fl_gpr gpr_of(ZydisRegister reg)
{
    return (enum fl_gpr)ZydisRegisterGetId(reg);
}

static void zydis_operands(const struct fl_insn *row, const struct fl_insn_form *form,
                           const ZydisDecodedInstruction *insn, const ZydisDecodedOperand *operands, unsigned bits)
{
    bool found = false, found2 = row->address2 == FL_INSN_NO_REG, prefetch = row->kind == FL_INSN_PREFETCH;

    for (unsigned i = 0; i < insn->operand_count; i++) {
        const ZydisDecodedOperand *op = &operands[i];
        bool agen = op->type == ZYDIS_OPERAND_TYPE_MEMORY && op->mem.type == ZYDIS_MEMOP_TYPE_AGEN;

        /* A jump to a register. */
        if (op->type == ZYDIS_OPERAND_TYPE_REGISTER && form->size == 0 && !prefetch && i == 0) {
            CHECK_EQ(gpr_of(op->reg.value), row->address, "%s in %u-bit code", row->mnemonic, bits);
            found = true;
        }
        if (op->type != ZYDIS_OPERAND_TYPE_MEMORY || agen)
            continue;
        if (gpr_of(op->mem.base) == (enum fl_gpr)row->address) {
            bool reads = op->actions & ZYDIS_OPERAND_ACTION_MASK_READ;
            bool writes = op->actions & ZYDIS_OPERAND_ACTION_MASK_WRITE;

            if (!prefetch)
                CHECK_EQ(op->size, form->size * 8, "%s in %u-bit code: operand %u", row->mnemonic, bits, i);
            CHECK(row->kind != FL_INSN_LOAD || !writes, "%s writes", row->mnemonic);
            CHECK(row->kind != FL_INSN_STORE || !reads, "%s reads", row->mnemonic);
            CHECK(row->kind != FL_INSN_RMW || (reads && writes), "%s", row->mnemonic);
            CHECK(row->address != FL_RSP || writes == row->below, "%s goes the other way", row->mnemonic);
            CHECK(bits != 16 || row->kind == FL_INSN_STACK || insn->address_width == 32,
                  "%s in 16-bit code has 16-bit addresses", row->mnemonic);
            found = true;
        } else if (row->address2 != FL_INSN_NO_REG && gpr_of(op->mem.base) == (enum fl_gpr)row->address2) {
            CHECK_EQ(op->size, form->size * 8, "%s in %u-bit code: operand %u", row->mnemonic, bits, i);
            found2 = true;
        }
    }
    CHECK(found && found2, "%s in %u-bit code does not go through the stated registers", row->mnemonic, bits);
    CHECK_EQ((insn->attributes & (ZYDIS_ATTRIB_HAS_REP | ZYDIS_ATTRIB_HAS_REPE | ZYDIS_ATTRIB_HAS_REPNE)) != 0,
             row->repeated, "%s", row->mnemonic);
}

static void test_zydis(void)
{
    static const ZydisMachineMode modes[3] = {ZYDIS_MACHINE_MODE_LONG_COMPAT_16, ZYDIS_MACHINE_MODE_LONG_COMPAT_32,
                                              ZYDIS_MACHINE_MODE_LONG_64};
    static const ZydisStackWidth stacks[3] = {ZYDIS_STACK_WIDTH_16, ZYDIS_STACK_WIDTH_32, ZYDIS_STACK_WIDTH_64};
    size_t count;
    const struct fl_insn *rows = fl_insn_rows(&count);
    unsigned checked = 0;

    for (unsigned b = 0; b < 3; b++) {
        ZydisDecoder decoder;

        CHECK(ZYAN_SUCCESS(ZydisDecoderInit(&decoder, modes[b], stacks[b])), "%u bits", all_bits[b]);
        for (size_t i = 0; i < count; i++) {
            const struct fl_insn_form *form = fl_insn_form(&rows[i], all_bits[b]);
            ZydisDecodedInstruction insn;
            ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];

            if (!form)
                continue;
            CHECK(ZYAN_SUCCESS(ZydisDecoderDecodeFull(&decoder, form->bytes, form->n, &insn, operands)),
                  "row %zu %s in %u-bit code", i, rows[i].mnemonic, all_bits[b]);
            CHECK_EQ(insn.length, form->n, "row %zu %s in %u-bit code", i, rows[i].mnemonic, all_bits[b]);
            CHECK(strcmp(ZydisMnemonicGetString(insn.mnemonic), rows[i].mnemonic) == 0,
                  "row %zu %s is %s to Zydis in %u-bit code", i, rows[i].mnemonic,
                  ZydisMnemonicGetString(insn.mnemonic), all_bits[b]);
            zydis_operands(&rows[i], form, &insn, operands, all_bits[b]);
            checked++;
        }
    }
    printf("  zydis: %u encodings\n", checked);
}
#endif

/* ---- aiming ----------------------------------------------------------------------------------------------------- */

static void test_aim(void)
{
    size_t count;
    const struct fl_insn *rows = fl_insn_rows(&count);

    for (size_t i = 0; i < count; i++) {
        for (unsigned c = 0; c < FL_MODE_COUNT * 3; c++) {
            struct fl_insn_aim aim = {
                .mode = (enum fl_mode)(c / 3),
                .bits = (uint8_t)all_bits[c % 3],
                .user = i & 1,
                .flags = 0x20202,
                .ip = UINT64_C(0xfedc000000400ffe),
                .target = UINT64_C(0xabcd000012345ffd),
                .target2 = UINT64_C(0xabcd0000fffffffe),
                .count = 3,
            };
            bool wide = aim.mode == FL_MODE_4LEVEL || aim.mode == FL_MODE_5LEVEL;
            uint64_t mask = wide ? UINT64_MAX : UINT32_MAX;
            const struct fl_insn_form *form = fl_insn_form(&rows[i], aim.bits);
            struct fl_record *out;
            struct fl_scenario s;
            size_t n;
            bool aimed = false, second = false, counted = false;

            if (aim.bits == 64 && !wide)
                continue;
            fl_scenario_default(&s);
            s.machine.mode = (uint8_t)aim.mode;
            s.machine.code_bits = aim.bits;
            s.machine.sp &= mask;
            out = s.records;
            memset(out, 0xee, FL_INSN_MAX_RECORDS * sizeof(*out));
            n = fl_insn_records(&rows[i], &aim, out);
            if (!form) {
                CHECK_EQ(n, 0, "row %zu", i);
                CHECK_EQ(out[0].kind, 0xee, "row %zu: output was touched", i);
                continue;
            }
            CHECK(n >= 2 && n <= FL_INSN_MAX_RECORDS, "row %zu: %zu records", i, n);
            s.nrecords = (uint32_t)n;
            CHECK(fl_scenario_valid(&s), "row %zu %s in mode %u, %u bits", i, rows[i].mnemonic, aim.mode, aim.bits);
            for (size_t r = 0; r + 1 < n; r++) {
                if (out[r].kind == FL_REC_GPR) {
                    aimed |= out[r].u.gpr.index == rows[i].address && out[r].u.gpr.value == (aim.target & mask);
                    second |= out[r].u.gpr.index == rows[i].address2 && out[r].u.gpr.value == (aim.target2 & mask);
                    counted |= out[r].u.gpr.index == FL_RCX && out[r].u.gpr.value == 3;
                } else {
                    CHECK_EQ(out[r].kind, FL_REC_REGS, "row %zu", i);
                    CHECK_EQ(out[r].u.regs.code_bits, aim.bits, "row %zu", i);
                    aimed |= ((out[r].u.regs.sp - (rows[i].below ? form->size : 0u)) & mask) == (aim.target & mask);
                }
            }
            CHECK(aimed, "row %zu %s is not aimed", i, rows[i].mnemonic);
            CHECK_EQ(second, rows[i].address2 != FL_INSN_NO_REG, "row %zu %s", i, rows[i].mnemonic);
            CHECK_EQ(counted, rows[i].repeated, "row %zu %s", i, rows[i].mnemonic);
            CHECK_EQ(out[n - 1].kind, FL_REC_EXEC, "row %zu", i);
            CHECK_EQ(out[n - 1].u.exec.ip, aim.ip & mask, "row %zu", i);
            CHECK_EQ(out[n - 1].u.exec.n, form->n, "row %zu", i);
        }
    }
}

int main(void)
{
    test_shape();
#ifdef FL_TEST_CAPSTONE
    test_capstone();
#endif
#ifdef FL_TEST_ZYDIS
    test_zydis();
#endif
    test_aim();
    return check_done("insn");
}
