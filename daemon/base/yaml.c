/*
 * libyaml's events, turned into a tree.  Events rather than libyaml's document: the limits then
 * hold while parsing, before a hostile file has cost time or memory.  The scanner looks at most
 * 1024 characters ahead of an event, so that stopping at CW_YAML_DEPTH_MAX also bounds its
 * quadratic handling of nested brackets.
 */
#include "clausewatch/yaml.h"

#include <stdlib.h>
#include <string.h>
#include <yaml.h>

struct cw_yaml {
	struct cw_arena arena;
	const char *name;
	const struct cw_node *root;
};

/** A collection whose end was not seen yet. */
struct frame {
	struct cw_node *node;
	const struct cw_node **items;
	struct cw_pair *pairs;
	size_t cap;
	const struct cw_node *key; /**< map: the key that waits for its value */
};

struct loader {
	struct cw_yaml *doc;
	struct cw_error *err;
	struct frame stack[CW_YAML_DEPTH_MAX];
	size_t depth;
	size_t nodes;
	bool done; /**< the end of the document was seen */
};

static int fail_at(struct loader *l, enum cw_code code, yaml_mark_t mark, const char *what)
{
	return cw_fail(l->err, code, "%s:%zu:%zu: %s", l->doc->name, mark.line + 1, mark.column + 1,
		       what);
}

static int out_of_memory(struct loader *l)
{
	return cw_fail(l->err, CW_ENOMEM, "%s: out of memory", l->doc->name);
}

static struct cw_node *new_node(struct loader *l, enum cw_node_kind kind, yaml_mark_t mark)
{
	struct cw_node *node = cw_arena_alloc(&l->doc->arena, sizeof(*node));

	if (!node)
		return NULL;
	node->kind = kind;
	node->name = l->doc->name;
	node->line = (unsigned)mark.line + 1;
	node->column = (unsigned)mark.column + 1;
	return node;
}

static int by_key(const void *a, const void *b)
{
	const struct cw_node *x = *(const struct cw_node *const *)a;
	const struct cw_node *y = *(const struct cw_node *const *)b;
	int order = strcmp(x->value, y->value);

	if (order != 0)
		return order;
	if (x->line != y->line)
		return x->line < y->line ? -1 : 1;
	return x->column < y->column ? -1 : x->column > y->column;
}

/** Sorted, because a lexicon may have thousands of keys. */
static int check_duplicates(struct loader *l, const struct cw_node *map)
{
	if (map->count < 2)
		return CW_OK;

	const struct cw_node **keys = malloc(map->count * sizeof(const struct cw_node *));
	if (!keys)
		return out_of_memory(l);
	for (size_t i = 0; i < map->count; i++)
		keys[i] = map->pairs[i].key;
	qsort(keys, map->count, sizeof(const struct cw_node *), by_key);

	int ret = CW_OK;
	for (size_t i = 1; i < map->count && ret == CW_OK; i++) {
		if (strcmp(keys[i - 1]->value, keys[i]->value) == 0)
			ret = cw_node_fail(l->err, keys[i], "key '%.80s' is already on line %u",
					   keys[i]->value, keys[i - 1]->line);
	}
	free(keys);
	return ret;
}

/** Hang a finished or opened node into the collection that is being read. */
static int attach(struct loader *l, struct cw_node *node, yaml_mark_t mark)
{
	struct cw_arena *arena = &l->doc->arena;

	if (l->depth == 0) {
		l->doc->root = node;
		return CW_OK;
	}
	struct frame *top = &l->stack[l->depth - 1];
	size_t n = top->node->count;
	if (top->node->kind == CW_SEQ) {
		top->items = cw_arena_grow(arena, (void *)top->items, n, &top->cap,
					   sizeof(const struct cw_node *));
		if (!top->items)
			return out_of_memory(l);
		top->items[top->node->count++] = node;
		top->node->items = top->items;
		return CW_OK;
	}
	if (!top->key) {
		if (node->kind != CW_SCALAR)
			return fail_at(l, CW_EINVAL, mark, "a key must be text");
		top->key = node;
		return CW_OK;
	}
	top->pairs = cw_arena_grow(arena, top->pairs, n, &top->cap, sizeof(*top->pairs));
	if (!top->pairs)
		return out_of_memory(l);
	top->pairs[top->node->count++] = (struct cw_pair){ top->key, node };
	top->node->pairs = top->pairs;
	top->key = NULL;
	return CW_OK;
}

static int add_node(struct loader *l, enum cw_node_kind kind, const yaml_event_t *ev,
		    struct cw_node **out)
{
	if (++l->nodes > CW_YAML_NODES_MAX)
		return fail_at(l, CW_EFULL, ev->start_mark, "too many values in one file");

	struct cw_node *node = new_node(l, kind, ev->start_mark);
	if (!node)
		return out_of_memory(l);
	*out = node;
	return CW_OK;
}

static int on_scalar(struct loader *l, const yaml_event_t *ev)
{
	const char *value = (const char *)ev->data.scalar.value;
	size_t len = ev->data.scalar.length;
	struct cw_node *node = NULL;

	if (ev->data.scalar.anchor)
		return fail_at(l, CW_EINVAL, ev->start_mark, "anchors (&) are not supported");
	if (ev->data.scalar.tag)
		return fail_at(l, CW_EINVAL, ev->start_mark, "tags (!) are not supported");
	if (memchr(value, '\0', len))
		return fail_at(l, CW_EINVAL, ev->start_mark, "text with a NUL character");
	int ret = add_node(l, CW_SCALAR, ev, &node);
	if (ret < 0)
		return ret;
	node->plain = ev->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
	node->len = len;
	node->value = cw_arena_strndup(&l->doc->arena, value, len);
	if (!node->value)
		return out_of_memory(l);
	return attach(l, node, ev->start_mark);
}

static int on_open(struct loader *l, const yaml_event_t *ev, enum cw_node_kind kind)
{
	bool seq = kind == CW_SEQ;
	struct cw_node *node = NULL;

	if (seq ? ev->data.sequence_start.anchor : ev->data.mapping_start.anchor)
		return fail_at(l, CW_EINVAL, ev->start_mark, "anchors (&) are not supported");
	if (seq ? ev->data.sequence_start.tag : ev->data.mapping_start.tag)
		return fail_at(l, CW_EINVAL, ev->start_mark, "tags (!) are not supported");
	if (l->depth == CW_YAML_DEPTH_MAX)
		return fail_at(l, CW_EFULL, ev->start_mark, "nested too deeply");
	int ret = add_node(l, kind, ev, &node);
	if (ret < 0)
		return ret;
	ret = attach(l, node, ev->start_mark);
	if (ret < 0)
		return ret;
	l->stack[l->depth++] = (struct frame){ .node = node };
	return CW_OK;
}

static int on_event(struct loader *l, const yaml_event_t *ev)
{
	switch (ev->type) {
	case YAML_SCALAR_EVENT:
		return on_scalar(l, ev);
	case YAML_SEQUENCE_START_EVENT:
		return on_open(l, ev, CW_SEQ);
	case YAML_MAPPING_START_EVENT:
		return on_open(l, ev, CW_MAP);
	case YAML_SEQUENCE_END_EVENT:
		l->depth--;
		return CW_OK;
	case YAML_MAPPING_END_EVENT:
		return check_duplicates(l, l->stack[--l->depth].node);
	case YAML_ALIAS_EVENT:
		return fail_at(l, CW_EINVAL, ev->start_mark, "aliases (*) are not supported");
	case YAML_DOCUMENT_START_EVENT:
		if (l->done)
			return fail_at(l, CW_EINVAL, ev->start_mark,
				       "a second document in the same file");
		return CW_OK;
	case YAML_DOCUMENT_END_EVENT:
		l->done = true;
		return CW_OK;
	default:
		return CW_OK;
	}
}

/** libyaml tells of bad bytes by offset only. */
static yaml_mark_t mark_of_offset(const char *text, size_t len, size_t offset)
{
	yaml_mark_t mark = { 0 };

	for (size_t i = 0; i < len && i < offset; i++) {
		if (text[i] == '\n') {
			mark.line++;
			mark.column = 0;
		} else if (((unsigned char)text[i] & 0xc0) != 0x80) {
			mark.column++;
		}
	}
	return mark;
}

/** Does the line of mark begin with a tab?  libyaml then speaks of tokens, which helps nobody. */
static bool indented_by_tab(const char *text, size_t len, yaml_mark_t mark)
{
	const char *at = text, *end = text + len;

	for (size_t line = 0; line < mark.line && at; line++) {
		at = memchr(at, '\n', (size_t)(end - at));
		at = at ? at + 1 : NULL;
	}
	while (at && at < end && *at == ' ')
		at++;
	return at && at < end && *at == '\t';
}

static int syntax_error(struct loader *l, const yaml_parser_t *p, const char *text, size_t len)
{
	const char *problem = p->problem ? p->problem : "cannot be read";

	if (p->error == YAML_MEMORY_ERROR)
		return out_of_memory(l);
	if (p->error == YAML_READER_ERROR)
		return fail_at(l, CW_EINVAL, mark_of_offset(text, len, p->problem_offset), problem);
	if (indented_by_tab(text, len, p->problem_mark))
		return fail_at(l, CW_EINVAL, p->problem_mark, "a tab cannot indent, use spaces");
	if (!p->context || p->context_mark.line == p->problem_mark.line)
		return fail_at(l, CW_EINVAL, p->problem_mark, problem);
	return cw_fail(l->err, CW_EINVAL, "%s:%zu:%zu: %s (%s from line %zu)", l->doc->name,
		       p->problem_mark.line + 1, p->problem_mark.column + 1, problem, p->context,
		       p->context_mark.line + 1);
}

static int read_events(struct loader *l, yaml_parser_t *parser, const char *text, size_t len)
{
	for (;;) {
		yaml_event_t ev;

		if (!yaml_parser_parse(parser, &ev))
			return syntax_error(l, parser, text, len);
		bool end = ev.type == YAML_STREAM_END_EVENT;
		int ret = on_event(l, &ev);
		yaml_event_delete(&ev);
		if (ret < 0 || end)
			return ret;
	}
}

int cw_yaml_load(const char *name, const char *text, size_t len, struct cw_yaml **out,
		 struct cw_error *err)
{
	if (len > CW_YAML_BYTES_MAX)
		return cw_fail(err, CW_EFULL, "%s: %zu bytes, at most %zu are read", name, len,
			       CW_YAML_BYTES_MAX);

	struct cw_yaml *doc = calloc(1, sizeof(*doc));
	struct loader l = { .doc = doc, .err = err };
	yaml_parser_t parser;
	if (!doc || !yaml_parser_initialize(&parser)) {
		free(doc);
		return cw_fail(err, CW_ENOMEM, "%s: out of memory", name);
	}
	/* Without this a stray byte order mark makes libyaml read the file as UTF-16. */
	yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&parser, (const unsigned char *)(len ? text : ""), len);

	int ret;
	doc->name = cw_arena_strdup(&doc->arena, name);
	if (!doc->name) {
		ret = cw_fail(err, CW_ENOMEM, "%s: out of memory", name);
		goto out;
	}
	ret = read_events(&l, &parser, text, len);
	if (ret < 0)
		goto out;
	*out = doc;
	doc = NULL; /* now the caller's */
out:
	yaml_parser_delete(&parser);
	cw_yaml_free(doc);
	return ret;
}

void cw_yaml_free(struct cw_yaml *doc)
{
	if (!doc)
		return;
	cw_arena_release(&doc->arena);
	free(doc);
}

const struct cw_node *cw_yaml_root(const struct cw_yaml *doc)
{
	return doc->root;
}
