/* WebAssembly's <unistd.h> and the rest of POSIX's that is used here: there is one process, and
 * there are no links. */
#ifndef WASI_UNISTD_H
#define WASI_UNISTD_H

#include_next <unistd.h>

#include <errno.h>
#include <stddef.h>

static inline int wasi_missing(void)
{
    errno = ENOSYS;
    return -1;
}

#define getpid() 1
#define fork() wasi_missing()
#define pipe(ends) ((ends)[0] = (ends)[1] = wasi_missing())
#define dup2(from, to) ((void)(from), (void)(to), wasi_missing())
#define execvp(program, words) ((void)(program), (void)(words), wasi_missing())
#define execv execvp
#define fchmod(file, mode) ((void)(file), (void)(mode), 0)
#define realpath(path, room) ((void)(path), (void)(room), wasi_missing(), (char *)NULL)

#endif
