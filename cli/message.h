/* What is said on stderr, in one form: "habit: FILE:LINE: what is wrong". */
#ifndef HABIT_CLI_MESSAGE_H
#define HABIT_CLI_MESSAGE_H

/* Prints "habit: " and the line, after what stdout still holds: so the two stay in order on a terminal. */
void complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Complains that something could not be done, with errno's text: "habit: cannot read pump.f32: Is a directory".
 * Returns EXIT_FAILED. */
int complain_errno(const char *verb, const char *path);

/* Text from outside for a message: without control characters, cut where it is long. */
enum { SHOWN_SIZE = 48 };
const char *shown(const char *text, char out[SHOWN_SIZE]);

#endif
