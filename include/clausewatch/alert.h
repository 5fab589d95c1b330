/** @file
 * Alerts: which channel gets an event, how it reads, how it is signed and how it gets there.
 *
 * A body is a CloudEvents 1.0 event in JSON, sent with the headers of Standard Webhooks 1.0, or
 * what a chat service wants instead.  Delivery is at least once: what was not kept as delivered is
 * sent again with the same webhook-id.  Order is kept while a channel answers; across retries it
 * is not.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "clausewatch/analysis.h"
#include "clausewatch/arena.h"
#include "clausewatch/buf.h"
#include "clausewatch/error.h"
#include "clausewatch/event.h"
#include "clausewatch/store.h"

/** Where alerts go.  Zero and NULL mean the default. */
struct cw_channel {
	const char *name;
	const char *url; /**< a secret with some services; never in a message or log */
	const char *format; /**< "generic" (default) or "slack" */
	const char *const *secrets; /**< "whsec_...", the newest first; none: not signed */
	size_t nsecrets;
	bool include_text; /**< clause text may leave the machine */
	enum cw_severity min_severity;
	const char *const *types; /**< globs: "risk.*", "dev.clausewatch.risk.*"; none: all */
	size_t ntypes;
	const char *const *sources; /**< globs over the names of sources; none: all */
	size_t nsources;
	const char *const *allow_private; /**< "10.1.2.0/24", "fd00::7": else refused if private */
	size_t nallow_private;
	uint32_t timeout_ms; /**< of one attempt, all included; default 20 s */
	/**
	 * Waits before the 1st, 2nd, ... attempt; beyond the list the last one repeats.  The first
	 * is for who fills the outbox.  None: 0, 5 s, 5 min, 30 min, 2, 5, 10, 14, 20, 24 h.
	 */
	const int64_t *retry_ms;
	size_t nretry;
	unsigned max_attempts; /**< 0: as many as there are waits */
	bool enabled;
};

/**
 * Everything that can be wrong with a channel before it is used: URL (https, or http to a
 * literal loopback host; no user name), format, secrets, globs, addresses.  The message names the
 * channel and the field, never the URL or a secret.
 */
int cw_channel_check(const struct cw_channel *channel, struct cw_error *err);
/** A deep copy in the arena, or NULL. */
struct cw_channel *cw_channel_copy(struct cw_arena *arena, const struct cw_channel *channel);
/** Enabled, and asks for events of this type, source and severity. */
bool cw_channel_wants(const struct cw_channel *channel, const struct cw_event *event);

/* ---- formats ---- */

struct cw_alert_format {
	const char *name;
	const char *content_type;
	/** Append the body.  The same event and channel always give the same bytes. */
	int (*render)(const struct cw_event *event, const struct cw_channel *channel,
		      struct cw_buf *out, struct cw_error *err);
};
/** NULL for an unknown name; name NULL means "generic". */
const struct cw_alert_format *cw_alert_format(const char *name);
/** The name of format i, NULL behind the last. */
const char *cw_alert_format_name(size_t i);

/* ---- signatures: Standard Webhooks 1.0 ---- */

#define CW_SECRET_MAX 64
#define CW_SIGNATURE_TOLERANCE_S 300

struct cw_secret {
	unsigned char key[CW_SECRET_MAX];
	size_t len;
};

/** Read "whsec_" and base64 of 24 to 64 bytes.  CW_EINVAL; the message does not repeat it. */
int cw_secret_parse(const char *text, struct cw_secret *out, struct cw_error *err);
/** Append "v1,<base64>" for each secret, separated by spaces. */
int cw_sign(const struct cw_secret *secrets, size_t nsecrets, const char *id, int64_t timestamp_s,
	    const void *body, size_t len, struct cw_buf *out, struct cw_error *err);
/**
 * Check the three headers of a received webhook.  Takes the same time wherever a signature
 * differs.
 * @return CW_OK when any signature fits any secret; CW_EDENIED when none does or the timestamp
 *         is off by more than tolerance_s; CW_EINVAL for headers that cannot be read
 */
int cw_verify(const struct cw_secret *secrets, size_t nsecrets, const char *id,
	      const char *timestamp, const char *signature, const void *body, size_t len,
	      int64_t now_s, int64_t tolerance_s, struct cw_error *err);

/* ---- delivery ---- */

/** What came of one attempt, before it is judged. */
struct cw_attempt_result {
	int status; /**< HTTP; 0 when no answer came */
	int64_t retry_after_ms; /**< what the receiver asked for; 0: nothing */
	const char *error; /**< why no answer came; NULL when one did */
};

/** What to do about it. */
struct cw_verdict {
	enum cw_delivery_state state;
	int64_t wait_ms; /**< until the next attempt, when still pending */
	int64_t pause_ms; /**< leave the whole channel alone for so long */
	bool disable; /**< the receiver is gone for good: switch the channel off */
	char error[160]; /**< "" when delivered */
};

/** Longest pause a receiver can ask for. */
#define CW_RETRY_AFTER_MAX_MS ((int64_t)3600 * 1000)

/**
 * Judge an attempt.  Pure.
 * @param attempts  made so far, with this one
 * @param jitter    0..1, stretches the wait by -20 % to +20 %
 */
void cw_attempt_judge(const struct cw_channel *channel, unsigned attempts,
		      const struct cw_attempt_result *result, double jitter,
		      struct cw_verdict *out);

struct cw_deliverer;
struct uv_loop_s;

/** One delivery with all that sending it needs; lives on the heap with its arena. */
struct cw_alert {
	struct cw_arena arena; /**< owns what delivery and event point to */
	struct cw_delivery delivery;
	struct cw_event *event; /**< NULL when the store no longer has it */
	struct cw_alert *next;
};
/** Empty; free with cw_alert_free().  NULL when out of memory. */
struct cw_alert *cw_alert_new(void);
/** Frees one, not the list.  Accepts NULL. */
void cw_alert_free(struct cw_alert *alert);

/** What the deliverer asks the outbox for. */
struct cw_outbox_query {
	int64_t now_ms;
	const char *const *channels;
	size_t nchannels;
	size_t max_each; /**< at most so many of one channel */
};

/**
 * What keeps the deliveries between attempts and over a restart.
 *
 * All are called on the loop thread and must not block; fetch and keep answer when they are
 * done, from inside the call or later.  At most one fetch and one keep are open at a time.
 */
struct cw_outbox {
	void *ctx;
	/**
	 * Find pending deliveries of those channels due at now_ms, the longest due first; answer
	 * with cw_deliverer_feed().  The query lives until then.
	 */
	void (*fetch)(void *ctx, struct cw_deliverer *d, const struct cw_outbox_query *query);
	/**
	 * Write state, attempts, next_ms, last_ms, last_status, last_error; answer with
	 * cw_deliverer_kept().  The array lives until then.
	 */
	void (*keep)(void *ctx, struct cw_deliverer *d, const struct cw_delivery *deliveries,
		     size_t n);
	/**
	 * The receiver answered 410 Gone and the deliverer stopped using the channel.  The owner
	 * keeps that (over a restart too) and sends the event, a stamped
	 * dev.clausewatch.delivery.disabled, the usual way.  Nothing lives after the call.
	 */
	void (*disabled)(void *ctx, const char *channel, const struct cw_event *event);
};

struct cw_deliverer_options {
	unsigned parallel; /**< attempts at a time over all channels; 0 means 8 */
	const char *ca_file; /**< PEM; NULL means the system's */
	unsigned outbox_retry_ms; /**< after a fetch or keep that failed; 0 means 5 s */
};

/** The loop and what ctx points to must outlive the deliverer; the structs are copied. */
int cw_deliverer_open(struct uv_loop_s *loop, const struct cw_outbox *outbox,
		      const struct cw_deliverer_options *opts, struct cw_deliverer **out,
		      struct cw_error *err);
/**
 * Use these channels from now on (copied).  A channel that keeps its name keeps its state;
 * attempts under way finish.  On failure the old set stays.
 * @return CW_OK; CW_EINVAL as cw_channel_check(); CW_ENOMEM
 */
int cw_deliverer_set_channels(struct cw_deliverer *d, const struct cw_channel *channels, size_t n,
			      struct cw_error *err);
/** New deliveries were committed to the outbox, or old ones made due.  Cheap. */
void cw_deliverer_kick(struct cw_deliverer *d);
/**
 * Answer to fetch.
 * @param ret      negative: it failed and is asked again later
 * @param list     linked by next; the deliverer's from here on
 * @param next_ms  when the next of those channels' other deliveries is due; INT64_MAX: none waits
 */
void cw_deliverer_feed(struct cw_deliverer *d, int ret, struct cw_alert *list, int64_t next_ms);
/** Answer to keep.  ret negative: nothing was kept; it is tried again later. */
void cw_deliverer_kept(struct cw_deliverer *d, int ret);
/**
 * Start no more attempts, give those under way grace_ms, cancel the rest (they stay pending),
 * keep what came of the others.  Then closed(ctx) is called and d is gone.  Once.
 */
void cw_deliverer_close(struct cw_deliverer *d, unsigned grace_ms, void (*closed)(void *ctx),
			void *ctx);

struct cw_channel_stats {
	const char *name;
	bool enabled;
	uint64_t attempts, delivered, failed, dead; /**< failed attempts, deliveries given up */
	int64_t last_ok_ms, last_failure_ms; /**< 0: never */
	int64_t paused_until_ms;
	int last_status;
	char last_error[160];
};
/** Of every channel in the order they were set; what visit gets lives during the call. */
void cw_deliverer_stats(const struct cw_deliverer *d,
			void (*visit)(void *ctx, const struct cw_channel_stats *stats), void *ctx);

/** An outbox over the store, its work done by a job queue of its own. */
struct cw_store_outbox;
/** Loop thread. */
struct cw_store_outbox_calls {
	void *ctx;
	/** As in struct cw_outbox. */
	void (*disabled)(void *ctx, const char *channel, const struct cw_event *event);
	/** The store refused; it is asked again later.  May be NULL. */
	void (*failed)(void *ctx, const struct cw_error *err);
};
/** The loop, the store and what ctx points to must outlive it; calls is copied. */
int cw_store_outbox_open(struct uv_loop_s *loop, struct cw_store *store,
			 const struct cw_store_outbox_calls *calls, struct cw_store_outbox **out,
			 struct cw_error *err);
const struct cw_outbox *cw_store_outbox(struct cw_store_outbox *box);
/** After the deliverer was closed.  Accepts NULL. */
void cw_store_outbox_close(struct cw_store_outbox *box);

/**
 * Send one event to one channel now, once, and wait: `clausewatch notify test`.  Blocks up to the
 * channel's timeout; not on a loop thread.  The channel need not want the event or be enabled.
 * @param out_status   HTTP status, 0 when no answer came; may be NULL
 * @return CW_OK when it was accepted; CW_EIO when not, the message says why; CW_EINVAL, CW_ENOMEM
 */
int cw_alert_send(const struct cw_channel *channel, const struct cw_event *event,
		  const struct cw_deliverer_options *opts, int *out_status, struct cw_error *err);
