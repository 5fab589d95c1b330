/* The whole store: a copy of its file, or its records streamed to who asked. */
#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "serve/requests.h"

/* Somebody who takes nothing for so long is not there any more. */
#define PATIENCE_MS 30000
#define LOOK_MS 200

/* ---- backup ---- */

/** {"dir":"/absolute"}: made if it is not there; the daemon's user writes it. */
int cw_request_backup(struct cw_request *r, struct cw_error *err)
{
	const char *dir = cw_request_text(r, "dir");
	bool made;

	if (!dir || *dir != '/')
		return cw_fail(err, CW_EINVAL, "'dir' must be an absolute path");
	made = mkdir(dir, 0700) == 0;
	if (!made && errno != EEXIST)
		return cw_fail(err, CW_EDENIED,
			       "the daemon cannot make '%s': %s; as a service it can write below "
			       "its state directory only",
			       dir, strerror(errno));
	int ret = cw_store_backup(r->store, dir, err);
	if (ret < 0) {
		if (made)
			(void)rmdir(dir);
		return ret;
	}
	struct cw_json json = cw_request_begin(r, "backup");
	cw_json_str(&json, "dir", dir);
	cw_request_end(&json);
	return CW_OK;
}

/* ---- export ---- */

struct stream {
	int fd;
	const atomic_bool *stop;
};

/* The descriptor does not block: it is the loop's, too, which leaves it alone meanwhile. */
static ssize_t write_stream(void *cookie, const char *bytes, size_t len)
{
	struct stream *s = cookie;
	int waited = 0;

	while (waited < PATIENCE_MS && !atomic_load(s->stop)) {
		struct pollfd pfd = { .fd = s->fd, .events = POLLOUT };
		ssize_t n = send(s->fd, bytes, len, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n > 0)
			return n;
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return 0;
		if (poll(&pfd, 1, LOOK_MS) == 0)
			waited += LOOK_MS;
	}
	return 0;
}

/** The lines of cw_store_export(), as they are read. */
int cw_request_export(struct cw_request *r, struct cw_error *err)
{
	struct stream s = { .fd = r->fd, .stop = r->stop };
	FILE *file = fopencookie(&s, "w", (cookie_io_functions_t){ .write = write_stream });

	if (!file)
		return cw_fail(err, CW_ENOMEM, "out of memory");
	int ret = cw_store_export(r->store, file, err);
	if (fclose(file) != 0 && ret == CW_OK)
		ret = cw_fail(err, CW_EIO, "whoever asked takes no more");
	return ret;
}
