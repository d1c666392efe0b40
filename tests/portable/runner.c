/* Runs the tests that portable/criterion registers, one after the other, each in a process.
 * Words: suites, or suite/test, to leave out; or --filter and a pattern of those to run. */
#include <criterion/criterion.h>
#ifdef PORTABLE_CRITERION_H

#include <fnmatch.h>
#include <stdarg.h>
#include <sys/wait.h>
#include <unistd.h>

enum { FAILED = 99, SKIPPED = 98 };

static PortableTest *tests;
static bool failed; /* in the test's own process */

void portable_register(PortableTest *test)
{
    PortableTest **end = &tests;
    while (*end)
        end = &(*end)->next;
    *end = test;
}

/* --- in a test's process --------------------------------------------------------------------- */

void portable_check(bool holds, bool fatal, const char *file, int line, const char *text,
                    const char *message, ...)
{
    if (holds)
        return;
    va_list args;
    va_start(args, message);
    fprintf(stderr, "%s:%d: %s: ", file, line, text);
    vfprintf(stderr, message, args);
    fprintf(stderr, "\n");
    va_end(args);
    failed = true;
    if (fatal)
        _exit(FAILED);
}

void portable_skip(const char *message, ...)
{
    (void)message;
    _exit(SKIPPED);
}

static _Noreturn void be(const PortableTest *test, const PortableTest *suite)
{
    const PortableTest *around[] = { suite, test };
    for (int i = 0; i < 2; i++)
        if (around[i] && around[i]->init)
            around[i]->init();
    test->body();
    for (int i = 1; i >= 0; i--)
        if (around[i] && around[i]->fini)
            around[i]->fini();
    fflush(NULL);
    _exit(failed ? FAILED : 0);
}

/* --- in the runner's ------------------------------------------------------------------------- */

static const PortableTest *suite_of(const PortableTest *test)
{
    for (const PortableTest *t = tests; t; t = t->next)
        if (!t->body && strcmp(t->suite, test->suite) == 0)
            return t;
    return NULL;
}

static bool left_out(const PortableTest *test, int count, char **words)
{
    if (count == 2 && strcmp(words[0], "--filter") == 0) {
        char name[256];
        snprintf(name, sizeof name, "%s/%s", test->suite, test->name);
        return fnmatch(words[1], name, 0) != 0 || test->disabled;
    }
    size_t length = strlen(test->suite);
    for (int i = 0; i < count; i++)
        if (strncmp(words[i], test->suite, length) == 0 &&
            (!words[i][length] ||
             (words[i][length] == '/' && strcmp(words[i] + length + 1, test->name) == 0)))
            return true;
    return test->disabled;
}

/* Gives FAILED, SKIPPED or 0. */
static int run(const PortableTest *test)
{
    fflush(NULL);
    pid_t child = fork();
    int status = 0;
    if (child == 0)
        be(test, suite_of(test));
    if (child < 0 || waitpid(child, &status, 0) != child)
        return FAILED;
    if (WIFEXITED(status) && WEXITSTATUS(status) == SKIPPED)
        return SKIPPED;
    if (WIFEXITED(status) && WEXITSTATUS(status) == test->exit_code)
        return 0;
    fprintf(stderr, "FAILED %s/%s: %s %d\n", test->suite, test->name,
            WIFEXITED(status) ? "status" : "signal",
            WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
    return FAILED;
}

int main(int argc, char **argv)
{
    int all = 0, passed = 0, skipped = 0;
    for (const PortableTest *t = tests; t; t = t->next) {
        if (!t->body)
            continue;
        int result = left_out(t, argc - 1, argv + 1) ? SKIPPED : run(t);
        printf("%s %s/%s\n",
               result == 0         ? "good"
               : result == SKIPPED ? "left out"
                                   : "bad",
               t->suite, t->name);
        all++;
        passed += result == 0;
        skipped += result == SKIPPED;
    }
    printf("tested: %d, passing: %d, left out: %d, failing: %d\n", all - skipped, passed, skipped,
           all - skipped - passed);
    return passed + skipped == all ? 0 : 1;
}

#endif
