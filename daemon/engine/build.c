#include "clausewatch/ruleset.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include <xxhash.h>

#include "clausewatch/yaml.h"
#include "engine/phrase.h"
#include "engine/ruleset.h"

/* Part of the digest: raised whenever the engine itself would judge differently. */
#define ENGINE_VERSION "clausewatch-engine-1"

#define PACKS_MAX 256
#define INCLUDE_DEPTH_MAX 8
#define INDEX_SIZE (4 * CW_LEXICONS_MAX)

static const char *const pack_keys[] = {
	"pack", "description", "lexicons", "terms", "rules", NULL
};
static const char *const lexicon_keys[] = { "part", "words", "include", NULL };
static const char *const term_keys[] = { "codes",  "title",   "polarity", "severity", "mode", "why",
					 "advice", "wording", "expected", "source",   NULL };
static const char *const rule_keys[] = { "id",    "term",     "polarity", "direction", "severity",
					 "why",   "advice",   "frames",   "unless",    "attributes",
					 "match", "no_match", "online",   "headings",  "whole",
					 "only",  NULL };
static const char *const polarity_words[] = { "neutral", "risk", "protection", NULL };
static const char *const direction_words[] = { "unknown", "vendor", "customer", "both", NULL };
static const char *const severity_words[] = { "info", "low", "medium", "high", "critical", NULL };
static const char *const mode_words[] = { "off", "shadow", "warn", "block", NULL };
static const char *const part_words[] = { "none", "who", "may",    "does",
					  "what", "for", "unless", NULL };

/** An entry of a lexicon as it is written. */
struct pattern {
	const char *text;
	const struct cw_node *node; /**< NULL for a phrase in a frame */
};

/** A lexicon while it is being gathered from the packs. */
struct lexicon {
	const char *name;
	enum cw_part part;
	struct pattern *patterns;
	size_t npatterns, patterns_cap;
	const struct cw_node **includes;
	size_t nincludes, includes_cap;
};

struct rule_node {
	const char *id;
	const struct cw_node *node;
};

struct cw_ruleset_builder {
	struct cw_ruleset *rules; /* being made; its arena owns what will last */
	struct cw_arena scratch;
	struct cw_yaml *packs[PACKS_MAX];
	size_t npacks;
	struct lexicon *lexicons;
	size_t nlexicons, lexicons_cap;
	uint16_t index[INDEX_SIZE]; /* 1 + number of a lexicon, by its name; 0 is free */
	size_t terms_cap;
	struct rule_node *rule_nodes;
	size_t nrule_nodes, rule_nodes_cap;
	struct cw_toks toks; /* of the phrase at hand */
	EVP_MD_CTX *digest;
};

static int no_memory(struct cw_error *err)
{
	return cw_fail(err, CW_ENOMEM, "out of memory");
}

/** Where the lexicon of that name is, or would be, in the index by name. */
static uint16_t *index_slot(struct cw_ruleset_builder *b, const char *name, size_t len)
{
	size_t i = XXH3_64bits(name, len) & (INDEX_SIZE - 1);

	for (;; i = (i + 1) & (INDEX_SIZE - 1)) {
		const char *there = b->index[i] ? b->lexicons[b->index[i] - 1].name : NULL;
		if (!there || (strncmp(there, name, len) == 0 && !there[len]))
			return &b->index[i];
	}
}

static struct lexicon *find_lexicon(struct cw_ruleset_builder *b, const char *name, size_t len)
{
	uint16_t at = *index_slot(b, name, len);

	return at ? &b->lexicons[at - 1] : NULL;
}

/** The name must not be there yet. */
static struct lexicon *add_lexicon(struct cw_ruleset_builder *b, const char *name, size_t len,
				   enum cw_part part)
{
	struct lexicon *at = NULL;

	if (b->nlexicons < CW_LEXICONS_MAX)
		at = cw_arena_grow(&b->scratch, b->lexicons, b->nlexicons, &b->lexicons_cap,
				   sizeof(*at));
	const char *copy = at ? cw_arena_strndup(&b->rules->arena, name, len) : NULL;
	if (!copy)
		return NULL;
	b->lexicons = at;
	*index_slot(b, name, len) = (uint16_t)(b->nlexicons + 1);
	at[b->nlexicons] = (struct lexicon){ .name = copy, .part = part };
	return &at[b->nlexicons++];
}

struct cw_ruleset_builder *cw_ruleset_builder_new(void)
{
	static const char *const builtin[CW_LEX_BUILTIN] = {
		[CW_LEX_VENDOR] = "vendor",
		[CW_LEX_CUSTOMER] = "customer",
		[CW_LEX_PARTY] = "party",
		[CW_LEX_MUTUAL] = "mutual",
	};
	struct cw_ruleset_builder *b = calloc(1, sizeof(*b));

	if (!b)
		return NULL;
	b->rules = calloc(1, sizeof(*b->rules));
	b->digest = EVP_MD_CTX_new();
	bool ok = b->rules && b->digest && EVP_DigestInit_ex(b->digest, EVP_sha256(), NULL) &&
		  EVP_DigestUpdate(b->digest, ENGINE_VERSION, sizeof(ENGINE_VERSION));
	for (size_t i = 0; ok && i < CW_LEX_BUILTIN; i++)
		ok = add_lexicon(b, builtin[i], strlen(builtin[i]), CW_PART_WHO) != NULL;
	if (!ok) {
		cw_ruleset_builder_free(b);
		return NULL;
	}
	return b;
}

void cw_ruleset_builder_free(struct cw_ruleset_builder *b)
{
	if (!b)
		return;
	for (size_t i = 0; i < b->npacks; i++)
		cw_yaml_free(b->packs[i]);
	cw_ruleset_free(b->rules);
	cw_arena_release(&b->scratch);
	EVP_MD_CTX_free(b->digest);
	free(b);
}

static int add_pattern(struct cw_ruleset_builder *b, struct lexicon *lex, const char *text,
		       const struct cw_node *node)
{
	struct pattern *at = cw_arena_grow(&b->scratch, lex->patterns, lex->npatterns,
					   &lex->patterns_cap, sizeof(*at));
	if (!at)
		return CW_ENOMEM;
	lex->patterns = at;
	at[lex->npatterns++] = (struct pattern){ text, node };
	return CW_OK;
}

static int add_words(struct cw_ruleset_builder *b, struct lexicon *lex, const struct cw_node *words,
		     struct cw_error *err)
{
	int ret = cw_node_expect(words, CW_SEQ, err);

	for (size_t i = 0; ret == CW_OK && i < words->count; i++) {
		const char *text;
		ret = cw_node_str(words->items[i], &text, err);
		if (ret == CW_OK && add_pattern(b, lex, text, words->items[i]) < 0)
			ret = no_memory(err);
	}
	return ret;
}

static int add_includes(struct cw_ruleset_builder *b, struct lexicon *lex,
			const struct cw_node *list, struct cw_error *err)
{
	int ret = cw_node_expect(list, CW_SEQ, err);

	for (size_t i = 0; ret == CW_OK && i < list->count; i++) {
		const char *name;
		ret = cw_node_str(list->items[i], &name, err);
		if (ret < 0)
			break;
		const struct cw_node **at =
			cw_arena_grow(&b->scratch, lex->includes, lex->nincludes,
				      &lex->includes_cap, sizeof(const struct cw_node *));
		if (!at)
			return no_memory(err);
		lex->includes = at;
		at[lex->nincludes++] = list->items[i];
	}
	return ret;
}

/** A list of words, or a map with part, words and include. */
static int read_lexicon(struct cw_ruleset_builder *b, const struct cw_node *key,
			const struct cw_node *value, struct cw_error *err)
{
	struct lexicon *lex = find_lexicon(b, key->value, key->len);
	int ret = CW_OK, part;

	if (!lex)
		lex = add_lexicon(b, key->value, key->len, CW_PART_NONE);
	if (!lex)
		return cw_node_fail(err, key, "more than %d lexicons", CW_LEXICONS_MAX);
	if (value->kind == CW_SEQ)
		return add_words(b, lex, value, err);

	ret = cw_node_check_keys(value, lexicon_keys, err);
	const struct cw_node *node = cw_node_get(value, "part");
	if (ret == CW_OK && node) {
		ret = cw_node_word(node, "part", part_words, &part, err);
		if (ret == CW_OK)
			lex->part = (enum cw_part)part;
	}
	node = cw_node_get(value, "words");
	if (ret == CW_OK && node)
		ret = add_words(b, lex, node, err);
	node = cw_node_get(value, "include");
	if (ret == CW_OK && node)
		ret = add_includes(b, lex, node, err);
	return ret;
}

/** The text under a key, copied; *out stays as it is when the key is absent. */
static int read_text(struct cw_ruleset_builder *b, const struct cw_node *map, const char *key,
		     const char **out, struct cw_error *err)
{
	const struct cw_node *node = cw_node_get(map, key);
	const char *text;

	if (!node)
		return CW_OK;
	int ret = cw_node_str(node, &text, err);
	if (ret < 0)
		return ret;
	*out = cw_arena_strdup(&b->rules->arena, text);
	return *out ? CW_OK : no_memory(err);
}

static int read_word(const struct cw_node *map, const char *key, const char *const *words, int *out,
		     struct cw_error *err)
{
	const struct cw_node *node = cw_node_get(map, key);

	return node ? cw_node_word(node, key, words, out, err) : CW_OK;
}

static int read_flag(const struct cw_node *map, const char *key, bool *out, struct cw_error *err)
{
	const struct cw_node *node = cw_node_get(map, key);

	return node ? cw_node_bool(node, out, err) : CW_OK;
}

static int read_strings(struct cw_ruleset_builder *b, const struct cw_node *map, const char *key,
			const char *const **out, struct cw_error *err)
{
	const struct cw_node *node = cw_node_get(map, key);

	return node ? cw_node_strings(node, &b->rules->arena, out, NULL, err) : CW_OK;
}

static struct cw_term *term_slot(struct cw_ruleset_builder *b, const struct cw_node *key)
{
	struct cw_ruleset *r = b->rules;

	for (size_t i = 0; i < r->nterms; i++)
		if (strcmp(r->terms[i].id, key->value) == 0)
			return &r->terms[i];
	struct cw_term *at =
		cw_arena_grow(&r->arena, r->terms, r->nterms, &b->terms_cap, sizeof(*at));
	if (!at)
		return NULL;
	r->terms = at;
	return &at[r->nterms++];
}

static int read_term(struct cw_ruleset_builder *b, const struct cw_node *key,
		     const struct cw_node *value, struct cw_error *err)
{
	static const char *const no_codes[] = { NULL };
	struct cw_arena *arena = &b->rules->arena;
	int polarity = CW_RISK, severity = CW_MEDIUM, mode = CW_MODE_BLOCK;
	struct cw_term t = {
		.codes = no_codes, .title = "", .why = "", .advice = "", .wording = "", .source = ""
	};

	int ret = cw_node_check_keys(value, term_keys, err);
	if (ret == CW_OK && !strchr(key->value, '.'))
		ret = cw_node_fail(err, key, "a term is named 'family.label', not '%s'",
				   key->value);
	if (ret == CW_OK)
		ret = read_word(value, "polarity", polarity_words, &polarity, err);
	if (ret == CW_OK)
		ret = read_word(value, "severity", severity_words, &severity, err);
	if (ret == CW_OK)
		ret = read_word(value, "mode", mode_words, &mode, err);
	if (ret == CW_OK)
		ret = read_flag(value, "expected", &t.expected, err);
	if (ret == CW_OK)
		ret = read_strings(b, value, "codes", &t.codes, err);
	const struct {
		const char *key;
		const char **out;
	} texts[] = { { "title", &t.title },
		      { "why", &t.why },
		      { "advice", &t.advice },
		      { "wording", &t.wording },
		      { "source", &t.source } };
	for (size_t i = 0; ret == CW_OK && i < sizeof(texts) / sizeof(*texts); i++)
		ret = read_text(b, value, texts[i].key, texts[i].out, err);
	if (ret < 0)
		return ret;

	t.polarity = (enum cw_polarity)polarity;
	t.severity = (enum cw_severity)severity;
	t.mode = (enum cw_mode)mode;
	t.id = cw_arena_strdup(arena, key->value);
	t.family = cw_arena_strndup(arena, key->value, strcspn(key->value, "."));
	struct cw_term *slot = term_slot(b, key);
	if (!t.id || !t.family || !slot)
		return no_memory(err);
	*slot = t;
	return CW_OK;
}

/** Rules are read at the end, when every lexicon and term is known. */
static int note_rule(struct cw_ruleset_builder *b, const struct cw_node *node, struct cw_error *err)
{
	const struct cw_node *id_node = cw_node_get(node, "id");
	const char *id = NULL;
	int ret = cw_node_check_keys(node, rule_keys, err);

	if (ret == CW_OK && !id_node)
		ret = cw_node_fail(err, node, "a rule needs an 'id'");
	if (ret == CW_OK)
		ret = cw_node_str(id_node, &id, err);
	if (ret < 0)
		return ret;
	for (size_t i = 0; i < b->nrule_nodes; i++) {
		if (strcmp(b->rule_nodes[i].id, id) != 0)
			continue;
		if (b->rule_nodes[i].node->name == node->name)
			return cw_node_fail(err, id_node, "rule '%s' stands at line %u already", id,
					    b->rule_nodes[i].node->line);
		b->rule_nodes[i].node = node;
		return CW_OK;
	}
	struct rule_node *at = cw_arena_grow(&b->scratch, b->rule_nodes, b->nrule_nodes,
					     &b->rule_nodes_cap, sizeof(*at));
	if (!at)
		return no_memory(err);
	b->rule_nodes = at;
	at[b->nrule_nodes++] = (struct rule_node){ .id = id, .node = node };
	return CW_OK;
}

typedef int read_pair_fn(struct cw_ruleset_builder *b, const struct cw_node *key,
			 const struct cw_node *value, struct cw_error *err);

static int read_map(struct cw_ruleset_builder *b, const struct cw_node *map, read_pair_fn *fn,
		    struct cw_error *err)
{
	int ret = map ? cw_node_expect(map, CW_MAP, err) : CW_OK;

	for (size_t i = 0; map && ret == CW_OK && i < map->count; i++)
		ret = fn(b, map->pairs[i].key, map->pairs[i].value, err);
	return ret;
}

int cw_ruleset_builder_add(struct cw_ruleset_builder *b, const char *name, const char *text,
			   size_t len, struct cw_error *err)
{
	struct cw_yaml *doc;

	if (b->npacks == PACKS_MAX)
		return cw_fail(err, CW_EFULL, "%s: more than %d rule packs", name, PACKS_MAX);
	int ret = cw_yaml_load(name, text, len, &doc, err);
	if (ret < 0)
		return ret;
	b->packs[b->npacks++] = doc;
	if (!EVP_DigestUpdate(b->digest, &len, sizeof(len)) ||
	    !EVP_DigestUpdate(b->digest, text, len))
		return cw_fail(err, CW_EIO, "%s: SHA-256 failed", name);

	const struct cw_node *root = cw_yaml_root(doc);
	if (!root)
		return CW_OK;
	ret = cw_node_check_keys(root, pack_keys, err);
	if (ret == CW_OK)
		ret = read_map(b, cw_node_get(root, "lexicons"), read_lexicon, err);
	if (ret == CW_OK)
		ret = read_map(b, cw_node_get(root, "terms"), read_term, err);
	const struct cw_node *rules = cw_node_get(root, "rules");
	if (ret == CW_OK && rules)
		ret = cw_node_expect(rules, CW_SEQ, err);
	for (size_t i = 0; rules && ret == CW_OK && i < rules->count; i++)
		ret = note_rule(b, rules->items[i], err);
	return ret;
}

void cw_ruleset_builder_compiled(struct cw_ruleset_builder *b, const void *bytes, size_t len,
				 void (*done)(const void *bytes, size_t len))
{
	b->rules->compiled = (struct cw_compiled){ bytes, len, done };
}

int cw_ruleset_builder_weights(struct cw_ruleset_builder *b, const char *name, const char *bytes,
			       size_t len, struct cw_error *err)
{
	int ret = cw_model_read(&b->rules->arena, bytes, len, &b->rules->model, err);

	if (ret < 0)
		return cw_wrap(err, ret, "%s", name);
	if (!EVP_DigestUpdate(b->digest, bytes, len))
		return cw_fail(err, CW_EIO, "%s: SHA-256 failed", name);
	return CW_OK;
}

static int add_phrase(struct cw_ruleset_builder *b, const char *phrase, uint16_t lexicon,
		      struct cw_error *err)
{
	struct cw_toks *toks = &b->toks;

	toks->count = 0;
	if (cw_tokenise(&b->scratch, phrase, 0, (uint32_t)strlen(phrase), CW_FORMAT_TEXT, toks) < 0)
		return no_memory(err);
	if (toks->count == 0 || toks->count > CW_PHRASE_WORDS_MAX)
		return cw_fail(err, CW_EINVAL, "'%s' is not 1 to %d words", phrase,
			       CW_PHRASE_WORDS_MAX);
	return cw_automaton_add(b->rules->automaton, toks->at, toks->count, lexicon, err);
}

static int compile_pattern(struct cw_ruleset_builder *b, const struct pattern *p, uint16_t into,
			   struct cw_error *err)
{
	struct cw_arena arena = { 0 };
	struct cw_phrases phrases = { 0 };
	struct cw_error why;
	int ret = cw_phrase_expand(&arena, p->text, &phrases, &why);

	for (size_t i = 0; ret == CW_OK && i < phrases.count; i++)
		ret = add_phrase(b, phrases.at[i], into, &why);
	if (ret < 0 && p->node)
		ret = cw_node_fail(err, p->node, "%s", why.msg);
	else if (ret < 0)
		ret = cw_fail(err, (enum cw_code)ret, "in a frame: %s", why.msg);
	cw_arena_release(&arena);
	return ret;
}

/** Put the phrases of lex, and of what it includes, under the number `into`. */
static int compile_lexicon(struct cw_ruleset_builder *b, const struct lexicon *lex, uint16_t into,
			   unsigned depth, struct cw_error *err)
{
	int ret = CW_OK;

	for (size_t i = 0; ret == CW_OK && i < lex->npatterns; i++)
		ret = compile_pattern(b, &lex->patterns[i], into, err);
	for (size_t i = 0; ret == CW_OK && i < lex->nincludes; i++) {
		const struct cw_node *node = lex->includes[i];
		const struct lexicon *other = find_lexicon(b, node->value, node->len);
		if (!other)
			return cw_node_fail(err, node, "no lexicon '%s'", node->value);
		if (depth == INCLUDE_DEPTH_MAX)
			return cw_node_fail(err, node, "lexicons include each other");
		ret = compile_lexicon(b, other, into, depth + 1, err);
	}
	return ret;
}

static const char *nearest_lexicon(const struct cw_ruleset_builder *b, const char *name)
{
	const char *names[CW_LEXICONS_MAX + 1];
	size_t n = 0;

	for (size_t i = 0; i < b->nlexicons && n < CW_LEXICONS_MAX; i++)
		if (b->lexicons[i].name[0] != '"')
			names[n++] = b->lexicons[i].name;
	names[n] = NULL;
	return cw_nearest(name, names);
}

/** cw_lexicon_of_fn: a phrase on the spot becomes a lexicon of its own, named in quotes. */
static int lexicon_of(void *ctx, const char *name, size_t len, bool phrase, struct cw_error *err)
{
	struct cw_ruleset_builder *b = ctx;
	char key[256];

	if (len + 3 > sizeof(key))
		return cw_fail(err, CW_EFULL, "'%.40s...' is too long", name);
	key[0] = '"';
	memcpy(key + phrase, name, len);
	key[len + phrase] = '\0';
	struct lexicon *lex = find_lexicon(b, key, len + phrase);
	if (!lex && !phrase) {
		const char *near = nearest_lexicon(b, key);
		return cw_fail(err, CW_EINVAL, "no lexicon '%s'%s%s%s", key,
			       near ? ", did you mean '" : "", near ? near : "", near ? "'?" : "");
	}
	if (!lex) {
		lex = add_lexicon(b, key, len + 1, CW_PART_NONE);
		if (!lex)
			return cw_fail(err, CW_EFULL, "more than %d lexicons", CW_LEXICONS_MAX);
		if (add_pattern(b, lex, lex->name + 1, NULL) < 0)
			return no_memory(err);
	}
	return (int)(lex - b->lexicons);
}

static int read_frames(struct cw_ruleset_builder *b, const struct cw_node *node, bool need_key,
		       const struct cw_frame **out, size_t *out_count, struct cw_error *err)
{
	int ret = cw_node_expect(node, CW_SEQ, err);
	if (ret < 0)
		return ret;

	struct cw_frame *frames = cw_arena_alloc(&b->rules->arena, node->count * sizeof(*frames));
	if (!frames)
		return no_memory(err);
	for (size_t i = 0; i < node->count; i++) {
		const char *text;
		struct cw_error why;
		ret = cw_node_str(node->items[i], &text, err);
		if (ret < 0)
			return ret;
		ret = cw_frame_parse(&b->rules->arena, text, need_key, lexicon_of, b, &frames[i],
				     &why);
		if (ret < 0)
			return cw_node_fail(err, node->items[i], "%s", why.msg);
	}
	*out = frames;
	*out_count = node->count;
	return CW_OK;
}

static int read_attr(struct cw_ruleset_builder *b, const struct cw_pair *pair,
		     struct cw_rule_attr *out, struct cw_error *err)
{
	const char *text;
	int ret = cw_node_str(pair->value, &text, err);

	if (ret < 0)
		return ret;
	out->lexicon = -1;
	out->attr.kind = CW_ATTR_TEXT;
	if (strcmp(text, "true") == 0 || strcmp(text, "false") == 0)
		out->attr.kind = CW_ATTR_BOOL;
	if (text[0] == '&') {
		struct cw_error why;
		ret = lexicon_of(b, text + 1, strlen(text + 1), false, &why);
		if (ret < 0)
			return cw_node_fail(err, pair->value, "%s", why.msg);
		out->lexicon = ret;
		out->attr.kind = CW_ATTR_BOOL;
		text = "true";
	}
	out->attr.name = cw_arena_strdup(&b->rules->arena, pair->key->value);
	out->attr.value = cw_arena_strdup(&b->rules->arena, text);
	return out->attr.name && out->attr.value ? CW_OK : no_memory(err);
}

static int read_attrs(struct cw_ruleset_builder *b, const struct cw_node *map,
		      struct cw_rule_body *rule, struct cw_error *err)
{
	if (!map)
		return CW_OK;
	int ret = cw_node_expect(map, CW_MAP, err);
	if (ret < 0)
		return ret;
	struct cw_rule_attr *attrs = cw_arena_alloc(&b->rules->arena, map->count * sizeof(*attrs));
	if (!attrs)
		return no_memory(err);
	for (size_t i = 0; ret == CW_OK && i < map->count; i++)
		ret = read_attr(b, &map->pairs[i], &attrs[i], err);
	rule->attrs = attrs;
	rule->nattrs = map->count;
	return ret;
}

/** term: the most exact that is known; the base of a detail is found along with it. */
static int resolve_term(struct cw_ruleset_builder *b, const struct cw_node *node,
			struct cw_rule_body *rule, struct cw_error *err)
{
	const struct cw_node *term_node = cw_node_get(node, "term");
	const char *id;

	if (!term_node)
		return cw_node_fail(err, node, "a rule needs a 'term'");
	int ret = cw_node_str(term_node, &id, err);
	if (ret < 0)
		return ret;
	const struct cw_term *term = cw_ruleset_term(b->rules, id);
	if (!term)
		return cw_node_fail(err, term_node, "no term '%s' is described", id);
	rule->pub.term = term;
	rule->pub.term_id = cw_arena_strdup(&b->rules->arena, id);
	return rule->pub.term_id ? CW_OK : no_memory(err);
}

/** The described term of the first two parts of a longer id, or NULL. */
static const struct cw_term *base_term(const struct cw_ruleset *rules, const char *id)
{
	const char *dot = strchr(id, '.');

	dot = dot ? strchr(dot + 1, '.') : NULL;
	if (!dot)
		return NULL;
	char base[128];
	size_t len = (size_t)(dot - id);
	if (len >= sizeof(base))
		return NULL;
	memcpy(base, id, len);
	base[len] = '\0';
	const struct cw_term *term = cw_ruleset_term(rules, base);
	return term && strcmp(term->id, base) == 0 ? term : NULL;
}

static int read_rule(struct cw_ruleset_builder *b, const struct rule_node *rn,
		     struct cw_rule_body *rule, struct cw_error *err)
{
	const struct cw_node *node = rn->node, *frames = cw_node_get(node, "frames");
	const struct cw_node *unless = cw_node_get(node, "unless");
	bool only = false, online = false;
	int ret = resolve_term(b, node, rule, err);

	if (ret < 0)
		return ret;
	const struct cw_term *term = rule->pub.term;
	int polarity = (int)term->polarity, severity = (int)term->severity;
	int direction = CW_UNKNOWN;
	rule->pub.why = term->why;
	rule->pub.advice = term->advice;
	ret = read_word(node, "polarity", polarity_words, &polarity, err);
	if (ret == CW_OK)
		ret = read_word(node, "severity", severity_words, &severity, err);
	if (ret == CW_OK)
		ret = read_word(node, "direction", direction_words, &direction, err);
	if (ret == CW_OK)
		ret = read_text(b, node, "why", &rule->pub.why, err);
	if (ret == CW_OK)
		ret = read_text(b, node, "advice", &rule->pub.advice, err);
	if (ret == CW_OK && !frames)
		ret = cw_node_fail(err, node, "rule '%s' needs 'frames'", rn->id);
	if (ret == CW_OK)
		ret = read_frames(b, frames, true, &rule->frames, &rule->nframes, err);
	if (ret == CW_OK && unless)
		ret = read_frames(b, unless, false, &rule->unless, &rule->nunless, err);
	if (ret == CW_OK)
		ret = read_attrs(b, cw_node_get(node, "attributes"), rule, err);
	if (ret == CW_OK)
		ret = read_strings(b, node, "match", &rule->match, err);
	if (ret == CW_OK)
		ret = read_strings(b, node, "no_match", &rule->no_match, err);
	if (ret == CW_OK)
		ret = read_flag(node, "headings", &rule->headings, err);
	if (ret == CW_OK)
		ret = read_flag(node, "whole", &rule->whole, err);
	if (ret == CW_OK)
		ret = read_flag(node, "only", &only, err);
	if (ret == CW_OK)
		ret = read_flag(node, "online", &online, err);
	if (ret < 0)
		return ret;

	rule->online = cw_node_get(node, "online") ? (signed char)online : -1;
	rule->pub.polarity = (enum cw_polarity)polarity;
	rule->pub.severity = (enum cw_severity)severity;
	rule->pub.direction = (enum cw_direction)direction;
	rule->pub.line = node->line;
	rule->pub.id = cw_arena_strdup(&b->rules->arena, rn->id);
	rule->pub.file = cw_arena_strdup(&b->rules->arena, node->name);
	const struct cw_term *base = only ? NULL : base_term(b->rules, rule->pub.term_id);
	if (base && base->polarity == rule->pub.polarity)
		rule->implied = base;
	return rule->pub.id && rule->pub.file ? CW_OK : no_memory(err);
}

static int by_id(const void *a, const void *b)
{
	return strcmp(((const struct cw_term *)a)->id, ((const struct cw_term *)b)->id);
}

static int compile_rules(struct cw_ruleset_builder *b, struct cw_error *err)
{
	struct cw_ruleset *r = b->rules;

	if (r->nterms > 0)
		qsort(r->terms, r->nterms, sizeof(*r->terms), by_id);
	r->rules = cw_arena_alloc(&r->arena, b->nrule_nodes * sizeof(*r->rules));
	if (!r->rules)
		return no_memory(err);
	for (size_t i = 0; i < b->nrule_nodes; i++) {
		r->rules[i].pub.index = i;
		int ret = read_rule(b, &b->rule_nodes[i], &r->rules[i], err);
		if (ret < 0)
			return ret;
		r->nrules++;
	}
	return CW_OK;
}

/** What the automaton depends on: names, in order, and everything written in them. */
static void hash_lexicons(const struct cw_ruleset_builder *b, unsigned char out[16])
{
	XXH3_state_t *state = XXH3_createState();
	XXH128_canonical_t sum = { { 0 } };

	if (!state) {
		memset(out, 0, 16);
		return;
	}
	(void)XXH3_128bits_reset(state);
	(void)XXH3_128bits_update(state, ENGINE_VERSION, sizeof(ENGINE_VERSION));
	for (size_t i = 0; i < b->nlexicons; i++) {
		const struct lexicon *lex = &b->lexicons[i];
		(void)XXH3_128bits_update(state, lex->name, strlen(lex->name) + 1);
		for (size_t k = 0; k < lex->npatterns; k++)
			(void)XXH3_128bits_update(state, lex->patterns[k].text,
						  strlen(lex->patterns[k].text) + 1);
		for (size_t k = 0; k < lex->nincludes; k++)
			(void)XXH3_128bits_update(state, lex->includes[k]->value,
						  lex->includes[k]->len + 1);
	}
	XXH128_canonicalFromHash(&sum, XXH3_128bits_digest(state));
	memcpy(out, sum.digest, 16);
	(void)XXH3_freeState(state);
}

static int build_automaton(struct cw_ruleset_builder *b, struct cw_error *err)
{
	struct cw_ruleset *r = b->rules;
	int ret = CW_OK;

	r->automaton = cw_automaton_new(&r->arena);
	if (!r->automaton)
		return no_memory(err);
	for (size_t i = 0; ret == CW_OK && i < b->nlexicons; i++)
		ret = compile_lexicon(b, &b->lexicons[i], (uint16_t)i, 0, err);
	return ret == CW_OK ? cw_automaton_finish(r->automaton, err) : ret;
}

static int compile_lexicons(struct cw_ruleset_builder *b, struct cw_error *err)
{
	struct cw_ruleset *r = b->rules;

	r->nlexicons = b->nlexicons;
	r->set_words = (b->nlexicons + 63) / 64;
	r->lexicons = cw_arena_alloc(&r->arena, b->nlexicons * sizeof(*r->lexicons));
	if (!r->lexicons)
		return no_memory(err);
	for (size_t i = 0; i < b->nlexicons; i++)
		r->lexicons[i] = (struct cw_lexicon){ .name = b->lexicons[i].name,
						      .part = b->lexicons[i].part };
	hash_lexicons(b, r->lexicons_key);
	if (r->compiled.bytes)
		r->automaton = cw_automaton_open(&r->arena, r->compiled.bytes, r->compiled.len,
						 r->lexicons_key);
	return r->automaton ? CW_OK : build_automaton(b, err);
}

static void resolve_model(struct cw_ruleset *r)
{
	for (size_t i = 0; r->model && i < cw_model_nlabels(r->model); i++) {
		const char *id = cw_model_label(r->model, i)->term_id;
		const struct cw_term *term = cw_ruleset_term(r, id);
		r->model_terms[i] = term && strcmp(term->id, id) == 0 ? term : NULL;
	}
}

typedef void entry_fn(struct cw_ruleset *r, uint16_t lexicon, uint32_t rule, uint32_t frame);

static void count_entry(struct cw_ruleset *r, uint16_t lexicon, uint32_t rule, uint32_t frame)
{
	(void)rule;
	(void)frame;
	r->entry_start[lexicon + 1]++;
}

/** entry_start moves on while entries are placed, and is moved back afterwards. */
static void place_entry(struct cw_ruleset *r, uint16_t lexicon, uint32_t rule, uint32_t frame)
{
	r->entries[r->entry_start[lexicon]++] = (struct cw_entry){ rule, frame };
}

static void each_entry(struct cw_ruleset *r, entry_fn *fn)
{
	for (uint32_t i = 0; i < r->nrules; i++)
		for (uint32_t f = 0; f < r->rules[i].nframes; f++)
			for (size_t k = 0; k < r->rules[i].frames[f].key->nlexicons; k++)
				fn(r, r->rules[i].frames[f].key->lexicons[k], i, f);
}

static int index_frames(struct cw_ruleset *r, struct cw_error *err)
{
	size_t n = r->nlexicons;

	r->entry_start = cw_arena_alloc(&r->arena, (n + 2) * sizeof(*r->entry_start));
	if (!r->entry_start)
		return no_memory(err);
	each_entry(r, count_entry);
	for (size_t i = 0; i < n; i++)
		r->entry_start[i + 1] += r->entry_start[i];
	r->entries = cw_arena_alloc(&r->arena, (r->entry_start[n] + 1) * sizeof(*r->entries));
	if (!r->entries)
		return no_memory(err);
	each_entry(r, place_entry);
	for (size_t i = n; i > 0; i--)
		r->entry_start[i] = r->entry_start[i - 1];
	r->entry_start[0] = 0;
	return CW_OK;
}

static int finish_digest(struct cw_ruleset_builder *b, struct cw_error *err)
{
	unsigned char sum[EVP_MAX_MD_SIZE];
	unsigned n = 0;
	char *out = b->rules->digest;

	if (!EVP_DigestFinal_ex(b->digest, sum, &n) || n != 32)
		return cw_fail(err, CW_EIO, "SHA-256 failed");
	memcpy(out, "sha256:", 7);
	for (size_t i = 0; i < 32; i++) {
		out[7 + 2 * i] = "0123456789abcdef"[sum[i] >> 4];
		out[8 + 2 * i] = "0123456789abcdef"[sum[i] & 15];
	}
	return CW_OK;
}

int cw_ruleset_builder_finish(struct cw_ruleset_builder *b, struct cw_ruleset **out,
			      struct cw_error *err)
{
	int ret = compile_rules(b, err);

	if (ret == CW_OK)
		ret = compile_lexicons(b, err);
	if (ret == CW_OK)
		ret = index_frames(b->rules, err);
	if (ret == CW_OK)
		ret = finish_digest(b, err);
	if (ret < 0)
		return ret;
	resolve_model(b->rules);
	*out = b->rules;
	b->rules = NULL;
	return CW_OK;
}
