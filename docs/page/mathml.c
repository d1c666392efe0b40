#include "mathml.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/text.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    const char *at, *end;
} Reader;

static void put_row(Reader *r, FILE *out);

static void skip_space(Reader *r)
{
    while (r->at < r->end && isspace((unsigned char)*r->at))
        r->at++;
}

static void element(FILE *out, const char *tag, const char *content)
{
    fprintf(out, "<%s>%s</%s>", tag, content, tag);
}

/* {…}, or the one atom that comes next. */
static void put_atom(Reader *r, FILE *out);

static void put_group(Reader *r, FILE *out)
{
    skip_space(r);
    if (r->at < r->end && *r->at == '{') {
        r->at++;
        put_row(r, out);
        r->at += r->at < r->end; /* the } */
    } else
        put_atom(r, out);
}

static void put_around(Reader *r, FILE *out, const char *tag, int groups)
{
    fprintf(out, "<%s>", tag);
    for (int i = 0; i < groups; i++)
        put_group(r, out);
    fprintf(out, "</%s>", tag);
}

/* \mathrm{mean}: the letters of the group as one word. */
static void put_word(Reader *r, FILE *out, const char *tag)
{
    skip_space(r);
    const char *from = ++r->at;
    while (r->at < r->end && *r->at != '}')
        r->at++;
    fprintf(out, "<%s>%.*s</%s>", tag, (int)(r->at - from), from, tag);
    r->at += r->at < r->end;
}

static const char *meaning(const char *const (*table)[2], size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(table[i][0], name) == 0)
            return table[i][1];
    return NULL;
}

static void put_command(Reader *r, FILE *out)
{
    static const char *const signs[][2] = {
        { "epsilon", "ε" }, { "mu", "μ" },    { "sigma", "σ" },  { "gamma", "γ" },
        { "beta", "β" },    { "alpha", "α" }, { "lambda", "λ" }, { "partial", "∂" },
        { "max", "max" },   { "min", "min" }, { "log", "log" },  { "exp", "exp" },
        { "eta", "η" },     { "Phi", "Φ" },   { "varphi", "φ" },
    };
    static const char *const operators[][2] = {
        { "cdot", "·" },       { "times", "×" },
        { "sum", "∑" },        { "prod", "∏" },
        { "in", "∈" },         { "odot", "⊙" },
        { "sim", "∼" },        { "lfloor", "⌊" },
        { "rfloor", "⌋" },     { "longrightarrow", "⟶" },
        { "Rightarrow", "⇒" }, { "leftarrow", "←" },
        { "le", "≤" },         { "ge", "≥" },
        { "approx", "≈" },
    };
    static const char *const accents[][2] = { { "hat", "^" }, { "bar", "¯" }, { "overline", "¯" } };
    const char *from = r->at;
    while (r->at < r->end && isalpha((unsigned char)*r->at))
        r->at++;
    char *name = str_format("%.*s", (int)(r->at - from), from);
    const char *sign;
    if (r->at == from) { /* \, and the like: a space */
        r->at++;
        fputs("<mspace width=\"0.2em\"/>", out);
    } else if (strcmp(name, "sqrt") == 0)
        put_around(r, out, "msqrt", 1);
    else if (strcmp(name, "frac") == 0)
        put_around(r, out, "mfrac", 2);
    else if (strcmp(name, "mathrm") == 0 || strcmp(name, "mathbb") == 0)
        put_word(r, out, "mi");
    else if (strcmp(name, "text") == 0)
        put_word(r, out, "mtext");
    else if (strcmp(name, "underbrace") == 0) {
        fputs("<munder>", out);
        put_group(r, out);
        fputs("<mo>⏟</mo></munder>", out);
    } else if ((sign = meaning(accents, sizeof accents / sizeof *accents, name))) {
        fputs("<mover accent=\"true\">", out);
        put_group(r, out);
        element(out, "mo", sign);
        fputs("</mover>", out);
    } else if (strcmp(name, "left") == 0 || strcmp(name, "right") == 0 ||
               strcmp(name, "big") == 0 || strcmp(name, "Big") == 0)
        put_atom(r, out); /* a browser makes parentheses as large as what they hold */
    else if (strcmp(name, "qquad") == 0 || strcmp(name, "quad") == 0)
        fputs(name[1] == 'q' ? "<mspace width=\"2em\"/>" : "<mspace width=\"1em\"/>", out);
    else if (strcmp(name, "textstyle") == 0 || strcmp(name, "displaystyle") == 0)
        put_atom(r, out);
    else if ((sign = meaning(operators, sizeof operators / sizeof *operators, name)))
        element(out, "mo", sign);
    else if ((sign = meaning(signs, sizeof signs / sizeof *signs, name)))
        element(out, "mi", sign);
    else
        error_die(EXIT_FAILED, name, "no such command is known for formulas (docs/page/mathml.c)");
    free(name);
}

static void put_atom(Reader *r, FILE *out)
{
    skip_space(r);
    if (r->at >= r->end)
        return;
    if (*r->at == '\\') {
        r->at++;
        put_command(r, out);
    } else if (isdigit((unsigned char)*r->at)) {
        const char *from = r->at;
        while (r->at < r->end && (isdigit((unsigned char)*r->at) || *r->at == '.'))
            r->at++;
        fprintf(out, "<mn>%.*s</mn>", (int)(r->at - from), from);
    } else {
        char letter[5] = { *r->at++, 0 };
        for (int i = 1; i < 4 && r->at < r->end && ((unsigned char)*r->at & 0xC0) == 0x80; i++)
            letter[i] = *r->at++;
        if (*letter == '&') { /* of the HTML that it comes from: &lt; */
            fputs("<mo>&", out);
            while (r->at < r->end && r->at[-1] != ';')
                fputc(*r->at++, out);
            fputs("</mo>", out);
        } else
            element(out, isalpha((unsigned char)*letter) ? "mi" : "mo", letter);
    }
}

/* An atom with what stands below and above it. */
static void put_scripted(Reader *r, FILE *out)
{
    Text base, below, above;
    text_open(&base);
    text_open(&below);
    text_open(&above);
    put_group(r, base.out);
    for (skip_space(r); r->at < r->end && (*r->at == '_' || *r->at == '^'); skip_space(r)) {
        FILE *script = *r->at++ == '_' ? below.out : above.out;
        fputs("<mrow>", script);
        put_group(r, script);
        fputs("</mrow>", script);
    }
    text_close(&base);
    text_close(&below);
    text_close(&above);
    bool under = strncmp(base.bytes, "<munder>", 8) == 0 || strcmp(base.bytes, "<mo>∑</mo>") == 0 ||
                 strcmp(base.bytes, "<mo>∏</mo>") == 0;
    const char *tag = below.size && above.size ? (under ? "munderover" : "msubsup")
                      : below.size             ? (under ? "munder" : "msub")
                      : above.size             ? (under ? "mover" : "msup")
                                               : NULL;
    if (tag)
        fprintf(out, "<%s>", tag);
    fprintf(out, "%s%s%s", base.bytes, below.bytes, above.bytes);
    if (tag)
        fprintf(out, "</%s>", tag);
    free(base.bytes);
    free(below.bytes);
    free(above.bytes);
}

static void put_row(Reader *r, FILE *out)
{
    fputs("<mrow>", out);
    for (skip_space(r); r->at < r->end && *r->at != '}'; skip_space(r))
        put_scripted(r, out);
    fputs("</mrow>", out);
}

void mathml(const char *tex, size_t length, FILE *out)
{
    Reader r = { tex, tex + length };
    fputs("<math display=\"block\">", out);
    put_row(&r, out);
    fputs("</math>\n", out);
}
