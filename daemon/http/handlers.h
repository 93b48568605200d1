/* What the routes do, by file. Each makes the answer of one request: see struct route. Internal to http/. */
#ifndef HABIT_HTTP_HANDLERS_H
#define HABIT_HTTP_HANDLERS_H

struct request;

/* machines.c */
int machines_list(struct request *request);
int machine_show(struct request *request);
int machine_put(struct request *request);
int machine_patch(struct request *request);
int machine_delete(struct request *request);
int machine_commission(struct request *request);
int machine_initialize(struct request *request);
int sensitivity_show(struct request *request);
int sensitivity_put(struct request *request);
int pending_list(struct request *request);
int pending_adopt(struct request *request);

/* knowledge.c */
int knowledge_show(struct request *request);
int knowledge_put(struct request *request);

/* buffers.c */
int buffers_learn(struct request *request);
int buffers_detect(struct request *request);
int buffers_submit(struct request *request);
int context_put(struct request *request);

/* lines.c */
int lines_submit(struct request *request);
int stored_list(struct request *request);

/* reports.c */
int anomalies_list(struct request *request);
int anomaly_show(struct request *request);
int reports_daily(struct request *request);
int history_show(struct request *request);
int recent_show(struct request *request);

/* episodes.c */
int episodes_list(struct request *request);
int anomaly_accept(struct request *request);
int anomaly_buffers(struct request *request);
int anomaly_features(struct request *request);
int mute_put(struct request *request);
int mute_delete(struct request *request);

/* snapshots.c */
int snapshots_list(struct request *request);
int snapshots_post(struct request *request);
int snapshot_show(struct request *request);
int snapshot_restore(struct request *request);
int relearn_show(struct request *request);
int relearn_post(struct request *request);
int relearn_switch(struct request *request);
int relearn_delete(struct request *request);

/* stream.c */
int events_stream(struct request *request);

/* health.c */
int live_show(struct request *request);
int ready_show(struct request *request);

/* status.c */
int status_show(struct request *request);

/* backup.c */
int backup_take(struct request *request);
int wipe_post(struct request *request);

/* login.c */
int login_post(struct request *request);
int logout_post(struct request *request);
int session_show(struct request *request);

/* audit.c */
int audit_list(struct request *request);

/* page.c */
int page_show(struct request *request);
int page_file(struct request *request);

/* openapi.c */
int openapi_show(struct request *request);

/* metrics.c */
int metrics_show(struct request *request);

/* Shared: the machine's own page as the answer, with its ETag. */
int answer_machine(struct request *request, unsigned int status);

/* Shared: If-Match, or registry_only_new for If-None-Match: *. Returns 0 or a refusal. */
int read_precondition(struct request *request, const char **asked);

/* Shared: the same for a machine that was made just now, with its Location. */
int answer_created(struct request *request);

#endif
