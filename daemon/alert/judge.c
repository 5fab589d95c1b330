#include "clausewatch/alert.h"

#include <stdio.h>

#define COUNT(a) (sizeof(a) / sizeof(*(a)))
/* How long one busy answer without Retry-After holds back the rest of the channel, at most. */
#define PAUSE_MAX_MS 60000

/* Standard Webhooks' example: ten attempts over three days. */
static const int64_t default_retry_ms[] = {
	0, 5000, 300000, 1800000, 7200000, 18000000, 36000000, 50400000, 72000000, 86400000,
};

enum answer { DONE, RETRY, BUSY, GONE };

/* What a status means; the first row that holds it counts. */
static const struct {
	int from, to;
	enum answer answer;
	const char *text; /* NULL: nothing beyond the number */
} answers[] = {
	{ 200, 299, DONE, NULL },
	{ 300, 399, RETRY, "redirects are not followed" },
	{ 410, 410, GONE, "gone: the channel is switched off" },
	{ 429, 429, BUSY, "too many requests" },
	{ 502, 502, BUSY, "bad gateway" },
	{ 503, 503, BUSY, "unavailable" },
	{ 504, 504, BUSY, "gateway timeout" },
	{ 1, 999, RETRY, NULL },
};

static size_t find_answer(int status)
{
	size_t i = 0;

	while (i < COUNT(answers) - 1 && (status < answers[i].from || status > answers[i].to))
		i++;
	return i;
}

static size_t retry_list(const struct cw_channel *channel, const int64_t **out)
{
	*out = channel->nretry ? channel->retry_ms : default_retry_ms;
	return channel->nretry ? channel->nretry : COUNT(default_retry_ms);
}

/** The wait before the attempt that follows on `made` ones. */
static int64_t step_ms(const struct cw_channel *channel, unsigned made, double jitter)
{
	const int64_t *retry;
	size_t count = retry_list(channel, &retry);
	size_t at = made < count ? made : count - 1;

	return (int64_t)((double)retry[at] * (0.8 + 0.4 * jitter));
}

static unsigned most_attempts(const struct cw_channel *channel)
{
	const int64_t *retry;

	return channel->max_attempts ? channel->max_attempts
				     : (unsigned)retry_list(channel, &retry);
}

static void describe(const struct cw_attempt_result *result, size_t answer, struct cw_verdict *out)
{
	if (result->status == 0)
		(void)snprintf(out->error, sizeof(out->error), "%s",
			       result->error ? result->error : "no answer");
	else if (answers[answer].text)
		(void)snprintf(out->error, sizeof(out->error), "HTTP %d: %s", result->status,
			       answers[answer].text);
	else
		(void)snprintf(out->error, sizeof(out->error), "HTTP %d", result->status);
}

void cw_attempt_judge(const struct cw_channel *channel, unsigned attempts,
		      const struct cw_attempt_result *result, double jitter, struct cw_verdict *out)
{
	size_t row = find_answer(result->status);
	enum answer answer = answers[row].answer;

	*out = (struct cw_verdict){ .state = CW_DELIVERY_PENDING };
	if (answer == DONE) {
		out->state = CW_DELIVERY_DELIVERED;
		return;
	}
	describe(result, row, out);
	if (answer == GONE) {
		out->state = CW_DELIVERY_DISABLED;
		out->disable = true;
		return;
	}

	out->wait_ms = step_ms(channel, attempts, jitter);
	if (answer == BUSY) {
		int64_t asked = result->retry_after_ms;
		if (asked > CW_RETRY_AFTER_MAX_MS)
			asked = CW_RETRY_AFTER_MAX_MS;
		out->pause_ms = out->wait_ms < PAUSE_MAX_MS ? out->wait_ms : PAUSE_MAX_MS;
		if (asked > 0)
			out->pause_ms = asked;
		if (out->wait_ms < asked)
			out->wait_ms = asked;
	}
	if (attempts >= most_attempts(channel)) {
		out->state = CW_DELIVERY_DEAD;
		out->wait_ms = 0;
	}
}
