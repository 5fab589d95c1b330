/** @file
 * The operations of the control socket.  Internal to serve/.
 */
#pragma once

#include <jansson.h>
#include <stdatomic.h>

#include "clausewatch/buf.h"
#include "clausewatch/json.h"
#include "clausewatch/pipeline.h"

/** What an operation works on; run() of a job may use all of it on any thread. */
struct cw_request {
	json_t *args; /**< the object that the client sent */
	struct cw_settings *settings;
	struct cw_store *store;
	struct cw_arena arena; /**< lives until the answer is made */
	int fd; /**< of the connection; the loop writes nothing to it while run() does its work */
	const atomic_bool *stop; /**< the server closes: come to an end */
	struct cw_event *event; /**< set by run(), in the arena: to be published */
	struct cw_buf out; /**< answers, each line with its newline */
};

struct cw_operation {
	const char *name;
	/** Any thread: asks the store, writes lines to r->out.  NULL when the server itself does
	 * it. */
	int (*run)(struct cw_request *r, struct cw_error *err);
	bool kicks; /**< deliveries may have become due */
};

/** The row of that name, or NULL. */
const struct cw_operation *cw_operation_find(const char *name);
/** NULL-terminated names, for messages. */
void cw_operation_names(const char *names[static 32]);

/** A member as text, NULL when absent or no text. */
const char *cw_request_text(const struct cw_request *r, const char *key);
int64_t cw_request_number(const struct cw_request *r, const char *key, int64_t otherwise);
/** "limit", or its default. */
size_t cw_request_limit(const struct cw_request *r);
/** Begin a line: {"kind":kind; end it with cw_request_end(). */
struct cw_json cw_request_begin(struct cw_request *r, const char *kind);
void cw_request_end(struct cw_json *json);
/** The line of an event. */
void cw_request_event(struct cw_request *r, const struct cw_stored_event *e);

/* whole.c */
int cw_request_backup(struct cw_request *r, struct cw_error *err);
int cw_request_export(struct cw_request *r, struct cw_error *err);

/* waivers.c */
int cw_request_waivers(struct cw_request *r, struct cw_error *err);
int cw_request_waive(struct cw_request *r, struct cw_error *err);
int cw_request_unwaive(struct cw_request *r, struct cw_error *err);
