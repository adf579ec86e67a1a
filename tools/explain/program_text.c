/* SPDX-License-Identifier: MIT */
/* The text of a C program: a comment, the parts that are always the same, and the data as literals. */
#include "literals.h"
#include "program.h"

#include <inttypes.h>
#include <stddef.h>
#include <string.h>

/* program_parts.S */
extern const char program_types_text[], program_types_text_end[];
extern const char program_world_text[], program_world_text_end[];
extern const char program_kernel_text[], program_kernel_text_end[];
extern const char program_facts_text[], program_facts_text_end[];

/* ---- the parts ----------------------------------------------------------------------------------------------------- */

/* Without the licence line and the include of a part that stands above. */
static void write_part(FILE *out, const char *text, const char *end)
{
    while (text < end) {
        const char *stop = memchr(text, '\n', (size_t)(end - text));
        size_t n = stop ? (size_t)(stop - text) + 1 : (size_t)(end - text);

        if (strncmp(text, "#include \"", 10) != 0 && strncmp(text, "/* SPDX-", 8) != 0)
            fwrite(text, 1, n, out);
        text += n;
    }
    fputc('\n', out);
}

/* In a comment: nothing that ends it or is no plain text. */
static void write_comment(FILE *out, const char *text)
{
    for (const char *p = text; *p; p++)
        if (*p < ' ' || *p > '~' || (*p == '/' && p > text && p[-1] == '*') || (*p == '*' && p[1] == '/') ||
            *p == '\\' || (*p == '?' && p[1] == '?'))
            fputc('.', out);
        else
            fputc(*p, out);
}

/* ---- the data ------------------------------------------------------------------------------------------------------ */

static void write_array(FILE *out, const char *type, const char *name, const struct fields *fields, const void *rows,
                        size_t n, size_t size)
{
    if (n == 0)
        return;
    fprintf(out, "static const struct %s %s[] = {\n", type, name);
    for (size_t i = 0; i < n; i++) {
        fputs("    ", out);
        write_fields(out, fields, (const char *)rows + i * size);
        fputs(",\n", out);
    }
    fputs("};\n\n", out);
}
#define ROWS(out, type, name, fields, rows, n) write_array(out, #type, name, &fields, rows, n, sizeof(struct type))

static void write_numbers(FILE *out, const char *name, const uint64_t *numbers, size_t n)
{
    if (n == 0)
        return;
    fprintf(out, "static const uint64_t %s[] = {", name);
    for (size_t i = 0; i < n; i++) {
        fputs(i % 4 == 0 ? "\n    " : " ", out);
        write_numeral(out, numbers[i]);
        fputc(',', out);
    }
    fputs("\n};\n\n", out);
}

static void write_arrays(FILE *out, const struct repro *r)
{
    ROWS(out, repro_entry, "entries", entry_fields, r->entries, r->nentries);
    write_numbers(out, "tables", r->tables, r->ntables);
    ROWS(out, fl_vma, "vmas", vma_fields, r->vmas, r->nvmas);
    ROWS(out, repro_pair, "fixups", pair_fields, r->extable, r->nextable);
    ROWS(out, repro_pair, "user_words", pair_fields, r->words, r->nwords);
    if (r->ldt)
        write_numbers(out, "descriptors", r->ldt, r->fault.task.ldt_entries);
    ROWS(out, repro_byte, "code_bytes", byte_fields, r->bytes, r->nbytes);
    write_numbers(out, "code_window", r->window, r->nwindow);
    ROWS(out, repro_write, "expected_writes", write_row_fields, r->writes, r->nwrites);
    if (r->nlog) {
        fputs("static const char expected_log[] =\n    ", out);
        write_string(out, r->log, r->nlog);
        fputs(";\n\n", out);
    }
}

static void write_repro(FILE *out, const struct repro *r)
{
    static const char *const calls[] = {"REPRO_WALK",         "REPRO_PREFETCH", "REPRO_FAULT",
                                        "REPRO_INTERFERENCE", "REPRO_SYNC_ALL", "REPRO_P3_SYNC"};
    const struct {
        const char *member, *name;
        bool there;
    } arrays[] = {{"entries", "entries", r->nentries != 0},
                  {"tables", "tables", r->ntables != 0},
                  {"vmas", "vmas", r->nvmas != 0},
                  {"extable", "fixups", r->nextable != 0},
                  {"words", "user_words", r->nwords != 0},
                  {"ldt", "descriptors", r->ldt && r->fault.task.ldt_entries},
                  {"bytes", "code_bytes", r->nbytes != 0},
                  {"window", "code_window", r->nwindow != 0},
                  {"writes", "expected_writes", r->nwrites != 0},
                  {"log", "expected_log", r->nlog != 0}};

    write_arrays(out, r);
    fprintf(out, "static const struct repro repro = {\n    .call = %s,\n    .fault.cpu = ", calls[r->call]);
    write_fields(out, &cpu_fields, &r->fault.cpu);
    fputs(",\n    .fault.kernel = ", out);
    write_fields(out, &kernel_fields, &r->fault.kernel);
    fputs(",\n    .fault.task = ", out);
    write_fields(out, &task_fields, &r->fault.task);
    fputs(",\n    .fault.codeseg = ", out);
    write_fields(out, &codeseg_fields, &r->fault.codeseg);
    fputs(",\n    .fault.regs = ", out);
    write_fields(out, &regs_fields, &r->fault.regs);
    fprintf(out, ",\n    .fault.cr2 = UINT64_C(%#" PRIx64 "),\n    .fault.error_code = %#" PRIx64 ",\n    .access = ",
            r->fault.cr2, r->fault.error_code);
    write_fields(out, &access_fields, &r->access);
    fputs(",\n    .state = ", out);
    write_fields(out, &state_fields, &r->state);
    fputs(",\n    .state_after = ", out);
    write_fields(out, &state_fields, &r->state_after);
    fputs(",\n    .sh4 = ", out);
    write_fields(out, &sh4_fields, &r->sh4);
    fputs(",\n    .outcome = ", out);
    write_fields(out, &outcome_fields, &r->outcome);
    fputs(",\n", out);
    for (size_t i = 0; i < sizeof arrays / sizeof arrays[0]; i++)
        if (arrays[i].there)
            fprintf(out, "    .%s = %s,\n", arrays[i].member, arrays[i].name);
    if (r->symbol) {
        fputs("    .symbol = ", out);
        write_string(out, r->symbol, strlen(r->symbol));
        fputs(",\n", out);
    }
    for (unsigned i = 0; i < 4; i++)
        if (r->files[i]) {
            fprintf(out, "    .files[%u] = ", i);
            write_string(out, r->files[i], strlen(r->files[i]));
            fputs(",\n", out);
        }
    write_members(out, &repro_fields, r);
    fputs("};\n\n", out);
}

static const char main_text[] =
    /* Last: some of its macros are names of fields above. */
    "#include <signal.h>\n"
    "#include <unistd.h>\n"
    "\n"
    "static void crashed(int signo)\n"
    "{\n"
    "    static const char text[] = \"WRONG  the core crashes or gives no answer\\n\";\n"
    "\n"
    "    (void)signo;\n"
    "    (void)!write(1, text, sizeof text - 1);\n"
    "    _exit(1);\n"
    "}\n"
    "\n"
    "int main(void)\n"
    "{\n"
    "    static const int signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGALRM};\n"
    "\n"
    "    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++)\n"
    "        signal(signals[i], crashed);\n"
    "    alarm(10);\n"
    "    printf(\"core \\\"%s\\\"\\n\", fl_core()->name);\n"
    "    fflush(stdout);\n"
    "    return repro_run(&repro, fl_core(), stdout) != 0;\n"
    "}\n";

void program_write(FILE *out, const struct program *p, const struct subject *x, const char *title)
{
    const struct capture *c = x->capture;
    char record[256] = "";

    if (c->record < x->scenario->nrecords)
        fl_record_print(&x->scenario->records[c->record], record, sizeof record);
    fputs("// cc -std=gnu17 -Icore/types -Icore/include repro.c core/*.c -o repro && ./repro\n/*\n * ", out);
    write_comment(out, title);
    fputs("\n *\n *   key       ", out);
    write_comment(out, c->key);
    fputs("\n *   record    ", out);
    write_comment(out, record);
    fputs("\n *   expected  ", out);
    write_comment(out, c->expected);
    fputs("\n *   seen      ", out);
    write_comment(out, c->actual);
    fputs(
        "\n *\n * Made by faultline explain --c. Links the core alone, makes one call of it, and exits 1 while that is wrong, 0"
        "\n * once it is right. In the folder that core/ is in; a foreign core is linked in place of core's sources."
        "\n * SPDX-License-Identifier: MIT\n */\n",
        out);
    write_part(out, program_types_text, program_types_text_end);
    write_part(out, program_world_text, program_world_text_end);
    write_part(out, program_kernel_text, program_kernel_text_end);
    write_part(out, program_facts_text, program_facts_text_end);
    fputs("/* ---- this finding ---- */\n\n", out);
    write_repro(out, &p->repro);
    fputs(main_text, out);
}
