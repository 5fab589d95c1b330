#include "engine/automaton.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <xxhash.h>

#define NO_OUTPUT UINT32_MAX

struct output {
	uint32_t next; /* further phrases that end in the same state */
	uint16_t lexicon;
	uint16_t len;
};

struct edge {
	uint64_t key; /* state << 32 | word; 0 is free, as the root's edges are elsewhere */
	uint32_t to;
};

struct word {
	uint64_t hash; /* 0 is free */
	uint32_t id;
	uint32_t from_root;
};

struct state {
	uint32_t fail;
	uint32_t outputs; /* own phrases first, then those of the failure chain */
};

/* Needed while building only. */
struct origin {
	uint32_t parent, word;
};

/* Before the arrays of a written automaton: words, edges, states, outputs. */
struct header {
	char magic[8];
	uint64_t checksum; /* XXH3 of what follows it */
	unsigned char key[16];
	uint64_t words_cap, edges_cap, nstates, noutputs, nwords;
};
#define MAGIC "CWAUTO1"

struct cw_automaton {
	struct cw_arena *arena;
	struct word *words;
	size_t nwords, words_cap; /* cap is a power of two */
	struct edge *edges;
	size_t nedges, edges_cap;
	struct state *states;
	struct origin *origins;
	size_t nstates, states_cap, origins_cap;
	struct output *outputs;
	size_t noutputs, outputs_cap;
	bool borrowed; /* the arrays are the caller's bytes */
};

struct cw_automaton *cw_automaton_new(struct cw_arena *arena)
{
	struct cw_automaton *m = cw_arena_alloc(arena, sizeof(*m));

	if (!m)
		return NULL;
	m->arena = arena;
	m->words_cap = 4096;
	m->edges_cap = 65536;
	m->words = calloc(m->words_cap, sizeof(*m->words));
	m->edges = calloc(m->edges_cap, sizeof(*m->edges));
	m->states = cw_arena_grow(arena, NULL, 0, &m->states_cap, sizeof(*m->states));
	m->origins = cw_arena_grow(arena, NULL, 0, &m->origins_cap, sizeof(*m->origins));
	if (!m->words || !m->edges || !m->states || !m->origins) {
		cw_automaton_release(m);
		return NULL;
	}
	m->states[0] = (struct state){ .outputs = NO_OUTPUT };
	m->nstates = 1;
	return m;
}

void cw_automaton_release(struct cw_automaton *m)
{
	if (!m || m->borrowed)
		return;
	free(m->words);
	free(m->edges);
	m->words = NULL;
	m->edges = NULL;
}

static inline struct word *word_slot(struct word *words, size_t cap, uint64_t hash)
{
	size_t i = hash & (cap - 1);

	while (words[i].hash && words[i].hash != hash)
		i = (i + 1) & (cap - 1);
	return &words[i];
}

static inline uint64_t mix(uint64_t key)
{
	key *= 0x9e3779b97f4a7c15ull;
	return key ^ key >> 29;
}

static inline struct edge *edge_slot(struct edge *edges, size_t cap, uint64_t key)
{
	size_t i = mix(key) & (cap - 1);

	while (edges[i].key && edges[i].key != key)
		i = (i + 1) & (cap - 1);
	return &edges[i];
}

static int grow_words(struct cw_automaton *m)
{
	struct word *bigger = calloc(m->words_cap * 2, sizeof(*bigger));

	if (!bigger)
		return CW_ENOMEM;
	for (size_t i = 0; i < m->words_cap; i++)
		if (m->words[i].hash)
			*word_slot(bigger, m->words_cap * 2, m->words[i].hash) = m->words[i];
	free(m->words);
	m->words = bigger;
	m->words_cap *= 2;
	return CW_OK;
}

static int grow_edges(struct cw_automaton *m)
{
	struct edge *bigger = calloc(m->edges_cap * 2, sizeof(*bigger));

	if (!bigger)
		return CW_ENOMEM;
	for (size_t i = 0; i < m->edges_cap; i++)
		if (m->edges[i].key)
			*edge_slot(bigger, m->edges_cap * 2, m->edges[i].key) = m->edges[i];
	free(m->edges);
	m->edges = bigger;
	m->edges_cap *= 2;
	return CW_OK;
}

static int new_state(struct cw_automaton *m, uint32_t parent, uint32_t word, uint32_t *out)
{
	struct state *states =
		cw_arena_grow(m->arena, m->states, m->nstates, &m->states_cap, sizeof(*states));
	struct origin *origins =
		cw_arena_grow(m->arena, m->origins, m->nstates, &m->origins_cap, sizeof(*origins));
	if (!states || !origins)
		return CW_ENOMEM;
	m->states = states;
	m->origins = origins;
	states[m->nstates] = (struct state){ .outputs = NO_OUTPUT };
	origins[m->nstates] = (struct origin){ parent, word };
	*out = (uint32_t)m->nstates++;
	return CW_OK;
}

/** The state after `state` on the word with that hash, made when it is new. */
static int step_or_add(struct cw_automaton *m, uint32_t *state, uint64_t hash)
{
	if (m->nwords * 2 >= m->words_cap && grow_words(m) < 0)
		return CW_ENOMEM;
	struct word *w = word_slot(m->words, m->words_cap, hash);
	if (!w->hash) {
		w->hash = hash;
		w->id = (uint32_t)++m->nwords;
	}

	uint32_t next = w->from_root;
	struct edge *e = NULL;
	if (*state != 0) {
		if (m->nedges * 2 >= m->edges_cap && grow_edges(m) < 0)
			return CW_ENOMEM;
		e = edge_slot(m->edges, m->edges_cap, (uint64_t)*state << 32 | w->id);
		next = e->to;
	}
	if (next == 0) {
		if (new_state(m, *state, w->id, &next) < 0)
			return CW_ENOMEM;
		if (e) {
			e->key = (uint64_t)*state << 32 | w->id;
			e->to = next;
			m->nedges++;
		} else {
			w->from_root = next;
		}
	}
	*state = next;
	return CW_OK;
}

int cw_automaton_add(struct cw_automaton *m, const struct cw_tok *toks, size_t ntoks,
		     uint16_t lexicon, struct cw_error *err)
{
	uint32_t state = 0;

	for (size_t i = 0; i < ntoks; i++)
		if (step_or_add(m, &state, toks[i].hash) < 0)
			return cw_fail(err, CW_ENOMEM, "out of memory");
	for (uint32_t o = m->states[state].outputs; o != NO_OUTPUT; o = m->outputs[o].next)
		if (m->outputs[o].lexicon == lexicon)
			return CW_OK;

	struct output *outputs =
		cw_arena_grow(m->arena, m->outputs, m->noutputs, &m->outputs_cap, sizeof(*outputs));
	if (!outputs)
		return cw_fail(err, CW_ENOMEM, "out of memory");
	m->outputs = outputs;
	outputs[m->noutputs] = (struct output){
		.next = m->states[state].outputs,
		.lexicon = lexicon,
		.len = (uint16_t)ntoks,
	};
	m->states[state].outputs = (uint32_t)m->noutputs++;
	return CW_OK;
}

static uint32_t edge_to(const struct cw_automaton *m, uint32_t state, uint32_t word,
			const uint32_t *from_root)
{
	if (state == 0)
		return from_root[word];
	return edge_slot(m->edges, m->edges_cap, (uint64_t)state << 32 | word)->to;
}

/** Put the outputs of the failure state behind the state's own. */
static void chain_outputs(struct cw_automaton *m, uint32_t s)
{
	uint32_t more = m->states[m->states[s].fail].outputs;
	uint32_t *end = &m->states[s].outputs;

	while (*end != NO_OUTPUT)
		end = &m->outputs[*end].next;
	*end = more;
}

/*
 * States are numbered so that a parent comes before its children, but not by depth; failure
 * links need breadth-first order, hence the queue by depth.
 */
static int link_failures(struct cw_automaton *m, const uint32_t *from_root)
{
	size_t n = m->nstates;
	uint32_t *depth = calloc(n, sizeof(*depth));
	uint32_t *order = calloc(n, sizeof(*order));
	uint32_t *count = calloc(n + 2, sizeof(*count));
	int ret = CW_ENOMEM;

	if (!depth || !order || !count)
		goto out;
	for (size_t s = 1; s < n; s++)
		depth[s] = depth[m->origins[s].parent] + 1;
	for (size_t s = 0; s < n; s++)
		count[depth[s] + 1]++;
	for (size_t d = 1; d < n + 2; d++)
		count[d] += count[d - 1];
	for (size_t s = 0; s < n; s++)
		order[count[depth[s]]++] = (uint32_t)s;

	for (size_t i = 1; i < n; i++) {
		struct state *st = &m->states[order[i]];
		const struct origin *from = &m->origins[order[i]];
		uint32_t f = from->parent;

		while (f != 0) {
			f = m->states[f].fail;
			uint32_t to = edge_to(m, f, from->word, from_root);
			if (to != 0) {
				st->fail = to;
				break;
			}
		}
		chain_outputs(m, order[i]);
	}
	ret = CW_OK;
out:
	free(depth);
	free(order);
	free(count);
	return ret;
}

int cw_automaton_finish(struct cw_automaton *m, struct cw_error *err)
{
	uint32_t *from_root = calloc(m->nwords + 1, sizeof(*from_root));
	int ret = from_root ? CW_OK : CW_ENOMEM;

	for (size_t i = 0; ret == CW_OK && i < m->words_cap; i++)
		if (m->words[i].hash)
			from_root[m->words[i].id] = m->words[i].from_root;
	if (ret == CW_OK)
		ret = link_failures(m, from_root);
	free(from_root);
	return ret < 0 ? cw_fail(err, ret, "out of memory") : CW_OK;
}

/** Hits arrive by last token; a few swaps put them in order of the first. */
static void insert_hit(struct cw_hits *hits, size_t first, struct cw_hit hit)
{
	size_t i = hits->count++;

	while (i > first && hits->at[i - 1].tok > hit.tok) {
		hits->at[i] = hits->at[i - 1];
		i--;
	}
	hits->at[i] = hit;
}

int cw_automaton_match(const struct cw_automaton *m, struct cw_arena *arena,
		       const struct cw_tok *toks, uint32_t from, uint32_t count,
		       struct cw_hits *hits)
{
	uint32_t state = 0;
	size_t first = hits->count;

	for (uint32_t i = from; i < from + count; i++) {
		const struct word *w = word_slot(m->words, m->words_cap, toks[i].hash);
		if (!w->hash) {
			state = 0;
			continue;
		}
		uint32_t to = 0;
		while (state != 0) {
			to = edge_slot(m->edges, m->edges_cap, (uint64_t)state << 32 | w->id)->to;
			if (to != 0)
				break;
			state = m->states[state].fail;
		}
		state = to != 0 ? to : w->from_root;
		for (uint32_t o = m->states[state].outputs; o != NO_OUTPUT;
		     o = m->outputs[o].next) {
			struct cw_hit *at = cw_arena_grow(arena, hits->at, hits->count, &hits->cap,
							  sizeof(*at));
			if (!at)
				return CW_ENOMEM;
			hits->at = at;
			insert_hit(hits, first,
				   (struct cw_hit){ .tok = i + 1 - m->outputs[o].len,
						    .len = m->outputs[o].len,
						    .lexicon = m->outputs[o].lexicon });
		}
	}
	return CW_OK;
}

void cw_automaton_write(const struct cw_automaton *m, const unsigned char key[16],
			struct cw_buf *out)
{
	struct header h = { .words_cap = m->words_cap,
			    .edges_cap = m->edges_cap,
			    .nstates = m->nstates,
			    .noutputs = m->noutputs,
			    .nwords = m->nwords };
	size_t first = out->len;

	memcpy(h.magic, MAGIC, sizeof(MAGIC));
	memcpy(h.key, key, sizeof(h.key));
	cw_buf_put(out, &h, sizeof(h));
	cw_buf_put(out, m->words, m->words_cap * sizeof(*m->words));
	cw_buf_put(out, m->edges, m->edges_cap * sizeof(*m->edges));
	cw_buf_put(out, m->states, m->nstates * sizeof(*m->states));
	cw_buf_put(out, m->outputs, m->noutputs * sizeof(*m->outputs));
	if (out->failed)
		return;
	size_t from = first + offsetof(struct header, key);
	uint64_t sum = XXH3_64bits(out->data + from, out->len - from);
	memcpy(out->data + first + offsetof(struct header, checksum), &sum, sizeof(sum));
}

static bool is_power(uint64_t n)
{
	return n > 0 && (n & (n - 1)) == 0;
}

static bool fits(const struct header *h, size_t len)
{
	return is_power(h->words_cap) && is_power(h->edges_cap) && h->words_cap <= UINT32_MAX &&
	       h->edges_cap <= UINT32_MAX && h->nstates <= UINT32_MAX &&
	       h->noutputs <= UINT32_MAX &&
	       len == sizeof(*h) + h->words_cap * sizeof(struct word) +
			       h->edges_cap * sizeof(struct edge) +
			       h->nstates * sizeof(struct state) +
			       h->noutputs * sizeof(struct output);
}

struct cw_automaton *cw_automaton_open(struct cw_arena *arena, const void *bytes, size_t len,
				       const unsigned char key[16])
{
	const struct header *h = bytes;
	size_t from = offsetof(struct header, key);

	if (len < sizeof(*h) || memcmp(h->magic, MAGIC, sizeof(MAGIC)) != 0 ||
	    memcmp(h->key, key, sizeof(h->key)) != 0 || !fits(h, len) ||
	    XXH3_64bits((const char *)bytes + from, len - from) != h->checksum)
		return NULL;

	struct cw_automaton *m = cw_arena_alloc(arena, sizeof(*m));
	if (!m)
		return NULL;
	/* Matching only reads; the members are not const because building writes them. */
	char *data = (char *)((uintptr_t)bytes + sizeof(*h));
	m->arena = arena;
	m->borrowed = true;
	m->words_cap = h->words_cap;
	m->edges_cap = h->edges_cap;
	m->nstates = h->nstates;
	m->noutputs = h->noutputs;
	m->nwords = h->nwords;
	m->words = (void *)data;
	data += m->words_cap * sizeof(*m->words);
	m->edges = (void *)data;
	data += m->edges_cap * sizeof(*m->edges);
	m->states = (void *)data;
	data += m->nstates * sizeof(*m->states);
	m->outputs = (void *)data;
	return m;
}
