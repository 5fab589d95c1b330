/*
 * Typed reads of a YAML tree, with messages that name the place.
 */
#include "clausewatch/yaml.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clausewatch/buf.h"

/** A multiple by its name. */
struct unit {
	const char *name;
	int64_t factor;
};

static const struct unit duration_units[] = {
	{ "ms", 1 },
	{ "s", 1000 },
	{ "sec", 1000 },
	{ "m", 60 * 1000 },
	{ "min", 60 * 1000 },
	{ "h", 3600 * 1000 },
	{ "d", 24 * 3600 * 1000 },
	{ "w", INT64_C(7) * 24 * 3600 * 1000 },
	{ NULL, 0 },
};

static const struct unit size_units[] = {
	{ "B", 1 },
	{ "KiB", 1 << 10 },
	{ "MiB", 1 << 20 },
	{ "GiB", 1 << 30 },
	{ "TiB", INT64_C(1) << 40 },
	{ "kB", 1000 },
	{ "MB", 1000 * 1000 },
	{ "GB", 1000 * 1000 * 1000 },
	{ NULL, 0 },
};

const char *cw_node_what(const struct cw_node *node)
{
	if (node->kind == CW_SEQ)
		return "a list";
	if (node->kind == CW_MAP)
		return "a map";
	return cw_node_is_null(node) ? "nothing" : "text";
}

bool cw_node_is_null(const struct cw_node *node)
{
	return node->kind == CW_SCALAR && node->plain &&
	       (node->len == 0 || strcmp(node->value, "~") == 0 ||
		strcmp(node->value, "null") == 0);
}

const struct cw_node *cw_node_get(const struct cw_node *map, const char *key)
{
	if (map->kind != CW_MAP)
		return NULL;
	for (size_t i = 0; i < map->count; i++) {
		if (strcmp(map->pairs[i].key->value, key) == 0)
			return map->pairs[i].value;
	}
	return NULL;
}

int cw_node_fail(struct cw_error *err, const struct cw_node *node, const char *fmt, ...)
{
	char what[CW_ERROR_MSG_MAX];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	/* What is quoted from the file may hold anything; a terminal must not act on it. */
	for (char *c = what; *c; c++) {
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			*c = '?';
	}
	return cw_fail(err, CW_EINVAL, "%s:%u:%u: %s", node->name, node->line, node->column, what);
}

int cw_node_expect(const struct cw_node *node, enum cw_node_kind kind, struct cw_error *err)
{
	static const char *const names[] = {
		[CW_SCALAR] = "text",
		[CW_SEQ] = "a list",
		[CW_MAP] = "a map",
	};

	if (node->kind == kind && !cw_node_is_null(node))
		return CW_OK;
	return cw_node_fail(err, node, "expected %s, found %s", names[kind], cw_node_what(node));
}

/** With the nearest word, or all that are known when none is near. */
static int fail_unknown(struct cw_error *err, const struct cw_node *node, const char *what,
			const char *const *words)
{
	const char *near = cw_nearest(node->value, words);
	if (near)
		return cw_node_fail(err, node, "unknown %s '%.80s', did you mean '%s'?", what,
				    node->value, near);

	struct cw_buf list = { 0 };
	for (size_t i = 0; words[i]; i++)
		cw_buf_printf(&list, "%s%s", i ? ", " : "", words[i]);
	int ret = cw_node_fail(err, node, "unknown %s '%.80s', known: %s", what, node->value,
			       cw_buf_str(&list));
	cw_buf_release(&list);
	return ret;
}

static int find_word(const char *const *words, const char *word)
{
	for (int i = 0; words[i]; i++) {
		if (strcmp(words[i], word) == 0)
			return i;
	}
	return -1;
}

int cw_node_check_keys(const struct cw_node *map, const char *const *allowed, struct cw_error *err)
{
	int ret = cw_node_expect(map, CW_MAP, err);

	for (size_t i = 0; ret == CW_OK && i < map->count; i++) {
		if (find_word(allowed, map->pairs[i].key->value) < 0)
			ret = fail_unknown(err, map->pairs[i].key, "key", allowed);
	}
	return ret;
}

int cw_node_str(const struct cw_node *node, const char **out, struct cw_error *err)
{
	int ret = cw_node_expect(node, CW_SCALAR, err);

	if (ret == CW_OK)
		*out = node->value;
	return ret;
}

int cw_node_int(const struct cw_node *node, int64_t min, int64_t max, int64_t *out,
		struct cw_error *err)
{
	int ret = cw_node_expect(node, CW_SCALAR, err);
	if (ret < 0)
		return ret;

	const char *digits = node->value + (node->value[0] == '-');
	char *end = NULL;
	errno = 0;
	long long n = strtoll(node->value, &end, 10);
	if (*digits < '0' || *digits > '9' || *end != '\0')
		return cw_node_fail(err, node, "expected a number, found '%.80s'", node->value);
	if (errno == ERANGE || n < min || n > max)
		return cw_node_fail(err, node, "%.80s is out of range, %lld to %lld is allowed",
				    node->value, (long long)min, (long long)max);
	*out = n;
	return CW_OK;
}

int cw_node_real(const struct cw_node *node, double min, double max, double *out,
		 struct cw_error *err)
{
	int ret = cw_node_expect(node, CW_SCALAR, err);
	if (ret < 0)
		return ret;

	char *end = NULL;
	double n = strtod(node->value, &end);
	/* strtod() also reads hexadecimal, infinities and leading space. */
	if (node->len == 0 || strspn(node->value, "-0123456789.e") != node->len || *end != '\0' ||
	    !isfinite(n))
		return cw_node_fail(err, node, "expected a number, found '%.80s'", node->value);
	if (n < min || n > max)
		return cw_node_fail(err, node, "%.80s is out of range, %g to %g is allowed",
				    node->value, min, max);
	*out = n;
	return CW_OK;
}

int cw_node_bool(const struct cw_node *node, bool *out, struct cw_error *err)
{
	static const char *const words[] = { "false", "true", "no", "yes", "off", "on", NULL };
	int ret = cw_node_expect(node, CW_SCALAR, err);

	if (ret < 0)
		return ret;
	int at = find_word(words, node->value);
	if (at < 0)
		return cw_node_fail(err, node, "expected true or false, found '%.80s'",
				    node->value);
	*out = at % 2 == 1;
	return CW_OK;
}

/** Read "<digits><unit>" once; false when it is not that or overflows. */
static bool read_amount(const char **at, const struct unit *units, int64_t *sum)
{
	const char *p = *at;
	int64_t n = 0, more;

	if (*p < '0' || *p > '9')
		return false;
	for (; *p >= '0' && *p <= '9'; p++) {
		if (__builtin_mul_overflow(n, 10, &n) || __builtin_add_overflow(n, *p - '0', &n))
			return false;
	}
	size_t len = strcspn(p, "0123456789");
	for (; units->name; units++) {
		if (strlen(units->name) == len && strncmp(units->name, p, len) == 0)
			break;
	}
	/* Zero is the same in every unit. */
	int64_t factor = units->name ? units->factor : 0;
	if (!units->name && (n != 0 || len != 0))
		return false;
	if (__builtin_mul_overflow(n, factor, &more) || __builtin_add_overflow(*sum, more, sum))
		return false;
	*at = p + len;
	return true;
}

int cw_node_duration(const struct cw_node *node, int64_t *out_ms, struct cw_error *err)
{
	int ret = cw_node_expect(node, CW_SCALAR, err);
	if (ret < 0)
		return ret;

	int64_t ms = 0;
	const char *at = node->value;
	do {
		if (!read_amount(&at, duration_units, &ms))
			return cw_node_fail(err, node,
					    "expected a duration such as 500ms, 30s, 5m, 4h or "
					    "7d, found '%.80s'",
					    node->value);
	} while (*at != '\0');
	*out_ms = ms;
	return CW_OK;
}

int cw_node_size(const struct cw_node *node, int64_t *out_bytes, struct cw_error *err)
{
	int ret = cw_node_expect(node, CW_SCALAR, err);
	if (ret < 0)
		return ret;

	int64_t bytes = 0;
	const char *at = node->value;
	if (node->len > 0 && strspn(at, "0123456789") == node->len)
		return cw_node_int(node, 0, INT64_MAX, out_bytes, err);
	if (!read_amount(&at, size_units, &bytes) || *at != '\0')
		return cw_node_fail(err, node,
				    "expected a size such as 4096, 512KiB or 64MiB, found '%.80s'",
				    node->value);
	*out_bytes = bytes;
	return CW_OK;
}

static bool is_date(const char *text)
{
	static const int days[] = { 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	static const char shape[] = "dddd-dd-dd";
	size_t i = 0;

	for (; shape[i]; i++) {
		if (shape[i] == 'd' ? text[i] < '0' || text[i] > '9' : text[i] != '-')
			return false;
	}
	if (text[i] != '\0')
		return false;

	int year = atoi(text), month = atoi(text + 5), day = atoi(text + 8);
	if (month < 1 || month > 12 || day < 1 || day > days[month - 1])
		return false;
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
	return month != 2 || day != 29 || leap;
}

int cw_node_date(const struct cw_node *node, const char **out, struct cw_error *err)
{
	int ret = cw_node_expect(node, CW_SCALAR, err);

	if (ret < 0)
		return ret;
	if (!is_date(node->value))
		return cw_node_fail(err, node, "expected a date as YYYY-MM-DD, found '%.80s'",
				    node->value);
	*out = node->value;
	return CW_OK;
}

int cw_node_word(const struct cw_node *node, const char *what, const char *const *words, int *out,
		 struct cw_error *err)
{
	int ret = cw_node_expect(node, CW_SCALAR, err);

	if (ret < 0)
		return ret;
	int at = find_word(words, node->value);
	if (at < 0)
		return fail_unknown(err, node, what, words);
	*out = at;
	return CW_OK;
}

int cw_node_strings(const struct cw_node *node, struct cw_arena *arena, const char *const **out,
		    size_t *out_count, struct cw_error *err)
{
	bool list = node->kind == CW_SEQ;
	size_t n = list ? node->count : 1;
	const char **texts = cw_arena_alloc(arena, (n + 1) * sizeof(const char *));

	if (!texts)
		return cw_fail(err, CW_ENOMEM, "%s: out of memory", node->name);
	for (size_t i = 0; i < n; i++) {
		const struct cw_node *item = list ? node->items[i] : node;
		const char *text = NULL;
		int ret = cw_node_str(item, &text, err);

		if (ret < 0)
			return ret;
		texts[i] = cw_arena_strndup(arena, text, item->len);
		if (!texts[i])
			return cw_fail(err, CW_ENOMEM, "%s: out of memory", node->name);
	}
	*out = texts;
	if (out_count)
		*out_count = n;
	return CW_OK;
}
