/* SPDX-License-Identifier: MIT */
/* One string, everybody's answer: what a bug report's last line runs. */
#include "one.h"

#include "../command.h"
#include "loads.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

/* The string as a batch of its own. Where it has the form of a prefetch, its length is that of the form (bytes that are not
 * given are zero); else what was given. One that ends before its opcode does is cut off there: decoders are given no more,
 * and processors, which would take what stands behind it for the rest, are not asked. */
static void one_batch(const struct conform_options *o, unsigned mode, struct batch *b)
{
    unsigned at = 0, bits = mode_bits(mode);

    *b = (struct batch){.n = 1, .bits = bits, .execute = true};
    memcpy(b->bytes[0], o->bytes, o->nbytes);
    while (at < o->nbytes && fl_prefetch_step(FL_RULE_PREFIXES, o->bytes[at], bits) == FL_RULE_PREFIXES)
        at++;
    b->length[0] = (uint8_t)o->nbytes;
    if (at + 2 < STRING_BYTES && o->bytes[at] == 0x0f && (o->bytes[at + 1] == 0x0d || o->bytes[at + 1] == 0x18))
        b->length[0] = (uint8_t)axis_length(o->bytes, at, mode);
    b->readable[0] = b->length[0];
    if (at == o->nbytes || (at + 1 == o->nbytes && o->bytes[at] == 0x0f)) {
        b->length[0]++;
        b->execute = false;
    }
}

/* In a child: a column that crashes here is a finding, and not the end of the command. */
static int ask_apart(struct column *c, const struct batch *b, unsigned hang_seconds, uint8_t *answer, char why[256])
{
    struct shared {
        uint8_t answers[BATCH_STRINGS][MAX_COLUMNS];
        volatile uint32_t at;
        bool ok;
        char why[256];
    } *s = mmap(NULL, sizeof *s, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int status = 0;
    pid_t pid;

    if (s == MAP_FAILED) {
        snprintf(why, 256, "out of memory");
        return EXIT_INTERNAL;
    }
    fflush(NULL);
    pid = fork();
    if (pid == 0) {
        struct answerer a;

        alarm(hang_seconds);
        s->ok = answerer_open(c, &a, s->why) && answerer_ask(&a, b, 0, s->answers, &s->at, NULL, s->why);
        if (s->ok && a.probe && verdict_of(s->answers[0][0]) == V_RAN)
            s->answers[0][0] = (uint8_t)(V_RAN | loads_of(a.probe, b->bytes[0], b->length[0], b->bits) << 4);
        s->ok = s->ok && answerer_close(&a, s->why);
        _exit(s->ok ? 0 : 1);
    }
    if (pid < 0 || waitpid(pid, &status, 0) != pid) {
        munmap(s, sizeof *s);
        snprintf(why, 256, "no process");
        return EXIT_INTERNAL;
    }
    *answer = s->ok                                                ? s->answers[0][0]
              : WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM ? V_HUNG
              : WIFSIGNALED(status)                                ? V_CRASHED
                                                                   : V_NONE;
    snprintf(why, 256, "%s", s->why);
    munmap(s, sizeof *s);
    return *answer == V_NONE && why[0] ? EXIT_INPUT : EXIT_CLEAN;
}

int one_string(const struct conform_options *o, struct column *columns)
{
    json_t *modes = json_array();
    bool broke = false;
    int code = EXIT_CLEAN;

    for (unsigned mode = 3; mode-- > 0 && code == EXIT_CLEAN;) {
        json_t *said = json_object();
        struct batch b;
        char text[64];
        bool rule;

        if (!(o->space.modes >> mode & 1)) {
            json_decref(said);
            continue;
        }
        one_batch(o, mode, &b);
        bytes_text(b.bytes[0], b.readable[0], text, sizeof text);
        rule = fl_prefetch_rule(b.bytes[0], b.readable[0], b.bits, NULL);
        if (!o->json)
            printf("%s in %u-bit code\n  %-10s %s\n", text, b.bits, "rule", rule ? "prefetch" : "no prefetch");
        for (unsigned c = 0; c < o->ncolumns && code == EXIT_CLEAN; c++) {
            struct class k = {.nanswers = 1};
            char why[256] = "";
            uint8_t answer = V_NONE;

            code = ask_apart(&columns[c], &b, o->hang_seconds, &answer, why);
            if (code != EXIT_CLEAN) {
                complain("%s", why);
                break;
            }
            k.answers[0].answer[0] = answer;
            k.loads = verdict_of(answer) == V_RAN ? hint_of(answer) : LOADS_NOT_ASKED;
            broke |= verdict_of(answer) == V_CRASHED || verdict_of(answer) == V_HUNG;
            json_object_set_new(said, columns[c].name, json_string(shown_answer(&columns[c], &k, 0)));
            if (!o->json)
                printf("  %-10s %-20s %s%s%s\n", columns[c].name, shown_answer(&columns[c], &k, 0), columns[c].version,
                       columns[c].host[0] ? ", " : "", columns[c].host);
        }
        json_array_append_new(modes, json_pack("{s:s, s:i, s:s, s:o}", "bytes", text, "bits", (int)b.bits, "rule",
                                               rule ? "prefetch" : "no prefetch", "said", said));
    }
    if (o->json && code == EXIT_CLEAN) {
        json_dumpf(modes, stdout, JSON_INDENT(1));
        putchar('\n');
    }
    json_decref(modes);
    return code == EXIT_CLEAN && broke ? EXIT_FINDINGS : code;
}
