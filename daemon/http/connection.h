/* libmicrohttpd's callbacks: they translate and hand over. Internal to http/. */
#ifndef HABIT_HTTP_CONNECTION_H
#define HABIT_HTTP_CONNECTION_H

#include "http/request.h"

/* user: struct http. The first line of a request was read: makes the request. */
void *connection_on_uri(void *user, const char *uri, struct MHD_Connection *connection);

/* Called when the headers are there, for each part of the body, and at its end. */
enum MHD_Result connection_on_access(void *user, struct MHD_Connection *connection, const char *url, const char *method,
                                     const char *version, const char *upload, size_t *upload_size, void **state);

void connection_on_completed(void *user, struct MHD_Connection *connection, void **state,
                             enum MHD_RequestTerminationCode code);

#endif
