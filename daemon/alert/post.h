/** @file
 * One attempt: an event rendered, signed and put into a curl handle, ready to be performed.
 */
#pragma once

#include <curl/curl.h>

#include "clausewatch/alert.h"

struct cw_post;

/**
 * @param opts  may be NULL; nothing of the arguments is kept
 * @param out   set only on success; its easy handle has CURLOPT_PRIVATE free for the caller
 */
int cw_post_new(const struct cw_channel *channel, const struct cw_event *event,
		const struct cw_deliverer_options *opts, struct cw_post **out,
		struct cw_error *err);
CURL *cw_post_easy(struct cw_post *post);
/** What came of it; result->error lives as long as post. */
void cw_post_result(struct cw_post *post, CURLcode code, struct cw_attempt_result *result);
/** Not while it is added to a multi handle.  Accepts NULL. */
void cw_post_free(struct cw_post *post);
