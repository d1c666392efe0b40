/* What is the same on every machine: our own exp, log, pow … against libm's in long double, SHA-256
 * against FIPS 180-4's examples, and what two steps of training end with. */
#include "base/memory.h"
#include "base/portable.h"
#include "base/random.h"
#include "base/sha256.h"
#include "run.h"

#include <criterion/criterion.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* --- functions ------------------------------------------------------------------------------- */

typedef struct {
    const char *name;
    double (*ours)(double), (*ours2)(double, double);
    long double (*exact)(long double), (*exact2)(long double, long double);
    double from, to;   /* where the values are dense */
    double from2, to2; /* the second argument's */
} Function;

/* musl's powl loses the sign of a result that is too small. */
static long double pow_exact(long double x, long double y)
{
    return copysignl(powl(x, y), (long double)pow((double)x, (double)y));
}

static const Function functions[] = {
    { .name = "exp", .ours = portable_exp, .exact = expl, .from = -746, .to = 710 },
    { .name = "exp near 0", .ours = portable_exp, .exact = expl, .from = -1, .to = 1 },
    { .name = "log", .ours = portable_log, .exact = logl, .from = 0, .to = 20 },
    { .name = "log near 1", .ours = portable_log, .exact = logl, .from = 0.9999, .to = 1.0001 },
    { .name = "sin", .ours = portable_sin, .exact = sinl, .from = -10, .to = 10 },
    { .name = "sin far", .ours = portable_sin, .exact = sinl, .from = -1e9, .to = 1e9 },
    { .name = "cos", .ours = portable_cos, .exact = cosl, .from = -10, .to = 10 },
    { .name = "erfc", .ours = portable_erfc, .exact = erfcl, .from = -6, .to = 27.3 },
    { .name = "erfc near 0", .ours = portable_erfc, .exact = erfcl, .from = -2.2, .to = 2.2 },
    { "pow", NULL, portable_pow, NULL, pow_exact, 0.1, 20, -60, 60 },
    { "pow near 1", NULL, portable_pow, NULL, pow_exact, 0.999, 1.001, -3e5, 3e5 },
    { "atan2", NULL, portable_atan2, NULL, atan2l, -2, 2, -2, 2 },
    { "hypot", NULL, portable_hypot, NULL, hypotl, -2, 2, -2, 2 },
};
enum { FUNCTIONS = sizeof functions / sizeof *functions, DRAWN = 20000 };

/* In units of a double's last place, the reference's own error being far smaller. */
static double error_of(double ours, long double exact)
{
    double nearest = (double)exact;
    if (isnan(nearest) || isinf(nearest) || nearest == 0)
        return isnan(nearest) ? !isnan(ours)
                              : ours != nearest || !signbit(ours) != !signbit(nearest);
    int exponent;
    frexp(nearest, &exponent);
    int last = exponent - DBL_MANT_DIG < -1074 ? -1074 : exponent - DBL_MANT_DIG;
    return (double)ldexpl(fabsl(ours - exact), -last);
}

/* The worst where a double has all its bits; below that it is rounded twice. Where a long double is
 * a double, libm's own error is in it: in glibc's for 32-bit ARM 3 ulp of erfc, and 8 of cos near a
 * zero far out. */
static void check(const Function *f, double x, double y, double *worst)
{
    double ours = f->ours ? f->ours(x) : f->ours2(x, y);
    long double exact = f->exact ? f->exact(x) : f->exact2(x, y);
    double error = error_of(ours, exact), most = fabs(ours) < DBL_MIN ? 0.76 : 0.66;
    if (LDBL_MANT_DIG == DBL_MANT_DIG)
        most += 8;
    cr_assert(error <= most, "%s(%a, %a) = %a, not %La: %.3f ulp", f->name, x, y, ours, exact,
              error);
    *worst = error > *worst ? error : *worst;
}

static double any_double(Random r, uint64_t i)
{
    uint64_t bits = random_bits(r, i);
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

Test(portable, functions_round_as_well_as_any)
{
    Random r = { 1, random_stream("portable") };
    for (int k = 0; k < FUNCTIONS; k++) {
        const Function *f = &functions[k];
        double worst = 0;
        for (uint64_t i = 0; i < DRAWN; i++) {
            double x = f->from + (f->to - f->from) * random_uniform(r, 2 * i);
            double y = f->from2 + (f->to2 - f->from2) * random_uniform(r, 2 * i + 1);
            check(f, x, y, &worst);
            check(f, any_double(r, 4 * i), any_double(r, 4 * i + 1), &worst);
            check(f, any_double(r, 4 * i + 2), f->to2 * random_uniform(r, 2 * i + 1), &worst);
        }
        cr_log_info("%s: %.3f ulp", f->name, worst);
    }
}

Test(portable, functions_at_the_ends)
{
    static const double ends[] = { 0,
                                   0x1p-1074,
                                   0x1p-1022,
                                   0x1p-1023,
                                   0x1p-60,
                                   0.5,
                                   0.785,
                                   1,
                                   1.5,
                                   2,
                                   3,
                                   4,
                                   5,
                                   28,
                                   1e3,
                                   0x1p53,
                                   0x1p53 + 2,
                                   1e300,
                                   DBL_MAX,
                                   INFINITY,
                                   NAN,
                                   M_PI / 4,
                                   M_PI / 2,
                                   M_PI,
                                   709.8,
                                   745.2,
                                   0x1.fffffffffffffp-1,
                                   0x1.0000000000001p+0,
                                   0x1.6ac5b262ca1ffp+849 };
    enum { ENDS = sizeof ends / sizeof *ends };
    double worst = 0;
    for (int k = 0; k < FUNCTIONS; k++)
        for (int i = 0; i < 2 * ENDS; i++)
            for (int j = 0; j < 2 * ENDS; j++)
                check(&functions[k], i % 2 ? -ends[i / 2] : ends[i / 2],
                      j % 2 ? -ends[j / 2] : ends[j / 2], &worst);
}

/* --- SHA-256 --------------------------------------------------------------------------------- */

/* FIPS 180-4's examples, and the empty message; each given in parts of so many bytes. */
Test(sha256, is_the_standard_s)
{
    static const struct {
        const char *text;
        int times;
        const char *digest;
    } examples[] = {
        { "", 1, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
        { "abc", 1, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
        { "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 1,
          "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1" },
        { "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopq"
          "klmnopqrlmnopqrsmnopqrstnopqrstu",
          1, "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1" },
        { "a", 1000000, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0" },
    };
    for (size_t i = 0; i < sizeof examples / sizeof *examples; i++)
        for (size_t part = 1; part <= 128; part += 42) {
            Sha256 sha = sha256_new();
            for (int n = 0; n < examples[i].times; n++)
                for (size_t at = 0, left = strlen(examples[i].text); left;) {
                    size_t count = left < part ? left : part;
                    sha256_add(&sha, examples[i].text + at, count);
                    at += count, left -= count;
                }
            cr_expect_str_eq(sha256_end(&sha).text, examples[i].digest);
        }
}

/* --- two steps of training ------------------------------------------------------------------- */

/* tests/portability.sh runs the same. */
#define WORDS                                                                                      \
    "train --data shapes --limit 40 --epochs 1 --batch-size 16 --mixup --cutmix --ema 0.9 --seed " \
    "3 --stem 8 --widths 8,16,24,32 --depths 1,1,2,1"
#define DROP_PATH "--drop-path 0.2"

/* Two steps with that engine; the digest that is printed at the end. */
static char *train_two_steps(const char *step, const char *engine, const char *folder,
                             const char *words)
{
    static const char label[] = "\nsha256 of the weights: ";
    Result r = run("'%s/%s' " WORDS " --engine %s --out '%s' %s", build_folder(), step, engine,
                   folder, words);
    cr_assert_eq(r.status, 0, "%s", r.err);
    const char *at = strstr(r.out, label);
    cr_assert(at, "%s", r.out);
    char *digest = str_format("%.64s", at + strlen(label));
    result_free(&r);
    return digest;
}

/* Of the file that was written, by key; and evaluate says the same. */
Test(portable, the_digest_is_the_file_s)
{
    static const char *const steps[] = { "03_depthwise_conv", "12_official_convnext" };
    static const char *const engines[] = ENGINES;
    for (int i = 0; i < 2; i++) {
        char *folder = folder_new(), *run_folder = str_format("%s/run", folder);
        char *printed = train_two_steps(steps[i], engines[0], run_folder, "");
        Safetensors file = tensors_in("%s/best.safetensors", run_folder);
        Sha256 sha = sha256_new();
        for (size_t k = 0; k < file.count; k++)
            sha256_add(&sha, file.by_key[k]->data, file.by_key[k]->bytes);
        cr_expect_str_eq(printed, sha256_end(&sha).text, "%s", steps[i]);
        Result r = run("'%s/%s' evaluate --limit 10 --weights '%s/best.safetensors'",
                       build_folder(), steps[i], run_folder);
        cr_expect(strstr(r.out, printed), "%s: %s", steps[i], r.out);
        result_free(&r);
        safetensors_free(&file);
        folder_remove(folder);
        free(run_folder);
        free(printed);
    }
}

#ifdef PORTABLE
/* Whatever changes these numbers changes every result that somebody has published. */
Test(portable, two_steps_end_with_these_bytes)
{
    static const struct {
        const char *step, *engine, *words, *digest;
    } runs[] = {
        { "00_resnet", "fast", "",
          "f6ebf41eeffd316a654e0700c288b8877dd56a6140bf9fcb56d8fd2fe22c6f03" },
        { "00_resnet", "plain", "",
          "4d90242261890b029c49fb6b6b419c5a93c56160ec221be0b6cd06fa17778f3d" },
        { "11_drop_path_layer_scale", "fast", DROP_PATH,
          "f1353e012ce640db59c1166231444d4e1718f4b4068bf2e4e146be213a682499" },
        { "11_drop_path_layer_scale", "plain", DROP_PATH,
          "4d6a47cdbb4cfa68c3c8c6fdcb1a9bc090f715d1e25742659b1fd47d1a11ffd4" },
    };
    static const int threads[] = { 1, 3 };
    for (size_t i = 0; i < sizeof runs / sizeof *runs; i++)
        for (int k = strcmp(runs[i].engine, "fast") == 0 ? 0 : 1;
             k < 2 && !(k == 0 && plain_only()); k++) {
            char *folder = folder_new(), *run_folder = str_format("%s/run", folder);
            char *words = str_format("%s --threads %d", runs[i].words, threads[k]);
            char *digest = train_two_steps(runs[i].step, runs[i].engine, run_folder, words);
            cr_expect_str_eq(digest, runs[i].digest, "%s %s: %s", runs[i].step, runs[i].engine,
                             digest);
            folder_remove(folder);
            free(run_folder);
            free(words);
            free(digest);
        }
}
#endif
