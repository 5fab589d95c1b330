#include "clausewatch/alert.h"

#include <curl/curl.h>
#include <openssl/crypto.h>
#include <string.h>

#include "alert/address.h"
#include "clausewatch/glob.h"

/** https, or http to this very machine: what is sent is confidential. */
static int check_parts(CURLU *url, struct cw_error *err)
{
	char *scheme = NULL, *host = NULL, *user = NULL;
	int ret = CW_OK;

	if (curl_url_get(url, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK ||
	    curl_url_get(url, CURLUPART_HOST, &host, 0) != CURLUE_OK)
		ret = cw_fail(err, CW_EINVAL, "url has no scheme or host");
	else if (curl_url_get(url, CURLUPART_USER, &user, 0) == CURLUE_OK)
		ret = cw_fail(err, CW_EINVAL, "url holds a user name; use a secret instead");
	else if (strcmp(scheme, "https") != 0 &&
		 !(strcmp(scheme, "http") == 0 && cw_host_loopback(host)))
		ret = cw_fail(err, CW_EINVAL, "url is not https (http is for localhost only)");
	curl_free(scheme);
	curl_free(host);
	curl_free(user);
	return ret;
}

static int check_url(const char *text, struct cw_error *err)
{
	if (!text || !*text)
		return cw_fail(err, CW_EINVAL, "url is missing");
	CURLU *url = curl_url();
	if (!url)
		return cw_fail(err, CW_ENOMEM, "out of memory");
	CURLUcode code = curl_url_set(url, CURLUPART_URL, text, 0);
	int ret = code == CURLUE_OK ? check_parts(url, err)
				    : cw_fail(err, CW_EINVAL, "url: %s", curl_url_strerror(code));
	curl_url_cleanup(url);
	return ret;
}

static int check_lists(const struct cw_channel *channel, struct cw_error *err)
{
	struct cw_secret secret;
	struct cw_net net;
	int ret = CW_OK;

	for (size_t i = 0; ret == CW_OK && i < channel->nsecrets; i++) {
		ret = cw_secret_parse(channel->secrets[i], &secret, err);
		if (ret < 0)
			cw_wrap(err, ret, "secret %zu", i + 1);
	}
	OPENSSL_cleanse(&secret, sizeof(secret));
	for (size_t i = 0; ret == CW_OK && i < channel->nallow_private; i++) {
		ret = cw_net_parse(channel->allow_private[i], &net, err);
		if (ret < 0)
			cw_wrap(err, ret, "allow_private");
	}
	for (size_t i = 0; ret == CW_OK && i < channel->ntypes; i++)
		ret = cw_glob_check(channel->types[i], err);
	for (size_t i = 0; ret == CW_OK && i < channel->nsources; i++)
		ret = cw_glob_check(channel->sources[i], err);
	return ret;
}

int cw_channel_check(const struct cw_channel *channel, struct cw_error *err)
{
	size_t len = channel->name ? strlen(channel->name) : 0;

	if (len == 0 || len > CW_STORE_CHANNEL_MAX)
		return cw_fail(err, CW_EINVAL, "a channel's name has 1 to %d letters",
			       CW_STORE_CHANNEL_MAX);
	int ret = check_url(channel->url, err);
	if (ret == CW_OK && !cw_alert_format(channel->format))
		ret = cw_fail(err, CW_EINVAL, "unknown format '%s'", channel->format);
	if (ret == CW_OK)
		ret = check_lists(channel, err);
	return ret < 0 ? cw_wrap(err, ret, "channel '%s'", channel->name) : CW_OK;
}

/** NULL stays NULL; false when out of memory. */
static bool copy_text(struct cw_arena *arena, const char **text)
{
	if (!*text)
		return true;
	*text = cw_arena_strdup(arena, *text);
	return *text;
}

static bool copy_list(struct cw_arena *arena, const char *const **list, size_t count)
{
	const char **copy = cw_arena_alloc(arena, count * sizeof(*copy));

	if (!copy)
		return false;
	for (size_t i = 0; i < count; i++) {
		copy[i] = cw_arena_strdup(arena, (*list)[i]);
		if (!copy[i])
			return false;
	}
	*list = copy;
	return true;
}

struct cw_channel *cw_channel_copy(struct cw_arena *arena, const struct cw_channel *channel)
{
	struct cw_channel *copy = cw_arena_alloc(arena, sizeof(*copy));

	if (!copy)
		return NULL;
	*copy = *channel;
	if (!copy_text(arena, &copy->name) || !copy_text(arena, &copy->url) ||
	    !copy_text(arena, &copy->format) || !copy_list(arena, &copy->secrets, copy->nsecrets) ||
	    !copy_list(arena, &copy->types, copy->ntypes) ||
	    !copy_list(arena, &copy->sources, copy->nsources) ||
	    !copy_list(arena, &copy->allow_private, copy->nallow_private))
		return NULL;

	size_t size = copy->nretry * sizeof(*copy->retry_ms);
	int64_t *retry = cw_arena_alloc(arena, size);
	if (!retry)
		return NULL;
	if (size > 0)
		memcpy(retry, channel->retry_ms, size);
	copy->retry_ms = retry;
	return copy;
}
