/* The page's module: all steps in one program, which is the one that it is called as: argv[0] is
 * "build/05_large_kernel". Each step's main is compiled as main_05_large_kernel, and STEPS lists
 * them: STEP(00_resnet) STEP(01_stage_ratio) … */
#include "base/error.h"
#include "base/path.h"

#include <string.h>

#define STEP(name) int main_##name(int argc, char **argv);
STEPS
#undef STEP

static const struct {
    const char *name;
    int (*main)(int argc, char **argv);
} steps[] = {
#define STEP(name) { #name, main_##name },
    STEPS
#undef STEP
};

int main(int argc, char **argv)
{
    const char *name = path_base(argv[0]);
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
        if (strcmp(steps[i].name, name) == 0)
            return steps[i].main(argc, argv);
    error_die(EXIT_USAGE, name, "no such step");
}
