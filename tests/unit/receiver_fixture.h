/** @file
 * tests/receiver.c in a process of its own, which ends with the test.  Include after cmocka.h.
 */
#pragma once

#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define SECRET "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

struct receiver {
	pid_t pid;
	char url[64];
	char log[64];
	FILE *out;
};

static inline void exec_receiver(const struct receiver *r, const char *const *args, int out)
{
	const char *argv[32] = { "receiver", "--quiet", "--secret", SECRET, "--log", r->log };
	char self[512] = { 0 };
	size_t n = 6;

	prctl(PR_SET_PDEATHSIG, SIGTERM);
	dup2(out, STDOUT_FILENO);
	ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 16);
	char *slash = len > 0 ? strrchr(self, '/') : NULL;
	if (!slash)
		_exit(127);
	memcpy(slash + 1, "receiver", sizeof("receiver"));
	while (*args && n < 31)
		argv[n++] = *args++;
	char *copy[32] = { 0 };
	for (size_t i = 0; i < n; i++)
		copy[i] = strdup(argv[i]);
	execv(self, copy);
	_exit(127);
}

/** Start one that answers as the arguments, which end in NULL, say. */
static inline struct receiver start_receiver(const char *const *args)
{
	struct receiver r = { .log = "/tmp/cw-deliver-XXXXXX" };
	int ends[2], fd = mkstemp(r.log);
	char line[128];

	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(pipe(ends), 0);
	r.pid = fork();
	assert_true(r.pid >= 0);
	if (r.pid == 0)
		exec_receiver(&r, args, ends[1]);
	close(ends[1]);
	r.out = fdopen(ends[0], "r");
	assert_non_null(fgets(line, sizeof(line), r.out));
	assert_int_equal(sscanf(line, "listening on %63s", r.url), 1);
	return r;
}

#define RECEIVER(...) start_receiver((const char *const[]){ __VA_ARGS__, NULL })

static inline void stop_receiver(struct receiver *r)
{
	/* At once: one that is made slow would finish its answer first. */
	kill(r->pid, SIGKILL);
	waitpid(r->pid, NULL, 0);
	fclose(r->out);
	unlink(r->log);
}

/** What the receiver got so far, an array of objects; the caller's to release. */
static inline json_t *received(const struct receiver *r)
{
	json_t *list = json_array();
	FILE *log = fopen(r->log, "r");
	char *line = NULL;
	size_t cap = 0;

	assert_non_null(log);
	while (getline(&line, &cap, log) > 0)
		json_array_append_new(list, json_loads(line, 0, NULL));
	free(line);
	fclose(log);
	return list;
}

static inline const char *field(const json_t *list, size_t i, const char *key)
{
	const char *text = json_string_value(json_object_get(json_array_get(list, i), key));

	assert_non_null(text);
	return text;
}

static inline size_t count_received(const struct receiver *r)
{
	json_t *list = received(r);
	size_t n = json_array_size(list);

	json_decref(list);
	return n;
}
