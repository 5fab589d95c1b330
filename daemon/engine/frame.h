/** @file
 * Frames: who may or may not do what with which thing, over the lexicon hits of a sentence.
 * Internal to the engine.
 *
 * A frame is a line of elements.  Plain elements stand in this order in the sentence:
 *
 *   vendor ..6 use ..15 customer-data ..20 train
 *
 *   a|b       one lexicon or the other       ..N   at most N words lie between its neighbours
 *   "words"   a phrase on the spot           ..    any number of words, still in the sentence
 *   !a        a does not stand between the elements beside it
 *   &a  !&a   a stands anywhere (nowhere) in the sentence with its lead-in
 *   ~a  !~a   anywhere (nowhere) in the clause
 *   @a  !@a   anywhere (nowhere) in the clause, its lead-in or the headings above it
 *   ^a        like a plain element, and begins the sentence (at most three words before it)
 *
 * Between two neighbours without ".." lie at most CW_FRAME_GAP words.  Elements refer only to
 * hits, gaps are bounded by the sentence, and each is looked for once: the cost of a frame is
 * bounded by its length times the hits of the sentence.
 */
#pragma once

#include <stdbool.h>

#include "engine/automaton.h"

#define CW_FRAME_GAP 12
#define CW_FRAME_ANY_GAP UINT16_MAX
#define CW_FRAME_ELEMS_MAX 16
/** Hits of one sentence beyond this are not looked at. */
#define CW_FRAME_HITS_MAX 1024

enum cw_scope { CW_SCOPE_SEQUENCE, CW_SCOPE_SENTENCE, CW_SCOPE_CLAUSE, CW_SCOPE_CONTEXT };
#define CW_SCOPES 4

struct cw_frame_elem {
	const uint16_t *lexicons;
	uint16_t nlexicons;
	uint16_t gap; /**< words allowed before it, in a sequence */
	enum cw_scope scope;
	bool negated;
	bool first; /**< begins the sentence */
};

struct cw_frame {
	const struct cw_frame_elem *elems;
	size_t nelems;
	const struct cw_frame_elem *key; /**< the frame can only match where one of these is seen */
};

/** A hit on a path: a sentence, or a stem joined to one item of its list. */
struct cw_path_hit {
	uint32_t pos, end; /**< in words along the path */
	uint16_t lexicon;
	bool own; /**< in the clause itself, not in its lead-in */
	uint32_t tok; /**< first token in the document */
	uint16_t len;
};

struct cw_path {
	const struct cw_path_hit *hits; /**< by pos */
	size_t nhits;
	uint32_t own_start; /**< word of the path at which the clause itself begins */
	const uint64_t *seen[CW_SCOPES]; /**< bit sets of lexicons, by scope */
};

struct cw_frame_match {
	uint16_t hits[CW_FRAME_ELEMS_MAX]; /**< indexes into the path, one a sequence element */
	size_t nhits;
};

/** Looks a lexicon up by name for the parser; "a phrase" when quoted.  Negative code on error. */
typedef int cw_lexicon_of_fn(void *ctx, const char *name, size_t len, bool phrase,
			     struct cw_error *err);

/**
 * Read a frame.  Messages name the word that is wrong.
 * @param need_key  refuse a frame that nothing in the sentence itself could set off
 */
int cw_frame_parse(struct cw_arena *arena, const char *text, bool need_key,
		   cw_lexicon_of_fn *lexicon_of, void *ctx, struct cw_frame *out,
		   struct cw_error *err);
/** out may be NULL.  A sequence must end in the clause itself. */
bool cw_frame_match(const struct cw_frame *frame, const struct cw_path *path,
		    struct cw_frame_match *out);

static inline bool cw_bit(const uint64_t *set, uint16_t i)
{
	return set[i >> 6] >> (i & 63) & 1;
}
