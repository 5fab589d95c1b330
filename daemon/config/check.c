/*
 * Whether texts are what they should be, and whether options fit together.
 */
#include "config/config.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <limits.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clausewatch/glob.h"

#define NAME_MAX_LEN 64
#define SOCKET_MAX_LEN 107 /* what a Unix socket's address holds */
#define EVENT_PREFIX "dev.clausewatch."

int cw_check_name(const char *text, struct cw_error *err)
{
	size_t len = strlen(text);

	if (len == 0 || len > NAME_MAX_LEN ||
	    strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789._-") != len)
		return cw_fail(err, CW_EINVAL,
			       "'%.80s' is no name, 1 to %d of a-z, 0-9, '.', '_' and '-' are",
			       text, NAME_MAX_LEN);
	return CW_OK;
}

int cw_check_path(const char *text, struct cw_error *err)
{
	if (*text != '/')
		return cw_fail(err, CW_EINVAL, "'%.80s' is not an absolute path", text);
	if (strlen(text) >= PATH_MAX)
		return cw_fail(err, CW_EINVAL, "a path is shorter than %d bytes", PATH_MAX);
	return CW_OK;
}

static bool is_loopback(const char *host)
{
	unsigned char addr[16];

	if (strcmp(host, "localhost") == 0 || strcmp(host, "[::1]") == 0)
		return true;
	return inet_pton(AF_INET, host, addr) == 1 && addr[0] == 127;
}

static int check_url_parts(CURLU *url, struct cw_error *err)
{
	char *scheme = NULL, *host = NULL, *user = NULL;
	int ret = CW_OK;

	if (curl_url_get(url, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK ||
	    curl_url_get(url, CURLUPART_HOST, &host, 0) != CURLUE_OK || !*host)
		ret = cw_fail(err, CW_EINVAL, "no scheme or no host");
	else if (curl_url_get(url, CURLUPART_USER, &user, 0) == CURLUE_OK)
		ret = cw_fail(err, CW_EINVAL, "a user name or password does not belong here");
	else if (strcmp(scheme, "https") != 0 &&
		 !(strcmp(scheme, "http") == 0 && is_loopback(host)))
		ret = cw_fail(err, CW_EINVAL,
			      "'%.20s' to '%.80s'; only https is allowed, and http "
			      "to localhost",
			      scheme, host);
	curl_free(scheme);
	curl_free(host);
	curl_free(user);
	return ret;
}

int cw_check_url(const char *text, struct cw_error *err)
{
	const char *colon = text + strcspn(text, ":/");

	/* libcurl forgives a slash too few or too many; a configuration should not. */
	if (strncmp(colon, "://", 3) != 0 || colon[3] == '/')
		return cw_fail(err, CW_EINVAL, "no address such as https://host/path");
	CURLU *url = curl_url();
	if (!url)
		return cw_fail(err, CW_ENOMEM, "out of memory");
	CURLUcode code = curl_url_set(url, CURLUPART_URL, text, 0);
	int ret = code == CURLUE_OK ? check_url_parts(url, err)
				    : cw_fail(err, CW_EINVAL, "%s", curl_url_strerror(code));
	curl_url_cleanup(url);
	return ret;
}

int cw_check_web_url(const char *text, struct cw_error *err)
{
	static const char *const known[] = { "commit", "path", "line", NULL };

	if (strncmp(text, "https://", 8) != 0 && strncmp(text, "http://", 7) != 0)
		return cw_fail(err, CW_EINVAL, "'%.80s' is no http or https address", text);
	for (const char *open = strchr(text, '{'); open; open = strchr(open + 1, '{')) {
		char word[32];
		size_t len = strcspn(open + 1, "}"), i = 0;

		if (len < sizeof(word) && open[1 + len] == '}') {
			memcpy(word, open + 1, len);
			word[len] = '\0';
			while (known[i] && strcmp(known[i], word) != 0)
				i++;
			if (known[i])
				continue;
			const char *near = cw_nearest(word, known);
			if (near)
				return cw_fail(err, CW_EINVAL, "unknown {%s}, did you mean {%s}?",
					       word, near);
		}
		return cw_fail(err, CW_EINVAL,
			       "'%.40s' is no placeholder, {commit}, {path} and {line} are", open);
	}
	return CW_OK;
}

int cw_check_secret_ref(const char *text, struct cw_error *err)
{
	static const char scheme[] = "credential:";
	size_t skip = sizeof(scheme) - 1;

	if (*text == '/')
		return cw_check_path(text, err);
	if (strncmp(text, "whsec_", 6) == 0)
		return cw_fail(err, CW_EINVAL,
			       "a secret is never written here, only the file that "
			       "holds it");
	/* The name is a file name; what is wrong is not repeated, it may be the secret. */
	if (strncmp(text, scheme, skip) != 0 || text[skip] == '\0' || text[skip] == '.' ||
	    strchr(text + skip, '/'))
		return cw_fail(err, CW_EINVAL, "expected an absolute path or credential:NAME");
	return CW_OK;
}

int cw_check_event_type(const char *text, struct cw_error *err)
{
	char whole[128];
	int ret = cw_glob_check(text, err);

	if (ret < 0)
		return ret;
	for (size_t i = 0; cw_event_types[i]; i++) {
		(void)snprintf(whole, sizeof(whole), EVENT_PREFIX "%s", cw_event_types[i]);
		if (cw_glob_match_name(text, cw_event_types[i]) || cw_glob_match_name(text, whole))
			return CW_OK;
	}
	if (strncmp(text, EVENT_PREFIX, sizeof(EVENT_PREFIX) - 1) == 0)
		text += sizeof(EVENT_PREFIX) - 1;
	const char *near = cw_nearest(text, cw_event_types);
	if (near)
		return cw_fail(err, CW_EINVAL, "unknown event type '%.80s', did you mean '%s'?",
			       text, near);
	return cw_fail(err, CW_EINVAL, "no event type matches '%.80s'", text);
}

int cw_check_net(const char *text, struct cw_error *err)
{
	unsigned char addr[16];
	char host[64];
	size_t len = strcspn(text, "/");
	long most, bits = 0;
	char *end = NULL;

	if (len >= sizeof(host))
		len = 0;
	memcpy(host, text, len);
	host[len] = '\0';
	if (inet_pton(AF_INET, host, addr) == 1)
		most = 32;
	else if (inet_pton(AF_INET6, host, addr) == 1)
		most = 128;
	else
		return cw_fail(err, CW_EINVAL, "'%.80s' is no network such as 10.1.2.0/24", text);
	if (text[len] == '\0')
		return CW_OK;
	const char *digits = text + len + 1;
	if (*digits >= '0' && *digits <= '9')
		bits = strtol(digits, &end, 10);
	if (!end || *end != '\0' || bits > most)
		return cw_fail(err, CW_EINVAL, "'%.80s': the prefix has 0 to %ld bits", text, most);
	return CW_OK;
}

/* ---- options together ---- */

__attribute__((format(printf, 3, 4))) static int fail_at(struct cw_error *err,
							 const struct cw_place *at, const char *fmt,
							 ...)
{
	char what[CW_ERROR_MSG_MAX];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	return cw_fail(err, CW_EINVAL, "%s:%u:%u: %s", at->file ? at->file : "default", at->line,
		       at->column, what);
}

static int check_source_options(const struct cw_config_source *s, struct cw_error *err)
{
	enum cw_option_of of = s->folder ? CW_OF_FOLDER : CW_OF_REPOSITORY;

	for (size_t i = 0; i < cw_noptions; i++) {
		const struct cw_option *opt = &cw_options[i];

		if (strcmp(opt->section, "sources") == 0 && s->where[i].file &&
		    opt->of != CW_OF_ANY && opt->of != of)
			return fail_at(err, &s->where[i], "'%s' is for a %s, source '%s' is a %s",
				       opt->name, s->folder ? "repository" : "folder", s->name,
				       s->folder ? "folder" : "repository");
	}
	return CW_OK;
}

static int check_sources(const struct cw_config *cfg, struct cw_error *err)
{
	for (size_t i = 0; i < cfg->nsources; i++) {
		const struct cw_config_source *s = &cfg->sources[i];

		if (!s->folder && !s->repository)
			return fail_at(err, &s->at, "source '%s' needs a folder or a repository",
				       s->name);
		if (s->folder && s->repository)
			return fail_at(err, &s->at,
				       "source '%s' has both a folder and a repository", s->name);
		int ret = check_source_options(s, err);
		if (ret < 0)
			return ret;
		for (size_t j = 0; s->folder && j < i; j++) {
			const struct cw_config_source *other = &cfg->sources[j];

			if (other->folder && strcmp(other->folder, s->folder) == 0)
				return fail_at(err, cw_config_where(s->where, "sources", "folder"),
					       "'%s' is already the folder of source '%s'",
					       s->folder, other->name);
		}
		if (s->repository && s->refs.count == 0)
			return fail_at(err, cw_config_where(s->where, "sources", "refs"),
				       "source '%s' has no reference to watch", s->name);
	}
	return CW_OK;
}

/** A literal name that no source has is a slip; a pattern may be for sources to come. */
static int check_channel_sources(const struct cw_config *cfg, const struct cw_config_channel *c,
				 struct cw_arena *arena, struct cw_error *err)
{
	const struct cw_place *at = cw_config_where(c->where, "channels", "sources");
	const char **names = cw_arena_alloc(arena, (cfg->nsources + 1) * sizeof(const char *));

	if (!names)
		return cw_fail(err, CW_ENOMEM, "out of memory");
	for (size_t i = 0; i < cfg->nsources; i++)
		names[i] = cfg->sources[i].name;
	for (size_t i = 0; i < c->sources.count; i++) {
		const char *want = c->sources.items[i];
		size_t j = 0;

		while (names[j] && strcmp(names[j], want) != 0)
			j++;
		if (names[j] || cw_glob_is_pattern(want))
			continue;
		const char *near = cw_nearest(want, names);
		if (near)
			return fail_at(err, at, "unknown source '%.80s', did you mean '%s'?", want,
				       near);
		return fail_at(err, at, "there is no source '%.80s'", want);
	}
	return CW_OK;
}

static int check_channel(const struct cw_config_channel *c, struct cw_error *err)
{
	if (!c->url && !c->url_file)
		return fail_at(err, &c->at, "channel '%s' needs a url", c->name);
	if (c->url && c->url_file)
		return fail_at(err, cw_config_where(c->where, "channels", "url_file"),
			       "channel '%s' has both url and url_file", c->name);
	if (c->format == CW_CHANNEL_GENERIC && c->secret_files.count == 0)
		return fail_at(err, &c->at,
			       "channel '%s' needs a secret_file, its webhooks are signed",
			       c->name);
	if (c->retry.count == 0 || c->retry.items[0] != 0)
		return fail_at(err, cw_config_where(c->where, "channels", "retry"),
			       "the first attempt is made at once, so retry begins with 0");
	return CW_OK;
}

static int64_t cores(void)
{
	cpu_set_t set;

	return sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : 1;
}

/** What follows from other options when it was not set. */
static int derive(struct cw_config *cfg, struct cw_config_channel *channels, struct cw_arena *arena,
		  struct cw_error *err)
{
	if (!cfg->socket)
		cfg->socket = cw_arena_printf(arena, "%s/control.sock", cfg->runtime_dir);
	if (!cfg->socket)
		return cw_fail(err, CW_ENOMEM, "out of memory");
	if (cfg->watch.jobs == 0)
		cfg->watch.jobs = cores();
	for (size_t i = 0; i < cfg->nchannels; i++) {
		if (channels[i].max_attempts == 0)
			channels[i].max_attempts = (int64_t)channels[i].retry.count;
	}
	return CW_OK;
}

int cw_config_settle(struct cw_config *cfg, struct cw_config_channel *channels,
		     struct cw_arena *arena, struct cw_error *err)
{
	int ret = derive(cfg, channels, arena, err);

	if (ret == CW_OK && strlen(cfg->socket) > SOCKET_MAX_LEN) {
		const struct cw_place *at = cw_config_where(cfg->where, "", "socket");

		ret = fail_at(err, at->file ? at : cw_config_where(cfg->where, "", "runtime_dir"),
			      "the path of the control socket is longer than %d bytes",
			      SOCKET_MAX_LEN);
	}
	if (ret == CW_OK && cfg->watch.settle_max < cfg->watch.settle) {
		const struct cw_place *at = cw_config_where(cfg->where, "watch", "settle_max");

		ret = fail_at(err, at->file ? at : cw_config_where(cfg->where, "watch", "settle"),
			      "settle_max is shorter than settle");
	}
	if (ret == CW_OK)
		ret = check_sources(cfg, err);
	for (size_t i = 0; ret == CW_OK && i < cfg->nchannels; i++) {
		ret = check_channel(&cfg->channels[i], err);
		if (ret == CW_OK)
			ret = check_channel_sources(cfg, &cfg->channels[i], arena, err);
	}
	return ret;
}
