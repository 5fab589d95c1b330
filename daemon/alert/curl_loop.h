/** @file
 * Many curl transfers on a libuv loop.
 */
#pragma once

#include <curl/curl.h>
#include <uv.h>

#include "clausewatch/error.h"

struct cw_curl_loop;

/** A transfer ended by itself; it is no longer in the loop.  May add and remove others. */
typedef void cw_curl_done_fn(void *ctx, CURL *easy, CURLcode code);

int cw_curl_loop_open(uv_loop_t *loop, cw_curl_done_fn *done, void *ctx, struct cw_curl_loop **out,
		      struct cw_error *err);
int cw_curl_loop_add(struct cw_curl_loop *cl, CURL *easy, struct cw_error *err);
/** Cancel: done is not called for it. */
void cw_curl_loop_remove(struct cw_curl_loop *cl, CURL *easy);
/** When no transfer is left.  closed() comes later. */
void cw_curl_loop_close(struct cw_curl_loop *cl, void (*closed)(void *ctx));
