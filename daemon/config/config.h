/** @file
 * Inside the configuration: the table of options and what the files of this room share.
 */
#pragma once

#include "clausewatch/arena.h"
#include "clausewatch/config.h"
#include "clausewatch/yaml.h"

/** How a value is written, kept and shown; the kind decides the C type at the offset. */
enum cw_option_kind {
	CW_OPT_BOOL, /**< bool */
	CW_OPT_INT, /**< int64_t */
	CW_OPT_DURATION, /**< int64_t, ms */
	CW_OPT_SIZE, /**< int64_t, bytes */
	CW_OPT_WORD, /**< int: index in words plus min; -1 without default */
	CW_OPT_DATE, /**< const char * from here, NULL without default */
	CW_OPT_NAME,
	CW_OPT_PATH,
	CW_OPT_URL,
	CW_OPT_WEB_URL,
	CW_OPT_SECRET,
	CW_OPT_PATHS, /**< struct cw_strings from here */
	CW_OPT_GLOBS,
	CW_OPT_TYPES,
	CW_OPT_NETS,
	CW_OPT_SECRETS,
	CW_OPT_DURATIONS, /**< struct cw_durations */
};

/** Of which sort of source an option is. */
enum cw_option_of { CW_OF_ANY, CW_OF_FOLDER, CW_OF_REPOSITORY };

/** One row: all that is known of an option. */
struct cw_option {
	const char *section, *name;
	enum cw_option_kind kind;
	enum cw_option_of of;
	bool alias; /**< another name for the option at the same offset */
	int64_t min, max;
	const char *def; /**< as it would be written; NULL: unset */
	const char *const *words;
	size_t offset; /**< in the struct of its section */
	const char *manual;
};

enum cw_section_kind { CW_SECTION_PLAIN, CW_SECTION_LIST, CW_SECTION_MAP };

struct cw_section {
	const char *name;
	enum cw_section_kind kind;
	const char *entry; /**< what one of a list is called */
	const char *manual;
};

extern const struct cw_option cw_options[];
extern const size_t cw_noptions;
extern const struct cw_section cw_sections[]; /**< the first is the top */
extern const size_t cw_nsections;
extern const char *const cw_event_types[]; /**< NULL-terminated, without "dev.clausewatch." */

#define CW_OPTION_KEYS_MAX 32

/** Keys of a section, NULL-terminated. */
void cw_option_keys(const char *section, const char *keys[CW_OPTION_KEYS_MAX]);
/** The row, or NULL. */
const struct cw_option *cw_option_find(const char *section, const char *name);
/** The other row of the same value, or NULL. */
const struct cw_option *cw_option_alias(const struct cw_option *opt);

/** Read, check and keep a value; texts are copied into the arena. */
int cw_option_read(const struct cw_option *opt, const struct cw_node *node, struct cw_arena *arena,
		   void *base, struct cw_error *err);
/** Put every default of a section into its struct. */
int cw_option_defaults(const char *section, struct cw_arena *arena, void *base,
		       struct cw_error *err);
/** Append the value as YAML; false when it is unset. */
bool cw_option_show(const struct cw_option *opt, const void *base, struct cw_buf *out);
/** A number as this option would write it. */
void cw_option_show_number(const struct cw_option *opt, int64_t value, struct cw_buf *out);
/** Append text in YAML's double quotes, with nothing in it that a reader would fold. */
void cw_config_quote(const char *text, struct cw_buf *out);
const char *cw_option_kind_name(enum cw_option_kind kind);

/** What no single option can tell: whether they fit together.  Also fills what is derived.
 * channels are those of cfg, where they may still be changed. */
int cw_config_settle(struct cw_config *cfg, struct cw_config_channel *channels,
		     struct cw_arena *arena, struct cw_error *err);

/* Checks of one text; messages do not repeat what may be a secret. */
int cw_check_name(const char *text, struct cw_error *err);
int cw_check_path(const char *text, struct cw_error *err);
int cw_check_url(const char *text, struct cw_error *err);
int cw_check_web_url(const char *text, struct cw_error *err);
int cw_check_secret_ref(const char *text, struct cw_error *err);
int cw_check_event_type(const char *text, struct cw_error *err);
int cw_check_net(const char *text, struct cw_error *err);
