#include "pipeline.h"
int cw_git_source_open(struct cw_source *s, struct cw_error *err)
{
	(void)s;
	return cw_fail(err, CW_EUNSUPPORTED, "not yet");
}
void cw_git_source_close(struct cw_source *s)
{
	(void)s;
}
void cw_git_source_free(struct cw_git_source *g)
{
	(void)g;
}
void cw_git_source_nudge(struct cw_source *s)
{
	(void)s;
}
void cw_git_source_pump(struct cw_source *s, int64_t now_ms)
{
	(void)s;
	(void)now_ms;
}
bool cw_git_source_idle(const struct cw_source *s)
{
	(void)s;
	return true;
}
const struct cw_watch_events cw_git_source_events = { 0 };
