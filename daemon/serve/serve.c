/*
 * A connection asks one question.  What concerns the loop (status, reload) is answered there; what
 * asks the store runs in a job, so that a long list never holds up a save.  A follower keeps its
 * connection and gets events as they are committed, read by jobs, too.
 */
#include "clausewatch/serve.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "clausewatch/job.h"
#include "clausewatch/json.h"
#include "clausewatch/nearest.h"
#include "serve/requests.h"

#define JOBS 2
#define BACKLOG 128
#define SOCKET_MODE 0660
#define FOLLOW_BATCH 256

struct client {
	uv_pipe_t pipe;
	struct cw_server *server;
	struct client *next;
	struct cw_buf in;
	struct cw_job job;
	struct cw_request request;
	const struct cw_operation *op;
	uint64_t followed; /* sequence number of the last event sent */
	bool follows, started; /* started: followed says where to go on */
	bool full; /* set by a job: there may be more in the store */
	bool more; /* events came while a job ran or a write was under way */
	bool busy, writing, closing;
};

struct cw_server {
	uv_loop_t *loop;
	uv_pipe_t pipe;
	struct cw_pipeline *pipeline;
	struct cw_jobs jobs;
	struct client *clients;
	size_t nclients;
	char *path;
	bool listening, closing;
	atomic_bool stop; /* jobs look at it */
	void (*closed)(void *ctx);
	void *ctx;
};

static void end_of_server(struct cw_server *s)
{
	if (!s->closing || s->listening || s->clients || !cw_jobs_idle(&s->jobs))
		return;
	void (*closed)(void *) = s->closed;
	void *ctx = s->ctx;

	free(s->path);
	free(s);
	if (closed)
		closed(ctx);
}

/* ---- clients ---- */

static void free_client(struct client *c)
{
	struct cw_server *s = c->server;

	for (struct client **at = &s->clients; *at; at = &(*at)->next) {
		if (*at == c) {
			*at = c->next;
			break;
		}
	}
	s->nclients--;
	cw_buf_release(&c->in);
	cw_buf_release(&c->request.out);
	cw_arena_release(&c->request.arena);
	json_decref(c->request.args);
	cw_settings_unref(c->request.settings);
	if (c->request.fd >= 0)
		close(c->request.fd);
	free(c);
	end_of_server(s);
}

static void on_client_closed(uv_handle_t *handle)
{
	struct client *c = handle->data;

	c->closing = true;
	if (!c->busy)
		free_client(c);
}

static void drop(struct client *c)
{
	if (!uv_is_closing((uv_handle_t *)&c->pipe))
		uv_close((uv_handle_t *)&c->pipe, on_client_closed);
}

struct writing {
	uv_write_t req;
	struct client *client;
	char *bytes;
	bool last;
};

static void follow_on(struct client *c);

static void on_written(uv_write_t *req, int status)
{
	struct writing *w = req->data;
	struct client *c = w->client;
	bool last = w->last || status < 0;

	free(w->bytes);
	free(w);
	c->writing = false;
	if (last)
		drop(c);
	else if (c->more)
		follow_on(c);
}

/** Send what out holds; close behind it when last. */
static void send_out(struct client *c, struct cw_buf *out, bool last)
{
	struct writing *w = calloc(1, sizeof(*w));
	size_t len = out->len;

	if (!w || c->closing || uv_is_closing((uv_handle_t *)&c->pipe)) {
		free(w);
		cw_buf_clear(out);
		drop(c);
		return;
	}
	w->client = c;
	w->last = last;
	w->bytes = cw_buf_take(out);
	w->req.data = w;
	uv_buf_t buf = uv_buf_init(w->bytes, (unsigned)len);
	if (!w->bytes || uv_write(&w->req, (uv_stream_t *)&c->pipe, &buf, 1, on_written) < 0) {
		free(w->bytes);
		free(w);
		drop(c);
		return;
	}
	c->writing = true;
}

static const char *code_name(int code)
{
	static const char *const names[] = {
		[-CW_EINVAL] = "invalid",
		[-CW_ENOMEM] = "memory",
		[-CW_ENOTFOUND] = "not-found",
		[-CW_EFULL] = "full",
		[-CW_EIO] = "io",
		[-CW_EUNSUPPORTED] = "unsupported",
		[-CW_ECORRUPT] = "corrupt",
		[-CW_EDENIED] = "denied",
		[-CW_ETIMEOUT] = "timeout",
		[-CW_ECANCELED] = "canceled",
	};
	size_t i = (size_t)-code;

	return i < sizeof(names) / sizeof(names[0]) && names[i] ? names[i] : "error";
}

static void put_end(struct cw_buf *out, int ret, const struct cw_error *err)
{
	struct cw_json json;

	cw_json_init(&json, out);
	cw_json_open(&json, NULL, '{');
	cw_json_str(&json, "kind", ret < 0 ? "error" : "end");
	if (ret < 0) {
		cw_json_str(&json, "code", code_name(ret));
		cw_json_str(&json, "message", err->msg);
	}
	cw_json_close(&json, '}');
	cw_buf_putc(out, '\n');
}

static void answer(struct client *c, int ret, const struct cw_error *err)
{
	put_end(&c->request.out, ret, err);
	send_out(c, &c->request.out, true);
}

/* ---- questions to the store ---- */

static int run_operation(struct cw_job *job, struct cw_error *err)
{
	struct client *c = (struct client *)((char *)job - offsetof(struct client, job));
	int ret = c->op->run(&c->request, err);

	return ret == CW_OK ? cw_buf_ok(&c->request.out, err) : ret;
}

static void operation_done(struct cw_job *job, int ret, const struct cw_error *err)
{
	struct client *c = (struct client *)((char *)job - offsetof(struct client, job));
	struct cw_server *s = c->server;
	struct cw_error own = { 0 };

	c->busy = false;
	if (c->closing) {
		free_client(c);
		return;
	}
	if (ret == CW_OK && c->op->kicks && !s->closing)
		cw_pipeline_kick_deliveries(s->pipeline);
	if (ret == CW_OK && c->request.event && !s->closing)
		ret = cw_pipeline_publish(s->pipeline, c->request.event, &own);
	if (ret < 0 && own.code)
		err = &own;
	c->request.event = NULL;
	if (c->request.fd >= 0)
		close(c->request.fd);
	c->request.fd = -1;
	cw_arena_release(&c->request.arena);
	if (ret < 0)
		cw_buf_clear(&c->request.out);
	answer(c, ret, err);
}

static void submit(struct client *c, int (*run)(struct cw_job *, struct cw_error *),
		   void (*done)(struct cw_job *, int, const struct cw_error *))
{
	struct cw_error err = { 0 };

	c->busy = true;
	c->job = (struct cw_job){ .run = run, .done = done };
	int ret = cw_jobs_submit(&c->server->jobs, &c->job, &err);
	if (ret < 0) {
		c->busy = false;
		answer(c, ret, &err);
	}
}

/* ---- following ---- */

/** The first look: from a time, after an event, or from now on. */
static int first_events(struct client *c, struct cw_stored_event **out, size_t *out_n,
			struct cw_error *err)
{
	struct cw_request *r = &c->request;
	int64_t after = cw_request_number(r, "after", -1);
	int64_t since = cw_request_number(r, "since_ms", -1);
	int ret = CW_OK;

	*out_n = 0;
	if (after >= 0) {
		c->followed = (uint64_t)after;
		return cw_store_events_after(r->store, c->followed, FOLLOW_BATCH, &r->arena, out,
					     out_n, err);
	}
	ret = cw_store_events_since(r->store, 0, 1, &r->arena, out, out_n, err);
	if (ret == CW_OK && *out_n > 0)
		c->followed = (*out)[0].seq;
	*out_n = 0;
	if (ret == CW_OK && since >= 0)
		ret = cw_store_events_since(r->store, since, cw_request_limit(r), &r->arena, out,
					    out_n, err);
	return ret;
}

static int run_follow(struct cw_job *job, struct cw_error *err)
{
	struct client *c = (struct client *)((char *)job - offsetof(struct client, job));
	struct cw_request *r = &c->request;
	struct cw_stored_event *at;
	size_t n;
	int ret = c->started ? cw_store_events_after(r->store, c->followed, FOLLOW_BATCH, &r->arena,
						     &at, &n, err)
			     : first_events(c, &at, &n, err);

	for (size_t i = 0; ret == CW_OK && i < n; i++) {
		cw_request_event(r, &at[i]);
		c->followed = at[i].seq;
	}
	c->full = ret == CW_OK && n >= FOLLOW_BATCH;
	c->started = true;
	cw_arena_release(&r->arena);
	return ret == CW_OK ? cw_buf_ok(&r->out, err) : ret;
}

static void follow_done(struct cw_job *job, int ret, const struct cw_error *err)
{
	struct client *c = (struct client *)((char *)job - offsetof(struct client, job));

	c->busy = false;
	if (c->closing) {
		free_client(c);
		return;
	}
	if (ret < 0) {
		cw_buf_clear(&c->request.out);
		answer(c, ret, err);
		return;
	}
	c->more |= c->full;
	if (c->request.out.len > 0)
		send_out(c, &c->request.out, false);
	else if (c->more)
		follow_on(c);
}

/** Read on, but never while the follower has not taken what was sent. */
static void follow_on(struct client *c)
{
	if (!c->follows || c->closing || uv_is_closing((uv_handle_t *)&c->pipe))
		return;
	c->more = c->busy || c->writing;
	if (!c->more)
		submit(c, run_follow, follow_done);
}

void cw_server_committed(struct cw_server *s)
{
	for (struct client *c = s->clients; c; c = c->next)
		follow_on(c);
}

/* ---- answers of the loop ---- */

static void put_source(struct cw_json *json, const struct cw_source_status *s)
{
	cw_json_open(json, NULL, '{');
	cw_json_str(json, "name", s->name);
	cw_json_str(json, "type", s->git ? "repository" : "folder");
	cw_json_str(json, "path", s->path);
	cw_json_str(json, "backend", s->backend);
	cw_json_bool(json, "degraded", s->degraded);
	cw_json_str(json, "message", s->message);
	cw_json_bool(json, "scanning", s->scanning);
	cw_json_bool(json, "first_scan", s->first_scan);
	cw_json_int(json, "pending", (int64_t)s->pending);
	cw_json_int(json, "read", (int64_t)s->read);
	cw_json_int(json, "unchecked", (int64_t)s->unchecked);
	cw_json_int(json, "last_scan_ms", s->last_scan_ms);
	cw_json_close(json, '}');
}

static void put_channel(void *ctx, const struct cw_channel_stats *s)
{
	struct cw_json *json = ctx;

	cw_json_open(json, NULL, '{');
	cw_json_str(json, "name", s->name);
	cw_json_bool(json, "enabled", s->enabled);
	cw_json_int(json, "attempts", (int64_t)s->attempts);
	cw_json_int(json, "delivered", (int64_t)s->delivered);
	cw_json_int(json, "failed", (int64_t)s->failed);
	cw_json_int(json, "dead", (int64_t)s->dead);
	cw_json_int(json, "last_ok_ms", s->last_ok_ms);
	cw_json_int(json, "last_failure_ms", s->last_failure_ms);
	cw_json_int(json, "last_status", s->last_status);
	cw_json_str(json, "last_error", s->last_error);
	cw_json_close(json, '}');
}

static int status(struct client *c)
{
	struct cw_pipeline *p = c->server->pipeline;
	struct cw_pipeline_status s;
	struct cw_source_status source;
	struct cw_json json;

	cw_pipeline_status(p, &s);
	cw_json_init(&json, &c->request.out);
	cw_json_open(&json, NULL, '{');
	cw_json_str(&json, "kind", "status");
	cw_json_str(&json, "version", CW_VERSION);
	cw_json_int(&json, "pid", getpid());
	cw_json_int(&json, "started_ms", s.started_ms);
	cw_json_int(&json, "now_ms", s.now_ms);
	cw_json_str(&json, "rules_digest", s.rules_digest);
	cw_json_int(&json, "rules", (int64_t)s.rules);
	cw_json_int(&json, "terms", (int64_t)s.terms);
	cw_json_int(&json, "documents", (int64_t)s.documents);
	cw_json_int(&json, "queued", (int64_t)s.queued);
	cw_json_int(&json, "running", (int64_t)s.running);
	cw_json_int(&json, "reanalysing", (int64_t)s.reanalysing);
	cw_json_int(&json, "events", (int64_t)s.events);
	cw_json_int(&json, "pending_deliveries", (int64_t)s.pending_deliveries);
	cw_json_int(&json, "store_failures", (int64_t)s.store_failures);
	cw_json_int(&json, "reload_ms", s.reload_ms);
	cw_json_bool(&json, "reload_ok", s.reload_ok);
	cw_json_str(&json, "reload_message", s.reload_message);
	cw_json_open(&json, "sources", '[');
	for (size_t i = 0; cw_pipeline_source_status(p, i, &source) == CW_OK; i++)
		put_source(&json, &source);
	cw_json_close(&json, ']');
	cw_json_open(&json, "channels", '[');
	if (cw_pipeline_deliverer(p))
		cw_deliverer_stats(cw_pipeline_deliverer(p), put_channel, &json);
	cw_json_close(&json, ']');
	cw_json_close(&json, '}');
	cw_buf_putc(&c->request.out, '\n');
	return CW_OK;
}

static void reload_done(void *ctx, bool ok, const char *message)
{
	struct client *c = ctx;
	struct cw_error err = { .code = CW_EINVAL };

	c->busy = false;
	if (c->closing) {
		free_client(c);
		return;
	}
	(void)cw_fail(&err, CW_EINVAL, "%s", message);
	answer(c, ok ? CW_OK : CW_EINVAL, &err);
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf);
static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf);

/** Operations that the loop answers. */
static void answer_here(struct client *c)
{
	struct cw_pipeline *p = c->server->pipeline;
	const char *name = c->op->name;
	struct cw_error err = { 0 };
	int ret = CW_OK;

	if (strcmp(name, "follow") == 0) {
		c->follows = true;
		c->in.len = 0;
		/* To hear of the end of a follower that no event is sent to. */
		(void)uv_read_start((uv_stream_t *)&c->pipe, on_alloc, on_read);
		submit(c, run_follow, follow_done);
		return;
	}
	if (strcmp(name, "reload") == 0) {
		c->busy = true;
		ret = cw_pipeline_reload(p, reload_done, c, &err);
		if (ret == CW_OK)
			return;
		c->busy = false;
	} else if (strcmp(name, "status") == 0) {
		ret = status(c);
	} else if (strcmp(name, "rescan") == 0) {
		ret = cw_pipeline_rescan(p, cw_request_text(&c->request, "source"), &err);
	} else {
		const char *path = cw_request_text(&c->request, "repository");
		ret = path ? cw_pipeline_nudge_repository(p, path, &err)
			   : cw_fail(&err, CW_EINVAL, "'repository' is missing");
	}
	answer(c, ret, &err);
}

static int parse(struct client *c, size_t len, struct cw_error *err)
{
	json_error_t why;
	const char *names[32], *op;

	c->request.args = json_loadb(c->in.data, len, 0, &why);
	if (!json_is_object(c->request.args))
		return cw_fail(err, CW_EINVAL, "not a JSON object: %s", why.text);
	op = cw_request_text(&c->request, "op");
	if (!op)
		return cw_fail(err, CW_EINVAL, "'op' is missing");
	c->op = cw_operation_find(op);
	if (c->op)
		return CW_OK;
	cw_operation_names(names);
	const char *near = cw_nearest(op, names);
	return cw_fail(err, CW_EINVAL, "no operation '%.40s'%s%s%s", op,
		       near ? ", did you mean '" : "", near ? near : "", near ? "'?" : "");
}

/** One of the job's own: that of the loop may be closed and its number given to another. */
static void keep_descriptor(struct client *c)
{
	uv_os_fd_t fd;

	if (uv_fileno((const uv_handle_t *)&c->pipe, &fd) == 0)
		c->request.fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
}

static void ask(struct client *c, size_t len)
{
	struct cw_error err = { 0 };
	int ret = parse(c, len, &err);

	(void)uv_read_stop((uv_stream_t *)&c->pipe);
	if (ret < 0) {
		answer(c, ret, &err);
		return;
	}
	c->request.settings = cw_settings_ref(cw_pipeline_settings(c->server->pipeline));
	c->request.store = cw_pipeline_store(c->server->pipeline);
	if (!c->op->run) {
		answer_here(c);
		return;
	}
	keep_descriptor(c);
	submit(c, run_operation, operation_done);
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
	struct client *c = handle->data;
	size_t room = suggested < 65536 ? suggested : 65536;
	char *at = cw_buf_reserve(&c->in, room);

	*buf = uv_buf_init(at, at ? (unsigned)room : 0);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
	struct client *c = stream->data;
	struct cw_error err = { 0 };

	(void)buf;
	if (n < 0) {
		drop(c);
		return;
	}
	if (c->follows)
		return;
	c->in.len += (size_t)n;
	const char *end = c->in.data ? memchr(c->in.data, '\n', c->in.len) : NULL;
	if (end) {
		ask(c, (size_t)(end - c->in.data));
	} else if (c->in.len > CW_REQUEST_MAX) {
		(void)uv_read_stop(stream);
		(void)cw_fail(&err, CW_EFULL, "request over %zu bytes", CW_REQUEST_MAX);
		answer(c, CW_EFULL, &err);
	}
}

static void on_connection(uv_stream_t *listener, int status)
{
	struct cw_server *s = listener->data;
	struct client *c = status < 0 ? NULL : calloc(1, sizeof(*c));
	struct cw_error err = { 0 };

	if (!c)
		return;
	c->server = s;
	c->request.fd = -1;
	c->request.stop = &s->stop;
	c->pipe.data = c;
	if (uv_pipe_init(s->loop, &c->pipe, 0) < 0) {
		free(c);
		return;
	}
	c->pipe.data = c;
	c->next = s->clients;
	s->clients = c;
	s->nclients++;
	if (uv_accept(listener, (uv_stream_t *)&c->pipe) < 0 || s->closing) {
		drop(c);
	} else if (s->nclients > CW_SERVER_CLIENTS_MAX) {
		(void)cw_fail(&err, CW_EFULL, "over %d connections at a time",
			      CW_SERVER_CLIENTS_MAX);
		answer(c, CW_EFULL, &err);
	} else if (uv_read_start((uv_stream_t *)&c->pipe, on_alloc, on_read) < 0) {
		drop(c);
	}
}

/* ---- the server ---- */

/** Does somebody answer on that socket? */
static bool is_alive(const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool alive = false;

	if (fd < 0)
		return false;
	memcpy(addr.sun_path, path, strlen(path) + 1);
	alive = connect(fd, (const struct sockaddr *)&addr, sizeof(addr)) == 0;
	close(fd);
	return alive;
}

static void on_listener_closed(uv_handle_t *handle)
{
	struct cw_server *s = handle->data;

	s->listening = false;
	end_of_server(s);
}

static int listen_on(struct cw_server *s, struct cw_error *err)
{
	const char *slash = strrchr(s->path, '/');
	int len = slash && slash > s->path ? (int)(slash - s->path) : 1;
	char dir[sizeof(((struct sockaddr_un *)0)->sun_path) + 1];

	/* libuv says "permission denied" then. */
	(void)snprintf(dir, sizeof(dir), "%.*s", len, s->path);
	if (slash && access(dir, F_OK) < 0)
		return cw_fail(err, CW_ENOTFOUND, "control socket '%s': '%s': %s", s->path, dir,
			       strerror(errno));
	int rc = uv_pipe_bind(&s->pipe, s->path);

	if (rc == 0)
		rc = uv_listen((uv_stream_t *)&s->pipe, BACKLOG, on_connection);
	if (rc == 0 && chmod(s->path, SOCKET_MODE) < 0)
		rc = -errno;
	return rc < 0 ? cw_fail(err, CW_EIO, "control socket '%s': %s", s->path, uv_strerror(rc))
		      : CW_OK;
}

int cw_server_open(uv_loop_t *loop, const char *path, struct cw_pipeline *pipeline,
		   struct cw_server **out, struct cw_error *err)
{
	struct sockaddr_un addr;
	struct stat st;

	if (strlen(path) >= sizeof(addr.sun_path))
		return cw_fail(err, CW_EINVAL, "control socket '%s': over %zu bytes", path,
			       sizeof(addr.sun_path) - 1);
	if (is_alive(path))
		return cw_fail(err, CW_EDENIED, "control socket '%s': another daemon answers there",
			       path);
	if (lstat(path, &st) == 0 && S_ISSOCK(st.st_mode))
		(void)unlink(path);

	struct cw_server *s = calloc(1, sizeof(*s));
	char *copy = strdup(path);
	if (!s || !copy) {
		free(s);
		free(copy);
		return cw_fail(err, CW_ENOMEM, "out of memory");
	}
	s->loop = loop;
	s->path = copy;
	s->pipeline = pipeline;
	s->pipe.data = s;
	cw_jobs_init(&s->jobs, loop, JOBS);
	(void)uv_pipe_init(loop, &s->pipe, 0);
	s->pipe.data = s;
	s->listening = true;
	int ret = listen_on(s, err);
	if (ret < 0) {
		s->closing = true;
		cw_jobs_stop(&s->jobs);
		uv_close((uv_handle_t *)&s->pipe, on_listener_closed);
		return ret;
	}
	*out = s;
	return CW_OK;
}

void cw_server_close(struct cw_server *s, void (*closed)(void *ctx), void *ctx)
{
	s->closing = true;
	atomic_store(&s->stop, true);
	s->closed = closed;
	s->ctx = ctx;
	(void)unlink(s->path);
	uv_close((uv_handle_t *)&s->pipe, on_listener_closed);
	for (struct client *c = s->clients; c; c = c->next)
		drop(c);
	cw_jobs_stop(&s->jobs);
}
