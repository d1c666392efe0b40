#include "base/text.h"

#include "base/error.h"

#include <stdbool.h>

void text_open(Text *text)
{
    text->out = open_memstream(&text->bytes, &text->size);
    if (!text->out)
        error_die(EXIT_FAILED, "text", "no memory for it");
}

void text_close(Text *text)
{
    bool lost = ferror(text->out);
    if (fclose(text->out) != 0 || lost)
        error_die(EXIT_FAILED, "text", "no memory for it");
}
