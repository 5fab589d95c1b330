#include "clausewatch/glob.h"

#include <stdlib.h>
#include <string.h>

#define TEXT_MAX ((size_t)1 << 20)
#define RULES_MAX ((size_t)100000)

struct rule {
	bool negated; /**< '!': take back what an earlier rule ignored */
	bool dir_only;
	bool anchored; /**< matched against the path below dir, not against its last name */
	size_t dir_len;
	const char *pattern; /**< in data */
	char data[]; /**< dir, NUL, pattern, NUL */
};

struct cw_ignore {
	struct rule **rules;
	size_t count, cap;
};

struct cw_ignore *cw_ignore_new(void)
{
	return calloc(1, sizeof(struct cw_ignore));
}

void cw_ignore_free(struct cw_ignore *ignore)
{
	if (!ignore)
		return;
	cw_ignore_truncate(ignore, 0);
	free(ignore->rules);
	free(ignore);
}

size_t cw_ignore_count(const struct cw_ignore *ignore)
{
	return ignore->count;
}

void cw_ignore_truncate(struct cw_ignore *ignore, size_t count)
{
	while (ignore->count > count)
		free(ignore->rules[--ignore->count]);
}

/** Without the line's CR and the spaces that no '\' protects. */
static size_t trimmed_len(const char *line, size_t len)
{
	if (len > 0 && line[len - 1] == '\r')
		len--;
	while (len > 0 && line[len - 1] == ' ' && (len < 2 || line[len - 2] != '\\'))
		len--;
	return len;
}

static int push_rule(struct cw_ignore *ignore, struct rule *rule)
{
	if (ignore->count == ignore->cap) {
		size_t cap = ignore->cap ? ignore->cap * 2 : 16;
		struct rule **rules = realloc(ignore->rules, cap * sizeof(*rules));

		if (!rules)
			return CW_ENOMEM;
		ignore->rules = rules;
		ignore->cap = cap;
	}
	ignore->rules[ignore->count++] = rule;
	return CW_OK;
}

static int add_line(struct cw_ignore *ignore, const char *dir, const char *line, size_t len,
		    struct cw_error *err)
{
	struct rule head = { .dir_len = strlen(dir) };

	len = trimmed_len(line, len);
	if (len == 0 || *line == '#' || memchr(line, '\0', len))
		return CW_OK;
	if (*line == '!') {
		head.negated = true;
		line++;
		len--;
	}
	if (len > 0 && line[len - 1] == '/') {
		head.dir_only = true;
		len--;
	}
	head.anchored = memchr(line, '/', len) != NULL;
	if (len > 0 && *line == '/') {
		line++;
		len--;
	}
	if (len == 0)
		return CW_OK;
	if (ignore->count == RULES_MAX)
		return cw_fail(err, CW_EFULL, "more than %zu ignore rules", RULES_MAX);

	struct rule *rule = malloc(sizeof(*rule) + head.dir_len + len + 2);
	if (!rule)
		return cw_fail(err, CW_ENOMEM, "out of memory");
	*rule = head;
	memcpy(rule->data, dir, head.dir_len + 1);
	char *pattern = rule->data + head.dir_len + 1;
	memcpy(pattern, line, len);
	pattern[len] = '\0';
	rule->pattern = pattern;
	if (push_rule(ignore, rule) < 0) {
		free(rule);
		return cw_fail(err, CW_ENOMEM, "out of memory");
	}
	return CW_OK;
}

int cw_ignore_add(struct cw_ignore *ignore, const char *dir, const char *text, size_t len,
		  struct cw_error *err)
{
	static const char bom[] = "\xef\xbb\xbf";

	if (len > TEXT_MAX)
		return cw_fail(err, CW_EFULL, "an ignore file of %zu bytes, at most %zu are read",
			       len, TEXT_MAX);
	if (len >= 3 && memcmp(text, bom, 3) == 0) {
		text += 3;
		len -= 3;
	}
	while (len > 0) {
		const char *nl = memchr(text, '\n', len);
		size_t n = nl ? (size_t)(nl - text) : len;
		int ret = add_line(ignore, dir, text, n, err);

		if (ret < 0)
			return ret;
		n += nl ? 1 : 0;
		text += n;
		len -= n;
	}
	return CW_OK;
}

static bool rule_matches(const struct rule *rule, const char *path, const char *name, bool is_dir)
{
	if (rule->dir_only && !is_dir)
		return false;
	if (rule->dir_len > 0) {
		if (strncmp(path, rule->data, rule->dir_len) != 0 || path[rule->dir_len] != '/')
			return false;
		path += rule->dir_len + 1;
	}
	return cw_glob_match(rule->pattern, rule->anchored ? path : name);
}

bool cw_ignore_match(const struct cw_ignore *ignore, const char *path, bool is_dir)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;

	for (size_t i = ignore->count; i-- > 0;) {
		if (rule_matches(ignore->rules[i], path, name, is_dir))
			return !ignore->rules[i]->negated;
	}
	return false;
}

bool cw_ignore_covers(const struct cw_ignore *ignore, const char *path, bool is_dir)
{
	size_t len = strlen(path);
	char *part = ignore->count ? malloc(len + 1) : NULL;

	/* Out of memory: the answer for the path alone is the best there is. */
	if (!part)
		return cw_ignore_match(ignore, path, is_dir);

	bool covered = false;
	for (size_t i = 0; i < len && !covered; i++) {
		if (path[i] == '/') {
			memcpy(part, path, i);
			part[i] = '\0';
			covered = cw_ignore_match(ignore, part, true);
		}
	}
	free(part);
	return covered || cw_ignore_match(ignore, path, is_dir);
}
