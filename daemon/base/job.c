#include "clausewatch/job.h"

static void start_some(struct cw_jobs *jobs);

static void work(uv_work_t *req)
{
	struct cw_job *job = req->data;

	job->ret = job->run(job, &job->err);
}

static void after_work(uv_work_t *req, int status)
{
	struct cw_job *job = req->data;
	struct cw_jobs *jobs = job->owner;
	struct cw_error err = job->err;

	if (status == UV_ECANCELED)
		job->ret = cw_fail(&err, CW_ECANCELED, "cancelled");
	jobs->running--;
	/* First the others: done() may free the job, and after the last one the queue too. */
	start_some(jobs);
	job->done(job, job->ret, &err);
}

static void start_some(struct cw_jobs *jobs)
{
	while (jobs->head && jobs->running < jobs->limit) {
		struct cw_job *job = jobs->head;

		jobs->head = job->next;
		if (!jobs->head)
			jobs->tail = &jobs->head;
		jobs->queued--;
		jobs->running++;
		job->req.data = job;
		/* Fails only for a NULL callback. */
		(void)uv_queue_work(jobs->loop, &job->req, work, after_work);
	}
}

void cw_jobs_init(struct cw_jobs *jobs, uv_loop_t *loop, unsigned limit)
{
	*jobs = (struct cw_jobs){ .loop = loop, .limit = limit > 0 ? limit : 1 };
	jobs->tail = &jobs->head;
}

int cw_jobs_submit(struct cw_jobs *jobs, struct cw_job *job, struct cw_error *err)
{
	if (jobs->stopped)
		return cw_fail(err, CW_ECANCELED, "shutting down");

	job->owner = jobs;
	job->next = NULL;
	job->ret = CW_OK;
	job->err = (struct cw_error){ 0 };
	*jobs->tail = job;
	jobs->tail = &job->next;
	jobs->queued++;
	start_some(jobs);
	return CW_OK;
}

void cw_jobs_stop(struct cw_jobs *jobs)
{
	struct cw_job *job = jobs->head;

	jobs->stopped = true;
	jobs->head = NULL;
	jobs->tail = &jobs->head;
	while (job) {
		struct cw_job *next = job->next;
		struct cw_error err = { 0 };
		/* Counted down first: the last done() may free the queue. */
		jobs->queued--;

		job->done(job, cw_fail(&err, CW_ECANCELED, "shutting down"), &err);
		job = next;
	}
}

bool cw_jobs_idle(const struct cw_jobs *jobs)
{
	return jobs->running == 0 && jobs->queued == 0;
}
