/** @file
 * Every phrase of every lexicon, found in one pass over words.  Internal to the engine.
 *
 * Aho and Corasick, "Efficient string matching: an aid to bibliographic search" (CACM 1975), with
 * words as letters: a document's words are looked up once in the vocabulary; words that no lexicon
 * knows lead back to the root, which is where most steps end.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "clausewatch/arena.h"
#include "clausewatch/buf.h"
#include "clausewatch/error.h"
#include "engine/token.h"

/** A phrase of a lexicon has at most this many words. */
#define CW_PHRASE_WORDS_MAX 24

/** A phrase of a lexicon seen at a place. */
struct cw_hit {
	uint32_t tok; /**< index of its first token */
	uint16_t len; /**< tokens */
	uint16_t lexicon;
};

struct cw_hits {
	struct cw_hit *at;
	size_t count, cap;
};

struct cw_automaton;

/** An empty automaton in the arena, or NULL. */
struct cw_automaton *cw_automaton_new(struct cw_arena *arena);
/** Add a phrase given by its tokens.  The same phrase may stand in several lexicons. */
int cw_automaton_add(struct cw_automaton *m, const struct cw_tok *toks, size_t ntoks,
		     uint16_t lexicon, struct cw_error *err);
/** No phrase may be added afterwards.  scratch is only used during the call. */
int cw_automaton_finish(struct cw_automaton *m, struct cw_error *err);
/** Frees what does not live in the arena.  Accepts NULL. */
void cw_automaton_release(struct cw_automaton *m);

/**
 * Append the hits in toks[from..from+count) to hits, ordered by first token.
 * @return CW_OK or CW_ENOMEM
 */
int cw_automaton_match(const struct cw_automaton *m, struct cw_arena *arena,
		       const struct cw_tok *toks, uint32_t from, uint32_t count,
		       struct cw_hits *hits);

/**
 * Append a finished automaton as bytes that cw_automaton_open() reads in place: a program that
 * starts cold need not build it.  Good for the machine and build that wrote it.
 */
void cw_automaton_write(const struct cw_automaton *m, const unsigned char key[16],
			struct cw_buf *out);
/**
 * @param bytes  8-byte aligned; kept by reference, must outlive the automaton
 * @param key    must be the one given when it was written
 * @return NULL when the bytes are of other lexicons, another build or damaged: build it then
 */
struct cw_automaton *cw_automaton_open(struct cw_arena *arena, const void *bytes, size_t len,
				       const unsigned char key[16]);
