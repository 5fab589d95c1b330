#include "clausewatch/alert.h"

#include "alert/post.h"

int cw_alert_send(const struct cw_channel *channel, const struct cw_event *event,
		  const struct cw_deliverer_options *opts, int *out_status, struct cw_error *err)
{
	struct cw_post *post = NULL;
	struct cw_attempt_result result;
	struct cw_verdict verdict;
	int ret = cw_channel_check(channel, err);

	if (ret == CW_OK)
		ret = cw_post_new(channel, event, opts, &post, err);
	if (ret < 0)
		return ret;
	cw_post_result(post, curl_easy_perform(cw_post_easy(post)), &result);
	cw_attempt_judge(channel, 1, &result, 0, &verdict);
	if (verdict.state != CW_DELIVERY_DELIVERED)
		ret = cw_fail(err, CW_EIO, "channel '%s': %s", channel->name, verdict.error);
	if (out_status)
		*out_status = result.status;
	cw_post_free(post);
	return ret;
}
