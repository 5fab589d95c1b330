#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "clausewatch/output.h"

/* One document with a risk, a waived risk and a protection, built by hand. */
static const char text[] = "10.4 Data\nVendor may train \"models\" <b>now</b>.\nNo training.\n";

static const char *const codes[] = { "USE-04", "USE-05", NULL };
static const struct cw_term risk_term = {
	.id = "data.training-grant",
	.codes = codes,
	.title = "=Training",
	.family = "data",
	.polarity = CW_RISK,
	.severity = CW_HIGH,
	.why = "Because.",
	.advice = "Strike it.",
};
static const struct cw_attr attrs[] = {
	{ "perpetual", CW_ATTR_BOOL, "true" },
	{ "months", CW_ATTR_NUMBER, "12" },
	{ "odd", CW_ATTR_NUMBER, "012x" },
	{ "artefacts", CW_ATTR_LIST, "inputs,outputs" },
};
static const struct cw_output_waiver waiver = { "W-1", "agreed", "ann", "2030-01-01" };

struct fixture {
	struct cw_clause clauses[2];
	struct cw_finding findings[3];
	struct cw_output_finding shown[3];
	struct cw_analysis analysis;
	struct cw_output_document doc;
};

static void fill(struct fixture *f)
{
	*f = (struct fixture){ 0 };
	f->clauses[0] =
		(struct cw_clause){ .section = "10.4", .heading = "Data", .fingerprint = 0xabc };
	f->clauses[1] = (struct cw_clause){ .section = "", .heading = "" };
	for (int i = 0; i < 3; i++) {
		f->findings[i] = (struct cw_finding){
			.id = "CW-7F3KQ2",
			.term = &risk_term,
			.term_id = i == 1 ? "data.training-grant.general-models"
					  : "data.training-grant",
			.evidence_kind = "frame",
			.confidence = 1,
			.polarity = i == 2 ? CW_PROTECTION : CW_RISK,
			.direction = CW_VENDOR,
			.severity = i == 1 ? CW_CRITICAL : CW_HIGH,
			.clause = i == 2 ? 1 : 0,
			.span = { 10, 47, 2, 2 },
			.quote_start = 10,
			.quote_end = 47,
			.attrs = attrs,
			.nattrs = 4,
		};
		f->shown[i].finding = &f->findings[i];
	}
	f->shown[1].waiver = &waiver;
	f->analysis = (struct cw_analysis){
		.text = text,
		.len = sizeof(text) - 1,
		.clauses = f->clauses,
		.nclauses = 2,
		.findings = f->findings,
		.nfindings = 3,
		.profile = { .auto_renews = -1, .notice_period_days = -1 },
	};
	f->doc = (struct cw_output_document){ .path = "a b/\xff.md",
					      .analysis = &f->analysis,
					      .findings = f->shown,
					      .nfindings = 3 };
}

/* Everything that a format writes for the document and one error; the caller's to free. */
static char *write_all(const char *format, struct fixture *f)
{
	struct cw_output_options opts = { .fail_on = CW_MEDIUM };
	struct cw_output_error error = { "x.pdf", "unsupported", "'x.pdf': PDF" };
	struct cw_output_summary sum = {
		.documents = 1, .unchecked = 1, .findings = { 0, 0, 0, 1, 0 }, .ruleset = "sha256:0"
	};
	struct cw_output *out = NULL;
	struct cw_error err = { 0 };
	char *got = NULL;
	size_t len = 0;
	FILE *file = open_memstream(&got, &len);

	assert_non_null(file);
	assert_int_equal(cw_output_open(format, file, "memory", &opts, &out, &err), CW_OK);
	assert_int_equal(cw_output_document(out, &f->doc, &err), CW_OK);
	assert_int_equal(cw_output_error(out, &error, &err), CW_OK);
	assert_int_equal(cw_output_summary(out, &sum, &err), CW_OK);
	cw_output_close(out);
	(void)fclose(file);
	return got;
}

static const char *string_at(const json_t *object, const char *key)
{
	const char *value = json_string_value(json_object_get(object, key));

	return value ? value : "(none)";
}

static void test_jsonl(void **state)
{
	static const char *const kinds[] = { "document", "finding", "finding",
					     "finding",  "error",   "summary" };
	struct fixture f;
	size_t n = 0;

	(void)state;
	fill(&f);
	char *got = write_all("jsonl", &f);
	char *rest = got;
	for (char *line; (line = strsep(&rest, "\n")) && *line; n++) {
		json_t *object = json_loads(line, 0, NULL);
		assert_non_null(object);
		assert_true(n < 6);
		assert_string_equal(string_at(object, "kind"), kinds[n]);
		if (n == 0)
			assert_string_equal(string_at(object, "risk"), "high");
		if (n == 1) {
			const json_t *at = json_object_get(object, "attributes");
			assert_string_equal(string_at(object, "quote"),
					    "Vendor may train \"models\" <b>now</b>.");
			assert_string_equal(string_at(object, "fingerprint"), "0000000000000abc");
			assert_string_equal(string_at(object, "path_bytes"), "YSBiL/8ubWQ=");
			assert_true(json_is_true(json_object_get(at, "perpetual")));
			assert_int_equal(json_integer_value(json_object_get(at, "months")), 12);
			assert_string_equal(string_at(at, "odd"), "012x");
			assert_int_equal(json_array_size(json_object_get(at, "artefacts")), 2);
			assert_true(json_is_null(json_object_get(object, "waiver")));
		}
		if (n == 2)
			assert_string_equal(string_at(json_object_get(object, "waiver"), "reason"),
					    "agreed");
		json_decref(object);
	}
	assert_int_equal(n, 6);
	free(got);
}

static void test_json(void **state)
{
	struct fixture f;

	(void)state;
	fill(&f);
	char *got = write_all("json", &f);
	json_t *array = json_loads(got, 0, NULL);
	assert_int_equal(json_array_size(array), 6);
	json_decref(array);
	free(got);
}

static void test_sarif(void **state)
{
	struct fixture f;
	const char *uri, *level, *kind, *justification;
	json_int_t index;

	(void)state;
	fill(&f);
	char *got = write_all("sarif", &f);
	json_t *root = json_loads(got, 0, NULL);
	json_t *run = json_array_get(json_object_get(root, "runs"), 0);
	json_t *results = json_object_get(run, "results");
	json_t *driver = json_object_get(json_object_get(run, "tool"), "driver");

	assert_int_equal(json_array_size(results), 3);
	assert_int_equal(json_array_size(json_object_get(driver, "rules")), 2);
	assert_int_equal(json_unpack(json_array_get(results, 0),
				     "{s:s, s:s, s:I, s:[{s:{s:{s:s}}}]}", "level", &level, "kind",
				     &kind, "ruleIndex", &index, "locations", "physicalLocation",
				     "artifactLocation", "uri", &uri),
			 0);
	assert_string_equal(level, "error");
	assert_string_equal(kind, "fail");
	assert_int_equal(index, 0);
	assert_string_equal(uri, "a%20b/%FF.md");
	assert_int_equal(json_unpack(json_array_get(results, 1), "{s:[{s:s}]}", "suppressions",
				     "justification", &justification),
			 0);
	assert_string_equal(justification, "agreed");
	assert_string_equal(string_at(json_array_get(results, 2), "level"), "none");
	json_decref(root);
	free(got);
}

static void test_texts(void **state)
{
	static const struct {
		const char *format, *has, *lacks;
	} cases[] = {
		{ "csv", ",\"'=Training\",USE-04 USE-05,CW-7F3KQ2,", ",=Training" },
		{ "csv", "\"Vendor may train \"\"models\"\"", "<b>now</b>,," },
		{ "csv", "\r\nerror,x.pdf,", NULL },
		{ "junit", "tests=\"3\" failures=\"1\" errors=\"0\" skipped=\"1\"", "\xff" },
		{ "junit", "<error type=\"unsupported\"", "<b>" },
		{ "html", "&lt;b&gt;now", "<b>now" },
		{ "html", "Waived:</b> agreed", "<script" },
		{ "human", "  HIGH  =Training  CW-7F3KQ2\n    10.4 Data, line 2\n", "\033" },
		{ "human", "a b/\\xff.md", "\xff" },
		{ "human", "NOT CHECKED  'x.pdf': PDF", NULL },
		{ "human", "1 document checked: 1 risk (1 high)", NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fixture f;
		fill(&f);
		char *got = write_all(cases[i].format, &f);
		print_message("  %s: %s\n", cases[i].format, cases[i].has);
		assert_non_null(strstr(got, cases[i].has));
		if (cases[i].lacks)
			assert_null(strstr(got, cases[i].lacks));
		free(got);
	}
}

/* The table of who owns what, from two artefacts on. */
static void test_matrix(void **state)
{
	static const char line[] =
		"    outputs            vendor    any           vendor-default\n";
	struct fixture f;

	(void)state;
	fill(&f);
	f.analysis.matrix[2] =
		(struct cw_cell){ .owner = "vendor", .use = "any", .level = "vendor-default" };
	char *one = write_all("human", &f);
	assert_null(strstr(one, line));
	f.analysis.matrix[4] =
		(struct cw_cell){ .owner = "customer", .use = "silent", .level = "preferred" };
	char *two = write_all("human", &f);
	assert_non_null(strstr(two, line));
	assert_non_null(strstr(two, "    embeddings         customer  silent        preferred\n"));
	assert_non_null(strstr(two, "    prompts            silent\n"));
	free(one);
	free(two);
}

static void test_visible(void **state)
{
	struct cw_buf out = { 0 };
	static const char wild[] = "a\033[31m\xe2\x80\xae"
				   "b\nc\xff\xc2\x9b\xc3\xa9";

	(void)state;
	cw_output_visible(&out, wild, sizeof(wild) - 1);
	assert_string_equal(cw_buf_str(&out), "a\\x1b[31m\\u202eb\\nc\\xff\\x9b\xc3\xa9");
	cw_buf_release(&out);
}

static void test_refused(void **state)
{
	struct cw_output_options opts = { 0 };
	struct cw_output *out = NULL;
	struct cw_error err = { 0 };
	FILE *full = fopen("/dev/full", "we");
	struct fixture f;
	struct cw_output_summary sum = { 0 };

	(void)state;
	fill(&f);
	assert_int_equal(cw_output_open("sarfi", stdout, "x", &opts, &out, &err), CW_EINVAL);
	assert_null(out);
	assert_int_equal(cw_output_open("jsonl", full, "report", &opts, &out, &err), CW_OK);
	(void)cw_output_document(out, &f.doc, &err);
	assert_int_equal(cw_output_summary(out, &sum, &err), CW_EIO);
	assert_non_null(strstr(err.msg, "report"));
	cw_output_close(out);
	(void)fclose(full);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_jsonl),   cmocka_unit_test(test_json),
		cmocka_unit_test(test_sarif),   cmocka_unit_test(test_texts),
		cmocka_unit_test(test_matrix),  cmocka_unit_test(test_visible),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
