/* Control groups as Linux shows them, in a folder that stands for the root. */
#include "base/memory.h"
#include "base/parallel.h"
#include "base/cgroup.h"
#include "base/system.h"
#include "run.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MIB = 1 << 20 };

/* Writes a file below the folder that stands for the root. */
static void put(const char *root, const char *path, const char *text)
{
    run_well("mkdir -p '%s/%.*s' && printf '%%b' '%s' > '%s/%s'", root,
             (int)(strrchr(path, '/') - path), path, text, root, path);
}

static void expect_free(const char *root, size_t swap, size_t mib)
{
    size_t found = cgroup_memory_free(root, swap * MIB);
    cr_expect_eq(found, mib * MIB, "%zu MiB, not %zu", found / MIB, mib);
}

#define SECOND                                                                                     \
    "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 "                            \
    "rw,nsdelegate,memory_recursiveprot"

/* 1 GiB for the parent, of which 300 MiB are used, 100 of them by files. */
static char *second_version(void)
{
    char *root = folder_new();
    put(root, "proc/self/cgroup", "0::/user.slice/job\\n");
    put(root, "proc/self/mountinfo", "22 1 8:1 / / rw - ext4 /dev/sda1 rw\\n" SECOND "\\n");
    put(root, "sys/fs/cgroup/user.slice/memory.max", "1073741824\\n");
    put(root, "sys/fs/cgroup/user.slice/memory.current", "314572800\\n");
    put(root, "sys/fs/cgroup/user.slice/memory.stat",
        "anon 1\\ninactive_file 94371840\\nactive_file 10485760\\n");
    put(root, "sys/fs/cgroup/user.slice/cpu.max", "250000 100000\\n");
    put(root, "sys/fs/cgroup/user.slice/job/memory.max", "max\\n");
    put(root, "sys/fs/cgroup/user.slice/job/memory.current", "104857600\\n");
    put(root, "sys/fs/cgroup/user.slice/job/cpu.max", "max 100000\\n");
    return root;
}

Test(system, a_parents_limit_counts_and_files_can_be_given_up)
{
    char *root = second_version();
    expect_free(root, 0, 1024 - 300 + 100);
    cr_expect_eq(cgroup_processors(root), 2);
    put(root, "sys/fs/cgroup/user.slice/job/memory.max", "209715200\\n");
    put(root, "sys/fs/cgroup/user.slice/job/cpu.max", "50000 100000\\n");
    expect_free(root, 0, 100);
    cr_expect_eq(cgroup_processors(root), 1);
    folder_remove(root);
}

Test(system, swap_is_what_the_group_may_have_of_it)
{
    char *root = second_version();
    expect_free(root, 50, 824 + 50);
    put(root, "sys/fs/cgroup/user.slice/memory.swap.max", "31457280\\n");
    put(root, "sys/fs/cgroup/user.slice/memory.swap.current", "10485760\\n");
    expect_free(root, 50, 824 + 20);
    folder_remove(root);
}

Test(system, more_used_than_the_limit_leaves_nothing)
{
    char *root = second_version();
    put(root, "sys/fs/cgroup/user.slice/job/memory.max", "1048576\\n");
    expect_free(root, 0, 0);
    folder_remove(root);
}

/* A container of version 1, with a group of its own in it, sees the host's path in
 * /proc/self/cgroup and its own group as the mounts' root. */
Test(system, the_first_version_in_a_container)
{
    char *root = folder_new();
    put(root, "proc/self/cgroup",
        "9:name=systemd:/docker/1f\\n5:memory:/docker/1f/job\\n3:cpuacct,cpu:/docker/1f\\n0::/"
        "docker/"
        "1f\\n");
    put(root, "proc/self/mountinfo",
        "31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw\\n"
        "32 31 0:29 /docker/1f /sys/fs/cgroup/cpuset ro - cgroup cgroup rw,cpuset\\n"
        "33 31 0:30 /docker/1f /sys/fs/cgroup/cpu,cpuacct ro - cgroup cgroup rw,cpu,cpuacct\\n"
        "35 31 0:32 /docker/1f /sys/fs/cgroup/memory ro master:3 - cgroup cgroup rw,memory\\n"
        "41 31 0:38 /docker/1f /sys/fs/cgroup/unified ro - cgroup2 cgroup2 rw\\n");
    put(root, "sys/fs/cgroup/memory/job/memory.limit_in_bytes", "314572800\\n");
    put(root, "sys/fs/cgroup/memory/job/memory.usage_in_bytes", "104857600\\n");
    put(root, "sys/fs/cgroup/memory/job/memory.stat",
        "total_inactive_file 10485760\\ntotal_active_file 0\\n");
    put(root, "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "150000\\n");
    put(root, "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "50000\\n");
    expect_free(root, 0, 210);
    cr_expect_eq(cgroup_processors(root), 3);
    put(root, "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "-1\\n");
    cr_expect_eq(cgroup_processors(root), INT_MAX);
    /* Memory and swap together. */
    put(root, "sys/fs/cgroup/memory/job/memory.memsw.limit_in_bytes", "335544320\\n");
    put(root, "sys/fs/cgroup/memory/job/memory.memsw.usage_in_bytes", "104857600\\n");
    expect_free(root, 1000, 230);
    folder_remove(root);
}

Test(system, without_groups_there_is_no_limit)
{
    char *root = folder_new();
    cr_expect_eq(cgroup_memory_free(root, 0), SIZE_MAX);
    cr_expect_eq(cgroup_processors(root), INT_MAX);
    put(root, "proc/self/cgroup", "nonsense\\n0::/gone\\n");
    put(root, "proc/self/mountinfo", "nonsense\\n" SECOND "\\n");
    cr_expect_eq(cgroup_memory_free(root, 0), SIZE_MAX);
    cr_expect_eq(cgroup_processors(root), INT_MAX);
    folder_remove(root);
}

Test(system, no_more_threads_than_processors_unless_asked_for)
{
    unsetenv("OMP_NUM_THREADS");
    cr_expect_eq(thread_count(), system_processors());
    cr_expect_leq(system_processors(), cgroup_processors(""));
}

/* The programs themselves, in a namespace whose /proc and /sys name such a group: 200 MiB are left
 * of it, and one processor and a half. */
Test(system, programs_heed_their_group)
{
    char *root = second_version();
    put(root, "sys/fs/cgroup/user.slice/job/memory.max", "314572800\\n");
    put(root, "sys/fs/cgroup/user.slice/job/cpu.max", "150000 100000\\n");
    char *line = str_format("unshare -rm sh -c 'cd \"$0\" && mount --bind proc/self/cgroup "
                            "/proc/$$/cgroup && mount --bind proc/self/mountinfo "
                            "/proc/$$/mountinfo && mount --bind sys/fs/cgroup /sys/fs/cgroup && cd "
                            "\"$OLDPWD\" && exec \"$@\"' '%s' ",
                            root);
    Result r = run("%strue", line);
    bool can = r.status == 0;
    result_free(&r);
    if (can) {
        expect_line(run("%s'%s/12_official_convnext' init --variant base --output /dev/null", line,
                        build_folder()),
                    1, "12_official_convnext: memory: | MiB needed at once, 200.0 MiB are free",
                    "more than the group's memory");
        r = run("unset OMP_NUM_THREADS; %s'%s/12_official_convnext' bench --preset small", line,
                build_folder());
        cr_expect(strstr(r.out, "batch 1, 1 thread:"), "%s%s", r.out, r.err);
        result_free(&r);
    }
    free(line);
    folder_remove(root);
    if (!can)
        cr_skip_test("no namespaces here");
}

/* As if the processor did not know an instruction. */
Test(system, an_unknown_instruction_is_explained)
{
    if (sanitized())
        return; /* they say it in their own way */
    int ends[2], status = 0;
    char said[1024] = "";
    cr_assert_eq(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        dup2(ends[1], STDERR_FILENO);
        raise(SIGILL);
        _exit(0);
    }
    close(ends[1]);
    for (ssize_t got, used = 0; (got = read(ends[0], said + used, sizeof said - 1 - used)) > 0;)
        used += got;
    close(ends[0]);
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 1, "status %x", (unsigned)status);
    cr_expect(strstr(said, ": processor: ") && strstr(said, "run make again"), "%s", said);
}

/* --- locks ----------------------------------------------------------------------------------- */

/* One process holds the folder and gives it up when it is told to, which is just before another
 * asks for it. */
Test(system, a_lock_that_is_about_to_end_is_waited_for)
{
    char *folder = folder_new();
    int tell[2], told[2], held = open(folder, O_RDONLY | O_DIRECTORY);
    char byte = 0;
    cr_assert(pipe(tell) == 0 && pipe(told) == 0 && held >= 0);
    pid_t child = fork();
    if (child == 0) {
        int its = open(folder, O_RDONLY | O_DIRECTORY);
        bool good = system_lock(its) && write(told[1], "", 1) == 1 && read(tell[0], &byte, 1) == 1;
        _exit(good ? 0 : 1);
    }
    cr_assert(child > 0 && read(told[0], &byte, 1) == 1);
    cr_expect(flock(held, LOCK_EX | LOCK_NB) != 0);
    cr_assert_eq(write(tell[1], "", 1), 1);
    cr_expect(system_lock(held));
    int status = 1;
    cr_expect(waitpid(child, &status, 0) == child && status == 0);
    close(held);
    folder_remove(folder);
}
