#include "alert/post.h"

#include <inttypes.h>
#include <openssl/crypto.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "alert/address.h"

#define TIMEOUT_DEFAULT_MS 20000
#define CONNECT_MAX_MS 10000
/* More of an answer nobody reads; the transfer then ends. */
#define ANSWER_MAX 4096

struct cw_post {
	CURL *easy;
	struct curl_slist *headers;
	struct cw_buf body;
	char host[256]; /* for messages: the rest of the URL may be a secret */
	struct cw_net *allowed;
	size_t nallowed;
	bool loopback; /* the URL names this machine, so it may be reached */
	size_t received;
	char refused[64]; /* the address that was */
	char curl_error[CURL_ERROR_SIZE];
	char message[512];
};

static pthread_once_t curl_once = PTHREAD_ONCE_INIT;
static CURLcode curl_state;

static void init_curl(void)
{
	curl_state = curl_global_init(CURL_GLOBAL_DEFAULT);
}

/** Policy is about the address that is connected to: names and odd notations do not matter. */
static bool may_connect(const struct cw_post *post, const struct cw_addr *addr)
{
	for (size_t i = 0; i < post->nallowed; i++) {
		if (cw_net_has(&post->allowed[i], addr))
			return true;
	}
	if (post->loopback && cw_addr_loopback(addr))
		return true;
	return !cw_addr_private(addr);
}

static curl_socket_t open_socket(void *ctx, curlsocktype purpose, struct curl_sockaddr *sa)
{
	struct cw_post *post = ctx;
	struct cw_addr addr;

	(void)purpose;
	if (!cw_addr_from(&sa->addr, &addr))
		return CURL_SOCKET_BAD;
	if (may_connect(post, &addr))
		return socket(sa->family, sa->socktype | SOCK_CLOEXEC, sa->protocol);
	cw_addr_text(&addr, post->refused, sizeof(post->refused));
	return CURL_SOCKET_BAD;
}

/** A connection that is used again was opened under another channel's policy, maybe. */
static int before_request(void *ctx, char *remote, char *local, int remote_port, int local_port)
{
	struct cw_post *post = ctx;
	struct cw_addr addr;

	(void)local;
	(void)remote_port;
	(void)local_port;
	if (cw_addr_parse(remote, &addr) && may_connect(post, &addr))
		return CURL_PREREQFUNC_OK;
	(void)snprintf(post->refused, sizeof(post->refused), "%s", remote);
	return CURL_PREREQFUNC_ABORT;
}

static size_t drop_answer(char *bytes, size_t size, size_t n, void *ctx)
{
	struct cw_post *post = ctx;

	(void)bytes;
	post->received += size * n;
	return post->received > ANSWER_MAX ? 0 : size * n;
}

/** Without a value curl leaves a header out that it would send on its own. */
static int add_header(struct cw_post *post, const char *name, const char *value,
		      struct cw_error *err)
{
	struct cw_buf line = { 0 };

	cw_buf_printf(&line, "%s:", name);
	if (value)
		cw_buf_printf(&line, " %s", value);
	struct curl_slist *list = line.failed ? NULL : curl_slist_append(post->headers, line.data);
	cw_buf_release(&line);
	if (!list)
		return cw_fail(err, CW_ENOMEM, "out of memory");
	post->headers = list;
	return CW_OK;
}

static int sign(struct cw_post *post, const struct cw_channel *channel, const char *id,
		int64_t now_s, struct cw_error *err)
{
	struct cw_secret *secrets = calloc(channel->nsecrets, sizeof(*secrets));
	struct cw_buf list = { 0 };
	int ret = secrets ? CW_OK : cw_fail(err, CW_ENOMEM, "out of memory");

	for (size_t i = 0; ret == CW_OK && i < channel->nsecrets; i++)
		ret = cw_secret_parse(channel->secrets[i], &secrets[i], err);
	if (ret == CW_OK)
		ret = cw_sign(secrets, channel->nsecrets, id, now_s, post->body.data,
			      post->body.len, &list, err);
	if (ret == CW_OK)
		ret = add_header(post, "webhook-signature", list.data, err);
	if (secrets)
		OPENSSL_cleanse(secrets, channel->nsecrets * sizeof(*secrets));
	free(secrets);
	cw_buf_release(&list);
	return ret;
}

static int make_headers(struct cw_post *post, const struct cw_channel *channel,
			const struct cw_event *event, const char *content_type,
			struct cw_error *err)
{
	char timestamp[24];
	int64_t now_s = (int64_t)time(NULL);
	int ret = add_header(post, "content-type", content_type, err);

	(void)snprintf(timestamp, sizeof(timestamp), "%" PRId64, now_s);
	if (ret == CW_OK)
		ret = add_header(post, "webhook-id", event->id, err);
	if (ret == CW_OK)
		ret = add_header(post, "webhook-timestamp", timestamp, err);
	if (ret == CW_OK && channel->nsecrets > 0)
		ret = sign(post, channel, event->id, now_s, err);
	return ret;
}

static int read_url(struct cw_post *post, const struct cw_channel *channel, struct cw_error *err)
{
	char *host = NULL;
	CURLU *url = curl_url();
	int ret = CW_OK;

	if (!url || curl_url_set(url, CURLUPART_URL, channel->url, 0) != CURLUE_OK ||
	    curl_url_get(url, CURLUPART_HOST, &host, 0) != CURLUE_OK)
		ret = cw_fail(err, CW_EINVAL, "channel '%s': the url cannot be read",
			      channel->name);
	if (ret == CW_OK) {
		(void)snprintf(post->host, sizeof(post->host), "%s", host);
		post->loopback = cw_host_loopback(host);
	}
	curl_free(host);
	curl_url_cleanup(url);
	return ret;
}

static int read_allowed(struct cw_post *post, const struct cw_channel *channel,
			struct cw_error *err)
{
	post->allowed = calloc(channel->nallow_private + 1, sizeof(*post->allowed));
	if (!post->allowed)
		return cw_fail(err, CW_ENOMEM, "out of memory");
	for (size_t i = 0; i < channel->nallow_private; i++) {
		int ret = cw_net_parse(channel->allow_private[i], &post->allowed[i], err);
		if (ret < 0)
			return ret;
	}
	post->nallowed = channel->nallow_private;
	return CW_OK;
}

/** Each option once; any that curl does not take is a failure. */
static int set_options(struct cw_post *post, const struct cw_channel *channel,
		       const struct cw_deliverer_options *opts, struct cw_error *err)
{
	CURL *e = post->easy;
	long timeout = channel->timeout_ms ? (long)channel->timeout_ms : TIMEOUT_DEFAULT_MS;
	int bad = 0;

	bad |= curl_easy_setopt(e, CURLOPT_URL, channel->url);
	bad |= curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, post->loopback ? "http,https" : "https");
	bad |= curl_easy_setopt(e, CURLOPT_POST, 1L);
	bad |= curl_easy_setopt(e, CURLOPT_POSTFIELDS, post->body.data);
	bad |= curl_easy_setopt(e, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)post->body.len);
	bad |= curl_easy_setopt(e, CURLOPT_HTTPHEADER, post->headers);
	bad |= curl_easy_setopt(e, CURLOPT_USERAGENT, "clausewatch/" CW_VERSION);
	bad |= curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, 0L);
	bad |= curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, timeout);
	bad |= curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS,
				timeout < CONNECT_MAX_MS ? timeout : CONNECT_MAX_MS);
	bad |= curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
	/* An attempt that ends while its name is looked up must not wait for the resolver. */
	bad |= curl_easy_setopt(e, CURLOPT_QUICK_EXIT, 1L);
	/* No proxy from the environment: the address that is checked would be the proxy's. */
	bad |= curl_easy_setopt(e, CURLOPT_PROXY, "");
	bad |= curl_easy_setopt(e, CURLOPT_OPENSOCKETFUNCTION, open_socket);
	bad |= curl_easy_setopt(e, CURLOPT_OPENSOCKETDATA, post);
	bad |= curl_easy_setopt(e, CURLOPT_PREREQFUNCTION, before_request);
	bad |= curl_easy_setopt(e, CURLOPT_PREREQDATA, post);
	bad |= curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, drop_answer);
	bad |= curl_easy_setopt(e, CURLOPT_WRITEDATA, post);
	bad |= curl_easy_setopt(e, CURLOPT_ERRORBUFFER, post->curl_error);
	if (opts && opts->ca_file)
		bad |= curl_easy_setopt(e, CURLOPT_CAINFO, opts->ca_file);
	return bad ? cw_fail(err, CW_EIO, "channel '%s': libcurl refuses an option", channel->name)
		   : CW_OK;
}

static int prepare(struct cw_post *post, const struct cw_channel *channel,
		   const struct cw_event *event, const struct cw_deliverer_options *opts,
		   struct cw_error *err)
{
	const struct cw_alert_format *format = cw_alert_format(channel->format);

	if (!format)
		return cw_fail(err, CW_EINVAL, "unknown format '%s'", channel->format);
	int ret = read_url(post, channel, err);
	if (ret == CW_OK)
		ret = read_allowed(post, channel, err);
	if (ret == CW_OK)
		ret = format->render(event, channel, &post->body, err);
	if (ret == CW_OK)
		ret = make_headers(post, channel, event, format->content_type, err);
	if (ret == CW_OK)
		/* A body large enough would make curl ask first and wait. */
		ret = add_header(post, "expect", NULL, err);
	if (ret == CW_OK)
		ret = set_options(post, channel, opts, err);
	return ret;
}

int cw_post_new(const struct cw_channel *channel, const struct cw_event *event,
		const struct cw_deliverer_options *opts, struct cw_post **out, struct cw_error *err)
{
	pthread_once(&curl_once, init_curl);
	if (curl_state != CURLE_OK)
		return cw_fail(err, CW_EIO, "libcurl: %s", curl_easy_strerror(curl_state));
	struct cw_post *post = calloc(1, sizeof(*post));
	if (!post)
		return cw_fail(err, CW_ENOMEM, "out of memory");
	post->easy = curl_easy_init();
	int ret = post->easy ? prepare(post, channel, event, opts, err)
			     : cw_fail(err, CW_ENOMEM, "out of memory");
	if (ret < 0) {
		cw_post_free(post);
		return ret;
	}
	*out = post;
	return CW_OK;
}

CURL *cw_post_easy(struct cw_post *post)
{
	return post->easy;
}

static const char *explain(struct cw_post *post, CURLcode code)
{
	if (post->refused[0])
		(void)snprintf(post->message, sizeof(post->message),
			       "%s is %s, a private address; allow_private can allow it",
			       post->host, post->refused);
	else if (code == CURLE_OPERATION_TIMEDOUT)
		(void)snprintf(post->message, sizeof(post->message), "%s: no answer in time",
			       post->host);
	else
		(void)snprintf(post->message, sizeof(post->message), "%s: %s", post->host,
			       post->curl_error[0] ? post->curl_error : curl_easy_strerror(code));
	return post->message;
}

void cw_post_result(struct cw_post *post, CURLcode code, struct cw_attempt_result *result)
{
	long status = 0;
	curl_off_t seconds = 0;

	*result = (struct cw_attempt_result){ 0 };
	/*
	 * The status is the answer.  What goes wrong behind it (a body that is too long or never
	 * ends) changes nothing about it, and sending again would only make a duplicate.
	 */
	curl_easy_getinfo(post->easy, CURLINFO_RESPONSE_CODE, &status);
	if (status >= 200) {
		curl_easy_getinfo(post->easy, CURLINFO_RETRY_AFTER, &seconds);
		if (seconds > CW_RETRY_AFTER_MAX_MS / 1000)
			seconds = CW_RETRY_AFTER_MAX_MS / 1000;
		result->status = (int)status;
		result->retry_after_ms = seconds > 0 ? (int64_t)seconds * 1000 : 0;
		return;
	}
	result->error = explain(post, code);
}

void cw_post_free(struct cw_post *post)
{
	if (!post)
		return;
	if (post->easy)
		curl_easy_cleanup(post->easy);
	curl_slist_free_all(post->headers);
	cw_buf_release(&post->body);
	free(post->allowed);
	free(post);
}
