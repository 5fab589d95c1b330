/* The last resort: no document may keep a push waiting for ever or end the hook in silence. */
#include "hook.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#define GRACE_MS 250 /* for the document being read when the time is up, and for the report */
#define STACK_SIZE ((size_t)64 << 10)

/* Written before the handlers are set, then only read. */
static struct {
	char text[200];
	size_t len;
	int status;
} late, broken;

static void say_late(int signo)
{
	(void)signo;
	if (write(STDERR_FILENO, late.text, late.len) < 0)
		_exit(CW_EXIT_UNCHECKED);
	_exit(late.status);
}

static void say_broken(int signo)
{
	(void)signo;
	if (write(STDERR_FILENO, broken.text, broken.len) < 0)
		_exit(CW_EXIT_UNCHECKED);
	_exit(broken.status);
}

static int status_of(int policy)
{
	return policy == CW_POLICY_ACCEPT ? CW_EXIT_CLEAN : CW_EXIT_UNCHECKED;
}

static const char *label(const struct hook_voice *voice, int status)
{
	if (status == CW_EXIT_CLEAN)
		return "warning";
	return voice->web ? "GL-HOOK-ERR" : "error";
}

void hook_guard(const struct hook_voice *voice, const struct cw_config *config)
{
	static const int crashes[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT };
	static char stack[STACK_SIZE];
	const stack_t alternate = { .ss_sp = stack, .ss_size = sizeof(stack) };
	struct sigaction act = { .sa_handler = say_late };
	int64_t ms = config->hook.timeout + GRACE_MS;
	const struct itimerval timer = { .it_value = { .tv_sec = ms / 1000,
						       .tv_usec = ms % 1000 * 1000 } };

	late.status = status_of(config->hook.on_timeout);
	(void)snprintf(late.text, sizeof(late.text),
		       "%s: %s %s: it could not be checked within %lld ms\n",
		       label(voice, late.status), voice->what,
		       late.status == CW_EXIT_CLEAN ? "accepted without being checked" : "refused",
		       (long long)config->hook.timeout);
	late.len = strlen(late.text);
	broken.status = status_of(config->hook.on_uncheckable);
	(void)snprintf(broken.text, sizeof(broken.text), "%s: %s %s: the check itself broke down\n",
		       label(voice, broken.status), voice->what,
		       broken.status == CW_EXIT_CLEAN ? "accepted without being checked"
						      : "refused");
	broken.len = strlen(broken.text);
	(void)sigaction(SIGALRM, &act, NULL);
	(void)setitimer(ITIMER_REAL, &timer, NULL);
	(void)sigaltstack(&alternate, NULL);
	act = (struct sigaction){ .sa_handler = say_broken, .sa_flags = SA_ONSTACK };
	for (size_t i = 0; i < sizeof(crashes) / sizeof(crashes[0]); i++)
		(void)sigaction(crashes[i], &act, NULL);
}
