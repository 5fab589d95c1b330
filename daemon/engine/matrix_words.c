#include "engine/matrix_words.h"

#include <string.h>

/** Far fewer than there are slots for their first words. */
#define NAMES_MAX 400
#define COUNT(a) (sizeof(a) / sizeof(*(a)))

static const struct {
	unsigned classes;
	const char *words; /* separated by blanks */
} words[] = {
	{ CW_M_OWN, "own owns" },
	{ CW_M_KEEP, "retain retains keep keeps" },
	{ CW_M_OWNED, "owned belong belongs property yours ours" },
	{ CW_M_OWNED | CW_M_KEEP, "remains remain vests vest vested" },
	{ CW_M_ASSIGN, "assign assigns" },
	{ CW_M_CLAIM, "claim claims acquire acquires affect affects" },
	{ CW_M_RIGHTS, "right rights ownership title interest interests" },
	{ CW_M_NOT, "not no never neither nor don't doesn't won't cannot" },
	{ CW_M_USE, "use uses using process processes processing access analyze analyse copy "
		    "reproduce exploit" },
	{ CW_M_USED, "used processed" },
	{ CW_M_GRANT, "grant grants" },
	{ CW_M_TRAIN | CW_M_USE, "train retrain" },
	{ CW_M_TRAIN, "training" },
	{ CW_M_MODEL, "model models ai llm llms algorithms intelligence learning technologies" },
	{ CW_M_IMPROVE, "improve improves improving improvement develop developing development "
			"enhance enhancing research innovate" },
	{ CW_M_LIMITED, "law laws legal enforce enforcing abuse fraud fraudulent safe safety "
			"security secure protect protecting prevent preventing detect detecting "
			"support supporting monitor monitoring" },
	{ CW_M_SERVICE, "provide providing provision operate operating deliver delivering perform "
			"performing solely instructions" },
	{ CW_M_ANY, "perpetual perpetually sublicensable sublicenseable sublicensably licensable "
		    "promote promoting promotional promotion marketing advertising" },
	{ CW_M_ASIDE, "feedback suggestion suggestions represents represent warrants warrant "
		      "indemnify indemnifies indemnification defend harmless" },
	{ CW_M_CONSENT, "consent agrees permission opts opt instructs authorizes authorization" },
	{ CW_M_DAYS, "day days hours" },
	{ CW_M_DELETE, "delete deletes deleted deletion destroy destroyed erase erased" },
	{ CW_M_SUBMIT, "submit submits submitted upload uploads uploaded enter enters entered "
		       "input inputs provide provides provided post posts posted transmit "
		       "transmitted send sends import imported type types" },
	{ CW_M_CREATE, "create creates created" },
	{ CW_M_DEFINE, "means mean includes include refers collectively together treated deemed "
		       "considered constitute constitutes" },
	{ CW_M_THING, "content contents data input inputs output outputs material materials "
		      "submission submissions prompt prompts contributions works results" },
	{ CW_M_OTHER,
	  "confidential personal usage system account aggregated aggregate identified anonymized "
	  "registration technical log statistical third-party third service services metadata "
	  "billing payment public our company analytics telemetry site derived" },
	{ CW_M_END, "termination terminate terminates expiration expiry terminated cancellation" },
	{ CW_M_SURVIVE, "survive survives surviving survival" },
	{ CW_M_EXCEPT, "except unless without excluding exclusive excludes outside" },
	{ CW_M_POSS, "your our their its yours ours" },
	{ CW_M_AIM, "to of from with by for against between upon on" },
	{ CW_M_STORE, "retain retained store stored retention" },
};

static const struct {
	unsigned bits;
	const char *phrase;
} names[] = {
	{ CW_A_INPUT, "input" },
	{ CW_A_INPUT, "inputs" },
	{ CW_A_INPUT, "customer data" },
	{ CW_A_INPUT, "customer content" },
	{ CW_A_INPUT, "customer materials" },
	{ CW_A_INPUT, "customer information" },
	{ CW_A_INPUT, "client data" },
	{ CW_A_INPUT, "client content" },
	{ CW_A_INPUT, "subscriber data" },
	{ CW_A_INPUT, "licensee data" },
	{ CW_A_INPUT, "user content" },
	{ CW_A_INPUT, "user data" },
	{ CW_A_INPUT, "user submission" },
	{ CW_A_INPUT, "user submissions" },
	{ CW_A_INPUT, "program material" },
	{ CW_A_INPUT, "your content" },
	{ CW_A_INPUT, "your data" },
	{ CW_A_INPUT, "your materials" },
	{ CW_A_INPUT, "your files" },
	{ CW_A_INPUT, "your submissions" },
	{ CW_A_INPUT | CW_A_WORK, "content you create" },
	{ CW_A_INPUT, "content that you" },
	{ CW_A_INPUT, "content customer" },
	{ CW_A_INPUT, "data customer" },
	{ CW_A_INPUT, "that content" },
	{ CW_A_INPUT, "such content" },
	{ CW_A_INPUT, "content you" },
	{ CW_A_INPUT, "data you" },
	{ CW_A_INPUT, "materials you" },
	{ CW_A_PROMPT, "prompt" },
	{ CW_A_PROMPT, "prompts" },
	{ CW_A_OUTPUT, "output" },
	{ CW_A_OUTPUT, "outputs" },
	{ CW_A_OUTPUT, "generated content" },
	{ CW_A_TUNED, "fine tuned model" },
	{ CW_A_TUNED, "fine tuned models" },
	{ CW_A_TUNED, "tuned models" },
	{ CW_A_TUNED, "custom model" },
	{ CW_A_TUNED, "custom models" },
	{ CW_A_TUNED, "customized models" },
	{ CW_A_TUNED, "adapted models" },
	{ CW_A_EMBEDDING, "embedding" },
	{ CW_A_EMBEDDING, "embeddings" },
	{ CW_A_EMBEDDING, "vector representations" },
	{ CW_A_WORK, "customer application" },
	{ CW_A_WORK, "customer applications" },
	{ CW_A_WORK, "your application" },
	{ CW_A_WORK, "your applications" },
	{ CW_A_WORK, "your agents" },
	{ CW_A_WORK, "customer agents" },
	{ CW_A_WORK, "your integrations" },
	{ CW_A_WORK, "prompt library" },
	{ CW_A_WORK, "prompt libraries" },
	{ CW_A_WORK, "evaluation sets" },
	{ CW_A_WORK, "your gpt" },
	{ CW_A_WORK, "your gpts" },
	{ CW_A_WORK, "gpt content" },
};

static void add_class(struct cw_matrix_words *w, uint64_t hash, unsigned classes)
{
	size_t i = hash % CW_MATRIX_SLOTS;

	while (w->hash[i] && w->hash[i] != hash)
		i = (i + 1) % CW_MATRIX_SLOTS;
	w->hash[i] = hash;
	w->classes[i] |= classes;
}

unsigned cw_matrix_word(const struct cw_matrix_words *w, uint64_t hash)
{
	for (size_t i = hash % CW_MATRIX_SLOTS; w->hash[i]; i = (i + 1) % CW_MATRIX_SLOTS)
		if (w->hash[i] == hash)
			return w->classes[i];
	return 0;
}

static int add_name(struct cw_matrix_words *w, struct cw_arena *arena, struct cw_artefact_name name)
{
	struct cw_artefact_name *at =
		cw_arena_grow(arena, w->names, w->nnames, &w->cap, sizeof(*at));

	if (!at)
		return CW_ENOMEM;
	w->names = at;
	at[w->nnames++] = name;
	add_class(w, name.words[0], CW_M_NAME);
	return CW_OK;
}

static int add_phrase(struct cw_matrix_words *w, struct cw_arena *arena, const char *phrase,
		      unsigned bits)
{
	struct cw_artefact_name name = { .bits = (uint8_t)bits };

	for (const char *p = phrase; *p;) {
		size_t n = strcspn(p, " ");
		name.words[name.nwords++] = cw_word_hash(p, n);
		p += n + (p[n] == ' ');
	}
	return add_name(w, arena, name);
}

int cw_matrix_words_init(struct cw_matrix_words *w, struct cw_arena *arena)
{
	for (size_t i = 0; i < COUNT(words); i++)
		for (const char *p = words[i].words; *p;) {
			size_t n = strcspn(p, " ");
			add_class(w, cw_word_hash(p, n), words[i].classes);
			p += n + (p[n] == ' ');
		}
	for (size_t i = 0; i < COUNT(names); i++)
		if (add_phrase(w, arena, names[i].phrase, names[i].bits) < 0)
			return CW_ENOMEM;
	return CW_OK;
}

int cw_matrix_words_personal(struct cw_matrix_words *w, struct cw_arena *arena)
{
	static const char *const phrases[] = { "personal data", "personal information",
					       "customer personal data" };

	for (size_t i = 0; i < COUNT(phrases); i++)
		if (add_phrase(w, arena, phrases[i], CW_A_INPUT) < 0)
			return CW_ENOMEM;
	return CW_OK;
}

int cw_matrix_define(struct cw_matrix_words *w, struct cw_arena *arena, const struct cw_tok *toks,
		     size_t ntoks, unsigned bits)
{
	struct cw_artefact_name name = {
		.nwords = (uint8_t)ntoks,
		.bits = (uint8_t)bits,
		.capital = (toks[0].flags & CW_TOK_CAP) != 0,
	};

	for (size_t i = 0; i < ntoks; i++)
		name.words[i] = toks[i].hash;
	for (size_t i = 0; i < w->nnames; i++) {
		struct cw_artefact_name *at = &w->names[i];
		if (at->nwords != name.nwords ||
		    memcmp(at->words, name.words, ntoks * sizeof(*name.words)) != 0)
			continue;
		at->bits |= name.bits;
		return CW_OK;
	}
	return w->nnames < NAMES_MAX ? add_name(w, arena, name) : CW_OK;
}

unsigned cw_matrix_name_at(const struct cw_matrix_words *w, const struct cw_tok *toks, size_t i,
			   size_t end, unsigned *out_ntoks)
{
	const struct cw_artefact_name *best = NULL;

	if (!(cw_matrix_word(w, toks[i].hash) & CW_M_NAME))
		return 0;
	for (size_t k = 0; k < w->nnames; k++) {
		const struct cw_artefact_name *n = &w->names[k];
		if (n->nwords > end - i || (best && best->nwords >= n->nwords) ||
		    (n->capital && !(toks[i].flags & CW_TOK_CAP)))
			continue;
		size_t same = 0;
		while (same < n->nwords && toks[i + same].hash == n->words[same])
			same++;
		if (same == n->nwords)
			best = n;
	}
	if (!best)
		return 0;
	*out_ntoks = best->nwords;
	return best->bits;
}
