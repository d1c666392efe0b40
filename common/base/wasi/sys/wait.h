/* What POSIX's <sys/wait.h> has of what is used here: there is no other process to wait for. */
#ifndef WASI_SYS_WAIT_H
#define WASI_SYS_WAIT_H

#define waitpid(child, status, options) ((void)(child), (void)(status), (void)(options), 0)
#define WIFEXITED(status) ((status) == 0)
#define WEXITSTATUS(status) (status)

#endif
