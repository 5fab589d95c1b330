/* Configuration, rules and channels, loaded as one whole. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "pipeline.h"
#include "clausewatch/rules_load.h"

#define MOST_SECRETS 8

struct loading {
	struct cw_settings *s;
	struct cw_channel *channels;
	const char **problems;
	size_t cap_problems;
	const struct cw_rule *broken; /* the last one that was said to be */
	bool failed; /* out of memory in a callback */
};

static int no_memory(struct cw_error *err)
{
	return cw_fail(err, CW_ENOMEM, "out of memory");
}

/* ---- rules ---- */

static int add_problem(struct loading *l, const char *text)
{
	struct cw_settings *s = l->s;
	const char **grown = cw_arena_grow(&s->arena, l->problems, s->nproblems, &l->cap_problems,
					   sizeof(*grown));
	if (!grown || !text)
		return CW_ENOMEM;
	l->problems = grown;
	grown[s->nproblems++] = text;
	s->problems = grown;
	return CW_OK;
}

/* Once a rule, however many of its examples fail. */
static void on_broken(void *ctx, const struct cw_rule *rule, const char *example, bool should_match)
{
	struct loading *l = ctx;

	if (l->broken == rule)
		return;
	l->broken = rule;
	if (add_problem(l, cw_arena_printf(&l->s->arena,
					   "%s:%u: rule '%s' is off: it %s its example \"%s\"",
					   rule->file, rule->line, rule->id,
					   should_match ? "does not match" : "must not match",
					   example)) < 0)
		l->failed = true;
}

/* A rule that fails its own examples is switched off and said; the others do their work. */
static int load_rules(struct loading *l, struct cw_error *err)
{
	struct cw_settings *s = l->s;
	int ret = cw_rules_load_default(s->config->rules.items, s->config->rules.count, &s->rules,
					err);

	if (ret == CW_OK)
		ret = cw_ruleset_enforce(s->rules, on_broken, l, &s->examples, err);
	if (ret >= 0 && l->failed)
		ret = cw_fail(err, CW_ENOMEM, "out of memory");
	return ret < 0 ? ret : CW_OK;
}

/* What the owner decides about terms and dates changes findings as rules do. */
static void make_digest(struct cw_settings *s)
{
	const struct cw_config *cfg = s->config;
	struct cw_buf own = { 0 };

	for (size_t i = 0; i < cfg->nterms; i++)
		cw_buf_printf(&own, "%s %d\n", cfg->terms[i].term, cfg->terms[i].severity);
	cw_buf_puts(&own, cfg->legacy_before);
	(void)snprintf(s->digest, sizeof(s->digest), "%.75s+%016" PRIx64,
		       cw_ruleset_digest(s->rules), XXH3_64bits(cw_buf_str(&own), own.len));
	cw_buf_release(&own);
}

/* ---- channels ---- */

static void wipe(struct cw_buf *buf)
{
	if (buf->data)
		explicit_bzero(buf->data, buf->cap);
	cw_buf_release(buf);
}

static const char *read_secret(struct cw_settings *s, const char *ref, struct cw_error *err)
{
	struct cw_buf secret = { 0 };
	const char *copy = NULL;

	if (cw_secret_read(ref, &secret, err) == CW_OK) {
		copy = cw_arena_strndup(&s->arena, secret.data, secret.len);
		if (!copy)
			(void)no_memory(err);
	}
	wipe(&secret);
	return copy;
}

static int fill_secrets(struct cw_settings *s, const struct cw_config_channel *cfg,
			struct cw_channel *channel, struct cw_error *err)
{
	size_t n = cfg->secret_files.count;

	if (cfg->url_file) {
		channel->url = read_secret(s, cfg->url_file, err);
		if (!channel->url)
			return cw_wrap(err, err->code, "url_file");
	}
	if (n == 0)
		return CW_OK;
	const char **secrets = cw_arena_alloc(&s->arena, n * sizeof(*secrets));
	if (!secrets)
		return no_memory(err);
	for (size_t i = 0; i < n; i++) {
		secrets[i] = read_secret(s, cfg->secret_files.items[i], err);
		if (!secrets[i])
			return cw_wrap(err, err->code, "secret_file");
	}
	channel->secrets = secrets;
	channel->nsecrets = n;
	return CW_OK;
}

static int fill_channel(struct cw_settings *s, const struct cw_config_channel *cfg,
			struct cw_channel *out, struct cw_error *err)
{
	*out = (struct cw_channel){
		.name = cfg->name,
		.url = cfg->url,
		.format = cw_alert_format_name((size_t)cfg->format),
		.include_text = cfg->include_text,
		.min_severity =
			(enum cw_severity)(cfg->min_severity >= 0 ? cfg->min_severity
								  : s->config->alerts.min_severity),
		.types = cfg->types.items,
		.ntypes = cfg->types.count,
		.sources = cfg->sources.items,
		.nsources = cfg->sources.count,
		.allow_private = cfg->allow_private.items,
		.nallow_private = cfg->allow_private.count,
		.timeout_ms = (uint32_t)cfg->timeout,
		.retry_ms = cfg->retry.items,
		.nretry = cfg->retry.count,
		.max_attempts = (unsigned)cfg->max_attempts,
		.enabled = cfg->enabled,
	};
	int ret = fill_secrets(s, cfg, out, err);
	return ret < 0 ? ret : cw_channel_check(out, err);
}

/* A channel whose secret cannot be read is left out, and says so; the others work. */
static int load_channels(struct loading *l, struct cw_error *err)
{
	struct cw_settings *s = l->s;

	l->channels = cw_arena_alloc(&s->arena, (s->config->nchannels + 1) * sizeof(*l->channels));
	if (!l->channels)
		return no_memory(err);
	for (size_t i = 0; i < s->config->nchannels; i++) {
		const struct cw_config_channel *cfg = &s->config->channels[i];
		struct cw_error why = { 0 };

		if (!cfg->enabled)
			continue;
		if (fill_channel(s, cfg, &l->channels[s->nchannels], &why) == CW_OK)
			s->nchannels++;
		else if (add_problem(l, cw_arena_printf(&s->arena, "channel '%s' is off: %s",
							cfg->name, why.msg)) < 0)
			return no_memory(err);
	}
	s->channels = l->channels;
	return CW_OK;
}

/* ---- channels whose receiver is gone ---- */

/* Kept among the references: no source can have this name. */
#define GONE_CHANNELS "\x01channels"

static void url_hash(const struct cw_channel *channel, char out[2 * CW_HASH_SIZE + 1])
{
	uint8_t hash[CW_HASH_SIZE];

	cw_store_hash(channel->url, strlen(channel->url), hash);
	for (size_t i = 0; i < CW_HASH_SIZE; i++)
		(void)snprintf(out + 2 * i, 3, "%02x", hash[i]);
}

int cw_settings_gone_channel(const struct cw_settings *settings, struct cw_store *store,
			     const char *channel, struct cw_error *err)
{
	char hash[2 * CW_HASH_SIZE + 1];

	for (size_t i = 0; i < settings->nchannels; i++) {
		if (strcmp(settings->channels[i].name, channel) != 0)
			continue;
		url_hash(&settings->channels[i], hash);
		const struct cw_ref mark = {
			.source = GONE_CHANNELS, .ref = channel, .oid = hash, .time_ms = cw_now_ms()
		};
		return cw_store_put_ref(store, &mark, err);
	}
	return CW_OK;
}

int cw_settings_drop_gone(struct cw_settings *settings, struct cw_store *store,
			  struct cw_error *err)
{
	struct cw_channel *kept =
		cw_arena_alloc(&settings->arena, (settings->nchannels + 1) * sizeof(*kept));
	struct cw_arena arena = { 0 };
	char hash[2 * CW_HASH_SIZE + 1];
	struct cw_ref *marks = NULL;
	size_t nmarks = 0, n = 0;
	int ret = kept ? cw_store_refs(store, GONE_CHANNELS, &arena, &marks, &nmarks, err)
		       : no_memory(err);

	for (size_t i = 0; ret == CW_OK && i < settings->nchannels; i++) {
		bool gone = false;

		url_hash(&settings->channels[i], hash);
		for (size_t k = 0; k < nmarks; k++)
			gone = gone || (strcmp(marks[k].ref, settings->channels[i].name) == 0 &&
					strcmp(marks[k].oid, hash) == 0);
		if (!gone)
			kept[n++] = settings->channels[i];
	}
	if (ret == CW_OK) {
		settings->channels = kept;
		settings->nchannels = n;
	}
	cw_arena_release(&arena);
	return ret;
}

/* ---- life ---- */

int cw_settings_load(const char *path, struct cw_settings **out, struct cw_error *err)
{
	struct cw_settings *s = calloc(1, sizeof(*s));
	struct loading l = { .s = s };

	if (!s)
		return no_memory(err);
	s->refs = 1;
	int ret = cw_config_load(path, &s->config, err);
	if (ret == CW_OK)
		ret = load_rules(&l, err);
	if (ret == CW_OK)
		ret = load_channels(&l, err);
	if (ret < 0) {
		cw_settings_unref(s);
		return ret;
	}
	make_digest(s);
	*out = s;
	return CW_OK;
}

struct cw_settings *cw_settings_ref(struct cw_settings *settings)
{
	__atomic_add_fetch(&settings->refs, 1, __ATOMIC_RELAXED);
	return settings;
}

static void wipe_secrets(const struct cw_settings *s)
{
	for (size_t i = 0; i < s->nchannels; i++)
		for (size_t k = 0; k < s->channels[i].nsecrets; k++)
			explicit_bzero((void *)(uintptr_t)s->channels[i].secrets[k],
				       strlen(s->channels[i].secrets[k]));
}

void cw_settings_unref(struct cw_settings *settings)
{
	if (!settings || __atomic_sub_fetch(&settings->refs, 1, __ATOMIC_ACQ_REL) > 0)
		return;
	wipe_secrets(settings);
	cw_config_free(settings->config);
	cw_ruleset_free(settings->rules);
	cw_arena_release(&settings->arena);
	free(settings);
}
