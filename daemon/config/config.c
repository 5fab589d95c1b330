/*
 * Loading: files one after the other into one configuration, then a look at the whole.
 */
#include "config/config.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clausewatch/file.h"
#include "clausewatch/glob.h"

#define ENTRIES_MAX 4096 /* of one list; duplicates are looked for in pairs */

/** What a source, a channel and a term begin with. */
struct entry {
	const struct cw_place *where;
	struct cw_place at;
	const char *name;
};

#define BEGINS_AS_ENTRY(type, name_field)                                                          \
	_Static_assert(offsetof(struct type, where) == offsetof(struct entry, where) &&            \
			       offsetof(struct type, at) == offsetof(struct entry, at) &&          \
			       offsetof(struct type, name_field) == offsetof(struct entry, name),  \
		       #type)
BEGINS_AS_ENTRY(cw_config_source, name);
BEGINS_AS_ENTRY(cw_config_channel, name);
BEGINS_AS_ENTRY(cw_config_override, term);

/** A list that still grows. */
struct list {
	size_t size; /**< of an entry */
	void *items;
	size_t count, cap;
};

struct loaded {
	struct cw_config cfg; /**< first: what the caller holds */
	struct cw_arena arena;
	struct list sources, channels, terms;
	const char *file; /**< being read; lives as long as the configuration */
};

static int out_of_memory(struct cw_error *err)
{
	return cw_fail(err, CW_ENOMEM, "out of memory");
}

static struct cw_place place_of(const struct loaded *l, const struct cw_node *node)
{
	return (struct cw_place){ .file = l->file, .line = node->line, .column = node->column };
}

/** Places of one struct's options, by row of the table. */
static const struct cw_place *new_where(struct loaded *l)
{
	return cw_arena_alloc(&l->arena, cw_noptions * sizeof(struct cw_place));
}

static void set_place(const struct loaded *l, const struct cw_place *where,
		      const struct cw_option *opt, const struct cw_node *node)
{
	struct cw_place *places = (struct cw_place *)(uintptr_t)where;
	const struct cw_option *other = cw_option_alias(opt);

	places[opt - cw_options] = place_of(l, node);
	if (other)
		places[other - cw_options] = (struct cw_place){ 0 };
}

/** A slip that deserves more than "unknown key". */
static int refuse_secrets(const struct cw_node *map, struct cw_error *err)
{
	static const char *const keys[] = { "secret", "secrets", "token", "password", "key" };

	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
		const struct cw_node *node = cw_node_get(map, keys[i]);

		if (node)
			return cw_node_fail(err, node,
					    "'%s': secrets are never written here; put it into a "
					    "file and name that with secret_file",
					    keys[i]);
	}
	return CW_OK;
}

static int read_option(struct loaded *l, const struct cw_option *opt, const struct cw_node *map,
		       const struct cw_node *value, void *base, const struct cw_place *where,
		       struct cw_error *err)
{
	const struct cw_option *other = cw_option_alias(opt);

	if (other && cw_node_get(map, other->name))
		return cw_node_fail(err, value, "'%s' and '%s' mean the same, give one", opt->name,
				    other->name);
	int ret = cw_option_read(opt, value, &l->arena, base, err);
	if (ret == CW_OK)
		set_place(l, where, opt, value);
	return ret;
}

/** The options of one map into one struct. */
static int read_section(struct loaded *l, const char *section, const struct cw_node *map,
			void *base, const struct cw_place *where, struct cw_error *err)
{
	const char *keys[CW_OPTION_KEYS_MAX];

	/* All of it commented out. */
	if (cw_node_is_null(map))
		return CW_OK;
	cw_option_keys(section, keys);
	int ret = strcmp(section, "channels") == 0 ? refuse_secrets(map, err) : CW_OK;
	if (ret == CW_OK)
		ret = cw_node_check_keys(map, keys, err);
	for (size_t i = 0; ret == CW_OK && i < map->count; i++) {
		const struct cw_option *opt = cw_option_find(section, map->pairs[i].key->value);

		/* At the top, the names of sections are keys too. */
		if (opt)
			ret = read_option(l, opt, map, map->pairs[i].value, base, where, err);
	}
	return ret;
}

/* ---- lists ---- */

static struct list *list_of(struct loaded *l, const char *section)
{
	if (strcmp(section, "sources") == 0)
		return &l->sources;
	return strcmp(section, "channels") == 0 ? &l->channels : &l->terms;
}

static struct entry *entry_at(const struct list *list, size_t i)
{
	return (struct entry *)((char *)list->items + i * list->size);
}

static int add_entry(struct loaded *l, const char *section, const char *name,
		     const struct cw_node *at, struct entry **out, struct cw_error *err)
{
	struct list *list = list_of(l, section);

	if (list->count == ENTRIES_MAX)
		return cw_fail(err, CW_EFULL, "%s:%u:%u: more than %d %s", l->file, at->line,
			       at->column, ENTRIES_MAX, section);
	void *items = cw_arena_grow(&l->arena, list->items, list->count, &list->cap, list->size);
	if (!items)
		return out_of_memory(err);
	list->items = items;
	struct entry *entry = entry_at(list, list->count);
	memset(entry, 0, list->size);
	entry->where = new_where(l);
	entry->at = place_of(l, at);
	entry->name = cw_arena_strdup(&l->arena, name);
	if (!entry->where || !entry->name)
		return out_of_memory(err);
	list->count++;
	*out = entry;
	return cw_option_defaults(section, &l->arena, entry, err);
}

/** Read a map into the entry of that name, which is made when there is none. */
static int read_entry(struct loaded *l, const char *section, const char *name,
		      const struct cw_node *at, const struct cw_node *map, struct cw_error *err)
{
	const struct list *list = list_of(l, section);
	struct entry *entry = NULL;
	int ret = CW_OK;

	for (size_t i = 0; i < list->count && !entry; i++) {
		if (strcmp(entry_at(list, i)->name, name) == 0)
			entry = entry_at(list, i);
	}
	if (!entry)
		ret = add_entry(l, section, name, at, &entry, err);
	return ret < 0 ? ret : read_section(l, section, map, entry, entry->where, err);
}

/** The name of a list's entry, which none before it in the same file has. */
static int entry_name(const struct cw_section *section, const struct cw_node *list, size_t index,
		      const char **out, struct cw_error *err)
{
	const struct cw_node *entry = list->items[index];
	int ret = cw_node_expect(entry, CW_MAP, err);

	if (ret < 0)
		return ret;
	const struct cw_node *name = cw_node_get(entry, "name");
	if (!name)
		return cw_node_fail(err, entry, "a %s needs a name", section->entry);
	ret = cw_node_str(name, out, err);
	for (size_t i = 0; ret == CW_OK && i < index; i++) {
		const struct cw_node *other = cw_node_get(list->items[i], "name");

		if (strcmp(other->value, *out) == 0)
			ret = cw_node_fail(err, name, "%s '%.80s' is already on line %u",
					   section->entry, *out, list->items[i]->line);
	}
	return ret;
}

static int read_list(struct loaded *l, const struct cw_section *section, const struct cw_node *list,
		     struct cw_error *err)
{
	if (cw_node_is_null(list))
		return CW_OK;
	int ret = cw_node_expect(list, CW_SEQ, err);
	for (size_t i = 0; ret == CW_OK && i < list->count; i++) {
		const struct cw_node *entry = list->items[i];
		const char *name = NULL;

		ret = entry_name(section, list, i, &name, err);
		if (ret == CW_OK)
			ret = read_entry(l, section->name, name, entry, entry, err);
	}
	return ret;
}

static int read_terms(struct loaded *l, const struct cw_node *map, struct cw_error *err)
{
	if (cw_node_is_null(map))
		return CW_OK;
	int ret = cw_node_expect(map, CW_MAP, err);
	for (size_t i = 0; ret == CW_OK && i < map->count; i++) {
		const struct cw_node *key = map->pairs[i].key, *value = map->pairs[i].value;
		struct cw_error inner = { 0 };

		if (cw_glob_check(key->value, &inner) < 0)
			ret = cw_node_fail(err, key, "%s", inner.msg);
		else if (cw_node_is_null(value) || (value->kind == CW_MAP && value->count == 0))
			ret = cw_node_fail(err, key, "term '%.80s' has no severity and no mode",
					   key->value);
		else
			ret = read_entry(l, "terms", key->value, key, value, err);
	}
	return ret;
}

/* ---- files ---- */

static int read_root(struct loaded *l, const struct cw_node *root, struct cw_error *err)
{
	int ret = read_section(l, "", root, &l->cfg, l->cfg.where, err);

	for (size_t i = 1; ret == CW_OK && i < cw_nsections; i++) {
		const struct cw_section *section = &cw_sections[i];
		const struct cw_node *node = cw_node_get(root, section->name);

		if (!node)
			continue;
		if (section->kind == CW_SECTION_LIST)
			ret = read_list(l, section, node, err);
		else if (section->kind == CW_SECTION_MAP)
			ret = read_terms(l, node, err);
		else
			ret = read_section(l, section->name, node, &l->cfg, l->cfg.where, err);
	}
	return ret;
}

static int read_text(struct loaded *l, const char *name, const char *text, size_t len,
		     struct cw_error *err)
{
	struct cw_yaml *doc = NULL;

	l->file = cw_arena_strdup(&l->arena, name);
	int ret = l->file ? cw_yaml_load(name, text, len, &doc, err) : out_of_memory(err);
	if (ret < 0)
		return ret;
	if (cw_yaml_root(doc))
		ret = read_root(l, cw_yaml_root(doc), err);
	cw_yaml_free(doc);
	return ret;
}

static int read_file(struct loaded *l, const char *path, struct cw_error *err)
{
	struct cw_buf text = { 0 };
	int ret = cw_file_read(path, CW_YAML_BYTES_MAX, &text, NULL, err);

	if (ret == CW_OK)
		ret = read_text(l, path, cw_buf_str(&text), text.len, err);
	cw_buf_release(&text);
	return ret;
}

static bool ends_with(const char *name, const char *end)
{
	size_t len = strlen(name), n = strlen(end);

	return len > n && strcmp(name + len - n, end) == 0;
}

static int is_conf(const struct dirent *entry)
{
	return entry->d_name[0] != '.' &&
	       (ends_with(entry->d_name, ".yaml") || ends_with(entry->d_name, ".yml"));
}

/** By bytes, whatever the locale. */
static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int read_dir(struct loaded *l, const char *dir, struct cw_error *err)
{
	struct dirent **entries = NULL;
	int n = scandir(dir, &entries, is_conf, by_name);
	int ret = CW_OK;

	if (n < 0 && (errno == ENOENT || errno == ENOTDIR))
		return CW_OK;
	if (n < 0)
		return cw_fail(err, errno == EACCES ? CW_EDENIED : CW_EIO, "%s: %s", dir,
			       strerror(errno));
	for (int i = 0; i < n; i++) {
		const char *name = entries[i]->d_name;
		char *path = NULL;

		if (ret == CW_OK && ends_with(name, ".yml"))
			ret = cw_fail(err, CW_EINVAL, "%s/%s: only *.yaml is read, rename it", dir,
				      name);
		if (ret == CW_OK && asprintf(&path, "%s/%s", dir, name) < 0)
			ret = out_of_memory(err);
		if (ret == CW_OK)
			ret = read_file(l, path, err);
		free(path);
		free(entries[i]);
	}
	free(entries);
	return ret;
}

static int new_loaded(struct loaded **out, const char *path, struct cw_error *err)
{
	struct loaded *l = calloc(1, sizeof(*l));
	int ret = CW_OK;

	if (!l)
		return out_of_memory(err);
	l->sources.size = sizeof(struct cw_config_source);
	l->channels.size = sizeof(struct cw_config_channel);
	l->terms.size = sizeof(struct cw_config_override);
	l->cfg.where = new_where(l);
	l->cfg.path = cw_arena_strdup(&l->arena, path);
	if (!l->cfg.where || !l->cfg.path)
		ret = out_of_memory(err);
	for (size_t i = 0; ret == CW_OK && i < cw_nsections; i++) {
		if (cw_sections[i].kind == CW_SECTION_PLAIN)
			ret = cw_option_defaults(cw_sections[i].name, &l->arena, &l->cfg, err);
	}
	if (ret < 0) {
		cw_config_free(&l->cfg);
		return ret;
	}
	*out = l;
	return CW_OK;
}

/** Check the whole and hand it over, or free it. */
static int finish(struct loaded *l, int ret, struct cw_config **out, struct cw_error *err)
{
	l->cfg.sources = l->sources.items;
	l->cfg.nsources = l->sources.count;
	l->cfg.channels = l->channels.items;
	l->cfg.nchannels = l->channels.count;
	l->cfg.terms = l->terms.items;
	l->cfg.nterms = l->terms.count;
	if (ret == CW_OK)
		ret = cw_config_settle(&l->cfg, l->channels.items, &l->arena, err);
	if (ret == CW_OK)
		*out = &l->cfg;
	else
		cw_config_free(&l->cfg);
	return ret;
}

int cw_config_parse(const char *name, const char *text, size_t len, struct cw_config **out,
		    struct cw_error *err)
{
	struct loaded *l = NULL;
	int ret = new_loaded(&l, name, err);

	if (ret < 0)
		return ret;
	return finish(l, read_text(l, name, text, len, err), out, err);
}

int cw_config_load(const char *path, struct cw_config **out, struct cw_error *err)
{
	const char *file = path ? path : CW_CONFIG_PATH;
	const char *slash = strrchr(file, '/');
	int dir_len = slash ? (int)(slash - file) + 1 : 0;
	struct loaded *l = NULL;
	char *conf_d = NULL;
	int ret = new_loaded(&l, file, err);

	if (ret < 0)
		return ret;
	ret = read_file(l, file, err);
	if (ret == CW_ENOTFOUND && !path)
		ret = CW_OK;
	if (ret == CW_OK && asprintf(&conf_d, "%.*sconf.d", dir_len, file) < 0) {
		conf_d = NULL;
		ret = out_of_memory(err);
	}
	if (ret == CW_OK)
		ret = read_dir(l, conf_d, err);
	free(conf_d);
	return finish(l, ret, out, err);
}

void cw_config_free(struct cw_config *cfg)
{
	struct loaded *l = (struct loaded *)cfg;

	if (!l)
		return;
	cw_arena_release(&l->arena);
	free(l);
}

void cw_config_term(const struct cw_config *cfg, const char *term_id, int *severity, int *mode)
{
	for (size_t i = 0; i < cfg->nterms; i++) {
		const struct cw_config_override *t = &cfg->terms[i];

		if (!cw_glob_match_name(t->term, term_id))
			continue;
		if (t->severity >= 0)
			*severity = t->severity;
		if (t->mode >= 0)
			*mode = t->mode;
	}
}
