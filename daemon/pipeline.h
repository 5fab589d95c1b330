/** @file
 * What the files of the pipeline show to each other.
 *
 * pipeline.c owns sources and jobs; pipeline_folder.c and pipeline_git.c know what moved;
 * pipeline_document.c reads one document after the other into a batch, with the help of
 * pipeline_event.c, and commits it.
 *
 * Two kinds of function: those that take a cw_pipeline or cw_source belong to the loop thread,
 * those that take a cw_batch to the job that owns the batch.
 */
#pragma once

#include "clausewatch/analysis.h"
#include "clausewatch/compare.h"
#include "clausewatch/extract.h"
#include "clausewatch/git.h"
#include "clausewatch/job.h"
#include "clausewatch/log.h"
#include "clausewatch/pipeline.h"
#include "clausewatch/watch.h"

#define CW_OF(ptr, type, member) ((type *)(void *)((char *)(ptr)-offsetof(type, member)))
#define CW_TYPE(word) "dev.clausewatch." word

int64_t cw_now_ms(void);

/* ---- pipeline_document.c, pipeline_event.c: in a job ---- */

/** So many documents share a transaction, unless they are large. */
#define CW_BATCH_MAX 32
#define CW_BATCH_BYTES ((size_t)1 << 20)

/** What is known of a document before it is read.  Strings live as long as the batch. */
struct cw_reading {
	struct cw_docname name;
	uint64_t size, inode;
	int64_t mtime_ns;
	const char *cause;
	bool quiet; /**< a first scan: what is already there does not alert one by one */
	const char *full_path; /**< of a file; NULL in git */
	const char *blob, *commit, *author, *subject, *commit_date; /**< git, else NULL */
	const char *moved_from; /**< path that it had, when known beforehand */
	bool forced; /**< git: history was rewritten */
	const char *base; /**< bytes to compare with when nothing is stored, or NULL */
	size_t base_len;
};

/** What must live until the commit. */
struct cw_held {
	struct cw_buf bytes;
	struct cw_text text;
	struct cw_analysis *analysis;
	uint32_t *sketches;
	struct cw_commit_event *events;
	size_t nevents, cap_events;
	const char *moved_from; /**< document that this one was until now */
};

/** Documents that are read and not yet committed.  All zero but the first four is empty. */
struct cw_batch {
	struct cw_store *store;
	const struct cw_settings *settings;
	const struct cw_config_source *source;
	uint64_t *alive; /**< counted up with each document; may be NULL */
	struct cw_arena arena;
	struct cw_commit commits[CW_BATCH_MAX];
	struct cw_held held[CW_BATCH_MAX];
	size_t n;
	size_t bytes;
	struct cw_held loose; /**< events of no document */
	/* since the batch was made */
	uint64_t read, unchecked, committed, events;
	size_t appeared, vanished; /**< findings, by rules alone */
};

/** One more document fits; else cw_batch_commit() first. */
bool cw_batch_room(const struct cw_batch *b);
/**
 * Take one document the way from bytes to events.
 * @param bytes  taken; empty when code is negative
 * @param code   CW_OK, or why the bytes could not be had (message in why)
 * @return CW_OK also for what cannot be understood; negative when the store or memory failed
 */
int cw_batch_document(struct cw_batch *b, const struct cw_reading *r, struct cw_buf *bytes,
		      int code, const struct cw_error *why, struct cw_error *err);
/** Read the stored text again with the present rules; adds to appeared and vanished. */
int cw_batch_reread(struct cw_batch *b, const struct cw_document *doc, struct cw_error *err);
/** Store what is in the batch; it is then empty.  On failure nothing is lost but the work. */
int cw_batch_commit(struct cw_batch *b, struct cw_error *err);
/**
 * Remove documents and say so: one event for all of them, committed with the first removal.
 * @param why  "removed"
 */
int cw_batch_remove(struct cw_batch *b, const struct cw_reading *r, struct cw_document **docs,
		    size_t n, const char *why, struct cw_error *err);
/** Drop what is in it. */
void cw_batch_release(struct cw_batch *b);

/* ---- pipeline_settings.c ---- */

/** Remember that the receiver of a channel is gone, until its URL is another one.  Any thread. */
int cw_settings_gone_channel(const struct cw_settings *settings, struct cw_store *store,
			     const char *channel, struct cw_error *err);
/** Leave out channels remembered as gone.  Before other threads know the settings. */
int cw_settings_drop_gone(struct cw_settings *settings, struct cw_store *store,
			  struct cw_error *err);

/** Everything that an event of a document has in common. */
void cw_event_begin(struct cw_batch *b, const struct cw_reading *r, const char *type,
		    struct cw_event *out);
/** Attach a name and value to an event. */
int cw_event_attr(struct cw_batch *b, struct cw_event *e, enum cw_attr_kind kind, const char *name,
		  const char *fmt, ...) __attribute__((format(printf, 5, 6)));
/** Stamp, address and keep an event; deliver false: for the record only. */
int cw_event_add(struct cw_batch *b, struct cw_held *held, struct cw_event *e, bool deliver,
		 struct cw_error *err);
/** The channels that want it, in the arena. */
int cw_event_route(const struct cw_settings *settings, const struct cw_event *e,
		   struct cw_arena *arena, struct cw_commit_event *out, struct cw_error *err);
/** The changes between two versions that are worth an event. */
int cw_event_version(struct cw_batch *b, struct cw_held *held, const struct cw_reading *r,
		     const struct cw_comparison *cmp, const struct cw_version *seen, bool fresh,
		     struct cw_error *err);
int cw_event_unchecked(struct cw_batch *b, struct cw_held *held, const struct cw_reading *r,
		       const char *code, const char *message, struct cw_error *err);
/** A removed document came back with nothing to tell of it. */
int cw_event_back(struct cw_batch *b, struct cw_held *held, const struct cw_reading *r,
		  struct cw_error *err);
int cw_event_legacy(struct cw_batch *b, struct cw_held *held, const struct cw_reading *r,
		    const struct cw_analysis *a, struct cw_error *err);
/** A note for the record: no channel gets it. */
int cw_event_moved(struct cw_batch *b, struct cw_held *held, const struct cw_reading *r,
		   const char *from, struct cw_error *err);
/** Documents are gone: one event, however many. */
int cw_event_removed(struct cw_batch *b, struct cw_held *held, const struct cw_reading *r,
		     const struct cw_document *const *docs, size_t n, const char *why,
		     struct cw_error *err);
/**
 * The first look at a source or ref is over: one summary, and the mark that says so.  Calling
 * it again, after a crash between the two, does not tell twice.
 */
int cw_first_scan_end(struct cw_store *store, const struct cw_settings *settings,
		      const struct cw_config_source *source, const char *ref, const char *oid,
		      struct cw_error *err);

/** What new rules changed without any document changing. */
struct cw_reread_total {
	uint64_t documents, appeared, vanished;
};
/** One event for all of it, none when it is nothing; then the rules are noted as those in use. */
int cw_rules_summary(struct cw_store *store, const struct cw_settings *settings,
		     const struct cw_reread_total *total, struct cw_error *err);

/* ---- pipeline.c: on the loop ---- */

struct cw_folder;
struct cw_git_source;

struct cw_source {
	struct cw_pipeline *p;
	struct cw_source *next;
	const struct cw_config_source *cfg; /**< of p->settings */
	char *name;
	struct cw_folder *folder; /**< one of the two */
	struct cw_git_source *git;
	bool removed; /**< not in the settings any more: freed when no job holds it */
	bool exclusive; /**< a job runs that no other job of the source may run beside */
	unsigned jobs;
	char *degraded; /**< message, or NULL */
	bool first_scan, scanning;
	uint64_t pending, read, unchecked;
	int64_t last_scan_ms;
};

/** A job of a source; embedded.  Holds source and settings until its end. */
struct cw_work {
	struct cw_job job;
	struct cw_source *source;
	struct cw_settings *settings;
	const struct cw_config_source *cfg; /**< of settings */
	struct cw_store *store;
	uint64_t *alive; /**< for cw_batch.alive */
	const bool *stop; /**< becomes true when the job should end early; atomic */
	int (*run)(struct cw_work *w, struct cw_error *err); /**< pool thread */
	void (*done)(struct cw_work *w, int ret, const struct cw_error *err); /**< frees w */
};

struct cw_pipeline {
	uv_loop_t *loop;
	struct cw_store *store;
	struct cw_settings *settings;
	char *config_path;
	char host[65];
	struct cw_pipeline_calls calls;
	struct cw_source *sources; /**< in the order of the configuration */
	struct cw_jobs docs; /**< documents of folders */
	struct cw_jobs side; /**< everything else */
	struct cw_watcher *folders; /**< all folder sources */
	struct cw_watcher *refs; /**< the reference directories of all git sources */
	struct cw_deliverer *deliverer;
	struct cw_store_outbox *outbox;
	uv_timer_t tick; /**< looks after what is due */
	bool closing, ending;
	unsigned grace_ms;
	void (*closed)(void *ctx);
	void *closed_ctx;

	bool rereading; /**< a job reads with new rules: no other document job runs beside */
	bool reread_wanted;
	int64_t reread_ms; /**< not before */
	struct cw_reread_total reread;

	struct cw_job *unpublished; /**< events that the store refused */
	bool reload_running;
	struct cw_reload_waiter *waiters;
	int64_t reload_ms;
	bool reload_ok;
	char *reload_message;

	int64_t started_ms, stats_ms;
	struct cw_store_stats stats;
	bool stats_running;
	uint64_t progress, commits, events, store_failures;
	uint64_t trimmed; /**< commits when memory was last given back */
};

/**
 * Start a job; done() follows, with CW_ECANCELED if the pipeline closes before.
 * @param exclusive  no other job of this source runs until its done()
 */
void cw_work_start(struct cw_work *w, struct cw_source *s, struct cw_jobs *queue, bool exclusive);
struct cw_source *cw_source_find(struct cw_pipeline *p, const char *name);
/** Once for each state; message NULL: all is well again. */
void cw_source_degraded(struct cw_source *s, const char *message);
static inline void cw_batch_init(struct cw_batch *b, const struct cw_work *w)
{
	b->store = w->store;
	b->settings = w->settings;
	b->source = w->cfg;
	b->alive = w->alive;
}
/** Count what a batch did, wake deliverer and listeners. */
void cw_pipeline_count(struct cw_source *s, const struct cw_batch *b);
/** The store refused: say so once, try again later. */
void cw_pipeline_store_failed(struct cw_pipeline *p, const struct cw_error *err);
/** A job ended: the watchdog may know. */
void cw_pipeline_alive(struct cw_pipeline *p);
/** While closing: go on when the last job has ended. */
void cw_pipeline_advance_close(struct cw_pipeline *p);
/** Watch what p->settings name; sources that stay the same go on as they are. */
int cw_pipeline_set_sources(struct cw_pipeline *p, struct cw_error *err);
bool cw_same_text(const char *a, const char *b);

/* pipeline_publish.c */
void cw_pipeline_publish_again(struct cw_pipeline *p);
void cw_pipeline_drop_unpublished(struct cw_pipeline *p);
/** With the event that says so, remember that a channel's receiver is gone. */
int cw_pipeline_publish_gone(struct cw_pipeline *p, const struct cw_event *event,
			     const char *channel, struct cw_error *err);

/* pipeline_reload.c */
struct cw_reload_waiter;
void cw_pipeline_start_reread(struct cw_pipeline *p);
void cw_pipeline_tell_waiters(struct cw_reload_waiter *list, bool ok, const char *message);
void cw_settings_log_problems(const struct cw_settings *settings);

/** Start what can be started. */
void cw_pipeline_pump(struct cw_pipeline *p);

/* ---- pipeline_folder.c ---- */

int cw_folder_open(struct cw_source *s, struct cw_error *err);
void cw_folder_close(struct cw_source *s);
/** The last of it: no job holds the source any more. */
void cw_folder_free(struct cw_folder *f);
/** Start document jobs while there is room, and what waits for quiet. */
void cw_folder_pump(struct cw_source *s, int64_t now_ms);
bool cw_folder_idle(const struct cw_source *s);
extern const struct cw_watch_events cw_folder_events; /* ctx is the pipeline */

/* ---- pipeline_git.c ---- */

int cw_git_source_open(struct cw_source *s, struct cw_error *err);
void cw_git_source_close(struct cw_source *s);
void cw_git_source_free(struct cw_git_source *g);
void cw_git_source_nudge(struct cw_source *s);
void cw_git_source_pump(struct cw_source *s, int64_t now_ms);
bool cw_git_source_idle(const struct cw_source *s);
extern const struct cw_watch_events cw_git_source_events; /* ctx is the pipeline */
