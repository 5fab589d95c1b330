/*
 * Trains the second opinion: `train --rules DIR --out FILE GOLD_DIR...`.
 *
 * A GOLD_DIR holds docs/ and gold.jsonl, one object a document: "doc", "paras" (pairs of first and
 * last line) and "labels" ("12": ["liab.cap"]).  A clause has the labels of the paragraphs that it
 * touches.  For each label logistic regression (liblinear) is cross-validated over documents, never
 * over clauses of one document; the threshold comes from the other folds.  A label is kept only
 * where that is better than the frames alone by GAIN_MIN; its weights are then trained on all.
 */
#include <getopt.h>
#include <jansson.h>
#include <linear.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <xxhash.h>

#include "clausewatch/file.h"
#include "clausewatch/rules_load.h"
#include "engine/judge.h"

#define FOLDS 5
#define LABELS_MAX CW_MODEL_LABELS_MAX
#define SEEN_MIN 3
#define COST 10.0
#define POSITIVE_WEIGHT 2.0
#define GAIN_MIN 0.02
#define POSITIVES_MIN 40
#define KEEP_FEATURES 6000
/* The constant is the first feature; its hash is none of a word. */
#define BIAS 0
#define BIAS_HASH 0
#define FILE_MAX ((size_t)64 << 20)

struct label {
	char name[96];
	size_t positives;
	double *scores; /* cross-validated, one an example */
	double threshold;
	double f1_frames, f1_model;
	bool kept;
};

/* A clause. */
struct example {
	uint32_t para; /* index into paras */
	uint64_t frames; /* bit set */
	struct feature_node *x;
};

/* What the readers labelled.  One that holds several clauses does not tell which of them it was. */
struct para {
	uint32_t fold;
	uint32_t clauses;
	uint64_t labels; /* bit set */
};

static struct {
	struct label labels[LABELS_MAX];
	size_t nlabels;
	struct example *examples;
	size_t nexamples, cap;
	struct para *paras;
	size_t nparas, paras_cap;
	uint32_t *hashes; /* index of a feature -> hash */
	size_t nfeatures, features_cap;
	uint32_t *table; /* hash -> index + 1, open addressing */
	uint32_t *counts;
	size_t table_cap;
} t;

/* The document that is being read. */
static struct {
	json_t *gold;
	size_t first_para;
} doc;

static void die(const char *what, const char *why)
{
	fprintf(stderr, "train: %s: %s\n", what, why);
	exit(2);
}

static void *need(void *p)
{
	if (!p)
		die("memory", "exhausted");
	return p;
}

static int label_of(const char *name, bool add)
{
	for (size_t i = 0; i < t.nlabels; i++)
		if (strcmp(t.labels[i].name, name) == 0)
			return (int)i;
	if (!add || t.nlabels == LABELS_MAX)
		return -1;
	(void)snprintf(t.labels[t.nlabels].name, sizeof(t.labels[0].name), "%s", name);
	return (int)t.nlabels++;
}

static uint32_t feature_index(uint32_t hash)
{
	size_t i = hash & (t.table_cap - 1);

	while (t.table[i] && t.hashes[t.table[i] - 1] != hash)
		i = (i + 1) & (t.table_cap - 1);
	if (!t.table[i]) {
		if (t.nfeatures * 2 >= t.table_cap)
			die("features", "more than the table holds");
		t.hashes[t.nfeatures] = hash;
		t.table[i] = (uint32_t)++t.nfeatures;
	}
	return t.table[i] - 1;
}

static void read_paras(uint32_t fold)
{
	size_t n = json_array_size(json_object_get(doc.gold, "paras"));

	doc.first_para = t.nparas;
	if (t.nparas + n > t.paras_cap) {
		t.paras_cap = (t.nparas + n) * 2;
		t.paras = need(realloc(t.paras, t.paras_cap * sizeof(*t.paras)));
	}
	for (size_t k = 0; k < n; k++) {
		struct para p = { .fold = fold };
		char key[16];

		(void)snprintf(key, sizeof(key), "%zu", k + 1);
		json_t *list = json_object_get(json_object_get(doc.gold, "labels"), key);
		for (size_t i = 0; i < json_array_size(list); i++) {
			int l = label_of(json_string_value(json_array_get(list, i)), true);
			if (l >= 0)
				p.labels |= 1ull << l;
		}
		t.paras[t.nparas++] = p;
	}
}

/** The first paragraph that these lines touch, or none. */
static struct para *para_at(uint32_t first, uint32_t last)
{
	json_t *paras = json_object_get(doc.gold, "paras");

	for (size_t k = 0; k < json_array_size(paras); k++) {
		json_t *p = json_array_get(paras, k);

		if (json_integer_value(json_array_get(p, 0)) <= last &&
		    first <= json_integer_value(json_array_get(p, 1)))
			return &t.paras[doc.first_para + k];
	}
	return NULL;
}

static int by_index(const void *a, const void *b)
{
	return ((const struct feature_node *)a)->index - ((const struct feature_node *)b)->index;
}

/** liblinear wants each feature once, in order. */
static struct feature_node *to_nodes(const struct cw_feature *f, size_t n)
{
	struct feature_node *x = need(calloc(n + 2, sizeof(*x)));
	size_t m = 1;

	x[0] = (struct feature_node){ BIAS + 1, 1 };

	for (size_t i = 0; i < n; i++)
		x[i + 1] = (struct feature_node){ (int)feature_index(f[i].hash) + 1,
						  (double)f[i].value };
	if (n > 1)
		qsort(x + 1, n, sizeof(*x), by_index);
	for (size_t i = 1; i <= n; i++) {
		if (x[m - 1].index == x[i].index) {
			x[m - 1].value += x[i].value;
		} else {
			x[m++] = x[i];
			t.counts[x[i].index - 1]++;
		}
	}
	x[m] = (struct feature_node){ -1, 0 };
	return x;
}

static void take_clause(void *ctx, const struct cw_analysis *a, uint32_t clause,
			const struct cw_feature *f, size_t n)
{
	const struct cw_span *span = &a->clauses[clause].span;
	struct para *para = para_at(span->line_start, span->line_end);
	struct example e = { 0 };

	(void)ctx;
	if (!para)
		return;
	para->clauses++;
	e.para = (uint32_t)(para - t.paras);
	for (size_t i = 0; i < a->nfindings; i++) {
		int l = a->findings[i].clause == clause ? label_of(a->findings[i].term_id, false)
							: -1;
		if (l >= 0)
			e.frames |= 1ull << l;
	}
	e.x = to_nodes(f, n);
	if (t.nexamples == t.cap) {
		t.cap = t.cap ? t.cap * 2 : 4096;
		t.examples = need(realloc(t.examples, t.cap * sizeof(*t.examples)));
	}
	t.examples[t.nexamples++] = e;
}

static void read_document(const struct cw_ruleset *rules, const char *dir, json_t *gold)
{
	const char *name = json_string_value(json_object_get(gold, "doc"));
	struct cw_probe probe = { .features = take_clause };
	struct cw_analysis *a = NULL;
	struct cw_buf text = { 0 };
	struct cw_error err = { 0 };
	char path[4096];

	(void)snprintf(path, sizeof(path), "%s/docs/%s", dir, name);
	if (cw_file_read(path, FILE_MAX, &text, NULL, &err) < 0)
		die(path, err.msg);
	doc.gold = gold;
	read_paras((uint32_t)(XXH3_64bits(name, strlen(name)) % FOLDS));
	size_t n = strlen(name);
	bool md = n > 3 && strcmp(name + n - 3, ".md") == 0;
	if (cw_analyse_probed(rules, cw_buf_str(&text), text.len,
			      md ? CW_FORMAT_MARKDOWN : CW_FORMAT_TEXT, NULL, &probe, &a, &err) < 0)
		die(path, err.msg);
	cw_analysis_free(a);
	cw_buf_release(&text);
}

static void read_gold(const struct cw_ruleset *rules, const char *dir)
{
	char path[4096];
	char *line = NULL;
	size_t cap = 0;

	(void)snprintf(path, sizeof(path), "%s/gold.jsonl", dir);
	FILE *f = fopen(path, "r");
	if (!f)
		die(path, "cannot be opened");
	while (getline(&line, &cap, f) > 0) {
		json_error_t why;
		json_t *gold = json_loads(line, 0, &why);
		if (!gold)
			die(path, why.text);
		read_document(rules, dir, gold);
		json_decref(gold);
	}
	free(line);
	fclose(f);
}

/** Leave out features that too few clauses have. */
static void drop_rare(void)
{
	for (size_t i = 0; i < t.nexamples; i++) {
		struct feature_node *to = t.examples[i].x;
		for (struct feature_node *x = to; x->index > 0; x++)
			if (t.counts[x->index - 1] >= SEEN_MIN)
				*to++ = *x;
		*to = (struct feature_node){ -1, 0 };
	}
}

static struct model *fit(size_t label, int leave_out)
{
	struct feature_node **xs = need(calloc(t.nexamples, sizeof(*xs)));
	double *ys = need(calloc(t.nexamples, sizeof(*ys)));
	int weight_label[1] = { 1 };
	double weight[1] = { POSITIVE_WEIGHT };
	struct problem prob = { .n = (int)t.nfeatures, .x = xs, .y = ys, .bias = -1 };
	struct parameter param = { .solver_type = L2R_LR,
				   .C = COST,
				   .eps = 0.01,
				   .nr_weight = 1,
				   .weight_label = weight_label,
				   .weight = weight };

	for (size_t i = 0; i < t.nexamples; i++) {
		const struct para *p = &t.paras[t.examples[i].para];
		bool is = p->labels >> label & 1;

		if ((int)p->fold == leave_out || (is && p->clauses > 1))
			continue;
		xs[prob.l] = t.examples[i].x;
		ys[prob.l++] = is ? 1 : -1;
	}
	struct model *m = train(&prob, &param);
	free(xs);
	free(ys);
	return m;
}

static double score_of(const struct model *m, const struct feature_node *x)
{
	double sum = 0;

	for (; x->index > 0; x++)
		sum += m->w[x->index - 1] * x->value;
	return m->label[0] == 1 ? sum : -sum;
}

struct tally {
	double tp, fp, fn;
};

static double f1_of(struct tally c)
{
	return c.tp > 0 ? 2 * c.tp / (2 * c.tp + c.fp + c.fn) : 0;
}

static void add_tally(struct tally *c, bool said, bool is)
{
	c->tp += said && is;
	c->fp += said && !is;
	c->fn += !said && is;
}

/** Add up the paragraphs of one fold (leave_out false) or of all others. */
static struct tally tally_of(size_t label, const unsigned char *said, int fold, bool leave_out)
{
	struct tally c = { 0 };

	for (size_t i = 0; i < t.nparas; i++)
		if (t.paras[i].clauses > 0 && ((int)t.paras[i].fold == fold) != leave_out)
			add_tally(&c, said[i], t.paras[i].labels >> label & 1);
	return c;
}

static void say_scores(const struct label *l, double threshold, unsigned char *said)
{
	memset(said, 0, t.nparas);
	for (size_t i = 0; i < t.nexamples; i++)
		said[t.examples[i].para] |= l->scores[i] >= threshold;
}

/** The threshold with the best F1 outside one fold (-1: over all). */
static double best_threshold(const struct label *l, size_t label, int fold, unsigned char *said)
{
	double best = 0, best_f1 = -1;

	for (double at = -3; at < 2; at += 0.1) {
		say_scores(l, at, said);
		double f1 = f1_of(tally_of(label, said, fold, true));
		if (f1 > best_f1) {
			best_f1 = f1;
			best = at;
		}
	}
	return best;
}

static void validate(size_t label)
{
	struct label *l = &t.labels[label];
	struct tally frames = { 0 }, model = { 0 };

	l->scores = need(calloc(t.nexamples, sizeof(*l->scores)));
	for (int fold = 0; fold < FOLDS; fold++) {
		struct model *m = fit(label, fold);
		for (size_t i = 0; i < t.nexamples; i++)
			if ((int)t.paras[t.examples[i].para].fold == fold)
				l->scores[i] = score_of(m, t.examples[i].x);
		free_and_destroy_model(&m);
	}
	unsigned char *said = need(calloc(t.nparas + 1, 1));
	for (int fold = 0; fold < FOLDS; fold++) {
		say_scores(l, best_threshold(l, label, fold, said), said);
		struct tally c = tally_of(label, said, fold, false);
		model.tp += c.tp;
		model.fp += c.fp;
		model.fn += c.fn;
	}
	l->threshold = best_threshold(l, label, -1, said);
	memset(said, 0, t.nparas);
	for (size_t i = 0; i < t.nexamples; i++)
		said[t.examples[i].para] |= t.examples[i].frames >> label & 1;
	frames = tally_of(label, said, -1, true);
	free(said);
	l->f1_frames = f1_of(frames);
	l->f1_model = f1_of(model);
	l->kept = l->positives >= POSITIVES_MIN && l->f1_model >= l->f1_frames + GAIN_MIN;
	printf("%-32s %4zu  frames %.3f  with model %.3f  %s\n", l->name, l->positives,
	       l->f1_frames, l->f1_model, l->kept ? "kept" : "left out");
	fflush(stdout);
}

struct weight {
	uint32_t feature;
	double w;
};

static int by_size(const void *va, const void *vb)
{
	double a = fabs(((const struct weight *)va)->w), b = fabs(((const struct weight *)vb)->w);

	return a < b ? 1 : a > b ? -1 : 0;
}

/** Weights of a label as signed bytes; returns the scale. */
static double quantise(size_t label, signed char *out, double *bias)
{
	struct model *m = fit(label, -1);
	struct weight *all = need(calloc(t.nfeatures, sizeof(*all)));
	double sign = m->label[0] == 1 ? 1 : -1;

	for (size_t i = 0; i < t.nfeatures; i++)
		all[i] = (struct weight){ (uint32_t)i, i == BIAS ? 0 : m->w[i] * sign };
	qsort(all, t.nfeatures, sizeof(*all), by_size);
	*bias = m->w[BIAS] * sign;
	double scale = fabs(all[0].w) / 127;
	size_t n = t.nfeatures < KEEP_FEATURES ? t.nfeatures : KEEP_FEATURES;
	for (size_t i = 0; scale > 0 && i < n; i++)
		out[all[i].feature] = (signed char)lrint(all[i].w / scale);
	free(all);
	free_and_destroy_model(&m);
	return scale;
}

static void put_u32(FILE *f, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		(void)fputc((int)(v >> (8 * i) & 255), f);
}

static void put_f32(FILE *f, double v)
{
	float single = (float)v;
	uint32_t bits;

	memcpy(&bits, &single, 4);
	put_u32(f, bits);
}

static int by_hash(const void *a, const void *b)
{
	uint32_t x = t.hashes[*(const uint32_t *)a], y = t.hashes[*(const uint32_t *)b];

	return x < y ? -1 : x > y;
}

static void write_weights(const char *path)
{
	signed char *w = need(calloc(t.nlabels * t.nfeatures + 1, 1));
	uint32_t *order = need(calloc(t.nfeatures + 1, sizeof(*order)));
	size_t kept[LABELS_MAX], n = 0, used = 0;
	double scales[LABELS_MAX], biases[LABELS_MAX];
	FILE *f = fopen(path, "wb");

	if (!f)
		die(path, "cannot be written");
	for (size_t l = 0; l < t.nlabels; l++) {
		if (!t.labels[l].kept)
			continue;
		scales[n] = quantise(l, w + n * t.nfeatures, &biases[n]);
		kept[n++] = l;
	}
	(void)fwrite("CWMODEL1", 1, 8, f);
	put_u32(f, (uint32_t)n);
	for (size_t k = 0; k < n; k++) {
		(void)fwrite(t.labels[kept[k]].name, 1, strlen(t.labels[kept[k]].name) + 1, f);
		put_f32(f, biases[k]);
		put_f32(f, scales[k]);
		put_f32(f, t.labels[kept[k]].threshold);
	}
	for (uint32_t i = 0; i < t.nfeatures; i++) {
		bool any = false;
		for (size_t k = 0; k < n; k++)
			any |= w[k * t.nfeatures + i] != 0;
		if (any)
			order[used++] = i;
	}
	if (used > 0)
		qsort(order, used, sizeof(*order), by_hash);
	put_u32(f, (uint32_t)used);
	for (size_t u = 0; u < used; u++) {
		unsigned count = 0;
		for (size_t k = 0; k < n; k++)
			count += w[k * t.nfeatures + order[u]] != 0;
		put_u32(f, t.hashes[order[u]]);
		(void)fputc((int)count, f);
		for (size_t k = 0; k < n; k++) {
			signed char v = w[k * t.nfeatures + order[u]];
			if (v == 0)
				continue;
			(void)fputc((int)k, f);
			(void)fputc((unsigned char)v, f);
		}
	}
	if (fclose(f) != 0)
		die(path, "write failed");
	printf("%s: %zu labels, %zu features\n", path, n, used);
	free(w);
	free(order);
}

static void no_print(const char *text)
{
	(void)text;
}

int main(int argc, char **argv)
{
	static const struct option options[] = { { "rules", required_argument, NULL, 'r' },
						 { "out", required_argument, NULL, 'o' },
						 { 0 } };
	const char *rules_dir = NULL, *out = NULL;
	struct cw_ruleset_builder *b = need(cw_ruleset_builder_new());
	struct cw_ruleset *rules = NULL;
	struct cw_error err = { 0 };
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 'r')
			rules_dir = optarg;
		else if (c == 'o')
			out = optarg;
		else
			return 2;
	}
	if (!rules_dir || !out || optind == argc)
		die("usage", "train --rules DIR --out FILE GOLD_DIR...");
	/* weights that are there already must have no say in the frames' opinion */
	(void)remove(out);
	if (cw_rules_add(b, rules_dir, &err) < 0 || cw_ruleset_builder_finish(b, &rules, &err) < 0)
		die(rules_dir, err.msg);
	t.features_cap = (size_t)1 << 22;
	t.table_cap = t.features_cap * 2;
	t.hashes = need(calloc(t.features_cap, sizeof(*t.hashes)));
	t.counts = need(calloc(t.features_cap, sizeof(*t.counts)));
	t.table = need(calloc(t.table_cap, sizeof(*t.table)));
	(void)feature_index(BIAS_HASH);
	t.counts[BIAS] = SEEN_MIN;
	for (int i = optind; i < argc; i++)
		read_gold(rules, argv[i]);
	drop_rare();
	set_print_string_function(no_print);
	for (size_t i = 0; i < t.nparas; i++)
		for (size_t l = 0; l < t.nlabels; l++)
			t.labels[l].positives += t.paras[i].labels >> l & 1;
	printf("%zu clauses, %zu features, %zu labels\n", t.nexamples, t.nfeatures, t.nlabels);
	for (size_t l = 0; l < t.nlabels; l++)
		validate(l);
	write_weights(out);
	cw_ruleset_free(rules);
	cw_ruleset_builder_free(b);
	return 0;
}
