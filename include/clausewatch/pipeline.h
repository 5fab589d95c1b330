/** @file
 * The way of a change, from a saved file or a moved git reference to a delivery in the outbox.
 *
 * Everything here is called, and calls back, on the loop thread; reading, analysing and storing
 * happen in jobs off the loop.  Nothing is kept only in memory that a later scan would not find
 * again, so the process may be killed at any time.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "clausewatch/alert.h"
#include "clausewatch/config.h"
#include "clausewatch/error.h"
#include "clausewatch/event.h"
#include "clausewatch/ruleset.h"
#include "clausewatch/store.h"

/* ---- settings: what a reload replaces as a whole ---- */

/**
 * A configuration with the rules and channels that it asks for.  Never changes after it was
 * loaded, so jobs read it on any thread; it lives as long as somebody holds it.
 */
struct cw_settings {
	struct cw_config *config;
	struct cw_ruleset *rules;
	char digest[96]; /**< of the rules and of all else that can change a finding */
	size_t examples; /**< of the rules that were run, all of them honoured */
	const struct cw_channel *channels; /**< with their secrets; see problems */
	size_t nchannels;
	const char *const *problems; /**< channels left out and why, for the log */
	size_t nproblems;

	/* private */
	struct cw_arena arena;
	unsigned refs; /* counted atomically */
};

/**
 * Load configuration, rules and secrets and run the examples of the rules.  Any thread; takes
 * some hundred milliseconds.
 * @param path  NULL for CW_CONFIG_PATH
 * @param out   set only on success; one reference, the caller's
 * @return CW_OK; CW_EINVAL and others with "file:line:column: " where there is one
 */
int cw_settings_load(const char *path, struct cw_settings **out, struct cw_error *err);
/** Any thread. */
struct cw_settings *cw_settings_ref(struct cw_settings *settings);
/** Any thread.  Accepts NULL. */
void cw_settings_unref(struct cw_settings *settings);

/* ---- the pipeline ---- */

struct cw_pipeline;

/** Calls to the owner; any may be NULL. */
struct cw_pipeline_calls {
	void *ctx;
	/** Events were committed: time to look at cw_store_events_after().  May be called often. */
	void (*committed)(void *ctx);
	/** A reload ended; message is "" when the new settings hold, else why the old ones do. */
	void (*reloaded)(void *ctx, bool ok, const char *message);
};

/**
 * Start watching what the settings name.  Scans follow from the loop.
 *
 * @param settings     referenced
 * @param config_path  for reloads; copied, may be NULL
 * @param store        must outlive the pipeline
 * @param calls        copied; may be NULL
 * @param out          set only on success; close with cw_pipeline_close()
 */
int cw_pipeline_open(uv_loop_t *loop, struct cw_settings *settings, const char *config_path,
		     struct cw_store *store, const struct cw_pipeline_calls *calls,
		     struct cw_pipeline **out, struct cw_error *err);
/**
 * Take in nothing more, let running jobs and deliveries end (grace_ms for deliveries), then
 * closed(ctx) is called and the pipeline is gone.  What was still waiting is found by the next
 * start.  Once.
 */
void cw_pipeline_close(struct cw_pipeline *p, unsigned grace_ms, void (*closed)(void *ctx),
		       void *ctx);

/** What holds now; cw_settings_ref() it to keep it beyond this turn of the loop. */
struct cw_settings *cw_pipeline_settings(const struct cw_pipeline *p);
struct cw_store *cw_pipeline_store(const struct cw_pipeline *p);
struct cw_deliverer *cw_pipeline_deliverer(const struct cw_pipeline *p);

/** Told once how a reload ended; message as in cw_pipeline_calls.reloaded, during the call. */
typedef void cw_pipeline_reload_cb(void *ctx, bool ok, const char *message);
/**
 * Build new settings in a job and swap, or keep the old ones and say why.  A reload asked for
 * while another runs follows it.
 * @param cb   may be NULL; not called if this fails
 * @return CW_OK; CW_ECANCELED while closing, CW_ENOMEM
 */
int cw_pipeline_reload(struct cw_pipeline *p, cw_pipeline_reload_cb *cb, void *ctx,
		       struct cw_error *err);
/** Look at a source again, or at all if NULL.  CW_ENOTFOUND for an unknown name. */
int cw_pipeline_rescan(struct cw_pipeline *p, const char *source, struct cw_error *err);
/**
 * References of a repository may have moved: look now.
 * @param path  its directory, or the one that holds it with a work tree
 * @return CW_ENOTFOUND when no source watches it
 */
int cw_pipeline_nudge_repository(struct cw_pipeline *p, const char *path, struct cw_error *err);
/** Deliveries were made due in the store, as after cw_store_retry(). */
void cw_pipeline_kick_deliveries(struct cw_pipeline *p);
/**
 * Store an event that belongs to no document, with deliveries for the channels that want it.
 * Copied at once; stored in a job.  Stamped here unless it has an id.
 */
int cw_pipeline_publish(struct cw_pipeline *p, const struct cw_event *event, struct cw_error *err);

struct cw_source_status {
	const char *name;
	bool git;
	const char *path; /**< of the folder or repository */
	const char *backend; /**< "inotify", "poll", "inotify+poll", "missing" */
	bool degraded;
	const char *message; /**< why degraded, "" otherwise */
	bool scanning;
	bool first_scan; /**< not yet seen as a whole: new documents do not alert one by one */
	uint64_t pending; /**< documents seen and not yet read */
	uint64_t read; /**< documents read since the start */
	uint64_t unchecked; /**< of those, not understood */
	int64_t last_scan_ms; /**< when a whole scan last ended; 0: not since the start */
};

struct cw_pipeline_status {
	int64_t started_ms, now_ms;
	const char *rules_digest;
	size_t rules, terms;
	size_t sources;
	uint64_t queued, running; /**< documents */
	uint64_t commits, events; /**< since the start */
	uint64_t store_failures; /**< commits that failed and are tried again */
	uint64_t pending_deliveries; /**< refreshed every few seconds */
	uint64_t documents; /**< refreshed every few seconds */
	uint64_t reanalysing; /**< documents still to be read with new rules */
	int64_t reload_ms; /**< when the last reload ended; 0: none */
	bool reload_ok;
	const char *reload_message; /**< "" when ok */
};

/** Everything pointed to lives until the loop runs again. */
void cw_pipeline_status(const struct cw_pipeline *p, struct cw_pipeline_status *out);
/** @param index  0 .. sources - 1; @return CW_ENOTFOUND beyond */
int cw_pipeline_source_status(const struct cw_pipeline *p, size_t index,
			      struct cw_source_status *out);
/** Grows while jobs end or none waits: a watchdog may ping when it moved. */
uint64_t cw_pipeline_progress(struct cw_pipeline *p);
