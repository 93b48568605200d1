/* Changes over HTTP are recorded with who made them. Internal to http/. */
#ifndef HABIT_HTTP_AUDIT_H
#define HABIT_HTTP_AUDIT_H

#include "http/request.h"

/* Runs the handler of a request; of a change (scope admin, and not GET) only when its record is on disk, then adds the outcome. */
int audit_handle(struct request *request);

/* Somebody sent so many wrong tokens that he has to wait. */
void audit_attempts(struct request *request);

#endif
