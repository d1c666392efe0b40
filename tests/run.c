#define _GNU_SOURCE
#include "run.h"

#include "base/memory.h"
#include "io/file.h"

#include <criterion/criterion.h>
#include <glob.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* --- commands -------------------------------------------------------------------------------- */

/* What was written to a temporary file. */
static char *written(FILE *file)
{
    long size = fseek(file, 0, SEEK_END) == 0 ? ftell(file) : -1;
    cr_assert(size >= 0, "cannot tell how much the command printed");
    rewind(file);
    char *text = mem_alloc((size_t)size + 1, 1);
    cr_assert_eq(fread(text, 1, (size_t)size, file), (size_t)size);
    fclose(file);
    return text;
}

static _Noreturn void become(const char *line, int out, int err)
{
    /* A make that runs these tests has told its own options to its children. */
    unsetenv("MAKEFLAGS");
    unsetenv("MAKELEVEL");
    unsetenv("QUIET");
    if (!freopen("/dev/null", "r", stdin) || dup2(out, 1) < 0 || dup2(err, 2) < 0)
        _exit(126);
    execl("/bin/sh", "sh", "-c", line, (char *)NULL);
    _exit(127);
}

static Result run_line(const char *line)
{
    FILE *out = tmpfile(), *err = tmpfile();
    cr_assert(out && err, "no temporary files");
    fflush(NULL);
    pid_t child = fork();
    cr_assert(child >= 0, "cannot start a process");
    if (child == 0)
        become(line, fileno(out), fileno(err));
    int status = 0;
    struct rusage usage;
    cr_assert_eq(wait4(child, &status, 0, &usage), child);
    Result r = { .peak_kib = usage.ru_maxrss };
    r.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    r.out = written(out);
    r.err = written(err);
    return r;
}

static char *line_of(const char *format, va_list args)
{
    char *line = NULL;
    cr_assert(vasprintf(&line, format, args) >= 0);
    return line;
}

Result run(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *line = line_of(format, args);
    va_end(args);
    Result r = run_line(line);
    free(line);
    return r;
}

void result_free(Result *result)
{
    free(result->out);
    free(result->err);
}

void run_well(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *line = line_of(format, args);
    va_end(args);
    Result r = run_line(line);
    cr_assert_eq(r.status, 0, "%s: status %d: %s", line, r.status, r.err);
    result_free(&r);
    free(line);
}

Result run_in(const char *folder, const char *program, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *rest = line_of(format, args);
    va_end(args);
    Result r = run("cd '%s' && '%s'%s", folder, program, rest);
    free(rest);
    return r;
}

void expect_line(Result r, int status, const char *words, const char *what)
{
    cr_expect_eq(r.status, status, "%s: status %d: %s", what, r.status, r.err);
    char *list = str_format("%s", words), *rest = NULL;
    for (char *w = strtok_r(list, "|", &rest); w; w = strtok_r(NULL, "|", &rest))
        cr_expect(strstr(r.err, w), "%s: '%s' is not said: %s", what, w, r.err);
    const char *end = strchr(r.err, '\n');
    cr_expect(end && !end[1], "%s: not one line: '%s'", what, r.err);
    if (status != 0)
        cr_expect_str_empty(r.out, "%s: prints %s", what, r.out);
    free(list);
    result_free(&r);
}

/* --- where things are ------------------------------------------------------------------------ */

const char *build_folder(void)
{
    const char *folder = getenv("BUILD");
    return folder && *folder ? folder : "build";
}

static glob_t *steps(void)
{
    static glob_t found;
    if (!found.gl_pathv)
        cr_assert_eq(glob("steps/[0-9][0-9]_*", 0, NULL, &found), 0, "no steps/ here");
    return &found;
}

size_t step_count(void)
{
    return steps()->gl_pathc;
}

const char *step_name(size_t i)
{
    cr_assert(i < step_count(), "there is no step %zu", i);
    return steps()->gl_pathv[i] + strlen("steps/");
}

Result run_step(const char *step, const char *words)
{
    Result r = run("%s/%s %s", build_folder(), step, words);
    cr_assert_eq(r.status, 0, "%s %s: status %d: %s", step, words, r.status, r.err);
    cr_expect_str_empty(r.err, "%s %s: %s", step, words, r.err);
    return r;
}

void has(const char *text, const char *piece)
{
    cr_expect(strstr(text, piece), "'%s' is not in %s", piece, text);
}

char *folder_new(void)
{
    const char *base = getenv("TMPDIR");
    char *folder = str_format("%s/steps-XXXXXX", base && *base ? base : "/tmp");
    cr_assert(mkdtemp(folder), "cannot make %s", folder);
    return folder;
}

char *tree_copy(void)
{
    char *folder = folder_new();
    run_well(
        "cp -rp Makefile README*.md LICENSE common docs results tests '%s' && "
        "cp -rp '%s' '%s/build' && mkdir '%s/steps' && for lesson in docs/[0-9]*.md; do "
        "step=$(basename $lesson .md) && cp -rp steps/$step '%s/steps'; done && cd '%s' && "
        "chmod -R u+w . && "
        "for program in build/[0-9]*; do [ -e steps/${program#build/} ] || rm -r $program; done",
        folder, build_folder(), folder, folder, folder, folder);
    return folder;
}

void folder_remove(char *folder)
{
    run_well("rm -rf '%s'", folder);
    free(folder);
}

void build_step(const char *folder, const char *name)
{
    run_well("mkdir -p '%s/b' && ${CC:-cc} -std=gnu11 -O0 -pthread -Icommon $EXTRA -o '%s/b/%s' "
             "'%s/steps/%s/main.c' '%s/libcommon.a' -lm",
             folder, folder, name, folder, name, build_folder());
}

bool plain_only(void)
{
    static const char *const engines[] = ENGINES;
    return strcmp(engines[0], "plain") == 0;
}

bool sanitized(void)
{
#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
    return true;
#elif defined __has_feature
    return __has_feature(address_sanitizer) || __has_feature(thread_sanitizer);
#else
    return false;
#endif
}

/* --- text ------------------------------------------------------------------------------------ */

char *contents(const char *format, ...)
{
    char path[1024], *bytes = NULL;
    va_list args;
    va_start(args, format);
    vsnprintf(path, sizeof path, format, args);
    va_end(args);
    size_t size = 0;
    Error error;
    cr_assert(file_read(path, &bytes, &size, &error), "%s", error.text);
    return bytes;
}

Safetensors tensors_in(const char *format, ...)
{
    char path[4096];
    va_list args;
    va_start(args, format);
    int length = vsnprintf(path, sizeof path, format, args);
    va_end(args);
    cr_assert(length >= 0 && (size_t)length < sizeof path, "the path is too long");
    Safetensors file;
    Error error;
    cr_assert(safetensors_read(path, &file, &error), "%s", error.text);
    return file;
}

float *floats_in(const Safetensors *file, const char *key, size_t *count)
{
    const Entry *entry = safetensors_find(file, key);
    cr_assert(entry, "%s has no %s", file->path, key);
    size_t n = entry_elements(entry);
    float *values = mem_alloc(n, sizeof *values);
    Error error;
    cr_assert(entry_floats(file, entry, values, &error), "%s", error.text);
    if (count)
        *count = n;
    return values;
}

void copy_tensors(const char *from, const char *to, const Metadata *metadata, size_t count)
{
    Safetensors file = tensors_in("%s", from);
    Error error;
    cr_assert(safetensors_write(to, file.entries, file.count, metadata, count, &error), "%s",
              error.text);
    safetensors_free(&file);
}

char *next_line(char **text)
{
    char *line = *text;
    if (!*line)
        return NULL;
    char *end = line + strcspn(line, "\n");
    *text = *end ? end + 1 : end;
    *end = 0;
    return line;
}

size_t split(char *line, char **fields, size_t most)
{
    size_t count = 0;
    for (char *at = line; at && count < most; count++) {
        fields[count] = at;
        at = strchr(at, '\t');
        if (at)
            *at++ = 0;
    }
    return count;
}
