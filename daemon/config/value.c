/*
 * Values of options: how each kind is read from YAML, kept, and written again.
 */
#include "config/config.h"

#include <string.h>

#include "clausewatch/glob.h"
#include "clausewatch/utf8.h"

typedef int check_fn(const char *text, struct cw_error *err);

static const struct {
	const char *name;
	check_fn *check; /**< of a text, or of each text of a list */
} kinds[] = {
	[CW_OPT_BOOL] = { "true or false", NULL },
	[CW_OPT_INT] = { "number", NULL },
	[CW_OPT_DURATION] = { "duration", NULL },
	[CW_OPT_SIZE] = { "size", NULL },
	[CW_OPT_WORD] = { "word", NULL },
	[CW_OPT_DATE] = { "date", NULL },
	[CW_OPT_NAME] = { "name", cw_check_name },
	[CW_OPT_PATH] = { "path", cw_check_path },
	[CW_OPT_URL] = { "URL", cw_check_url },
	[CW_OPT_WEB_URL] = { "URL with placeholders", cw_check_web_url },
	[CW_OPT_SECRET] = { "path or credential:NAME", cw_check_secret_ref },
	[CW_OPT_PATHS] = { "list of paths", cw_check_path },
	[CW_OPT_GLOBS] = { "list of globs", cw_glob_check },
	[CW_OPT_TYPES] = { "list of globs over event types", cw_check_event_type },
	[CW_OPT_NETS] = { "list of networks", cw_check_net },
	[CW_OPT_SECRETS] = { "path or credential:NAME, or a list of them", cw_check_secret_ref },
	[CW_OPT_DURATIONS] = { "list of durations", NULL },
};

const char *cw_option_kind_name(enum cw_option_kind kind)
{
	return kinds[kind].name;
}

static void *at_offset(void *base, const struct cw_option *opt)
{
	return (char *)base + opt->offset;
}

static const void *const_at_offset(const void *base, const struct cw_option *opt)
{
	return (const char *)base + opt->offset;
}

/* ---- reading ---- */

static int check_range(const struct cw_option *opt, const struct cw_node *node, int64_t value,
		       struct cw_error *err)
{
	struct cw_buf min = { 0 }, max = { 0 };
	int ret = CW_OK;

	if (value >= opt->min && value <= opt->max)
		return CW_OK;
	cw_option_show_number(opt, opt->min, &min);
	cw_option_show_number(opt, opt->max, &max);
	ret = cw_node_fail(err, node, "%s: %.40s is out of range, %s to %s is allowed", opt->name,
			   node->value, cw_buf_str(&min), cw_buf_str(&max));
	cw_buf_release(&min);
	cw_buf_release(&max);
	return ret;
}

static int read_number(const struct cw_option *opt, const struct cw_node *node, int64_t *out,
		       struct cw_error *err)
{
	int64_t value = 0;
	int ret;

	if (opt->kind == CW_OPT_SIZE)
		ret = cw_node_size(node, &value, err);
	else if (opt->kind == CW_OPT_INT)
		ret = cw_node_int(node, INT64_MIN, INT64_MAX, &value, err);
	else
		ret = cw_node_duration(node, &value, err);
	if (ret == CW_OK)
		ret = check_range(opt, node, value, err);
	if (ret == CW_OK)
		*out = value;
	return ret;
}

static int read_word(const struct cw_option *opt, const struct cw_node *node, int *out,
		     struct cw_error *err)
{
	int index = 0;
	int ret = cw_node_word(node, opt->name, opt->words, &index, err);

	if (ret == CW_OK)
		*out = index + (int)opt->min;
	return ret;
}

/** A checked copy of one text; directories lose the slashes at their end. */
static int read_text(const struct cw_option *opt, const struct cw_node *node,
		     struct cw_arena *arena, const char **out, struct cw_error *err)
{
	bool is_path = opt->kind == CW_OPT_PATH || opt->kind == CW_OPT_PATHS;
	struct cw_error inner = { 0 };
	const char *text = NULL;
	size_t len = node->len;
	int ret = opt->kind == CW_OPT_DATE ? cw_node_date(node, &text, err)
					   : cw_node_str(node, &text, err);

	if (ret < 0)
		return ret;
	check_fn *check = kinds[opt->kind].check;
	if (check && check(text, &inner) < 0)
		return cw_node_fail(err, node, "%s: %s", opt->name, inner.msg);
	while (is_path && len > 1 && text[len - 1] == '/')
		len--;
	const char *copy = cw_arena_strndup(arena, text, len);
	if (!copy)
		return cw_fail(err, CW_ENOMEM, "%s: out of memory", node->name);
	*out = copy;
	return CW_OK;
}

/** A list, or one value that stands for a list of one. */
static size_t list_count(const struct cw_node *node)
{
	return node->kind == CW_SEQ ? node->count : 1;
}

static const struct cw_node *list_item(const struct cw_node *node, size_t i)
{
	return node->kind == CW_SEQ ? node->items[i] : node;
}

static int read_texts(const struct cw_option *opt, const struct cw_node *node,
		      struct cw_arena *arena, struct cw_strings *out, struct cw_error *err)
{
	size_t n = list_count(node);
	const char **items = cw_arena_alloc(arena, (n + 1) * sizeof(const char *));

	if (!items)
		return cw_fail(err, CW_ENOMEM, "%s: out of memory", node->name);
	for (size_t i = 0; i < n; i++) {
		int ret = read_text(opt, list_item(node, i), arena, &items[i], err);

		if (ret < 0)
			return ret;
	}
	*out = (struct cw_strings){ .items = items, .count = n };
	return CW_OK;
}

static int read_durations(const struct cw_option *opt, const struct cw_node *node,
			  struct cw_arena *arena, struct cw_durations *out, struct cw_error *err)
{
	size_t n = list_count(node);
	int64_t *items = cw_arena_alloc(arena, (n + 1) * sizeof(*items));

	if (!items)
		return cw_fail(err, CW_ENOMEM, "%s: out of memory", node->name);
	for (size_t i = 0; i < n; i++) {
		int ret = read_number(opt, list_item(node, i), &items[i], err);

		if (ret < 0)
			return ret;
	}
	*out = (struct cw_durations){ .items = items, .count = n };
	return CW_OK;
}

int cw_option_read(const struct cw_option *opt, const struct cw_node *node, struct cw_arena *arena,
		   void *base, struct cw_error *err)
{
	void *at = at_offset(base, opt);

	switch (opt->kind) {
	case CW_OPT_BOOL:
		return cw_node_bool(node, at, err);
	case CW_OPT_INT:
	case CW_OPT_DURATION:
	case CW_OPT_SIZE:
		return read_number(opt, node, at, err);
	case CW_OPT_WORD:
		return read_word(opt, node, at, err);
	case CW_OPT_DATE:
	case CW_OPT_NAME:
	case CW_OPT_PATH:
	case CW_OPT_URL:
	case CW_OPT_WEB_URL:
	case CW_OPT_SECRET:
		return read_text(opt, node, arena, at, err);
	case CW_OPT_PATHS:
	case CW_OPT_GLOBS:
	case CW_OPT_TYPES:
	case CW_OPT_NETS:
	case CW_OPT_SECRETS:
		return read_texts(opt, node, arena, at, err);
	case CW_OPT_DURATIONS:
		return read_durations(opt, node, arena, at, err);
	}
	return cw_fail(err, CW_EUNSUPPORTED, "option '%s' of no known kind", opt->name);
}

static int read_default(const struct cw_option *opt, struct cw_arena *arena, void *base,
			struct cw_error *err)
{
	struct cw_yaml *doc = NULL;
	int ret = cw_yaml_load("default", opt->def, strlen(opt->def), &doc, err);

	if (ret == CW_OK)
		ret = cw_option_read(opt, cw_yaml_root(doc), arena, base, err);
	cw_yaml_free(doc);
	return ret;
}

int cw_option_defaults(const char *section, struct cw_arena *arena, void *base,
		       struct cw_error *err)
{
	int ret = CW_OK;

	for (size_t i = 0; ret == CW_OK && i < cw_noptions; i++) {
		const struct cw_option *opt = &cw_options[i];

		if (strcmp(opt->section, section) != 0)
			continue;
		if (opt->def)
			ret = read_default(opt, arena, base, err);
		else if (opt->kind == CW_OPT_WORD)
			*(int *)at_offset(base, opt) = -1;
	}
	return ret;
}

/* ---- writing ---- */

static void show_scaled(int64_t value, const char *const *units, const int64_t *factors,
			struct cw_buf *out)
{
	size_t i = 0;

	/* The largest unit that leaves no remainder; the last has factor 1. */
	while (factors[i] > 1 && (value == 0 || value % factors[i] != 0))
		i++;
	cw_buf_printf(out, "%lld%s", (long long)(value / factors[i]), value == 0 ? "" : units[i]);
}

void cw_option_show_number(const struct cw_option *opt, int64_t value, struct cw_buf *out)
{
	static const char *const times[] = { "d", "h", "m", "s", "ms" };
	static const int64_t time_factors[] = { 86400000, 3600000, 60000, 1000, 1 };
	static const char *const sizes[] = { "GiB", "MiB", "KiB", "B" };
	static const int64_t size_factors[] = { 1 << 30, 1 << 20, 1 << 10, 1 };

	if (opt->kind == CW_OPT_INT)
		cw_buf_printf(out, "%lld", (long long)value);
	else if (opt->kind == CW_OPT_SIZE)
		show_scaled(value, sizes, size_factors, out);
	else
		show_scaled(value, times, time_factors, out);
}

void cw_config_quote(const char *text, struct cw_buf *out)
{
	size_t len = strlen(text);

	cw_buf_putc(out, '"');
	for (size_t i = 0; i < len;) {
		uint32_t rune;
		size_t n = cw_utf8_decode(text + i, len - i, &rune);

		if (rune == '"' || rune == '\\')
			cw_buf_printf(out, "\\%c", (char)rune);
		else if (rune < 0x20 || (rune >= 0x7f && rune < 0xa0) || rune == 0x2028 ||
			 rune == 0x2029 || rune == 0xfeff)
			cw_buf_printf(out, "\\u%04x", (unsigned)rune);
		else
			cw_buf_put(out, text + i, n);
		i += n ? n : 1;
	}
	cw_buf_putc(out, '"');
}

/** Plain where every reader takes it for text, else quoted. */
static void show_text(const char *text, struct cw_buf *out)
{
	static const char first[] = "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/";
	static const char rest[] = "abcdefghijklmnopqrstuvwxyz"
				   "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-";

	if (*text && strchr(first, *text) && text[strspn(text, rest)] == '\0' &&
	    strcmp(text, "null") != 0)
		cw_buf_puts(out, text);
	else
		cw_config_quote(text, out);
}

/** Up to the host: with chat services the path is the secret. */
static void show_url(const char *url, struct cw_buf *out)
{
	const char *host = strstr(url, "://");
	size_t len = host ? (size_t)(host - url) + 3 + strcspn(host + 3, "/?#") : 0;
	bool cut = url[len] != '\0' && strcmp(url + len, "/") != 0;

	cw_buf_putc(out, '"');
	cw_buf_put(out, url, len);
	cw_buf_puts(out, cut ? "/***\"" : "/\"");
}

static void show_list(const struct cw_option *opt, const void *at, struct cw_buf *out)
{
	const struct cw_strings *texts = at;
	const struct cw_durations *times = at;
	bool numbers = opt->kind == CW_OPT_DURATIONS;
	size_t n = numbers ? times->count : texts->count;

	cw_buf_putc(out, '[');
	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			cw_buf_puts(out, ", ");
		if (numbers)
			cw_option_show_number(opt, times->items[i], out);
		else
			show_text(texts->items[i], out);
	}
	cw_buf_putc(out, ']');
}

bool cw_option_show(const struct cw_option *opt, const void *base, struct cw_buf *out)
{
	const void *at = const_at_offset(base, opt);

	switch (opt->kind) {
	case CW_OPT_BOOL:
		cw_buf_puts(out, *(const bool *)at ? "true" : "false");
		return true;
	case CW_OPT_INT:
	case CW_OPT_DURATION:
	case CW_OPT_SIZE:
		cw_option_show_number(opt, *(const int64_t *)at, out);
		return true;
	case CW_OPT_WORD:
		if (*(const int *)at < 0)
			return false;
		cw_buf_puts(out, opt->words[*(const int *)at - opt->min]);
		return true;
	case CW_OPT_PATHS:
	case CW_OPT_GLOBS:
	case CW_OPT_TYPES:
	case CW_OPT_NETS:
	case CW_OPT_SECRETS:
	case CW_OPT_DURATIONS:
		show_list(opt, at, out);
		return true;
	default:
		break;
	}
	const char *text = *(const char *const *)at;
	if (!text)
		return false;
	if (opt->kind == CW_OPT_URL)
		show_url(text, out);
	else
		show_text(text, out);
	return true;
}
