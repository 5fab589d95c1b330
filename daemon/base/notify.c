#include "clausewatch/notify.h"

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

int cw_notify(const char *lines, struct cw_error *err)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	/* A manager that does not read must not stop the loop for long. */
	const struct timeval patience = { .tv_sec = 1 };

	if (!path || !*path)
		return CW_OK;
	size_t len = strlen(path);
	if ((*path != '/' && *path != '@') || len < 2 || len >= sizeof(addr.sun_path))
		return cw_fail(err, CW_EINVAL, "NOTIFY_SOCKET '%.120s' is no socket address", path);
	memcpy(addr.sun_path, path, len);
	if (*path == '@')
		addr.sun_path[0] = '\0'; /* the abstract name space */

	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return cw_fail(err, CW_EIO, "notify socket: %s", strerror(errno));
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	ssize_t n;
	do {
		n = sendto(fd, lines, strlen(lines), MSG_NOSIGNAL, (const struct sockaddr *)&addr,
			   (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len));
	} while (n < 0 && errno == EINTR);
	int failed = n < 0 ? errno : 0;
	close(fd);
	if (failed)
		return cw_fail(err, CW_EIO, "NOTIFY_SOCKET '%s': %s", path, strerror(failed));
	return CW_OK;
}

int cw_notify_ready(struct cw_error *err)
{
	return cw_notify("READY=1", err);
}

int cw_notify_reloading(struct cw_error *err)
{
	struct timespec now;
	char lines[80];

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	(void)snprintf(lines, sizeof(lines), "RELOADING=1\nMONOTONIC_USEC=%lld",
		       (long long)now.tv_sec * 1000000 + now.tv_nsec / 1000);
	return cw_notify(lines, err);
}

int cw_notify_stopping(struct cw_error *err)
{
	return cw_notify("STOPPING=1", err);
}

int cw_notify_status(struct cw_error *err, const char *fmt, ...)
{
	char line[512] = "STATUS=";
	size_t used = strlen(line);
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(line + used, sizeof(line) - used, fmt, ap);
	va_end(ap);
	for (char *c = line; *c; c++) {
		if (*c == '\n')
			*c = ' ';
	}
	return cw_notify(line, err);
}

int cw_notify_watchdog(struct cw_error *err)
{
	return cw_notify("WATCHDOG=1", err);
}

int64_t cw_notify_watchdog_ms(void)
{
	const char *usec = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");
	char *end = NULL;

	if (!usec || *usec < '0' || *usec > '9')
		return 0;
	/* Inherited by a child, the variables are still meant for the parent. */
	if (pid && strtoll(pid, NULL, 10) != getpid())
		return 0;
	errno = 0;
	long long limit = strtoll(usec, &end, 10);
	if (errno || *end != '\0' || limit <= 0)
		return 0;
	return limit / 2000 > 0 ? limit / 2000 : 1;
}
