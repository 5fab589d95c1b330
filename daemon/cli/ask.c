/* The client of the control socket: one question, answers line by line. */
#include "ask.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

const char *cli_config_path(const char *given)
{
	const char *env = getenv("CLAUSEWATCH_CONFIG");

	return given ? given : env && *env ? env : NULL;
}

json_t *cli_question(const char *op)
{
	json_t *question = json_object();

	if (!question || json_object_set_new(question, "op", json_string(op)) < 0) {
		cli_warn("out of memory");
		exit(CW_EXIT_USAGE);
	}
	return question;
}

void cli_question_text(json_t *question, const char *key, const char *value)
{
	if (value)
		(void)json_object_set_new(question, key, json_string(value));
}

const char *cli_text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

int64_t cli_int_of(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

bool cli_is(const json_t *object, const char *key)
{
	return json_is_true(json_object_get(object, key));
}

int cli_print_line(void *ctx, const json_t *answer, const char *line)
{
	(void)ctx;
	(void)answer;
	if (puts(line) < 0 || fflush(stdout) != 0)
		return CW_EIO;
	return CW_OK;
}

int cli_check_word(const char *what, const char *word, const char *const *words)
{
	for (size_t i = 0; word && words[i]; i++)
		if (strcmp(words[i], word) == 0)
			return -1;
	return word ? cli_unknown(what, word, words) : -1;
}

int cli_subverb(const char *verb, const struct cli_list *args, const char *const *words)
{
	char what[64];

	if (args->count == 0) {
		struct cw_buf list = { 0 };
		for (size_t i = 0; words[i]; i++)
			cw_buf_printf(&list, "%s%s",
				      i == 0         ? ""
				      : words[i + 1] ? ", "
						     : " or ",
				      words[i]);
		(void)cli_usage("%s: %s? See clausewatch %s --help", verb, cw_buf_str(&list), verb);
		cw_buf_release(&list);
		return -1;
	}
	for (int i = 0; words[i]; i++)
		if (strcmp(words[i], args->items[0]) == 0)
			return i;
	(void)snprintf(what, sizeof(what), "word after %s:", verb);
	(void)cli_unknown(what, args->items[0], words);
	return -1;
}

/* ---- finding the socket ---- */

/* The usual file may be closed to who asks, who may still use the usual socket. */
static char *find_socket(const struct cli_ask *where, struct cw_error *err)
{
	const char *path = cli_config_path(where->config);
	struct cw_config *config = NULL;
	char *socket = NULL;

	if (where->socket)
		return strdup(where->socket);
	int ret = cw_config_load(path, &config, err);
	if (ret < 0 && !path && ret != CW_EINVAL)
		ret = cw_config_parse(CW_CONFIG_PATH, "", 0, &config, err);
	if (ret == CW_OK && !(socket = strdup(config->socket)))
		(void)cw_fail(err, CW_ENOMEM, "out of memory");
	cw_config_free(config);
	return socket;
}

static int cannot_reach(const char *path, int error)
{
	static const char cure[] = "is clausewatchd running? See systemctl status clausewatchd; "
				   "--socket names another socket";

	if (error == EACCES || error == EPERM)
		cli_warn("cannot ask the daemon at '%s': %s; members of the group of that socket "
			 "may, such as: sudo usermod -aG clausewatch $USER, then log in again",
			 path, strerror(error));
	else if (error == ENOENT)
		cli_warn("cannot reach the daemon: there is no socket '%s'; %s", path, cure);
	else
		cli_warn("cannot reach the daemon at '%s': %s; %s", path, strerror(error), cure);
	return CW_EXIT_NO_DAEMON;
}

static int connect_to(const char *path, int *out_fd)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	size_t len = strlen(path);

	if (len >= sizeof(addr.sun_path))
		return cli_usage("the path of the socket is over %zu bytes: '%s'",
				 sizeof(addr.sun_path) - 1, path);
	memcpy(addr.sun_path, path, len + 1);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (const struct sockaddr *)&addr, sizeof(addr)) < 0) {
		int error = errno;
		if (fd >= 0)
			close(fd);
		return cannot_reach(path, error);
	}
	*out_fd = fd;
	return CW_EXIT_CLEAN;
}

/* ---- talking ---- */

struct talk {
	int fd;
	int silence_ms; /* -1: no limit */
	struct cw_buf in;
	cli_answer_fn *take;
	void *ctx;
	int status; /* -1 until the last answer */
};

static bool send_all(int fd, const char *bytes, size_t len)
{
	while (len > 0) {
		ssize_t n = send(fd, bytes, len, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return false;
		bytes += n;
		len -= (size_t)n;
	}
	return true;
}

/* What is wrong with the question is the asker's; the rest is the daemon's. */
static int refused(const json_t *answer)
{
	static const char *const ours[] = { "invalid", "not-found", "denied", "unsupported", NULL };
	const char *code = cli_text_of(answer, "code");

	cli_warn("%s", cli_text_of(answer, "message"));
	for (size_t i = 0; ours[i]; i++)
		if (strcmp(ours[i], code) == 0)
			return CW_EXIT_USAGE;
	return CW_EXIT_NO_DAEMON;
}

static void take_line(struct talk *t, char *line, size_t len)
{
	json_error_t why;
	json_t *answer = json_loadb(line, len, 0, &why);
	const char *kind = cli_text_of(answer, "kind");

	if (!*kind) {
		cli_warn("the daemon's answer makes no sense; is it of the version of this "
			 "program, " CW_VERSION "?");
		t->status = CW_EXIT_NO_DAEMON;
	} else if (strcmp(kind, "end") == 0) {
		t->status = CW_EXIT_CLEAN;
	} else if (strcmp(kind, "error") == 0) {
		t->status = refused(answer);
	} else if (t->take && t->take(t->ctx, answer, line) < 0) {
		t->status = CW_EXIT_CLEAN;
	}
	json_decref(answer);
}

static void take_lines(struct talk *t)
{
	size_t from = 0;

	while (t->status < 0 && from < t->in.len) {
		char *line = t->in.data + from;
		char *end = memchr(line, '\n', t->in.len - from);
		if (!end)
			break;
		*end = '\0';
		take_line(t, line, (size_t)(end - line));
		from = (size_t)(end - t->in.data) + 1;
	}
	if (from > 0) {
		memmove(t->in.data, t->in.data + from, t->in.len - from);
		t->in.len -= from;
	}
}

static int lost(const char *why)
{
	cli_warn("the daemon %s", why);
	return CW_EXIT_NO_DAEMON;
}

static int listen_to(struct talk *t)
{
	struct pollfd pfd = { .fd = t->fd, .events = POLLIN };

	while (t->status < 0) {
		int ready = poll(&pfd, 1, t->silence_ms);
		if (ready < 0 && errno == EINTR)
			continue;
		if (ready == 0)
			return lost("did not answer in time; see systemctl status clausewatchd");
		char *room = cw_buf_reserve(&t->in, 65536);
		if (ready < 0 || !room)
			return lost("cannot be listened to: out of memory");
		ssize_t n = recv(t->fd, room, 65536, 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return lost("ended the connection before its answer was whole; is it "
				    "stopping? See systemctl status clausewatchd");
		t->in.len += (size_t)n;
		take_lines(t);
	}
	return t->status;
}

int cli_ask(const struct cli_ask *where, json_t *question, unsigned silence_s, cli_answer_fn *take,
	    void *ctx)
{
	struct talk t = { .fd = -1,
			  .silence_ms = silence_s > 0 ? (int)silence_s * 1000 : -1,
			  .take = take,
			  .ctx = ctx,
			  .status = -1 };
	struct cw_error err = { 0 };
	char *path = find_socket(where, &err);
	char *line = json_dumps(question, JSON_COMPACT);
	int status;

	json_decref(question);
	if (!path || !line) {
		status =
			cli_usage("%s", path ? "out of memory, or text that is no UTF-8" : err.msg);
		goto out;
	}
	status = connect_to(path, &t.fd);
	if (status != CW_EXIT_CLEAN)
		goto out;
	/* A refusal may come before all is sent: what was answered counts. */
	(void)(send_all(t.fd, line, strlen(line)) && send_all(t.fd, "\n", 1));
	status = listen_to(&t);
	close(t.fd);
out:
	cw_buf_release(&t.in);
	free(line);
	free(path);
	return status;
}
