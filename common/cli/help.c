#include "cli/help.h"

#include "base/memory.h"
#include "base/path.h"
#include "base/terminal.h"
#include "base/version.h"
#include "cli/network.h"
#include "cli/print.h"
#include "cli/siblings.h"
#include "graph/schemes.h"
#include "ops/ops.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { COLUMNS_USUAL = 80, COLUMNS_LEAST = 50, INDENT = 26 };

/* --- lines ----------------------------------------------------------------------------------- */

static int columns(void)
{
    int all = terminal_columns(STDOUT_FILENO);
    return all >= COLUMNS_LEAST && all < COLUMNS_USUAL ? all : COLUMNS_USUAL;
}

/* Prints "  term", and from column INDENT on the text, wrapped. */
static void print_item(const char *term, const char *text)
{
    int at = 2 + print_characters(term), width = columns() - INDENT;
    printf("  %s", term);
    if (at + 1 > INDENT) {
        printf("\n");
        at = 0;
    }
    while (*text) {
        int length = (int)strlen(text), end = length;
        if (length > width)
            for (end = width; end > 0 && text[end] != ' ';)
                end--;
        end = end ? end : length; /* a word longer than a line */
        printf("%*s%.*s\n", INDENT - at, "", end, text);
        text += end;
        text += *text == ' ';
        at = 0;
    }
}

/* --- defaults -------------------------------------------------------------------------------- */

static char *four_text(const int values[4])
{
    return str_format("%d,%d,%d,%d", values[0], values[1], values[2], values[3]);
}

/* Returns the network's own size as an option's default; NULL: the option is not a size. */
static char *network_standard(const Shape *s, const char *option)
{
    const Config *c = &s->config;
    if (strcmp(option, "--stem") == 0)
        return str_format("%d", c->stem);
    if (strcmp(option, "--widths") == 0)
        return four_text(c->widths);
    if (strcmp(option, "--depths") == 0)
        return four_text(c->depths);
    if (strcmp(option, "--classes") == 0)
        return str_format("%d", s->config.classes);
    if (strcmp(option, "--input") == 0)
        return str_format("%dx%dx%d", s->c, s->h, s->w);
    if (strcmp(option, "--drop-path") == 0)
        return str_format("%g", (double)c->drop_p);
    if (strcmp(option, "--layer-scale") == 0)
        return str_format("%g", (double)c->layer_scale);
    if (strcmp(option, "--row") == 0)
        return str_format("%d", c->row);
    return NULL;
}

/* --- a command ------------------------------------------------------------------------------- */

/* Tests whether other libraries have names for the network's parameters. */
static bool has_schemes(const Step *step, const Shape *shape)
{
    Net *net = network_build(step, shape);
    bool fits = scheme_fits(net_param(net, 0), net_params(net));
    net_free(net);
    return fits;
}

/* Returns the published network of the step's sizes, or NULL. */
static const char *variant_of(const Step *step)
{
    for (int i = 0; i < PUBLISHED_SIZES; i++) {
        const PublishedSize *p = &scheme_published_sizes[i];
        if (memcmp(p->widths, step->article.widths, sizeof p->widths) == 0 &&
            memcmp(p->depths, step->article.depths, sizeof p->depths) == 0)
            return p->name;
    }
    return NULL;
}

/* Tests whether the step has what an option is about. */
static bool has_effect(const Step *step, const Shape *shape, const char *option)
{
    if (strcmp(option, "--variant") == 0)
        return step->published && !step->rows;
    if (strcmp(option, "--row") == 0)
        return step->rows;
    if (strcmp(option, "--scheme") == 0)
        return has_schemes(step, shape);
    if (strcmp(option, "--drop-path") == 0)
        return network_has(step, shape, &drop_path_op);
    if (strcmp(option, "--layer-scale") == 0)
        return network_has(step, shape, &layer_scale_op);
    return true;
}

/* Replaces the presets of a published step: one preset, and variants or rows. */
static void adapt_presets(const Step *step, OptionAbout *about)
{
    bool variants = step->published && !step->rows;
    if (strcmp(about->name, "--variant") == 0)
        about->standard = variant_of(step);
    if (strcmp(about->name, "--preset") != 0 || !step->published)
        return;
    about->value = "small";
    about->help = "small sizes for a laptop";
    if (!about->standard || strcmp(about->standard, "small") != 0)
        about->standard = variants ? "the variant's" : "the row's";
}

static void print_option(const OptionAbout *about, const char *standard)
{
    char *term = str_format("%s%s%s", about->name, *about->value ? " " : "", about->value);
    char *text = about->required ? str_format("%s (required)", about->help)
                 : standard      ? str_format("%s (%s)", about->help, standard)
                                 : str_format("%s", about->help);
    print_item(term, text);
    free(text);
    free(term);
}

/* Prints the options of the command, or those common to all. */
static void print_options(const Step *step, const Command *command, bool common)
{
    Options options;
    options_standard(command, &options);
    bool preset = options.preset != 0; /* without a preset the sizes depend on the call */
    Shape shape = network_shape(step, &options, preset ? 0 : PRESET_ARTICLE);
    OptionAbout about;
    for (int i = 0; option_about(command, i, &about); i++) {
        if (about.common != common || !has_effect(step, &shape, about.name))
            continue;
        adapt_presets(step, &about);
        char *own = preset && !about.standard ? network_standard(&shape, about.name) : NULL;
        print_option(&about, own ? own : about.standard);
        free(own);
    }
}

static void print_usage(const char *called, const Command *command)
{
    OptionAbout about;
    printf("usage: %s %s", path_base(called), command->name);
    for (int i = 0; option_about(command, i, &about); i++)
        if (about.required)
            printf(" %s %s", about.name, about.value);
    printf("%s%s [OPTIONS]\n\n", command->operands ? " " : "",
           command->operands ? command->operands : "");
}

void help_command(const char *called, const Step *step, const Command *command)
{
    OptionAbout about;
    print_usage(called, command);
    printf("%s\n", command->help);
    if (command->example)
        printf("\nexample:\n  %s %s\n", called, command->example);
    if (option_about(command, 0, &about) && *command->options)
        printf("\noptions:\n");
    print_options(step, command, false);
    printf("\n%s:\n", command->no_network ? "for every command"
                      : strstr(command->options, "--as-is ")
                          ? "the network, where the weights do not define it"
                          : "the network");
    print_options(step, command, true);
}

/* --- the help texts -------------------------------------------------------------------------- */

void help_overview(const char *called, const Step *step, const Command *commands, int count)
{
    const char *name = path_base(called);
    printf("%s: %s\n\nusage: %s [COMMAND] [OPTIONS]\n\ncommands:\n", name, step->title, name);
    for (int i = 0; i < count; i++)
        printf("  %-9s %s\n", commands[i].name, commands[i].help);
    printf("\n'help COMMAND' or 'COMMAND --help' lists a command's options with their defaults;\n"
           "'--version' prints the version.\n");
}

void help_version(const char *called)
{
    printf("%s (convnext-steps) %s\n", path_base(called), VERSION);
}
