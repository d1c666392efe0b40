/* What programs and make print to a terminal: no line wider than it, no escapes to one that knows
 * none or to a reader who wants none. */
#define _GNU_SOURCE
#include "base/memory.h"
#include "run.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

/* --- a terminal ------------------------------------------------------------------------------ */

/* A new terminal of that many columns, which takes what is printed as it is; what is printed to it
 * is read from the file returned. */
static int terminal_new(int columns, int *printed_to)
{
    int file = posix_openpt(O_RDWR | O_NOCTTY);
    if (file < 0 || !ptsname(file) || access(ptsname(file), F_OK) != 0)
        cr_skip_test("no pseudo-terminals here"); /* a chroot without /dev/pts */
    cr_assert(grantpt(file) == 0 && unlockpt(file) == 0, "no terminal");
    *printed_to = open(ptsname(file), O_RDWR | O_NOCTTY);
    struct termios how;
    cr_assert(*printed_to >= 0 && tcgetattr(*printed_to, &how) == 0);
    how.c_oflag &= ~(tcflag_t)OPOST;
    cr_assert_eq(tcsetattr(*printed_to, TCSANOW, &how), 0);
    struct winsize size = { .ws_row = 24, .ws_col = (unsigned short)columns };
    cr_assert_eq(ioctl(*printed_to, TIOCSWINSZ, &size), 0);
    return file;
}

/* What a line for the shell prints to a terminal of that many columns. */
static char *printed(int columns, const char *line)
{
    int out, in = terminal_new(columns, &out), status;
    fflush(NULL);
    pid_t child = fork();
    cr_assert(child >= 0);
    if (child == 0) {
        dup2(out, STDOUT_FILENO);
        execl("/bin/sh", "sh", "-c", line, (char *)NULL);
        _exit(127);
    }
    close(out);
    char *text = mem_alloc(1 << 20, 1);
    for (ssize_t got, all = 0; (got = read(in, text + all, (size_t)((1 << 20) - 1 - all))) > 0;)
        all += got;
    close(in);
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_expect_eq(status, 0, "%s: status %d: %s", line, status, text);
    return text;
}

/* --- the progress line ----------------------------------------------------------------------- */

#define TRAIN                                                                                      \
    "05_large_kernel train --data shapes --limit 64 --epochs 1 --batch-size 8 --stem 4 --widths "  \
    "4,8,8,8 --depths 1,0,0,0 --out "

static char *trained(int columns, const char *environment)
{
    char *folder = folder_new();
    char *line =
        str_format("unset COLUMNS; %s %s/" TRAIN "'%s/run'", environment, build_folder(), folder);
    char *text = printed(columns, line);
    free(line);
    folder_remove(folder);
    return text;
}

/* The longest of the lines that are written over. */
static size_t widest(const char *text)
{
    size_t most = 0;
    for (const char *at = text; (at = strchr(at, '\r')); at++) {
        size_t length = strcspn(at + 1, "\r\n\033");
        most = length > most ? length : most;
    }
    return most;
}

Test(terminal, progress_is_as_wide_as_it)
{
    static const int widths[] = { 20, 60 };
    for (size_t i = 0; i < sizeof widths / sizeof *widths; i++) {
        char *text = trained(widths[i], "TERM=xterm");
        bool bar = widths[i] >= 60;
        cr_expect(strstr(text, "\repoch 1/"), "no progress: %s", text);
        cr_expect(widest(text) < (size_t)widths[i], "%d: %zu: %s", widths[i], widest(text), text);
        cr_expect_eq(strstr(text, "[==") != NULL, bar, "%d: %s", widths[i], text);
        free(text);
    }
}

Test(terminal, columns_say_another_width)
{
    char *text = trained(200, "TERM=xterm COLUMNS=20");
    cr_expect(strstr(text, "\repoch 1/") && widest(text) < 20, "%s", text);
    free(text);
}

Test(terminal, no_escapes_where_it_knows_none)
{
    static const char *const terms[] = { "TERM=dumb", "unset TERM;" };
    for (size_t i = 0; i < sizeof terms / sizeof *terms; i++) {
        char *text = trained(80, terms[i]);
        cr_expect(strstr(text, "epoch 1/1") && !strpbrk(text, "\r\033"), "%s: %s", terms[i], text);
        free(text);
    }
}

/* --- colours --------------------------------------------------------------------------------- */

/* As no-color.org has it: empty is not set. */
Test(terminal, a_diff_is_coloured_unless_asked_not_to_be)
{
    static const struct {
        const char *environment;
        bool coloured;
    } cases[] = { { "TERM=xterm", true },
                  { "TERM=xterm NO_COLOR=", true },
                  { "TERM=xterm NO_COLOR=1", false },
                  { "TERM=dumb", false } };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *line = str_format("unset NO_COLOR MAKELEVEL MAKEFLAGS; %s make diff STEP=06 FROM=05",
                                cases[i].environment);
        char *text = printed(80, line);
        cr_expect(strstr(text, "+++ steps/06_gelu/main.c"), "%s: %s", line, text);
        cr_expect_eq(strstr(text, "\033[32m+") != NULL, cases[i].coloured, "%s: %s", line, text);
        cr_expect_eq(strchr(text, '\033') != NULL, cases[i].coloured, "%s: %s", line, text);
        free(text);
        free(line);
    }
}

/* --- names ----------------------------------------------------------------------------------- */

/* ESC, a newline, DEL and U+009B, which some terminals take for ESC [. Through a pipe a name is
 * what it is. */
Test(terminal, names_do_not_command_it)
{
    char *folder = folder_new();
    run_well("cd '%s' && printf 'P5 1 1 255 a' > "
             "\"$(printf 'a\\033[31m\\nb\\177c\\302\\233d\\303\\251.pgm')\"",
             folder);
    static const struct {
        const char *format, *on_a_terminal, *elsewhere;
    } cases[] = {
        { "text", "/a?[31m?b?c?d\303\251.pgm\n", "/a\033[31m\nb\177c\302\233d\303\251.pgm\n" },
        { "tsv", "/a?[31m\\nb?c?d\303\251.pgm\t", "/a\033[31m\\nb\177c\302\233d\303\251.pgm\t" },
    };
    for (int i = 0; i < 2; i++) {
        char *line = str_format("%s/09_layer_norm classify --weights results/weights/"
                                "09_layer_norm.safetensors --top 1 '%s'/a*.pgm '%s'/a*.pgm "
                                "--format %s",
                                build_folder(), folder, folder, cases[i].format);
        char *text = printed(80, line);
        cr_expect(strstr(text, cases[i].on_a_terminal), "%s", text);
        Result r = run("%s", line);
        cr_expect(strstr(r.out, cases[i].elsewhere), "%s", r.out);
        result_free(&r);
        free(text);
        free(line);
    }
    folder_remove(folder);
}
