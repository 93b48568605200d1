/* Answers. Every function but answer_static takes the text or bytes it is given, which may be NULL where memory ran out; all return
 * 0 or -ENOMEM. Internal to http/. */
#ifndef HABIT_HTTP_ANSWER_H
#define HABIT_HTTP_ANSWER_H

#include <stddef.h>
#include <stdio.h>

#include "http/request.h"

int answer_take_json(struct request *request, unsigned int status, char *text);
int answer_take_text(struct request *request, unsigned int status, const char *type, char *text);
int answer_take_bytes(struct request *request, unsigned int status, const char *type, void *bytes, size_t size);
int answer_take_file(struct request *request, unsigned int status, const char *type, int fd, uint64_t size);
int answer_static(struct request *request, unsigned int status, const char *type, const void *bytes, size_t size);
int answer_empty(struct request *request, unsigned int status);

/* Runs `write` into heap text; NULL when memory ran out. */
char *answer_text_of(struct request *request, void (*write)(FILE *file, struct request *request));

/* Headers of the answer made before. */
int answer_header(struct request *request, const char *name, const char *value);

/* Link to the next page: this request's own query with the cursor in `parameter`. NULL cursor: last page, no link. */
int answer_next(struct request *request, const char *parameter, const char *cursor);

/* Problem document for what went wrong: a refusal (r > 0, request->refusal filled) or a failure of ours, which is
 * logged. */
int answer_problem(struct request *request, int r);

/* Hands the answer to libmicrohttpd. */
enum MHD_Result answer_send(struct request *request);

#endif
