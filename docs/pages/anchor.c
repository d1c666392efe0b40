#include "anchor.h"

#include <ctype.h>
#include <stddef.h>
#include <string.h>

char *anchor_of(char *heading)
{
    static const char *const dropped[] = { "，", "。", "：", "；", "（", "）",
                                           "“",  "”",  "、", "？", "！" };
    char *to = heading;
    for (const char *from = heading; *from;) {
        size_t skip = 0;
        for (size_t i = 0; i < sizeof dropped / sizeof *dropped && !skip; i++)
            if (strncmp(from, dropped[i], strlen(dropped[i])) == 0)
                skip = strlen(dropped[i]);
        unsigned char c = (unsigned char)*from;
        if (!skip && c == ' ')
            *to++ = '-';
        else if (!skip && (c >= 128 || isalnum(c) || c == '-' || c == '_'))
            *to++ = (char)tolower(c);
        from += skip ? skip : 1;
    }
    *to = 0;
    return heading;
}
