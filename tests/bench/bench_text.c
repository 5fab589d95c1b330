/*
 * Speed of cw_segment() and cw_sketch() over files; with -l one line a clause.
 *
 *   cc ... tests/bench/bench_text.c build/libclausewatch.a; bench_text [-l] FILE...
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "engine/token.h"

#define ROUNDS 5

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec * 1e-9;
}

static char *slurp(const char *path, size_t *out_len)
{
	FILE *f = fopen(path, "rb");
	char *text = NULL;

	if (!f)
		return NULL;
	if (fseek(f, 0, SEEK_END) == 0) {
		long size = ftell(f);

		rewind(f);
		text = size < 0 ? NULL : malloc((size_t)size + 1);
		*out_len = text ? fread(text, 1, (size_t)size, f) : 0;
	}
	fclose(f);
	return text;
}

static void list(const char *path, const struct cw_analysis *a)
{
	static const char kinds[] = "PHIR";

	for (size_t i = 0; i < a->nclauses; i++) {
		const struct cw_clause *c = &a->clauses[i];
		struct cw_buf words = { 0 };

		cw_plain_text(a->text, c->span.byte_start, c->span.byte_end, a->format, &words);
		printf("%s\t%zu\t%u\t%u\t%c%u\t%d\t%d\t%s\t%s\t%u\t%016llx\t%.120s\n", path, i,
		       c->span.line_start, c->span.line_end, kinds[c->kind], c->level, c->lead_in,
		       c->heading_at, c->section, c->heading, c->tok_count,
		       (unsigned long long)c->fingerprint, cw_buf_str(&words));
		cw_buf_release(&words);
	}
}

int main(int argc, char **argv)
{
	bool listing = argc > 1 && strcmp(argv[1], "-l") == 0;
	double best = 1e9, sketching = 1e9;
	size_t bytes = 0, clauses = 0, tokens = 0;

	for (int round = 0; round < (listing ? 1 : ROUNDS); round++) {
		double spent = 0, sketched = 0;

		bytes = clauses = tokens = 0;
		for (int i = 1 + listing; i < argc; i++) {
			size_t len = 0, dot = strlen(argv[i]);
			char *text = slurp(argv[i], &len);
			bool md = dot > 3 && strcmp(argv[i] + dot - 3, ".md") == 0;
			struct cw_analysis a = { .text = text, .len = len };
			uint32_t sketch[CW_SKETCH_LEN];

			if (!text)
				continue;
			a.format = md ? CW_FORMAT_MARKDOWN : CW_FORMAT_TEXT;
			double start = now();
			if (cw_segment(&a, NULL) != CW_OK)
				abort();
			spent += now() - start;
			if (listing)
				list(argv[i], &a);
			start = now();
			for (size_t k = 0; k < a.nclauses && !listing; k++)
				cw_sketch(&a, &a.clauses[k], sketch);
			sketched += now() - start;
			bytes += len, clauses += a.nclauses, tokens += a.ntoks;
			cw_arena_release(&a.arena);
			free(text);
		}
		best = spent < best ? spent : best;
		sketching = sketched < sketching ? sketched : sketching;
	}
	if (!listing)
		printf("%zu bytes, %zu clauses, %zu tokens: segment %.0f MB/s, sketch %.2f us a "
		       "clause\n",
		       bytes, clauses, tokens, (double)bytes / best / 1e6,
		       sketching / (double)(clauses ? clauses : 1) * 1e6);
	return 0;
}
