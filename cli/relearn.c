/* habit relearn: what a better engine makes of the buffers that machines were commissioned with, and whether it is put in force. */
#include <stdio.h>

#include "client.h"
#include "commands.h"
#include "matching.h"
#include "table.h"

enum act { ACT_MAKE, ACT_SHOW, ACT_SWITCH, ACT_DROP };

struct relearn_settings {
    const char *url;
    bool show, change, drop, json;
    struct words patterns;
};

#define ROW(kind, key, field, value, low, high, help)                                               \
    {                                                                                               \
        OPTION_##kind, false, key, offsetof(struct relearn_settings, field), value, low, high, help \
    }

static const struct option_row rows[] = {
    { OPTION_OPERANDS, true, "", offsetof(struct relearn_settings, patterns), "PATTERN...", 1, WORDS_MAX,
      "machine IDs; * and ? match, quote them" },
    ROW(FLAG, "show", show, "", 0, 0, "how the relearned knowledge compares; nothing is made"),
    ROW(FLAG, "switch", change, "", 0, 0, "put the relearned knowledge in force; a snapshot leads back"),
    ROW(FLAG, "drop", drop, "", 0, 0, "forget the relearned knowledge"),
    ROW(FLAG, "json", json, "", 0, 0, "print the comparison as JSON"),
    ROW(TEXT, "url", url, "URL", 0, 0, "of habitd; default $HABIT_URL, else " CLIENT_URL),
    { .type = OPTION_END },
};

/* clang-format off */
static const struct column columns[] = {
    { "machine",        "machine" },
    { "buffers",        "buffers" },
    { "learned",        "in_force.learned" },
    { "judged",         "judged" },
    { "strange",        "in_force.strange" },
    { "strange-new",    "relearned.strange" },
    { "distance",       "in_force.distance" },
    { "distance-new",   "relearned.distance" },
    { "anomalies",      "anomaly_buffers" },
    { "found",          "in_force.anomalies_found" },
    { "found-new",      "relearned.anomalies_found" },
    { NULL,             NULL },
};
/* clang-format on */

static const struct {
    const char *method, *path, *done;
} acts[] = {
    [ACT_MAKE] = { "POST", "/v1/machines/%s/relearn", NULL },
    [ACT_SHOW] = { "GET", "/v1/machines/%s/relearn", NULL },
    [ACT_SWITCH] = { "POST", "/v1/machines/%s/relearn/switch", "relearned knowledge is in force" },
    [ACT_DROP] = { "DELETE", "/v1/machines/%s/relearn", "relearned knowledge is forgotten" },
};

static int run(const struct command *command, int argc, char **argv)
{
    struct relearn_settings settings = { 0 };
    json_t *rows_found;
    enum act act;
    int code;

    if (!options_read(command, &settings, argc, argv, &code))
        return code;
    if (settings.show + settings.change + settings.drop > 1)
        return options_refuse(command, "one of --show, --switch and --drop at a time");
    act = settings.show ? ACT_SHOW : settings.change ? ACT_SWITCH : settings.drop ? ACT_DROP : ACT_MAKE;
    rows_found = json_array();
    code = matching_post(command, &(struct matching){ .url = settings.url,
                                                      .list = "/v1/machines",
                                                      .array = "machines",
                                                      .patterns = &settings.patterns,
                                                      .method = acts[act].method,
                                                      .path = acts[act].path,
                                                      .done = acts[act].done,
                                                      .answers = rows_found });
    if (!acts[act].done && settings.json) {
        json_dumpf(rows_found, stdout, JSON_INDENT(1) | JSON_REAL_PRECISION(9));
        printf("\n");
    } else if (!acts[act].done && json_array_size(rows_found) > 0) {
        table_print(columns, rows_found);
    }
    json_decref(rows_found);
    return code;
}

const struct command relearn_command = {
    .name = "relearn",
    .synopsis = "PATTERN... [--show | --switch | --drop] [--json] [--url URL]",
    .summary = "learns stored commissioning buffers anew, compares, switches",
    .details =
        "Without an option it learns the buffers anew, beside the knowledge in force. From then on both judge every\n"
        "buffer, and only the one in force raises anomalies: --show compares them. Columns: what the stored buffers "
        "and\n"
        "`learned` (of the knowledge in force) are, how many buffers both have judged since, how many of these were\n"
        "strange, their mean distance, the buffers of anomalies that are stored, and how many of these are found;\n"
        "-new is what the relearned knowledge makes of the same.",
    .options = rows,
    .run = run,
};
