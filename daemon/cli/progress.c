#include "cli.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE 0.7 /* seconds before it shows at all */
#define PACE 0.1
#define BAR 30

double cli_now(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

void cli_progress_begin(struct cli_progress *p, bool wanted, size_t total)
{
	*p = (struct cli_progress){
		.on = wanted && total > 1 && isatty(STDERR_FILENO),
		.begun = cli_now(),
		.total = total,
	};
}

void cli_progress_step(struct cli_progress *p, size_t done)
{
	static const char full[] = "##############################";
	double now = p->on ? cli_now() : 0;

	if (!p->on || now - p->begun < PATIENCE || now - p->last < PACE)
		return;
	int n = (int)(done * BAR / p->total);
	(void)fprintf(stderr, "\r[%.*s%*s] %zu of %zu", n, full, BAR - n, "", done, p->total);
	(void)fflush(stderr);
	p->last = now;
	p->drawn = true;
}

void cli_progress_clear(struct cli_progress *p)
{
	if (p->drawn)
		(void)fputs("\r\033[K", stderr);
	p->drawn = false;
}
