/* Strict readers of short texts: what is not exactly the form is refused, whatever the locale. */
#ifndef HABIT_BASE_TEXT_H
#define HABIT_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* [A-Za-z0-9][A-Za-z0-9_-]{0,63}, at every door; in words. */
enum { MACHINE_ID_SIZE = 65 };
#define MACHINE_ID_RULE "a letter or digit, then up to 63 letters, digits, '_' or '-'"
bool machine_id_valid(const char *id, size_t length);

/* [A-Za-z0-9-]{1,32} */
enum { GATEWAY_ID_SIZE = 33 };
bool gateway_id_valid(const char *id);

/* Decimal digits only, no sign, no spaces, no leading zeros, at most max. */
bool text_to_unsigned(const char *text, uint64_t max, uint64_t *value);

/* A decimal number in JSON's form, "-1.5e-3", at most 64 characters; finite as a double. No hex, no inf, no spaces. */
bool text_to_number(const char *text, double *value);

/* "90" (seconds), "500ms", "10s", "5m", "24h", "14d" -> milliseconds. */
bool text_to_duration(const char *text, uint64_t *milliseconds);

/* The text with the largest unit that fits, "0", "1500ms", "14d"; text_to_duration reads it back. */
enum { DURATION_TEXT_SIZE = 24 };
const char *text_of_duration(uint64_t milliseconds, char text[DURATION_TEXT_SIZE]);

/* Printable UTF-8 without control characters, line separators and direction overrides, shorter than size bytes. */
bool text_printable(const char *text, size_t size);

/* Replaces each byte that text_printable would refuse. */
void text_clean(char *text, char by);

/* No byte above 127. */
bool text_ascii(const char *text);

/* Shell-like match of an ID: '*' any run, '?' any one character. */
bool pattern_match(const char *pattern, const char *id);

/* How specific a pattern is: characters that are not wildcards. The most specific match wins. */
unsigned int pattern_weight(const char *pattern);

/* [A-Za-z0-9_*?-]{1,64} */
bool pattern_valid(const char *pattern);

#endif
