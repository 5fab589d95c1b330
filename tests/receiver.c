/*
 * A webhook receiver for tests and for trying things out: prints each alert in words, checks its
 * signature, and answers as told.
 *
 *   receiver [--port N] [--secret whsec_...]... [--answer LIST] [--delay MS] [--answer-size N]
 *            [--log FILE] [--quiet]
 *
 * LIST is a list of statuses, used one a request, the last one for ever: "500,429:2,503:@5,200".
 * What follows the colon is Retry-After in seconds, with '@' as a date.
 */
#include <arpa/inet.h>
#include <getopt.h>
#include <jansson.h>
#include <microhttpd.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "clausewatch/alert.h"
#include "clausewatch/json.h"

#define SECRETS_MAX 8
#define ANSWERS_MAX 64
#define BODY_MAX ((size_t)1 << 20)

struct answer {
	unsigned status;
	char retry_after[64]; /* "" for none */
	long date_in; /* seconds from the request; 0: retry_after as it is */
};

static struct {
	struct cw_secret secrets[SECRETS_MAX];
	size_t nsecrets;
	struct answer answers[ANSWERS_MAX];
	size_t nanswers, requests;
	long delay_ms;
	size_t answer_size;
	FILE *log;
	bool quiet;
	pthread_mutex_t lock; /* one request is counted and printed at a time */
} receiver = {
	.answers = { { .status = 200 } },
	.nanswers = 1,
	.lock = PTHREAD_MUTEX_INITIALIZER,
};

/* ---- printing ---- */

static const char *text_of(const json_t *obj, const char *key)
{
	const char *text = json_string_value(json_object_get(obj, key));

	return text ? text : "";
}

static void print_some(const char *before, const json_t *obj, const char *key)
{
	const char *text = text_of(obj, key);

	if (*text)
		printf("%s%s", before, text);
}

static void print_change(const json_t *change)
{
	json_int_t line = json_integer_value(json_object_get(change, "line_start"));

	printf("  %s %s (%s)", text_of(change, "event"), text_of(change, "term"),
	       text_of(change, "severity"));
	print_some(" section ", change, "section");
	print_some(" ", change, "heading");
	if (line > 0)
		printf(" line %lld", (long long)line);
	print_some(" ", change, "id");
	print_some("\n    ", change, "summary");
	print_some("\n    before: ", change, "quote_before");
	print_some("\n    after:  ", change, "quote_after");
	print_some("\n    why:    ", change, "why");
	putchar('\n');
}

static void print_alert(const char *body, size_t len, const char *id, const char *signature,
			unsigned status)
{
	json_t *root = json_loadb(body, len, 0, NULL);
	const json_t *data = json_object_get(root, "data");
	const json_t *changes = json_object_get(data, "changes");

	if (json_object_get(root, "specversion")) {
		printf("%s [%s]", text_of(root, "type"), text_of(data, "severity"));
		print_some(" ", data, "source");
		print_some(": ", data, "path");
		print_some(" by ", data, "author");
		print_some("\n  ", data, "summary");
		putchar('\n');
		for (size_t i = 0; i < json_array_size(changes); i++)
			print_change(json_array_get(changes, i));
	} else if (root) {
		printf("message: %s\n", text_of(root, "text"));
	} else {
		printf("not JSON: %zu bytes\n", len);
	}
	printf("  %s, signature %s, answered %u\n", id, signature, status);
	fflush(stdout);
	json_decref(root);
}

/* ---- answering ---- */

struct request {
	struct cw_buf body;
};

static const char *header(struct MHD_Connection *conn, const char *name)
{
	const char *value = MHD_lookup_connection_value(conn, MHD_HEADER_KIND, name);

	return value ? value : "";
}

static const char *check_signature(struct MHD_Connection *conn, const struct cw_buf *body)
{
	const char *signature = header(conn, "webhook-signature");

	if (!*signature)
		return "none";
	if (cw_verify(receiver.secrets, receiver.nsecrets, header(conn, "webhook-id"),
		      header(conn, "webhook-timestamp"), signature, cw_buf_str(body), body->len,
		      (int64_t)time(NULL), CW_SIGNATURE_TOLERANCE_S, NULL) < 0)
		return "bad";
	return "ok";
}

static void log_request(struct MHD_Connection *conn, const char *method, const char *url,
			const struct cw_buf *body, const char *signature, unsigned status)
{
	static const char *const headers[] = { "webhook-id", "webhook-timestamp",
					       "webhook-signature", "content-type", "user-agent" };
	struct cw_buf line = { 0 };
	struct cw_json json;

	cw_json_init(&json, &line);
	cw_json_open(&json, NULL, '{');
	cw_json_str(&json, "method", method);
	cw_json_str(&json, "url", url);
	for (size_t i = 0; i < sizeof(headers) / sizeof(*headers); i++)
		cw_json_str(&json, headers[i], header(conn, headers[i]));
	cw_json_str(&json, "signature", signature);
	cw_json_int(&json, "status", status);
	cw_json_strn(&json, "body", cw_buf_str(body), body->len);
	cw_json_close(&json, '}');
	fprintf(receiver.log, "%s\n", cw_buf_str(&line));
	fflush(receiver.log);
	cw_buf_release(&line);
}

static void sleep_ms(long ms)
{
	struct timespec wait = { ms / 1000, ms % 1000 * 1000000 };

	nanosleep(&wait, NULL);
}

static void add_headers(struct MHD_Response *response, const struct answer *answer)
{
	char date[64];
	time_t then = time(NULL) + answer->date_in;
	struct tm tm;

	if (answer->date_in > 0 && gmtime_r(&then, &tm)) {
		strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S GMT", &tm);
		MHD_add_response_header(response, "Retry-After", date);
	} else if (answer->retry_after[0]) {
		MHD_add_response_header(response, "Retry-After", answer->retry_after);
	}
	if (answer->status >= 300 && answer->status < 400)
		MHD_add_response_header(response, "Location", "/elsewhere");
}

static enum MHD_Result reply(struct MHD_Connection *conn, const struct answer *answer)
{
	char *body = malloc(receiver.answer_size + 1);

	if (!body)
		return MHD_NO;
	memset(body, '.', receiver.answer_size);
	struct MHD_Response *response =
		MHD_create_response_from_buffer(receiver.answer_size, body, MHD_RESPMEM_MUST_FREE);
	if (!response) {
		free(body);
		return MHD_NO;
	}
	add_headers(response, answer);
	enum MHD_Result ret = MHD_queue_response(conn, answer->status, response);
	MHD_destroy_response(response);
	return ret;
}

static enum MHD_Result finish(struct MHD_Connection *conn, const char *method, const char *url,
			      const struct cw_buf *body)
{
	pthread_mutex_lock(&receiver.lock);
	size_t n = receiver.requests++;
	const struct answer *answer =
		&receiver.answers[n < receiver.nanswers ? n : receiver.nanswers - 1];
	const char *signature = check_signature(conn, body);
	/* Before the answer: who got one can rely on finding the line. */
	if (receiver.log)
		log_request(conn, method, url, body, signature, answer->status);
	if (!receiver.quiet)
		print_alert(cw_buf_str(body), body->len, header(conn, "webhook-id"), signature,
			    answer->status);
	pthread_mutex_unlock(&receiver.lock);
	sleep_ms(receiver.delay_ms);
	return reply(conn, answer);
}

static enum MHD_Result on_request(void *ctx, struct MHD_Connection *conn, const char *url,
				  const char *method, const char *version, const char *data,
				  size_t *len, void **state)
{
	struct request *request = *state;

	(void)ctx;
	(void)version;
	if (!request) {
		*state = calloc(1, sizeof(*request));
		return *state ? MHD_YES : MHD_NO;
	}
	if (*len > 0) {
		cw_buf_put(&request->body, data, *len);
		*len = 0;
		return request->body.failed || request->body.len > BODY_MAX ? MHD_NO : MHD_YES;
	}
	return finish(conn, method, url, &request->body);
}

static void on_completed(void *ctx, struct MHD_Connection *conn, void **state,
			 enum MHD_RequestTerminationCode why)
{
	struct request *request = *state;

	(void)ctx;
	(void)conn;
	(void)why;
	if (request)
		cw_buf_release(&request->body);
	free(request);
	*state = NULL;
}

/* ---- the command line ---- */

static bool parse_answer(const char *text, struct answer *out)
{
	char *end;
	unsigned long status = strtoul(text, &end, 10);

	if (status < 100 || status > 999 || (*end && *end != ':'))
		return false;
	*out = (struct answer){ .status = (unsigned)status };
	if (*end == ':' && end[1] == '@')
		out->date_in = strtol(end + 2, NULL, 10);
	else if (*end == ':')
		(void)snprintf(out->retry_after, sizeof(out->retry_after), "%s", end + 1);
	return true;
}

static bool parse_answers(char *list)
{
	char *rest = NULL;

	receiver.nanswers = 0;
	for (char *word = strtok_r(list, ",", &rest); word; word = strtok_r(NULL, ",", &rest)) {
		if (receiver.nanswers == ANSWERS_MAX ||
		    !parse_answer(word, &receiver.answers[receiver.nanswers++]))
			return false;
	}
	return receiver.nanswers > 0;
}

static bool add_secret(const char *text)
{
	struct cw_error err = { 0 };

	if (receiver.nsecrets == SECRETS_MAX)
		return false;
	if (cw_secret_parse(text, &receiver.secrets[receiver.nsecrets], &err) == CW_OK) {
		receiver.nsecrets++;
		return true;
	}
	fprintf(stderr, "receiver: %s\n", err.msg);
	return false;
}

static const struct option options[] = {
	{ "port", required_argument, NULL, 'p' },   { "secret", required_argument, NULL, 's' },
	{ "answer", required_argument, NULL, 'a' }, { "delay", required_argument, NULL, 'd' },
	{ "log", required_argument, NULL, 'l' },    { "answer-size", required_argument, NULL, 'b' },
	{ "quiet", no_argument, NULL, 'q' },        { 0 },
};

static bool parse_options(int argc, char **argv, uint16_t *port)
{
	int c;
	bool ok = true;

	while (ok && (c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (c) {
		case 'p':
			*port = (uint16_t)strtoul(optarg, NULL, 10);
			break;
		case 's':
			ok = add_secret(optarg);
			break;
		case 'a':
			ok = parse_answers(optarg);
			break;
		case 'd':
			receiver.delay_ms = strtol(optarg, NULL, 10);
			break;
		case 'b':
			receiver.answer_size = strtoul(optarg, NULL, 10);
			break;
		case 'l':
			receiver.log = fopen(optarg, "ae");
			ok = receiver.log;
			break;
		case 'q':
			receiver.quiet = true;
			break;
		default:
			ok = false;
		}
	}
	return ok && optind == argc;
}

int main(int argc, char **argv)
{
	struct sockaddr_in addr = { .sin_family = AF_INET };
	uint16_t port = 0;
	sigset_t stop;
	int sig;

	if (!parse_options(argc, argv, &port)) {
		fprintf(stderr, "usage: receiver [--port N] [--secret whsec_...]... "
				"[--answer LIST] [--delay MS]\n"
				"       [--answer-size N] [--log FILE] [--quiet]\n");
		return 2;
	}
	sigemptyset(&stop);
	sigaddset(&stop, SIGINT);
	sigaddset(&stop, SIGTERM);
	pthread_sigmask(SIG_BLOCK, &stop, NULL);
	addr.sin_port = htons(port);
	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	struct MHD_Daemon *daemon =
		MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_THREAD_PER_CONNECTION, 0,
				 NULL, NULL, on_request, NULL, MHD_OPTION_SOCK_ADDR, &addr,
				 MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL, MHD_OPTION_END);
	if (!daemon) {
		fprintf(stderr, "receiver: cannot listen on port %u\n", port);
		return 1;
	}
	printf("listening on http://127.0.0.1:%u/\n",
	       MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT)->port);
	fflush(stdout);
	sigwait(&stop, &sig);
	MHD_stop_daemon(daemon);
	if (receiver.log)
		fclose(receiver.log);
	return 0;
}
