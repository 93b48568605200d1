#include "wire/cell.h"

void cell_put_text(FILE *file, const char *text)
{
    fputs(text[0] == '=' || text[0] == '+' || text[0] == '-' || text[0] == '@' ? "\"'" : "\"", file);
    for (; *text != '\0'; text++) {
        if (*text == '"')
            fputc('"', file);
        fputc(*text, file);
    }
    fputc('"', file);
}
