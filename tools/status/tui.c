/* SPDX-License-Identifier: MIT */
/* `campaign status` live on a terminal. */
#define NCURSES_WIDECHAR 1
#include "../command.h"
#include "status.h"

#include "../shards/shards.h"

#include <curses.h>
#include <fcntl.h>
#include <langinfo.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define POLL_MS 100 /* how long a key is waited for */

struct view {
    enum pane pane;
    size_t top[PANES]; /* first line that is shown */
    size_t page;       /* lines that fit */
    size_t n;          /* lines of the pane */
    bool help, again, quit;
    bool utf8;
};

/* ---- drawing --------------------------------------------------------------------------------------------------------- */

static void set_colours(void)
{
    const char *no_colour = getenv("NO_COLOR");

    if ((no_colour && *no_colour) || !has_colors())
        return;
    start_color();
    use_default_colors();
    init_pair(GOOD, COLOR_GREEN, -1);
    init_pair(WARN, COLOR_YELLOW, -1);
    init_pair(BAD, COLOR_RED, -1);
}

static attr_t look(enum style style)
{
    static const attr_t plain[STYLES] = {A_NORMAL, A_BOLD, A_NORMAL, A_BOLD, A_BOLD, A_DIM};
    short pair = style == GOOD || style == WARN || style == BAD ? (short)style : 0;

    /* Without colours the pair is not there, and bold alone tells. */
    return plain[style] | (pair && has_colors() && COLOR_PAIRS > BAD ? (attr_t)COLOR_PAIR(pair) : 0);
}

static void put_line(int y, const char *text, attr_t attributes)
{
    size_t n = text_fits(text, (unsigned)COLS, NULL);

    move(y, 0);
    clrtoeol();
    attrset(attributes);
    addnstr(text, (int)n);
    attrset(A_NORMAL);
}

static void put_tabs(int y, const struct view *v, const struct status *s)
{
    move(y, 0);
    clrtoeol();
    for (unsigned p = 0; p < PANES; p++) {
        char name[40];
        int room = COLS - getcurx(stdscr);

        if (p == PANE_FINDINGS && status_open(s))
            snprintf(name, sizeof name, " %u %s (%llu) ", p + 1, pane_name((enum pane)p),
                     (unsigned long long)status_open(s));
        else
            snprintf(name, sizeof name, " %u %s ", p + 1, pane_name((enum pane)p));
        if ((int)strlen(name) > room - 1)
            break;
        attrset(p == v->pane ? A_REVERSE | A_BOLD : A_NORMAL);
        addstr(name);
        attrset(A_NORMAL);
    }
}

static const char *const help[] = {
    "Tab, right      next pane                  Shift-Tab, left   pane before",
    "1 to 5          that pane",
    "down, j         a line down                up, k             a line up",
    "PgDn, space     a page down                PgUp, b           a page up",
    "Home, g         to the top                 End, G            to the end",
    "r               read again at once         ?                 this help, and back",
    "q               quit (the campaign goes on)",
};

static void draw(struct view *v, const struct status *s)
{
    struct lines head = {.width = (unsigned)COLS, .utf8 = v->utf8}, pane = head;
    int y = 0, last = LINES - 1;
    char foot[300], now[32];
    size_t most;

    status_head(s, &head);
    for (size_t i = 0; i < head.n && y < last - 3; i++)
        put_line(y++, head.line[i].text, look(head.line[i].style));
    if (y < last - 2)
        put_line(y++, "", A_NORMAL);
    put_tabs(y++, v, s);
    if (v->help) {
        for (unsigned i = 0; i < sizeof help / sizeof help[0]; i++)
            lines_add(&pane, PLAIN, "%s", help[i]);
    } else {
        status_pane(s, v->pane, &pane);
    }
    v->page = last > y ? (size_t)(last - y) : 0;
    v->n = pane.n;
    most = v->n > v->page ? v->n - v->page : 0;
    if (v->top[v->pane] > most)
        v->top[v->pane] = most;
    for (size_t i = v->help ? 0 : v->top[v->pane]; y < last; y++, i++)
        put_line(y, i < pane.n ? pane.line[i].text : "", i < pane.n ? look(pane.line[i].style) : A_NORMAL);
    text_when(s->now, now);
    snprintf(foot, sizeof foot, "q quit   Tab pane   j/k scroll   ? help   %s%s", now,
             most && v->top[v->pane] < most ? "   more below" : "");
    put_line(last, foot, A_REVERSE);
    lines_free(&head);
    lines_free(&pane);
    refresh();
}

/* ---- keys ------------------------------------------------------------------------------------------------------------ */

static void scroll_by(struct view *v, long by)
{
    long top = (long)v->top[v->pane] + by, most = v->n > v->page ? (long)(v->n - v->page) : 0;

    v->top[v->pane] = (size_t)(top < 0 ? 0 : top > most ? most : top);
}

static void on_key(struct view *v, int key)
{
    long page = v->page > 1 ? (long)v->page - 1 : 1;

    if (v->help && key != 'q') { /* any key closes the help */
        v->help = key == KEY_RESIZE;
        return;
    }
    switch (key) {
    case 'q':
    case 'Q':
    case 3: v->quit = true; break;
    case '?':
    case 'h': v->help = true; break;
    case '\t':
    case KEY_RIGHT: v->pane = (enum pane)((v->pane + 1) % PANES); break;
    case KEY_BTAB:
    case KEY_LEFT: v->pane = (enum pane)((v->pane + PANES - 1) % PANES); break;
    case KEY_DOWN:
    case 'j': scroll_by(v, 1); break;
    case KEY_UP:
    case 'k': scroll_by(v, -1); break;
    case KEY_NPAGE:
    case ' ': scroll_by(v, page); break;
    case KEY_PPAGE:
    case 'b': scroll_by(v, -page); break;
    case KEY_HOME:
    case 'g': v->top[v->pane] = 0; break;
    case KEY_END:
    case 'G': scroll_by(v, (long)v->n); break;
    case 'r': v->again = true; break;
    default:
        if (key >= '1' && key < '1' + PANES)
            v->pane = (enum pane)(key - '1');
    }
}

/* ---- what is said meanwhile ------------------------------------------------------------------------------------------ */

/* A complaint would be drawn over: it waits in memory until the terminal is as it was. */
struct held {
    int saved, memory;
};

static struct held hold_stderr(void)
{
    struct held h = {dup(STDERR_FILENO), memfd_create("complaints", MFD_CLOEXEC)};

    fflush(stderr);
    if (h.saved >= 0 && h.memory >= 0)
        dup2(h.memory, STDERR_FILENO);
    return h;
}

static void release_stderr(struct held h)
{
    char part[4096];
    ssize_t n;

    fflush(stderr);
    if (h.saved >= 0)
        dup2(h.saved, STDERR_FILENO);
    for (off_t at = 0; h.memory >= 0 && (n = pread(h.memory, part, sizeof part, at)) > 0; at += n)
        if (write(STDERR_FILENO, part, (size_t)n) != n)
            break;
    close(h.saved);
    close(h.memory);
}

static volatile sig_atomic_t asked_to_end;

static void on_signal(int signal)
{
    (void)signal;
    asked_to_end = 1;
}

bool status_tui(struct store *store, struct status *s, double every, int *code)
{
    struct view v = {.utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0};
    struct sigaction action = {.sa_handler = on_signal};
    struct held held;
    SCREEN *screen = newterm(NULL, stdout, stdin);
    double next = monotonic_seconds() + every;

    if (!screen)
        return false;
    held = hold_stderr();
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGHUP, &action, NULL);
    set_colours();
    cbreak();
    noecho();
    nonl();
    keypad(stdscr, TRUE);
    set_escdelay(25);
    curs_set(0);
    timeout(POLL_MS);
    draw(&v, s);
    while (!v.quit && !asked_to_end) {
        int key = getch();

        if (key == ERR && !isatty(STDIN_FILENO))
            break; /* the terminal is gone */
        if (key != ERR)
            on_key(&v, key);
        if (v.again || monotonic_seconds() >= next) {
            if (!store_is_folder(store_folder(store))) {
                complain("%s: the campaign's folder is gone", store_folder(store));
                *code = EXIT_INPUT;
                break;
            }
            shards_freshen(store_folder(store), 10);
            if (!status_read(store, s)) {
                *code = EXIT_INPUT;
                break;
            }
            *code = status_open(s) ? EXIT_FINDINGS : EXIT_CLEAN;
            next = monotonic_seconds() + every;
            v.again = false;
        } else if (key == ERR) {
            continue;
        }
        draw(&v, s);
    }
    endwin();
    delscreen(screen);
    release_stderr(held);
    return true;
}
