/* As much of Criterion as the tests here use, for machines it is not installed for: the same names
 * with the same meaning, every test in a process of its own (runner.c). Found by
 * -Itests/portable in place of the real one. */
#ifndef PORTABLE_CRITERION_H
#define PORTABLE_CRITERION_H

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A test, or what holds for all of a suite's tests (body NULL). */
typedef struct PortableTest {
    const char *suite, *name;
    void (*body)(void);
    void (*init)(void), (*fini)(void);
    int exit_code;
    bool disabled;
    double timeout;
    struct PortableTest *next;
} PortableTest;

void portable_register(PortableTest *test);

/* Says where and what if it does not hold; ends the test if it is fatal. */
void portable_check(bool holds, bool fatal, const char *file, int line, const char *text,
                    const char *message, ...);
_Noreturn void portable_skip(const char *message, ...);

#define PORTABLE_REGISTER(id, ...)                                                                 \
    static PortableTest id = { __VA_ARGS__ };                                                      \
    __attribute__((constructor)) static void id##_register(void)                                   \
    {                                                                                              \
        portable_register(&id);                                                                    \
    }

#define Test(suite_, name_, ...)                                                                   \
    static void suite_##_##name_##_body(void);                                                     \
    PORTABLE_REGISTER(suite_##_##name_##_test, .suite = #suite_, .name = #name_,                   \
                      .body = suite_##_##name_##_body, __VA_ARGS__)                                \
    static void suite_##_##name_##_body(void)

#define TestSuite(suite_, ...) PORTABLE_REGISTER(suite_##_suite, .suite = #suite_, __VA_ARGS__)

/* --- assertions: cr_assert ends the test, cr_expect goes on ---------------------------------- */

/* The message behind the condition may be missing: "" stands in front of it. */
#define PORTABLE_HOLDS(fatal, holds, text, ...)                                                    \
    portable_check(!!(holds), fatal, __FILE__, __LINE__, text, "" __VA_ARGS__)

#define cr_assert(x, ...) PORTABLE_HOLDS(true, x, #x, __VA_ARGS__)
#define cr_expect(x, ...) PORTABLE_HOLDS(false, x, #x, __VA_ARGS__)
#define cr_assert_not(x, ...) PORTABLE_HOLDS(true, !(x), "not " #x, __VA_ARGS__)
#define cr_expect_not(x, ...) PORTABLE_HOLDS(false, !(x), "not " #x, __VA_ARGS__)
#define cr_assert_null(x, ...) PORTABLE_HOLDS(true, (x) == NULL, #x " is NULL", __VA_ARGS__)
#define cr_expect_null(x, ...) PORTABLE_HOLDS(false, (x) == NULL, #x " is NULL", __VA_ARGS__)
#define cr_assert_not_null(x, ...) PORTABLE_HOLDS(true, (x) != NULL, #x " is not NULL", __VA_ARGS__)
#define cr_expect_not_null(x, ...)                                                                 \
    PORTABLE_HOLDS(false, (x) != NULL, #x " is not NULL", __VA_ARGS__)
#define cr_assert_fail(...) PORTABLE_HOLDS(true, false, "not reached", __VA_ARGS__)

#define PORTABLE_COMPARE(fatal, a, op, b, ...)                                                     \
    PORTABLE_HOLDS(fatal, (a)op(b), #a " " #op " " #b, __VA_ARGS__)
#define cr_assert_eq(a, b, ...) PORTABLE_COMPARE(true, a, ==, b, __VA_ARGS__)
#define cr_expect_eq(a, b, ...) PORTABLE_COMPARE(false, a, ==, b, __VA_ARGS__)
#define cr_assert_neq(a, b, ...) PORTABLE_COMPARE(true, a, !=, b, __VA_ARGS__)
#define cr_expect_neq(a, b, ...) PORTABLE_COMPARE(false, a, !=, b, __VA_ARGS__)
#define cr_assert_lt(a, b, ...) PORTABLE_COMPARE(true, a, <, b, __VA_ARGS__)
#define cr_expect_lt(a, b, ...) PORTABLE_COMPARE(false, a, <, b, __VA_ARGS__)
#define cr_assert_leq(a, b, ...) PORTABLE_COMPARE(true, a, <=, b, __VA_ARGS__)
#define cr_expect_leq(a, b, ...) PORTABLE_COMPARE(false, a, <=, b, __VA_ARGS__)
#define cr_assert_gt(a, b, ...) PORTABLE_COMPARE(true, a, >, b, __VA_ARGS__)
#define cr_expect_gt(a, b, ...) PORTABLE_COMPARE(false, a, >, b, __VA_ARGS__)
#define cr_assert_geq(a, b, ...) PORTABLE_COMPARE(true, a, >=, b, __VA_ARGS__)
#define cr_expect_geq(a, b, ...) PORTABLE_COMPARE(false, a, >=, b, __VA_ARGS__)

#define PORTABLE_STRINGS(fatal, a, op, b, ...)                                                     \
    PORTABLE_HOLDS(fatal, strcmp(a, b) op 0, #a " " #op " " #b, __VA_ARGS__)
#define cr_assert_str_eq(a, b, ...) PORTABLE_STRINGS(true, a, ==, b, __VA_ARGS__)
#define cr_expect_str_eq(a, b, ...) PORTABLE_STRINGS(false, a, ==, b, __VA_ARGS__)
#define cr_assert_str_neq(a, b, ...) PORTABLE_STRINGS(true, a, !=, b, __VA_ARGS__)
#define cr_expect_str_neq(a, b, ...) PORTABLE_STRINGS(false, a, !=, b, __VA_ARGS__)
#define cr_assert_str_empty(a, ...) PORTABLE_HOLDS(true, !*(a), #a " is empty", __VA_ARGS__)
#define cr_expect_str_empty(a, ...) PORTABLE_HOLDS(false, !*(a), #a " is empty", __VA_ARGS__)

#define PORTABLE_NEAR(fatal, a, b, most, ...)                                                      \
    PORTABLE_HOLDS(fatal, fabs((double)(a) - (double)(b)) <= (double)(most), #a " is near " #b,    \
                   __VA_ARGS__)
#define cr_assert_float_eq(a, b, most, ...) PORTABLE_NEAR(true, a, b, most, __VA_ARGS__)
#define cr_expect_float_eq(a, b, most, ...) PORTABLE_NEAR(false, a, b, most, __VA_ARGS__)

#define cr_assert_arr_eq(a, b, size, ...)                                                          \
    PORTABLE_HOLDS(true, memcmp(a, b, size) == 0, #a " has " #b "'s bytes", __VA_ARGS__)
#define cr_expect_arr_eq(a, b, size, ...)                                                          \
    PORTABLE_HOLDS(false, memcmp(a, b, size) == 0, #a " has " #b "'s bytes", __VA_ARGS__)

#define cr_skip_test(...) portable_skip("" __VA_ARGS__)
#define cr_skip(...) portable_skip("" __VA_ARGS__)
#define cr_log_info(...) fprintf(stderr, __VA_ARGS__)

#endif
