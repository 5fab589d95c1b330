/** @file
 * Words that tell of owning and using, and names of the artefacts.  Internal to the engine.
 */
#pragma once

#include "engine/token.h"

/** Artefacts, in the order of cw_artefact_names. */
enum {
	CW_A_INPUT = 1 << 0,
	CW_A_PROMPT = 1 << 1,
	CW_A_OUTPUT = 1 << 2,
	CW_A_TUNED = 1 << 3,
	CW_A_EMBEDDING = 1 << 4,
	CW_A_WORK = 1 << 5,
};

/** What a word may mean in a sentence about an artefact. */
enum {
	CW_M_OWN = 1 << 0, /**< its subject owns */
	CW_M_KEEP = 1 << 1, /**< its subject owns if rights stand beside it */
	CW_M_OWNED = 1 << 2, /**< who stands behind owns */
	CW_M_ASSIGN = 1 << 3,
	CW_M_CLAIM = 1 << 4,
	CW_M_RIGHTS = 1 << 5,
	CW_M_NOT = 1 << 6,
	CW_M_USE = 1 << 7,
	CW_M_USED = 1 << 8,
	CW_M_GRANT = 1 << 9,
	CW_M_TRAIN = 1 << 10,
	CW_M_MODEL = 1 << 11,
	CW_M_IMPROVE = 1 << 12,
	CW_M_LIMITED = 1 << 13, /**< security, law, support */
	CW_M_SERVICE = 1 << 14,
	CW_M_ANY = 1 << 15, /**< a licence without bounds */
	CW_M_ASIDE = 1 << 16, /**< the sentence is of feedback, warranty or indemnity */
	CW_M_CONSENT = 1 << 17,
	CW_M_DAYS = 1 << 18,
	CW_M_DELETE = 1 << 19,
	CW_M_SUBMIT = 1 << 20,
	CW_M_CREATE = 1 << 21,
	CW_M_DEFINE = 1 << 22,
	CW_M_THING = 1 << 23, /**< last word of a term that names data */
	CW_M_OTHER = 1 << 24, /**< such a term names other data than the customer's own */
	CW_M_END = 1 << 25, /**< the end of the agreement */
	CW_M_SURVIVE = 1 << 26,
	CW_M_EXCEPT = 1 << 27,
	CW_M_NAME = 1 << 28, /**< first word of a name of an artefact */
	CW_M_POSS = 1 << 29, /**< a possessive: no subject */
	CW_M_STORE = 1 << 30,
	CW_M_AIM = (int)(1u << 31), /**< a party behind it is no subject */
};

#define CW_MATRIX_SLOTS 1024
#define CW_MATRIX_NAME_WORDS 3

/** A name of one or more artefacts. */
struct cw_artefact_name {
	uint64_t words[CW_MATRIX_NAME_WORDS];
	uint8_t nwords, bits;
	bool capital; /**< only with a capital: a defined term */
};

struct cw_matrix_words {
	uint64_t hash[CW_MATRIX_SLOTS];
	unsigned classes[CW_MATRIX_SLOTS];
	struct cw_artefact_name *names; /**< later ones go before */
	size_t nnames, cap;
};

/** CW_OK or CW_ENOMEM; the names are the arena's. */
int cw_matrix_words_init(struct cw_matrix_words *w, struct cw_arena *arena);
/** In a data processing agreement personal data are what the customer hands over. */
int cw_matrix_words_personal(struct cw_matrix_words *w, struct cw_arena *arena);
/** Classes of a word, 0 for most. */
unsigned cw_matrix_word(const struct cw_matrix_words *w, uint64_t hash);
/** Add a defined term: 1 to CW_MATRIX_NAME_WORDS tokens. */
int cw_matrix_define(struct cw_matrix_words *w, struct cw_arena *arena, const struct cw_tok *toks,
		     size_t ntoks, unsigned bits);
/** Artefacts that are named at token i, 0 for none; *out_ntoks is set when there are some. */
unsigned cw_matrix_name_at(const struct cw_matrix_words *w, const struct cw_tok *toks, size_t i,
			   size_t end, unsigned *out_ntoks);
