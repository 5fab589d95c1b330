/** @file
 * The checks of `clausewatch doctor`.  Internal to cli/.
 */
#pragma once

#include "ask.h"
#include "clausewatch/pipeline.h"

enum cli_health { CLI_OK, CLI_DOUBT, CLI_FAIL };

struct cli_doctor {
	struct cli_page page;
	size_t found[CLI_FAIL + 1];
};

/** One line: what was looked at, how it is, and what to do. */
void cli_doctor_say(struct cli_doctor *d, enum cli_health health, const char *what, const char *fmt,
		    ...) __attribute__((format(printf, 4, 5)));
/** Folders, repositories, inotify limits and mounts. */
void cli_doctor_sources(struct cli_doctor *d, const struct cw_config *config);
