#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <cmocka.h>

#include "clausewatch/notify.h"

static int listen_at(const char *name)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	size_t len = strlen(name);
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	assert_return_code(fd, 0);
	memcpy(addr.sun_path, name, len);
	if (*name == '@')
		addr.sun_path[0] = '\0';
	assert_return_code(bind(fd, (struct sockaddr *)&addr,
				(socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)),
			   0);
	setenv("NOTIFY_SOCKET", name, 1);
	return fd;
}

static void expect(int fd, const char *want)
{
	char got[1024];
	ssize_t n = recv(fd, got, sizeof(got) - 1, MSG_DONTWAIT);

	assert_in_range(n, 0, sizeof(got) - 1);
	got[n] = '\0';
	assert_string_equal(got, want);
}

static void test_abstract(void **state)
{
	char name[64];
	unsigned long long usec;
	char got[128] = { 0 };

	(void)state;
	(void)snprintf(name, sizeof(name), "@cw-test-notify-%d", (int)getpid());
	int fd = listen_at(name);
	assert_int_equal(cw_notify_ready(NULL), CW_OK);
	expect(fd, "READY=1");
	assert_int_equal(cw_notify_status(NULL, "watching %d\ndirectories", 7), CW_OK);
	expect(fd, "STATUS=watching 7 directories");
	assert_int_equal(cw_notify_watchdog(NULL), CW_OK);
	expect(fd, "WATCHDOG=1");
	assert_int_equal(cw_notify_stopping(NULL), CW_OK);
	expect(fd, "STOPPING=1");
	assert_int_equal(cw_notify_reloading(NULL), CW_OK);
	assert_true(recv(fd, got, sizeof(got) - 1, MSG_DONTWAIT) > 0);
	assert_int_equal(sscanf(got, "RELOADING=1\nMONOTONIC_USEC=%llu", &usec), 1);
	assert_true(usec > 0);
	close(fd);
}

static void test_path(void **state)
{
	char name[] = "/tmp/cw-test-notify-XXXXXX";
	char path[64];
	struct cw_error err = { 0 };
	char want[160];

	(void)state;
	assert_non_null(mkdtemp(name));
	(void)snprintf(path, sizeof(path), "%s/s", name);
	int fd = listen_at(path);
	assert_int_equal(cw_notify_ready(NULL), CW_OK);
	expect(fd, "READY=1");
	close(fd);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(cw_notify_ready(&err), CW_EIO);
	(void)snprintf(want, sizeof(want), "NOTIFY_SOCKET '%s': No such file or directory", path);
	assert_string_equal(err.msg, want);
	assert_int_equal(rmdir(name), 0);
}

static void test_no_manager(void **state)
{
	struct cw_error err = { 0 };

	(void)state;
	unsetenv("NOTIFY_SOCKET");
	assert_int_equal(cw_notify_ready(&err), CW_OK);
	setenv("NOTIFY_SOCKET", "relative", 1);
	assert_int_equal(cw_notify_ready(&err), CW_EINVAL);
	assert_string_equal(err.msg, "NOTIFY_SOCKET 'relative' is no socket address");
}

static void test_watchdog(void **state)
{
	char pid[32];

	(void)state;
	(void)snprintf(pid, sizeof(pid), "%d", (int)getpid());
	unsetenv("WATCHDOG_PID");
	unsetenv("WATCHDOG_USEC");
	assert_int_equal(cw_notify_watchdog_ms(), 0);
	setenv("WATCHDOG_USEC", "30000000", 1);
	assert_int_equal(cw_notify_watchdog_ms(), 15000);
	setenv("WATCHDOG_PID", pid, 1);
	assert_int_equal(cw_notify_watchdog_ms(), 15000);
	setenv("WATCHDOG_PID", "1", 1);
	assert_int_equal(cw_notify_watchdog_ms(), 0);
	setenv("WATCHDOG_PID", pid, 1);
	setenv("WATCHDOG_USEC", "30s", 1);
	assert_int_equal(cw_notify_watchdog_ms(), 0);
	setenv("WATCHDOG_USEC", "500", 1);
	assert_int_equal(cw_notify_watchdog_ms(), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_abstract),
		cmocka_unit_test(test_path),
		cmocka_unit_test(test_no_manager),
		cmocka_unit_test(test_watchdog),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
