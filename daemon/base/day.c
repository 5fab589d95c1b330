#include "clausewatch/day.h"

#include <string.h>
#include <time.h>

bool cw_is_day(const char *word)
{
	struct tm tm = { 0 };
	const char *end = strptime(word, "%Y-%m-%d", &tm);

	if (!end || *end || strlen(word) != 10)
		return false;
	struct tm same = tm;
	return timegm(&same) != -1 && same.tm_mday == tm.tm_mday && same.tm_mon == tm.tm_mon;
}

void cw_today(char out[11])
{
	time_t now = time(NULL);
	struct tm tm;

	if (!gmtime_r(&now, &tm) || strftime(out, 11, "%Y-%m-%d", &tm) == 0)
		out[0] = '\0';
}
