/* SPDX-License-Identifier: MIT */
/*
 * The rows. Encodings from the Intel SDM volume 2; tests/fuzz/test_insn.c holds mnemonic and length against the
 * disassemblers that are installed. Registers: addresses in rSI (loads), rDI (stores), rBX (read-modify-write).
 */
#include <faultline/fuzz/insn.h>

/* A table: laid out by hand. */
/* clang-format off */
#define ADDR32 "\x67" /* in 16-bit code: a 32-bit address */

#define FORM(size, s) {sizeof(s) - 1, size, s}
#define NONE          {0}

/* The access has the same size in all code. */
#define SAME(size, s) {FORM(size, ADDR32 s), FORM(size, s), FORM(size, s)}
/* Operand size of the code: 2 bytes in 16-bit code, else 4. */
#define WORD(s) {FORM(2, ADDR32 s), FORM(4, s), FORM(4, s)}
/* n times the stack's own size. */
#define STACK(n, s) {FORM(2 * n, s), FORM(4 * n, s), FORM(8 * n, s)}
#define ONLY_64(size, s) {NONE, NONE, FORM(size, s)}
#define ONLY_16(size, s) {FORM(size, s), NONE, NONE}
#define ONLY_32(size, s) {NONE, FORM(size, s), NONE}
#define FROM_32(size, s) {NONE, FORM(size, s), FORM(size, s)}

#define LOAD(name, ...)  {name, FL_INSN_LOAD, FL_RSI, FL_INSN_NO_REG, false, false, __VA_ARGS__}
#define STORE(name, ...) {name, FL_INSN_STORE, FL_RDI, FL_INSN_NO_REG, false, false, __VA_ARGS__}
#define RMW(name, ...)   {name, FL_INSN_RMW, FL_RBX, FL_INSN_NO_REG, false, false, __VA_ARGS__}
#define PUSH(name, ...)  {name, FL_INSN_STACK, FL_RSP, FL_INSN_NO_REG, true, false, __VA_ARGS__}
#define POP(name, ...)   {name, FL_INSN_STACK, FL_RSP, FL_INSN_NO_REG, false, false, __VA_ARGS__}
#define HINT(name, ...)  {name, FL_INSN_PREFETCH, FL_RSI, FL_INSN_NO_REG, false, false, __VA_ARGS__}
#define JUMP(name, ...)  {name, FL_INSN_JUMP, FL_RSI, FL_INSN_NO_REG, false, false, __VA_ARGS__}
#define STRING(name, rep, reg, reg2, ...) {name, FL_INSN_STRING, reg, reg2, false, rep, __VA_ARGS__}

static const struct fl_insn rows[] = {
    /* loads */
    LOAD("mov", SAME(1, "\x8a\x06")),             /* al, [rsi] */
    LOAD("mov", WORD("\x8b\x06")),                /* eax, [rsi] */
    LOAD("mov", ONLY_64(8, "\x48\x8b\x06")),      /* rax, [rsi] */
    LOAD("mov", FROM_32(2, "\x66\x8b\x06")),      /* ax, [rsi] */
    LOAD("movzx", SAME(1, "\x0f\xb6\x06")),       /* eax, byte [rsi] */
    LOAD("movzx", SAME(2, "\x0f\xb7\x06")),       /* eax, word [rsi] */
    LOAD("add", WORD("\x03\x06")),                /* eax, [rsi] */
    LOAD("cmp", SAME(1, "\x80\x3e\x00")),         /* byte [rsi], 0 */
    LOAD("test", WORD("\x85\x06")),               /* [rsi], eax */
    LOAD("bt", WORD("\x0f\xba\x26\x03")),         /* [rsi], 3 */
    LOAD("movd", SAME(4, "\x66\x0f\x6e\x06")),    /* xmm0, [rsi] */
    LOAD("movq", SAME(8, "\xf3\x0f\x7e\x06")),    /* xmm0, [rsi] */
    LOAD("movups", SAME(16, "\x0f\x10\x06")),     /* xmm0, [rsi] */
    LOAD("movdqu", SAME(16, "\xf3\x0f\x6f\x06")), /* xmm0, [rsi] */
    LOAD("movaps", SAME(16, "\x0f\x28\x06")),     /* xmm0, [rsi] */
    LOAD("fld", SAME(8, "\xdd\x06")),             /* qword [rsi] */
    LOAD("fld", SAME(10, "\xdb\x2e")),            /* tbyte [rsi] */
    LOAD("fldcw", SAME(2, "\xd9\x2e")),           /* [rsi] */
    LOAD("lddqu", SAME(16, "\xf2\x0f\xf0\x06")),  /* xmm0, [rsi] */

    /* stores */
    STORE("mov", SAME(1, "\x88\x07")),                                                       /* [rdi], al */
    STORE("mov", WORD("\x89\x07")),                                                          /* [rdi], eax */
    STORE("mov", ONLY_64(8, "\x48\x89\x07")),                                                /* [rdi], rax */
    STORE("mov", FROM_32(2, "\x66\x89\x07")),                                                /* [rdi], ax */
    STORE("mov", SAME(1, "\xc6\x07\x5a")),                                                   /* byte [rdi], 0x5a */
    {"mov", FL_INSN_STORE, FL_R8, FL_INSN_NO_REG, false, false, ONLY_64(8, "\x49\x89\x00")}, /* [r8], rax */
    STORE("setz", SAME(1, "\x0f\x94\x07")),                                                  /* byte [rdi] */
    STORE("movnti", SAME(4, "\x0f\xc3\x07")),                                                /* [rdi], eax */
    STORE("movd", SAME(4, "\x66\x0f\x7e\x07")),                                              /* [rdi], xmm0 */
    STORE("movq", SAME(8, "\x66\x0f\xd6\x07")),                                              /* [rdi], xmm0 */
    STORE("movups", SAME(16, "\x0f\x11\x07")),                                               /* [rdi], xmm0 */
    STORE("movdqu", SAME(16, "\xf3\x0f\x7f\x07")),                                           /* [rdi], xmm0 */
    STORE("movaps", SAME(16, "\x0f\x29\x07")),                                               /* [rdi], xmm0 */
    STORE("movntdq", SAME(16, "\x66\x0f\xe7\x07")),                                          /* [rdi], xmm0 */
    STORE("fstp", SAME(10, "\xdb\x3f")),                                                     /* tbyte [rdi] */
    STORE("fnstcw", SAME(2, "\xd9\x3f")),                                                    /* [rdi] */
    STORE("fxsave", SAME(512, "\x0f\xae\x07")),                                              /* [rdi] */

    /* read-modify-write */
    RMW("add", WORD("\x01\x03")),             /* [rbx], eax */
    RMW("inc", SAME(1, "\xfe\x03")),          /* byte [rbx] */
    RMW("inc", ONLY_64(8, "\x48\xff\x03")),   /* qword [rbx] */
    RMW("not", WORD("\xf7\x13")),             /* [rbx] */
    RMW("or", SAME(1, "\x80\x0b\x01")),       /* byte [rbx], 1 */
    RMW("shl", WORD("\xd1\x23")),             /* [rbx], 1 */
    RMW("add", WORD("\xf0\x01\x03")),         /* lock [rbx], eax */
    RMW("dec", SAME(1, "\xf0\xfe\x0b")),      /* lock byte [rbx] */
    RMW("xchg", WORD("\x87\x03")),            /* [rbx], eax */
    RMW("xchg", ONLY_64(8, "\x48\x87\x03")),  /* [rbx], rax */
    RMW("xadd", WORD("\xf0\x0f\xc1\x03")),    /* lock [rbx], eax */
    RMW("cmpxchg", WORD("\x0f\xb1\x0b")),     /* [rbx], ecx */
    RMW("cmpxchg", WORD("\xf0\x0f\xb1\x0b")), /* lock [rbx], ecx */
    {"cmpxchg8b", FL_INSN_RMW, FL_RSI, FL_INSN_NO_REG, false, false, SAME(8, "\x0f\xc7\x0e")},
    {"cmpxchg16b", FL_INSN_RMW, FL_RSI, FL_INSN_NO_REG, false, false, ONLY_64(16, "\x48\x0f\xc7\x0e")},
    RMW("bts", WORD("\x0f\xba\x2b\x03")),     /* [rbx], 3 */
    RMW("btr", WORD("\xf0\x0f\xba\x33\x03")), /* lock [rbx], 3 */

    /* stack */
    PUSH("push", STACK(1, "\x50")),     /* rax */
    PUSH("push", STACK(1, "\x6a\x11")), /* 0x11 */
    PUSH("pushf", ONLY_16(2, "\x9c")),
    PUSH("pushfd", ONLY_32(4, "\x9c")),
    PUSH("pushfq", ONLY_64(8, "\x9c")),
    PUSH("pusha", ONLY_16(16, "\x60")),
    PUSH("pushad", ONLY_32(32, "\x60")),
    PUSH("call", {FORM(2, "\xe8\x00\x00"), FORM(4, "\xe8\x00\x00\x00\x00"), FORM(8, "\xe8\x00\x00\x00\x00")}),
    PUSH("enter", STACK(1, "\xc8\x10\x00\x00")),
    POP("pop", STACK(1, "\x58")), /* rax */
    POP("popa", ONLY_16(16, "\x61")),
    POP("popad", ONLY_32(32, "\x61")),
    POP("ret", STACK(1, "\xc3")),
    {"leave", FL_INSN_STACK, FL_RBP, FL_INSN_NO_REG, false, false, STACK(1, "\xc9")},
    {"push",
     FL_INSN_STACK,
     FL_RSI,
     FL_INSN_NO_REG,
     false,
     false,
     {FORM(2, ADDR32 "\xff\x36"), FORM(4, "\xff\x36"), FORM(8, "\xff\x36")}}, /* [rsi] */
    {"pop",
     FL_INSN_STACK,
     FL_RDI,
     FL_INSN_NO_REG,
     false,
     false,
     {FORM(2, ADDR32 "\x8f\x07"), FORM(4, "\x8f\x07"), FORM(8, "\x8f\x07")}}, /* [rdi] */

    /* strings */
    STRING("lodsb", false, FL_RSI, FL_INSN_NO_REG, SAME(1, "\xac")),
    STRING("lodsd", false, FL_RSI, FL_INSN_NO_REG, FROM_32(4, "\xad")),
    STRING("stosb", false, FL_RDI, FL_INSN_NO_REG, SAME(1, "\xaa")),
    STRING("stosb", true, FL_RDI, FL_INSN_NO_REG, SAME(1, "\xf3\xaa")),
    STRING("stosw", true, FL_RDI, FL_INSN_NO_REG, ONLY_16(2, ADDR32 "\xf3\xab")),
    STRING("stosd", true, FL_RDI, FL_INSN_NO_REG, FROM_32(4, "\xf3\xab")),
    STRING("stosq", true, FL_RDI, FL_INSN_NO_REG, ONLY_64(8, "\xf3\x48\xab")),
    STRING("scasb", true, FL_RDI, FL_INSN_NO_REG, SAME(1, "\xf2\xae")),
    STRING("movsb", false, FL_RDI, FL_RSI, SAME(1, "\xa4")),
    STRING("movsb", true, FL_RDI, FL_RSI, SAME(1, "\xf3\xa4")),
    STRING("movsd", true, FL_RDI, FL_RSI, FROM_32(4, "\xf3\xa5")),
    STRING("movsq", true, FL_RDI, FL_RSI, ONLY_64(8, "\xf3\x48\xa5")),
    STRING("cmpsb", true, FL_RSI, FL_RDI, SAME(1, "\xf3\xa6")),
    {"xlat", FL_INSN_LOAD, FL_RBX, FL_INSN_NO_REG, false, false, SAME(1, "\xd7")}, /* [rbx + al] */

    /* prefetches */
    HINT("prefetch", SAME(0, "\x0f\x0d\x06")),
    HINT("prefetchw", SAME(0, "\x0f\x0d\x0e")),
    HINT("prefetchnta", SAME(0, "\x0f\x18\x06")),
    HINT("prefetcht0", SAME(0, "\x0f\x18\x0e")),
    HINT("prefetcht1", SAME(0, "\x0f\x18\x16")),
    HINT("prefetcht2", SAME(0, "\x0f\x18\x1e")),

    /* jumps: to the register's value, and through memory */
    JUMP("jmp", {FORM(0, "\x66\xff\xe6"), FORM(0, "\xff\xe6"), FORM(0, "\xff\xe6")}),
    JUMP("call", {FORM(0, "\x66\xff\xd6"), FORM(0, "\xff\xd6"), FORM(0, "\xff\xd6")}),
    JUMP("jmp", {FORM(4, "\x66\x67\xff\x26"), FORM(4, "\xff\x26"), FORM(8, "\xff\x26")}),
};
/* clang-format on */

const struct fl_insn *fl_insn_rows(size_t *count)
{
    *count = sizeof(rows) / sizeof(rows[0]);
    return rows;
}

const struct fl_insn_form *fl_insn_form(const struct fl_insn *insn, unsigned bits)
{
    const struct fl_insn_form *form = &insn->form[bits == 64 ? 2 : bits == 32 ? 1 : 0];

    return form->n ? form : NULL;
}

const char *fl_insn_kind_name(enum fl_insn_kind kind)
{
    static const char *const names[FL_INSN_KIND_COUNT] = {
        [FL_INSN_LOAD] = "load",   [FL_INSN_STORE] = "store",   [FL_INSN_RMW] = "rmw",
        [FL_INSN_STACK] = "stack", [FL_INSN_STRING] = "string", [FL_INSN_PREFETCH] = "prefetch",
        [FL_INSN_JUMP] = "jump",
    };

    return (unsigned)kind < FL_INSN_KIND_COUNT ? names[kind] : "?";
}
