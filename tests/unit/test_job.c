#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "clausewatch/job.h"

#define JOBS 20

struct count_job {
	struct cw_job job; /* first */
	int want;
	int got;
	char msg[32];
	unsigned done;
};

static atomic_uint running, most;
static unsigned done_order[JOBS], done_count;
static struct count_job jobs[JOBS];

static int run(struct cw_job *job, struct cw_error *err)
{
	unsigned now = atomic_fetch_add(&running, 1) + 1, seen = atomic_load(&most);

	while (now > seen && !atomic_compare_exchange_weak(&most, &seen, now))
		;
	uv_sleep(1);
	atomic_fetch_sub(&running, 1);
	const struct count_job *c = (struct count_job *)job;
	return c->want < 0 ? cw_fail(err, c->want, "job failed") : c->want;
}

static void done(struct cw_job *job, int ret, const struct cw_error *err)
{
	struct count_job *c = (struct count_job *)job;

	c->got = ret;
	c->done++;
	if (ret < 0)
		(void)snprintf(c->msg, sizeof(c->msg), "%s", err->msg);
	done_order[done_count++] = (unsigned)(c - jobs);
}

static void submit_all(struct cw_jobs *queue)
{
	running = most = 0;
	done_count = 0;
	for (unsigned i = 0; i < JOBS; i++) {
		jobs[i] = (struct count_job){ .job = { .run = run, .done = done } };
		if (i % 3 == 1)
			jobs[i].want = CW_EIO;
		assert_int_equal(cw_jobs_submit(queue, &jobs[i].job, NULL), CW_OK);
	}
	assert_int_equal(done_count, 0);
}

static void test_limit_and_results(void **state)
{
	(void)state;
	for (unsigned limit = 0; limit <= 3; limit++) {
		uv_loop_t loop;
		struct cw_jobs queue;

		assert_int_equal(uv_loop_init(&loop), 0);
		cw_jobs_init(&queue, &loop, limit);
		submit_all(&queue);
		assert_false(cw_jobs_idle(&queue));
		uv_run(&loop, UV_RUN_DEFAULT);
		assert_true(cw_jobs_idle(&queue));
		assert_true(most >= 1 && most <= (limit ? limit : 1));
		for (unsigned i = 0; i < JOBS; i++) {
			assert_int_equal(jobs[i].done, 1);
			assert_int_equal(jobs[i].got, jobs[i].want);
			assert_string_equal(jobs[i].msg, jobs[i].want < 0 ? "job failed" : "");
			if (limit <= 1)
				assert_int_equal(done_order[i], i);
		}
		assert_int_equal(uv_loop_close(&loop), 0);
	}
}

static void test_stop(void **state)
{
	uv_loop_t loop;
	struct cw_jobs queue;
	struct cw_error err;
	struct count_job late = { .job = { .run = run, .done = done } };

	(void)state;
	assert_int_equal(uv_loop_init(&loop), 0);
	cw_jobs_init(&queue, &loop, 2);
	submit_all(&queue);
	cw_jobs_stop(&queue);
	assert_int_equal(done_count, JOBS - 2);
	assert_int_equal(cw_jobs_submit(&queue, &late.job, &err), CW_ECANCELED);
	assert_int_equal(late.done, 0);
	assert_false(cw_jobs_idle(&queue));
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_true(cw_jobs_idle(&queue));
	for (unsigned i = 0; i < JOBS; i++) {
		assert_int_equal(jobs[i].done, 1);
		assert_int_equal(jobs[i].got, i < 2 ? jobs[i].want : CW_ECANCELED);
	}
	assert_int_equal(uv_loop_close(&loop), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_limit_and_results),
		cmocka_unit_test(test_stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
