/* export --c: a file that any compiler takes without a warning, and which computes the plain
 * engine's logits, bit for bit where both have the same libm. All steps, rows and other compilers:
 * `make portability`. */
#include "base/memory.h"
#include "run.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

enum { FAILED = 1, USAGE = 2 };

#define CASE "tests/data/steps/09_layer_norm/"

Test(c_code, computes_the_logits)
{
    char *folder = folder_new();
    Result r = run("CC=\"${CC:-cc}\" tests/c_code.sh '%s' '%s' 00_resnet row-15-beside",
                   build_folder(), folder);
    cr_expect_eq(r.status, 0, "%s%s", r.out, r.err);
#ifndef PORTABLE /* which has an erfc of its own */
    cr_expect_str_eq(r.out, "00_resnet: the same bits\nrow-15-beside: the same bits\n");
#endif
    result_free(&r);
    folder_remove(folder);
}

/* What a file says of itself could end its comments and strings, and numbers need not be numbers.
 */
Test(c_code, holds_any_text_and_number)
{
    char *folder = folder_new();
    Metadata metadata[] = {
        { "data", "folder:a */ \\ ?\?/ /* b" },
        { "mean", "0.5,0.25,0.125" },
        { "std", "1,2,4" },
        { "image", "resized to 64x64 (bicubic, antialiased), enlarged 1 times (bilinear), "
                   "black around it to 64x64" },
        { "classes",
          "[\"a\\\"\\\\\",\"?\?=\",\"猫1\",\"*/\",\"\\n9\",\"%d\",\"g\",\"h\",\"i\",\"j\"]" },
    };
    char *weights = str_format("%s/w", folder), *code = str_format("%s/net.c", folder);
    copy_tensors(CASE "weights.safetensors", weights, metadata, sizeof metadata / sizeof *metadata);
    run_well("printf '\\000\\000\\300\\177\\000\\000\\200\\377' | dd of='%s' bs=1 conv=notrunc "
             "seek=$(($(wc -c <'%s') - 8)) 2>/dev/null",
             weights, weights);
    run_well("%s/09_layer_norm export $(cat " CASE "config.txt) --weights '%s' --c '%s'",
             build_folder(), weights, code);
    run_well("cd '%s' && echo '#include <stdio.h>\nextern const char *const "
             "step_09_layer_norm_classes[10];\nint main(void) { for (int i = 0; i < 5; i++) "
             "puts(step_09_layer_norm_classes[i]); return 0; }' > main.c && ${CC:-cc} -std=c11 -O0 "
             "-Wall -Wextra -Werror $EXTRA main.c net.c -lm -o names",
             folder);
    Result r = run("'%s/names'", folder);
    cr_expect_str_eq(r.out, "a\"\\\n?\?=\n猫1\n*/\n\n9\n");
    result_free(&r);
    free(weights);
    free(code);
    folder_remove(folder);
}

Test(c_code, refuses_what_it_cannot_do)
{
    char *folder = folder_new(), *name = str_format("%s/w", folder);
#define EXPORT                                                                                     \
    "%s/09_layer_norm export --weights " CASE "weights.safetensors $(cat " CASE "config.txt) "
    expect_line(run(EXPORT "--c-weights '%s/a'", build_folder(), folder), USAGE,
                "--c-weights|needs --c", "weights without C");
    expect_line(run(EXPORT "--c '%s/a' --c-weights '%s/a'", build_folder(), folder, folder), USAGE,
                "would replace what --c", "one file for both");
    expect_line(run(EXPORT "--c '%s/no/net.c' --c-weights '%s/b'", build_folder(), folder, folder),
                FAILED, "no/net.c", "no such folder");
    expect_line(
        run("small='--preset small --widths 4,8,16,768 --depths 1,1,1,1'; %s/12_official_convnext "
            "init $small --output '%s' && %s/12_official_convnext export $small "
            "--weights '%s' --c '%s/net.c'",
            build_folder(), name, build_folder(), name, folder),
        FAILED, "--c|too many for a file of C|--c-weights", "5 million weights");
    Result left = run("rm '%s' && ls -A '%s'", name, folder);
    cr_expect_str_eq(left.out, "", "left: %s", left.out);
    result_free(&left);
    free(name);
    folder_remove(folder);
}
