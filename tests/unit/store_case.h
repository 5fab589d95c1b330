/*
 * A store in a directory of its own, and documents made up of words: for the tests of the store.
 */
#pragma once

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <lmdb.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "clausewatch/ruleset.h"
#include "clausewatch/store.h"
#include "store/records.h"

#define MAX_CLAUSES 64
#define NOW 1700000000000

static char dir[64], other_dir[64];
static struct cw_store *store;
static struct cw_arena arena;
static struct cw_error err;

#define ok(call)                                                                                   \
	do {                                                                                       \
		err.msg[0] = '\0';                                                                 \
		int ok_ret = (call);                                                               \
		if (ok_ret < 0)                                                                    \
			fail_msg("%s: %d: %s", #call, ok_ret, err.msg);                            \
	} while (0)

static inline void assert_said(int ret, int code, const char *words)
{
	assert_int_equal(ret, code);
	assert_int_equal(err.code, code);
	if (!strstr(err.msg, words))
		fail_msg("'%s' is not in '%s'", words, err.msg);
}

static inline void empty_dir(const char *path)
{
	DIR *d = opendir(path);

	for (struct dirent *e; d && (e = readdir(d));) {
		if (e->d_name[0] != '.')
			unlinkat(dirfd(d), e->d_name, 0);
	}
	if (d)
		closedir(d);
}

static inline void reopen(const struct cw_store_options *opts)
{
	cw_store_close(store);
	store = NULL;
	ok(cw_store_open(dir, opts, &store, &err));
}

static inline int setup(void **state)
{
	(void)state;
	snprintf(dir, sizeof(dir), "/tmp/cw-store-XXXXXX");
	snprintf(other_dir, sizeof(other_dir), "/tmp/cw-store-XXXXXX");
	if (!mkdtemp(dir) || !mkdtemp(other_dir))
		return -1;
	return cw_store_open(dir, NULL, &store, &err);
}

static inline int teardown(void **state)
{
	(void)state;
	cw_store_close(store);
	store = NULL;
	cw_arena_release(&arena);
	empty_dir(dir);
	empty_dir(other_dir);
	return rmdir(dir) | rmdir(other_dir);
}

/* ---- documents made up: one word a clause ---- */

struct made {
	struct cw_analysis a;
	struct cw_clause clauses[MAX_CLAUSES];
	struct cw_finding findings[MAX_CLAUSES];
	uint32_t sketches[MAX_CLAUSES * CW_SKETCH_LEN];
	char text[MAX_CLAUSES * 16];
	struct cw_commit commit;
};

static const char *const codes[] = { "USE-04", "USE-05", NULL };
static const struct cw_term term = { .id = "data.training-grant",
				     .title = "training grant",
				     .codes = codes };
static const struct cw_rule rule = { .id = "data.training-grant/x", .term = &term };
static const struct cw_evidence evidence[] = { { CW_PART_WHO, 0, 2 }, { CW_PART_DOES, 3, 4 } };
static const struct cw_attr attrs[] = { { "perpetual", CW_ATTR_BOOL, "true" },
					{ "artefacts", CW_ATTR_LIST, "inputs,outputs" } };
static const struct cw_party parties[] = { { "Acme, Inc.", "Provider", CW_ROLE_VENDOR },
					   { "Bolt Ltd", "", CW_ROLE_CUSTOMER } };

static inline uint64_t hash_of(const char *word, size_t len, uint64_t seed)
{
	uint64_t h = seed;

	for (size_t i = 0; i < len; i++)
		h = (h ^ (uint8_t)word[i]) * 0x100000001b3u;
	return h ^ h >> 29;
}

/* Digits are masked, as names and numbers are in a real skeleton. */
static inline uint64_t skeleton_of(const char *word, size_t len)
{
	while (len > 0 && word[len - 1] >= '0' && word[len - 1] <= '9')
		len--;
	return hash_of(word, len, 77);
}

static inline void sketch_of(uint64_t skeleton, uint32_t *out)
{
	for (size_t i = 0; i < CW_SKETCH_LEN; i++) {
		skeleton = skeleton * 6364136223846793005u + 1442695040888963407u;
		out[i] = (uint32_t)(skeleton >> 32);
	}
}

static inline void add_finding(struct made *m, const struct cw_clause *c)
{
	struct cw_finding *f = &m->findings[m->a.nfindings++];

	*f = (struct cw_finding){ .term = &term,
				  .rule = &rule,
				  .term_id = "data.training-grant.general",
				  .evidence_kind = "frame",
				  .confidence = 0.75f,
				  .polarity = CW_RISK,
				  .direction = CW_VENDOR,
				  .severity = CW_HIGH,
				  .clause = (uint32_t)(c - m->clauses),
				  .span = c->span,
				  .quote_start = c->span.byte_start,
				  .quote_end = c->span.byte_end,
				  .evidence = evidence,
				  .nevidence = 2,
				  .attrs = attrs,
				  .nattrs = 2,
				  .why = "why",
				  .advice = "advice" };
	snprintf(f->id, sizeof(f->id), "CW-%06X", (unsigned)(c->fingerprint & 0xffffff));
}

/* Words apart by spaces; a word that begins with '!' is a risk, with '#' a heading. */
static inline struct made *make(const char *path, const char *words)
{
	struct made *m = cw_arena_alloc(&arena, sizeof(*m));
	size_t len = strlen(words);

	memcpy(m->text, words, len + 1);
	m->a.text = m->text;
	m->a.len = len;
	m->a.clauses = m->clauses;
	m->a.findings = m->findings;
	m->a.format = CW_FORMAT_MARKDOWN;
	for (size_t at = 0; at < len;) {
		size_t end = at + strcspn(words + at, " ");
		size_t i = m->a.nclauses++;
		struct cw_clause *c = &m->clauses[i];

		c->span = (struct cw_span){ (uint32_t)at, (uint32_t)end, (uint32_t)i + 1,
					    (uint32_t)i + 1 };
		c->kind = words[at] == '#' ? CW_HEADING : CW_PARAGRAPH;
		c->section = "10.4";
		c->heading = "Content";
		c->fingerprint = hash_of(words + at, end - at, 1);
		c->skeleton = skeleton_of(words + at, end - at);
		sketch_of(c->skeleton, m->sketches + i * CW_SKETCH_LEN);
		if (words[at] == '!')
			add_finding(m, c);
		at = end + (words[end] == ' ');
	}
	m->a.profile = (struct cw_profile){ .type = "terms of service",
					    .parties = parties,
					    .nparties = 2,
					    .vendor = "Acme, Inc.",
					    .customer = "Bolt Ltd",
					    .agreement_date = "2014-05-08",
					    .auto_renews = 1,
					    .notice_period_days = 60,
					    .governing_law = "New York",
					    .in_force = "yes",
					    .legacy = true };
	m->commit = (struct cw_commit){ .name = { "contracts", "", path },
					.time_ms = NOW,
					.size = len,
					.mtime_ns = 5,
					.inode = 6,
					.analysis = &m->a,
					.sketches = m->sketches,
					.rules_digest = "sha256:1",
					.cause = "save" };
	cw_store_hash(words, len, m->commit.content);
	return m;
}

static inline struct cw_committed put(const char *path, const char *words)
{
	struct cw_committed done;

	ok(cw_store_commit_version(store, &make(path, words)->commit, &done, &err));
	return done;
}

static inline struct cw_document *document(const char *path)
{
	struct cw_document *doc = NULL;
	struct cw_docname name = { "contracts", "", path };

	ok(cw_store_document(store, &name, &arena, &doc, &err));
	return doc;
}

/* How many clauses hold exactly this word. */
static inline size_t holders(const char *word)
{
	struct cw_clause_ref *refs;
	size_t n = 0;

	ok(cw_store_clauses_by_fingerprint(store, hash_of(word, strlen(word), 1), 0, &arena, &refs,
					   &n, &err));
	return n;
}

static inline struct cw_commit_event *event(const char *id, int64_t time_ms)
{
	static const char *const channels[] = { "legal", "ops" };
	struct cw_event *e = cw_arena_alloc(&arena, sizeof(*e));
	struct cw_commit_event *ce = cw_arena_alloc(&arena, sizeof(*ce));

	snprintf(e->id, sizeof(e->id), "%s", id);
	e->type = "dev.clausewatch.risk.appeared";
	e->time_ms = time_ms;
	e->source = "contracts";
	e->summary = "a \"risk\" appeared";
	*ce = (struct cw_commit_event){ .event = e, .channels = channels, .nchannels = 2 };
	return ce;
}
