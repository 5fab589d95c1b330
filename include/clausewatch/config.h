/** @file
 * The configuration: one YAML file with conf.d beside it.
 *
 * A configuration is checked as a whole while loading and never changes afterwards, so any
 * number of threads may read it.  Reload by loading a second one and swapping the pointer.
 * All strings and arrays belong to it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "clausewatch/analysis.h"
#include "clausewatch/buf.h"
#include "clausewatch/error.h"
#include "clausewatch/log.h"

#define CW_CONFIG_PATH "/etc/clausewatch/clausewatch.yaml"

/** Where a value was set. */
struct cw_place {
	const char *file; /**< NULL: it is the default */
	unsigned line, column;
};

struct cw_strings {
	const char *const *items; /**< NULL-terminated */
	size_t count;
};

struct cw_durations {
	const int64_t *items; /**< milliseconds */
	size_t count;
};

enum cw_poll { CW_POLL_AUTO, CW_POLL_ALWAYS, CW_POLL_NEVER };
enum cw_first_scan { CW_FIRST_SUMMARY, CW_FIRST_ALL, CW_FIRST_NONE };
enum cw_channel_format { CW_CHANNEL_GENERIC, CW_CHANNEL_SLACK };
enum cw_policy { CW_POLICY_REJECT, CW_POLICY_ACCEPT };

/** A watched folder or a watched repository: one of folder and repository is NULL. */
struct cw_config_source {
	const struct cw_place *where; /**< of each option; see cw_config_where() */
	struct cw_place at; /**< of the entry itself */
	const char *name; /**< unique */
	const char *folder; /**< absolute, without trailing slash */
	const char *repository; /**< the same */
	int64_t poll_interval; /**< ms */
	/* folder */
	struct cw_strings include, exclude; /**< globs; no include means everything */
	int poll; /**< enum cw_poll */
	/* repository */
	struct cw_strings refs; /**< for cw_glob_match_name() */
	struct cw_strings paths; /**< globs; none means everything */
	bool trust_owner; /**< read it even if it belongs to another user */
	const char *web_url; /**< with {commit} {path} {line}, or NULL */
};

/** Where alerts go. */
struct cw_config_channel {
	const struct cw_place *where;
	struct cw_place at;
	const char *name; /**< unique */
	bool enabled;
	const char *url; /**< NULL when url_file is set */
	const char *url_file; /**< for cw_secret_read() */
	int format; /**< enum cw_channel_format */
	struct cw_strings secret_files; /**< for cw_secret_read(), newest first; from both keys */
	bool include_text; /**< clause text may leave the machine */
	int min_severity; /**< enum cw_severity, or -1: what alerts.min_severity says */
	struct cw_strings types; /**< globs over event types, short or whole; none means all */
	struct cw_strings sources; /**< globs over source names; none means all */
	int64_t timeout; /**< ms, one attempt */
	struct cw_strings allow_private; /**< "10.1.2.0/24": may be reached though private */
	struct cw_durations retry; /**< ms to wait before each attempt; the first is 0 */
	int64_t max_attempts; /**< 1..; beyond the list its last wait repeats */
};

/** What the owner decided about a term, or about all that a glob matches. */
struct cw_config_override {
	const struct cw_place *where;
	struct cw_place at;
	const char *term; /**< id or glob for cw_glob_match_name() */
	int severity; /**< enum cw_severity, or -1: unchanged */
	int mode; /**< enum cw_mode, or -1: unchanged */
};

struct cw_config {
	const struct cw_place *where;
	const char *path; /**< of the main file, whether it exists or not */

	const char *state_dir;
	const char *runtime_dir;
	const char *socket; /**< runtime_dir/control.sock unless set */
	struct cw_strings rules; /**< directories of rule packs over the shipped ones, in order */
	const char *legacy_before; /**< YYYY-MM-DD */

	struct {
		int level; /**< enum cw_log_level */
		int format; /**< enum cw_log_format */
	} log;
	struct {
		int64_t settle, settle_max, reconcile; /**< ms; reconcile 0: never */
		int64_t max_file_size; /**< bytes */
		int64_t jobs; /**< 1..; never 0 after loading */
	} watch;
	struct {
		int min_severity; /**< enum cw_severity */
		int first_scan; /**< enum cw_first_scan */
		int64_t group_window; /**< ms */
	} alerts;
	struct {
		int fail_on; /**< enum cw_severity */
		int64_t timeout; /**< ms */
		int on_timeout, on_uncheckable; /**< enum cw_policy */
		int64_t max_findings; /**< shown to the pusher */
	} hook;

	const struct cw_config_source *sources;
	size_t nsources;
	const struct cw_config_channel *channels;
	size_t nchannels;
	const struct cw_config_override *terms; /**< in order; a later one beats an earlier one */
	size_t nterms;
};

/**
 * Read the file, then conf.d/?*.yaml beside it in order of their names.  A later file replaces
 * single options, also those of a source, channel or term that an earlier one named; sources
 * and channels of new names are added.
 *
 * @param path  NULL for CW_CONFIG_PATH, which need not exist: everything then has its default
 * @param out   set only on success; free with cw_config_free()
 * @return CW_OK; CW_EINVAL ("file:line:column: what"), CW_ENOTFOUND, CW_EIO, CW_EFULL, CW_ENOMEM
 */
int cw_config_load(const char *path, struct cw_config **out, struct cw_error *err);
/** The same from memory, without conf.d; name is for messages. */
int cw_config_parse(const char *name, const char *text, size_t len, struct cw_config **out,
		    struct cw_error *err);
/** Accepts NULL. */
void cw_config_free(struct cw_config *cfg);

/**
 * Every option with its value and where it was set, as YAML that means the same, except that
 * URLs end behind the host: with some services the rest is a secret.
 */
void cw_config_show(const struct cw_config *cfg, struct cw_buf *out);

/**
 * Where an option was set; file is NULL for a default.
 * @param where    the member of that name of the configuration, source, channel or term
 * @param section  "" (top), "log", "watch", "alerts", "hook", "sources", "channels", "terms"
 * @return NULL when there is no such option
 */
const struct cw_place *cw_config_where(const struct cw_place *where, const char *section,
				       const char *name);

/** What the overrides say of a term; an out is left alone when they say nothing. */
void cw_config_term(const struct cw_config *cfg, const char *term_id, int *severity, int *mode);

/** One option, for manuals. */
struct cw_option_info {
	const char *section; /**< "" at the top; "sources", "channels", "terms" repeat */
	const char *name;
	const char *type; /**< "text", "duration", "list of globs", "word", ... */
	const char *const *words; /**< NULL-terminated, or NULL when type is not "word" */
	const char *min, *max; /**< as they would be written, or NULL */
	const char *def; /**< as it would be written, or NULL for none */
	const char *manual; /**< sentences */
};

typedef void cw_config_option_cb(void *ctx, const struct cw_option_info *option);
/** Every option in the order of the manual; what is handed over is valid during the call. */
void cw_config_describe(cw_config_option_cb *cb, void *ctx);
/** A sentence about a section, or NULL. */
const char *cw_config_section_text(const char *section);

/**
 * Read a secret: the bytes of a file without the white space around them.
 *
 * @param ref  an absolute path, or "credential:NAME" for a file of $CREDENTIALS_DIRECTORY
 * @param out  appended to; the caller's to wipe.  Not touched on failure
 * @return CW_OK; CW_EINVAL (empty, binary), CW_EFULL (over 4 KiB), CW_EDENIED (everyone may
 *         read it), CW_ENOTFOUND, CW_EIO.  No message holds anything of the secret
 */
int cw_secret_read(const char *ref, struct cw_buf *out, struct cw_error *err);
