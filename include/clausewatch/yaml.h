/** @file
 * Reading YAML from memory into a tree that knows where everything stands.
 *
 * One document, block or flow style, scalars, sequences and maps with scalar keys.  Anchors,
 * aliases, tags and duplicate keys are refused, so that a file means what it shows and its
 * tree is never larger than its text.  Messages begin "name:line:column: ".
 *
 * A tree never changes after loading; any number of threads may read it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "clausewatch/arena.h"
#include "clausewatch/error.h"
#include "clausewatch/nearest.h"

#define CW_YAML_BYTES_MAX ((size_t)4 << 20)
#define CW_YAML_DEPTH_MAX 64
#define CW_YAML_NODES_MAX ((size_t)1 << 18)

struct cw_yaml;

enum cw_node_kind { CW_SCALAR, CW_SEQ, CW_MAP };

struct cw_pair;

/** A value in the file.  Lives as long as its document. */
struct cw_node {
	enum cw_node_kind kind;
	bool plain; /**< scalar without quotes, not a block: `~` and `null` are then null */
	unsigned line, column; /**< 1-based; the column counts characters */
	const char *name; /**< of the file, as given to cw_yaml_load() */
	const char *value; /**< scalar: NUL-terminated UTF-8 without NUL inside; else NULL */
	size_t len; /**< of value */
	size_t count; /**< of items or pairs */
	const struct cw_node *const *items; /**< sequence, in order */
	const struct cw_pair *pairs; /**< map, in order of the file */
};

struct cw_pair {
	const struct cw_node *key; /**< always a scalar */
	const struct cw_node *value;
};

/**
 * Read one document.
 *
 * @param name  for messages; copied
 * @param text  need not end in NUL; not kept
 * @param out   set only on success; free with cw_yaml_free()
 * @return CW_OK; CW_EINVAL (syntax, or something refused), CW_EFULL (a limit above), CW_ENOMEM
 */
int cw_yaml_load(const char *name, const char *text, size_t len, struct cw_yaml **out,
		 struct cw_error *err);
/** Accepts NULL. */
void cw_yaml_free(struct cw_yaml *doc);
/** The top value, or NULL when the file is empty or holds comments only. */
const struct cw_node *cw_yaml_root(const struct cw_yaml *doc);

/** "text", "a list", "a map" or "nothing": what stands there, for messages. */
const char *cw_node_what(const struct cw_node *node);
/** Plain and empty, `~` or `null`. */
bool cw_node_is_null(const struct cw_node *node);
/** The value under key, or NULL when the map lacks it or node is not a map. */
const struct cw_node *cw_node_get(const struct cw_node *map, const char *key);

/** "name:line:column: " and the message, control characters made visible; returns CW_EINVAL. */
int cw_node_fail(struct cw_error *err, const struct cw_node *node, const char *fmt, ...)
	__attribute__((cold, format(printf, 3, 4)));
/** CW_EINVAL "expected a map, found text" unless node is of that kind and not null. */
int cw_node_expect(const struct cw_node *node, enum cw_node_kind kind, struct cw_error *err);
/**
 * Refuse keys that are not allowed, naming the nearest that is.
 * @param allowed  NULL-terminated
 * @return CW_EINVAL when node is not a map or holds an unknown key
 */
int cw_node_check_keys(const struct cw_node *map, const char *const *allowed, struct cw_error *err);

/* Typed reads: outs are set only on success, every failure is CW_EINVAL and says where. */

/** Any scalar but null; "" only when quoted.  The text lives as long as the document. */
int cw_node_str(const struct cw_node *node, const char **out, struct cw_error *err);
/** A decimal number within min..max. */
int cw_node_int(const struct cw_node *node, int64_t min, int64_t max, int64_t *out,
		struct cw_error *err);
/** A decimal number such as 0.25 or -3, finite, within min..max. */
int cw_node_real(const struct cw_node *node, double min, double max, double *out,
		 struct cw_error *err);
/** true, yes, on; false, no, off. */
int cw_node_bool(const struct cw_node *node, bool *out, struct cw_error *err);
/** "500ms", "30s", "5m", "4h", "7d", "1h30m" or 0; in milliseconds. */
int cw_node_duration(const struct cw_node *node, int64_t *out_ms, struct cw_error *err);
/** "4096", "512KiB", "64MiB", "1GiB" (kB, MB, GB: thousands); in bytes. */
int cw_node_size(const struct cw_node *node, int64_t *out_bytes, struct cw_error *err);
/** YYYY-MM-DD, a day that exists; the text lives as long as the document. */
int cw_node_date(const struct cw_node *node, const char **out, struct cw_error *err);
/**
 * One of words (NULL-terminated); gives its index.  An unknown word is answered with the nearest.
 * @param what  names the thing in the message: "severity"
 */
int cw_node_word(const struct cw_node *node, const char *what, const char *const *words, int *out,
		 struct cw_error *err);
/**
 * A list of texts, or one text standing for a list of one.
 * @param arena  gets the array and copies of the texts
 * @param out    NULL-terminated; @param out_count  may be NULL
 */
int cw_node_strings(const struct cw_node *node, struct cw_arena *arena, const char *const **out,
		    size_t *out_count, struct cw_error *err);
