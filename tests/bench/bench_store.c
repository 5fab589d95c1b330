/*
 * Speed and size of the store with made-up documents.
 *
 *   bench_store DIR [DOCUMENTS [CLAUSES]]     DIR is empty and on the disk to measure
 *
 * One document in ten is a copy of the one before but for a clause, as versions of templates are.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "clausewatch/store.h"

#define BATCH 500
#define CLAUSE_BYTES 480

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec * 1e-9;
}

/* What this process handed to write calls: not moved by what else the machine does. */
static double kib_written(void)
{
	FILE *f = fopen("/proc/self/io", "r");
	char line[128];
	unsigned long long n = 0;

	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "wchar: %llu", &n) == 1)
			break;
	}
	if (f)
		fclose(f);
	return (double)n / 1024;
}

static uint64_t mix(uint64_t h)
{
	h = (h ^ h >> 30) * 0xbf58476d1ce4e5b9u;
	h = (h ^ h >> 27) * 0x94d049bb133111ebu;
	return h ^ h >> 31;
}

static void check(int ret, const struct cw_error *err)
{
	if (ret >= 0)
		return;
	fprintf(stderr, "bench_store: %s\n", err->msg);
	exit(1);
}

/* Words of one to ten letters from a vocabulary of 4,096. */
static size_t put_words(char *out, uint64_t seed)
{
	size_t len = 0;

	while (len < CLAUSE_BYTES) {
		uint64_t word = mix((seed = mix(seed + 1)) % 4096);

		for (uint64_t n = 1 + word % 10; n > 0; n--, word = mix(word))
			out[len++] = (char)('a' + word % 26);
		out[len++] = ' ';
	}
	out[len - 1] = '\n';
	return len;
}

/* Clause j of document i: every tenth document repeats the one before. */
static uint64_t clause_seed(size_t i, size_t j, unsigned edit)
{
	if (j == 0)
		return mix(i * 2 + 1) + edit;
	return mix((i - (i % 10 == 9)) * 100003 + j * 7);
}

static void make(size_t i, size_t nclauses, unsigned edit, struct cw_arena *arena,
		 struct cw_commit *out)
{
	struct cw_analysis *a = cw_arena_alloc(arena, sizeof(*a));
	char *text = cw_arena_alloc(arena, nclauses * (CLAUSE_BYTES + 16) + 1);
	uint32_t *sketches = cw_arena_alloc(arena, nclauses * CW_SKETCH_LEN * sizeof(*sketches));

	a->text = text;
	a->clauses = cw_arena_alloc(arena, nclauses * sizeof(*a->clauses));
	a->nclauses = nclauses;
	a->findings = cw_arena_alloc(arena, 5 * sizeof(*a->findings));
	for (size_t j = 0; j < nclauses; j++) {
		struct cw_clause *c = &a->clauses[j];
		uint64_t seed = clause_seed(i, j, edit);

		c->span.byte_start = (uint32_t)a->len;
		a->len += put_words(text + a->len, seed);
		c->span.byte_end = (uint32_t)a->len;
		c->span.line_start = c->span.line_end = (uint32_t)j + 1;
		c->section = "10.4";
		c->heading = "Customer Content";
		c->fingerprint = c->skeleton = mix(seed);
		for (size_t k = 0; k < CW_SKETCH_LEN; k++)
			sketches[j * CW_SKETCH_LEN + k] = (uint32_t)mix(seed + k * 31);
		if (j % 10 == 3 && a->nfindings < 5) {
			struct cw_finding *f = &a->findings[a->nfindings++];

			f->term_id = "data.training-grant.general-models";
			f->evidence_kind = "frame";
			f->polarity = CW_RISK;
			f->severity = CW_HIGH;
			f->clause = (uint32_t)j;
			f->span = c->span;
			f->quote_start = c->span.byte_start;
			f->quote_end = c->span.byte_end;
			f->why = "Content may train models that serve others.";
			f->advice = "Ask for an exclusion.";
			snprintf(f->id, sizeof(f->id), "CW-%06X", (unsigned)(seed & 0xffffff));
		}
	}
	*out = (struct cw_commit){
		.name = { "contracts", "", cw_arena_printf(arena, "vendor-%zu/%zu.md", i % 97, i) },
		.time_ms = 1700000000000,
		.size = a->len,
		.analysis = a,
		.sketches = sketches,
		.rules_digest = "sha256:0",
		.cause = "first-scan",
	};
	cw_store_hash(text, a->len, out->content);
}

/* Seconds inside the store for documents from..to, in transactions of `batch`. */
static double commit(struct cw_store *s, size_t from, size_t to, size_t nclauses, unsigned edit,
		     size_t batch, size_t *out_bytes)
{
	static struct cw_commit commits[BATCH];
	struct cw_error err;
	double spent = 0;

	for (size_t i = from; i < to;) {
		struct cw_arena arena = { 0 };
		size_t n = 0;

		for (; n < batch && i < to; n++, i++) {
			make(i, nclauses, edit, &arena, &commits[n]);
			*out_bytes += commits[n].size;
		}
		double start = now();
		check(cw_store_commit_versions(s, commits, n, NULL, &err), &err);
		spent += now() - start;
		cw_arena_release(&arena);
	}
	return spent;
}

static void run(struct cw_store *s, const char *what, size_t from, size_t to, size_t nclauses,
		unsigned edit, size_t batch, size_t *out_bytes)
{
	double before = kib_written();
	double spent = commit(s, from, to, nclauses, edit, batch, out_bytes);
	double n = (double)(to - from);

	printf("%-18s %10.0f documents/s, %zu a transaction, %.0f KiB written for each\n", what,
	       n / spent, batch, (kib_written() - before) / n);
}

static void look_up(struct cw_store *s, size_t ndocs, size_t nclauses)
{
	struct cw_arena arena = { 0 };
	struct cw_error err;
	struct cw_clause_ref *refs;
	uint32_t sketch[CW_SKETCH_LEN];
	size_t n, found = 0, rounds = 5000;
	double start = now();

	for (size_t r = 0; r < rounds; r++) {
		uint64_t seed = clause_seed(mix(r) % ndocs, 1 + r % (nclauses - 1), 0);

		check(cw_store_clauses_by_fingerprint(s, mix(seed), 0, &arena, &refs, &n, &err),
		      &err);
		found += n > 0;
		cw_arena_release(&arena);
	}
	printf("exact look-ups     %10.0f /s, %zu of %zu found\n", (double)rounds / (now() - start),
	       found, rounds);
	found = 0;
	start = now();
	for (size_t r = 0; r < rounds; r++) {
		uint64_t seed = clause_seed(mix(r) % ndocs, 1 + r % (nclauses - 1), 0);

		for (size_t k = 0; k < CW_SKETCH_LEN; k++) /* one value in eight differs */
			sketch[k] = (uint32_t)mix(seed + k * 31) + (mix(k + r) % 8 == 0);
		check(cw_store_clauses_similar(s, sketch, 0, 10, &arena, &refs, &n, &err), &err);
		found += n > 0;
		cw_arena_release(&arena);
	}
	printf("similar look-ups   %10.0f /s, %zu of %zu found\n", (double)rounds / (now() - start),
	       found, rounds);
}

static void show_size(struct cw_store *s, const char *when, size_t text_bytes)
{
	struct cw_store_stats st;
	struct cw_error err;

	check(cw_store_stats(s, &st, &err), &err);
	printf("%-18s %10.0f bytes a document in use, %.0f of text; %llu clauses, %llu texts\n",
	       when, (double)st.map_used / (double)st.documents,
	       (double)text_bytes / (double)st.documents, (unsigned long long)st.clauses,
	       (unsigned long long)st.texts);
}

int main(int argc, char **argv)
{
	size_t ndocs = argc > 2 ? strtoul(argv[2], NULL, 10) : 10000;
	size_t nclauses = argc > 3 ? strtoul(argv[3], NULL, 10) : 50;
	size_t singles = ndocs / 10, bytes = 0, ignored = 0;
	struct cw_store *s;
	struct cw_error err;

	if (argc < 2 || singles == 0 || nclauses < 2) {
		fprintf(stderr, "usage: bench_store DIR [DOCUMENTS [CLAUSES]]\n");
		return 2;
	}
	check(cw_store_open(argv[1], NULL, &s, &err), &err);
	run(s, "first scan", 0, ndocs - singles, nclauses, 0, BATCH, &bytes);
	run(s, "new documents", ndocs - singles, ndocs, nclauses, 0, 1, &bytes);
	show_size(s, "size", bytes);
	run(s, "edits of a clause", 0, singles, nclauses, 1, 1, &ignored);
	show_size(s, "size then", bytes);
	look_up(s, ndocs, nclauses);
	double start = now();
	check(cw_store_tidy(s, &err), &err);
	printf("tidy               %10.2f s; then\n", now() - start);
	look_up(s, ndocs, nclauses);
	start = now();
	check(cw_store_verify(s, &err), &err);
	printf("verify             %10.2f s\n", now() - start);
	cw_store_close(s);
	return 0;
}
