#include "engine/phrase.h"

#include <stdbool.h>
#include <string.h>

#define DEPTH_MAX 8

struct parser {
	struct cw_arena *arena;
	const char *pattern, *at;
	struct cw_error *err;
	unsigned depth;
};

static int add(struct parser *p, struct cw_phrases *out, const char *text)
{
	if (out->count >= CW_PHRASE_EXPAND_MAX)
		return cw_fail(p->err, CW_EFULL, "'%s' means more than %d phrases", p->pattern,
			       CW_PHRASE_EXPAND_MAX);
	const char **at = cw_arena_grow(p->arena, out->at, out->count, &out->cap, sizeof(*at));
	if (!at || !text)
		return cw_fail(p->err, CW_ENOMEM, "out of memory");
	out->at = at;
	out->at[out->count++] = text;
	return CW_OK;
}

/** left becomes every left followed by every right. */
static int multiply(struct parser *p, struct cw_phrases *left, const struct cw_phrases *right)
{
	struct cw_phrases product = { 0 };

	for (size_t i = 0; i < left->count; i++) {
		for (size_t j = 0; j < right->count; j++) {
			int ret = add(p, &product,
				      cw_arena_printf(p->arena, "%s%s", left->at[i], right->at[j]));
			if (ret < 0)
				return ret;
		}
	}
	*left = product;
	return CW_OK;
}

static bool ends_in(const char *word, size_t len, const char *set)
{
	return len > 0 && strchr(set, word[len - 1]) != NULL;
}

/** "carry" is carried, "play" is played. */
static bool consonant_y(const char *word, size_t len)
{
	return len > 1 && word[len - 1] == 'y' && !strchr("aeiou", word[len - 2]);
}

static int inflect_verb(struct parser *p, const char *word, size_t len, bool twice,
			struct cw_phrases *out)
{
	const char *end[3];
	int cut[3] = { 0, 0, 0 };
	char last[2] = { word[len - 1], '\0' };
	int n = (int)len;

	end[0] = "s", end[1] = "ed", end[2] = "ing";
	if (consonant_y(word, len)) {
		end[0] = "ies", cut[0] = 1;
		end[1] = "ied", cut[1] = 1;
	} else if (ends_in(word, len, "e")) {
		end[1] = "d";
		cut[2] = 1;
	} else if (ends_in(word, len, "sxz") ||
		   (ends_in(word, len, "h") && len > 1 && strchr("cs", word[len - 2]))) {
		end[0] = "es";
	}
	int ret = add(p, out, cw_arena_printf(p->arena, "%.*s", n, word));
	for (int i = 0; ret == CW_OK && i < 3; i++)
		ret = add(p, out,
			  cw_arena_printf(p->arena, "%.*s%s%s", n - cut[i], word,
					  twice && i > 0 ? last : "", end[i]));
	return ret;
}

static int inflect_noun(struct parser *p, const char *word, size_t len, struct cw_phrases *out)
{
	int n = (int)len;
	const char *end = "s";

	if (consonant_y(word, len))
		end = "ies", n--;
	else if (ends_in(word, len, "sx") ||
		 (ends_in(word, len, "h") && len > 1 && strchr("cs", word[len - 2])))
		end = "es";
	int ret = add(p, out, cw_arena_printf(p->arena, "%.*s", (int)len, word));
	if (ret == CW_OK)
		ret = add(p, out, cw_arena_printf(p->arena, "%.*s%s", n, word, end));
	return ret;
}

/** A run of plain characters, then perhaps an inflection mark. */
static int parse_word(struct parser *p, struct cw_phrases *out)
{
	size_t len = strcspn(p->at, "()[]|~+ ");
	const char *word = p->at;

	if (len == 0)
		len = *p->at == ' ' ? 1 : 0;
	if (len == 0)
		return cw_fail(p->err, CW_EINVAL, "'%s': unexpected '%c'", p->pattern, *p->at);
	p->at += len;
	if (*p->at == '~') {
		bool twice = p->at[1] == '~';
		p->at += twice ? 2 : 1;
		return inflect_verb(p, word, len, twice, out);
	}
	if (*p->at == '+') {
		p->at++;
		return inflect_noun(p, word, len, out);
	}
	return add(p, out, cw_arena_strndup(p->arena, word, len));
}

static int parse_choice(struct parser *p, struct cw_phrases *out);

static int parse_group(struct parser *p, struct cw_phrases *out)
{
	char close = *p->at == '(' ? ')' : ']';
	int ret = CW_OK;

	if (++p->depth > DEPTH_MAX)
		return cw_fail(p->err, CW_EFULL, "'%s': nested too deep", p->pattern);
	p->at++;
	if (close == ']')
		ret = add(p, out, "");
	if (ret == CW_OK)
		ret = parse_choice(p, out);
	if (ret == CW_OK && *p->at != close)
		ret = cw_fail(p->err, CW_EINVAL, "'%s': '%c' is missing", p->pattern, close);
	if (ret == CW_OK)
		p->at++;
	p->depth--;
	return ret;
}

static int parse_sequence(struct parser *p, struct cw_phrases *out)
{
	int ret = add(p, out, "");

	while (ret == CW_OK && *p->at && !strchr(")]|", *p->at)) {
		struct cw_phrases next = { 0 };

		if (*p->at == '(' || *p->at == '[')
			ret = parse_group(p, &next);
		else
			ret = parse_word(p, &next);
		if (ret == CW_OK)
			ret = multiply(p, out, &next);
	}
	return ret;
}

static int parse_choice(struct parser *p, struct cw_phrases *out)
{
	for (;;) {
		struct cw_phrases one = { 0 };
		int ret = parse_sequence(p, &one);

		for (size_t i = 0; ret == CW_OK && i < one.count; i++)
			ret = add(p, out, one.at[i]);
		if (ret < 0 || *p->at != '|')
			return ret;
		p->at++;
	}
}

int cw_phrase_expand(struct cw_arena *arena, const char *pattern, struct cw_phrases *out,
		     struct cw_error *err)
{
	struct parser p = { .arena = arena, .pattern = pattern, .at = pattern, .err = err };
	struct cw_phrases all = { 0 };
	int ret = parse_choice(&p, &all);

	if (ret == CW_OK && *p.at)
		ret = cw_fail(err, CW_EINVAL, "'%s': unexpected '%c'", pattern, *p.at);
	for (size_t i = 0; ret == CW_OK && i < all.count; i++) {
		const char **at = cw_arena_grow(arena, out->at, out->count, &out->cap, sizeof(*at));
		if (!at)
			return cw_fail(err, CW_ENOMEM, "out of memory");
		out->at = at;
		out->at[out->count++] = all.at[i];
	}
	return ret;
}
