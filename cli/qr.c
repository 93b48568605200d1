#include "qr.h"

#include <qrencode.h>
#include <stdbool.h>

enum { MARGIN = 2 };

/* Outside of the code all is light. */
static bool is_light(const QRcode *code, int row, int column)
{
    if (row < 0 || column < 0 || row >= code->width || column >= code->width)
        return true;
    return (code->data[row * code->width + column] & 1) == 0;
}

void qr_print(const char *text, FILE *file)
{
    static const char *const blocks[2][2] = { { " ", "▄" }, { "▀", "█" } }; /* upper light?, lower light? */
    QRcode *code = QRcode_encodeString8bit(text, 0, QR_ECLEVEL_L);

    if (!code)
        return;
    for (int row = -MARGIN; row < code->width + MARGIN; row += 2) {
        for (int column = -MARGIN; column < code->width + MARGIN; column++)
            fputs(blocks[is_light(code, row, column)][is_light(code, row + 1, column)], file);
        fputc('\n', file);
    }
    QRcode_free(code);
}
