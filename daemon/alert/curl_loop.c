#include "alert/curl_loop.h"

#include <stdbool.h>
#include <stdlib.h>

/* One socket that curl wants to hear of.  Freed by its close callback. */
struct watch {
	uv_poll_t poll;
	curl_socket_t fd;
	struct cw_curl_loop *owner;
	struct watch *next;
};

struct cw_curl_loop {
	uv_loop_t *loop;
	CURLM *multi;
	uv_timer_t timer;
	struct watch *watches;
	unsigned handles; /* not yet closed, the timer among them */
	cw_curl_done_fn *done;
	void (*closed)(void *ctx);
	void *ctx;
};

static void release(struct cw_curl_loop *cl)
{
	if (--cl->handles > 0)
		return;
	void (*closed)(void *) = cl->closed;
	void *ctx = cl->ctx;
	free(cl);
	closed(ctx);
}

static void on_timer_closed(uv_handle_t *handle)
{
	release(handle->data);
}

static void on_watch_closed(uv_handle_t *handle)
{
	struct watch *w = handle->data;
	struct cw_curl_loop *cl = w->owner;

	free(w);
	release(cl);
}

static void report_ended(struct cw_curl_loop *cl)
{
	CURLMsg *msg;
	int left;

	while ((msg = curl_multi_info_read(cl->multi, &left))) {
		if (msg->msg != CURLMSG_DONE)
			continue;
		/* msg is gone once its transfer is removed. */
		CURL *easy = msg->easy_handle;
		CURLcode code = msg->data.result;
		curl_multi_remove_handle(cl->multi, easy);
		cl->done(cl->ctx, easy, code);
	}
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct watch *w = poll->data;
	struct cw_curl_loop *cl = w->owner;
	int flags = status < 0 ? CURL_CSELECT_ERR : 0, running;

	if (events & UV_READABLE)
		flags |= CURL_CSELECT_IN;
	if (events & UV_WRITABLE)
		flags |= CURL_CSELECT_OUT;
	curl_multi_socket_action(cl->multi, w->fd, flags, &running);
	report_ended(cl);
}

static struct watch *add_watch(struct cw_curl_loop *cl, curl_socket_t fd)
{
	struct watch *w = calloc(1, sizeof(*w));

	if (!w)
		return NULL;
	if (uv_poll_init_socket(cl->loop, &w->poll, fd) < 0) {
		free(w);
		return NULL;
	}
	w->poll.data = w;
	w->fd = fd;
	w->owner = cl;
	w->next = cl->watches;
	cl->watches = w;
	cl->handles++;
	curl_multi_assign(cl->multi, fd, w);
	return w;
}

static void drop_watch(struct watch *w)
{
	struct watch **at = &w->owner->watches;

	while (*at != w)
		at = &(*at)->next;
	*at = w->next;
	/* Stop now: curl closes the socket next, and its number may come again at once. */
	uv_poll_stop(&w->poll);
	uv_close((uv_handle_t *)&w->poll, on_watch_closed);
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *ctx, void *per_socket)
{
	struct cw_curl_loop *cl = ctx;
	struct watch *w = per_socket;
	int events = 0;

	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		if (w)
			drop_watch(w);
		return 0;
	}
	if (!w)
		w = add_watch(cl, fd);
	if (!w)
		return -1;
	if (what & CURL_POLL_IN)
		events |= UV_READABLE;
	if (what & CURL_POLL_OUT)
		events |= UV_WRITABLE;
	return uv_poll_start(&w->poll, events, on_poll) < 0 ? -1 : 0;
}

static void on_timer(uv_timer_t *timer)
{
	struct cw_curl_loop *cl = timer->data;
	int running;

	curl_multi_socket_action(cl->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	report_ended(cl);
}

static int on_timeout_change(CURLM *multi, long timeout_ms, void *ctx)
{
	struct cw_curl_loop *cl = ctx;

	(void)multi;
	if (timeout_ms < 0) {
		uv_timer_stop(&cl->timer);
		return 0;
	}
	/* Even a timeout of 0 must not call curl from here. */
	uv_update_time(cl->loop);
	return uv_timer_start(&cl->timer, on_timer, (uint64_t)timeout_ms, 0) < 0 ? -1 : 0;
}

int cw_curl_loop_open(uv_loop_t *loop, cw_curl_done_fn *done, void *ctx, struct cw_curl_loop **out,
		      struct cw_error *err)
{
	struct cw_curl_loop *cl = calloc(1, sizeof(*cl));

	if (!cl)
		return cw_fail(err, CW_ENOMEM, "out of memory");
	cl->multi = curl_multi_init();
	if (!cl->multi) {
		free(cl);
		return cw_fail(err, CW_ENOMEM, "out of memory");
	}
	cl->loop = loop;
	cl->done = done;
	cl->ctx = ctx;
	cl->handles = 1;
	uv_timer_init(loop, &cl->timer); /* cannot fail */
	cl->timer.data = cl;
	curl_multi_setopt(cl->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
	curl_multi_setopt(cl->multi, CURLMOPT_SOCKETDATA, cl);
	curl_multi_setopt(cl->multi, CURLMOPT_TIMERFUNCTION, on_timeout_change);
	curl_multi_setopt(cl->multi, CURLMOPT_TIMERDATA, cl);
	*out = cl;
	return CW_OK;
}

int cw_curl_loop_add(struct cw_curl_loop *cl, CURL *easy, struct cw_error *err)
{
	CURLMcode code = curl_multi_add_handle(cl->multi, easy);

	return code == CURLM_OK ? CW_OK
				: cw_fail(err, CW_EIO, "libcurl: %s", curl_multi_strerror(code));
}

void cw_curl_loop_remove(struct cw_curl_loop *cl, CURL *easy)
{
	curl_multi_remove_handle(cl->multi, easy);
}

void cw_curl_loop_close(struct cw_curl_loop *cl, void (*closed)(void *ctx))
{
	cl->closed = closed;
	/* Closes the connections kept for later, which calls on_socket() for some of them. */
	curl_multi_cleanup(cl->multi);
	while (cl->watches)
		drop_watch(cl->watches);
	uv_close((uv_handle_t *)&cl->timer, on_timer_closed);
}
