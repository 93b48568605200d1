/* The web page, and what a terminal gets in its place. */
#include <stdio.h>
#include <string.h>

#include "http/answer.h"
#include "http/handlers.h"
#include "http/route.h"
#include "page/asset.h"

/* The page takes nothing from any other host, and no other page may show it in a frame. Pictures are drawn, not loaded. */
#define POLICY                                                                                            \
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " \
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

static const char *header_of(struct request *request, const char *name)
{
    const char *value = MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, name);

    return value ? value : "";
}

static int answer_file(struct request *request, const struct asset *asset)
{
    int r;

    if (strcmp(header_of(request, MHD_HTTP_HEADER_IF_NONE_MATCH), asset->etag) == 0)
        r = answer_empty(request, MHD_HTTP_NOT_MODIFIED);
    else
        r = answer_static(request, MHD_HTTP_OK, asset->type, asset->bytes, asset->size);
    if (r == 0)
        r = answer_header(request, MHD_HTTP_HEADER_ETAG, asset->etag);
    if (r == 0)
        r = answer_header(request, "Content-Security-Policy", POLICY);
    if (r == 0)
        r = answer_header(request, "Referrer-Policy", "no-referrer");
    request->kept = true;
    return r;
}

int page_file(struct request *request)
{
    return answer_file(request, request->file);
}

static void write_hints(FILE *file, struct request *request)
{
    fprintf(file,
            "habitd " HABIT_VERSION " learns what is normal for each machine. README.md says how; the routes are:\n\n");
    for (const struct route *route = routes; route->method; route++)
        fprintf(file, "%-7s%s%s%s\n", route->method, route->path, route->parameters[0] != '\0' ? "  ? " : "",
                route->parameters);
    fprintf(file, "\nFor example: curl http://127.0.0.1:%u/v1/machines\nA browser gets a page here.\n",
            request->http->port);
}

/* Browsers say that they want HTML; curl says that it takes anything. */
int page_show(struct request *request)
{
    int r;

    if (strstr(header_of(request, MHD_HTTP_HEADER_ACCEPT), "text/html"))
        r = answer_file(request, route_file("index.html", strlen("index.html")));
    else
        r = answer_take_text(request, MHD_HTTP_OK, "text/plain; charset=utf-8", answer_text_of(request, write_hints));
    return r != 0 ? r : answer_header(request, MHD_HTTP_HEADER_VARY, MHD_HTTP_HEADER_ACCEPT);
}
