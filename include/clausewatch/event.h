/** @file
 * Events: a change that happened to a document at a time, with its cause.
 *
 * Events are self-contained: they hold copies of all they say, so that they can be stored, sent
 * and replayed on another machine.
 */
#pragma once

#include <stdint.h>
#include <stdbool.h>
#include <stddef.h>

#include "clausewatch/analysis.h"
#include "clausewatch/arena.h"
#include "clausewatch/buf.h"

/** One row of an event that tells several changes of one document, or a summary. */
struct cw_event_change {
	const char *event; /**< "appeared", "removed", "changed" */
	const char *term;
	const char *id; /**< "CW-7F3KQ2" */
	const char *title; /**< of the term, in words */
	const char *polarity, *direction; /**< direction: riskier, safer, neutral */
	enum cw_severity severity;
	const char *summary;
	const char *section, *heading;
	const char *quote_before, *quote_after; /**< NULL when there is none */
	uint32_t line_start, line_end;
	const char *why, *advice;
	const char *fingerprint; /**< hexadecimal */
};

/** NULL for a field that does not apply. */
struct cw_event {
	char id[40]; /**< a ULID-like unique name, also the webhook-id; no '.' in it */
	const char *type; /**< "dev.clausewatch.risk.appeared" */
	int64_t time_ms; /**< since 1970, UTC */
	const char *source; /**< name of the watched source */
	const char *path; /**< inside the source */
	const char *ref; /**< git: full reference name */
	const char *cause; /**< "save", "commit", "rescan", "rules", "first-scan" */
	const char *commit, *author, *subject, *commit_date; /**< git */
	const char *host;
	const char *summary; /**< one line for people */
	enum cw_severity severity; /**< the worst of its changes */
	const struct cw_event_change *changes;
	size_t nchanges;
	const struct cw_attr *data; /**< anything else, by name */
	size_t ndata;
};

/** Deep copy into one arena.  NULL when out of memory. */
struct cw_event *cw_event_copy(struct cw_arena *arena, const struct cw_event *event);
/**
 * Fill event->id and time_ms: a unique id of 48 bits of milliseconds and 80 random ones.
 *
 * Ids of one process sort in the order they were made.  Any thread.
 * @return CW_OK; CW_EIO when the system gives no random bytes
 */
int cw_event_stamp(struct cw_event *event, struct cw_error *err);
/** One JSON object with every field; the neutral, versioned form ("v":1). */
void cw_event_to_json(const struct cw_event *event, struct cw_buf *out);
/**
 * Read what cw_event_to_json() wrote; strings live in arena.  Unknown fields are ignored.
 * @return CW_OK; CW_ECORRUPT when it is not that, CW_EUNSUPPORTED for a later version, CW_ENOMEM
 */
int cw_event_from_json(struct cw_arena *arena, const char *json, size_t len,
		       struct cw_event *out_event, struct cw_error *err);
