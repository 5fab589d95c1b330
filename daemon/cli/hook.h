/** @file
 * What the parts of the hook verb share.  Internal to cli/.
 */
#pragma once

#include <stdbool.h>

#include "gate.h"

/** Enough for every terminal and every web page that shows what a hook said. */
#define HOOK_LINES_MAX 40

struct hook_options {
	const char *config, *type;
	struct cli_list rules;
	bool chain;
};

/** Whom a hook speaks to, and of what. */
struct hook_voice {
	const char *what; /**< "push" or "commit" */
	const char *who; /**< who pushes, or NULL */
	bool web; /**< the host shows one line only, and only when it is marked */
};

/** From the environment that git or its host gives. */
struct hook_voice hook_voice_of(const char *what);

/** Write on standard error all there is to say; status is the verdict. */
void hook_say_report(const struct hook_voice *voice, const struct cw_config *config,
		     const struct gate_report *report, int status);
/** One refusal that is not about documents; returns status. */
int hook_say_failure(const struct hook_voice *voice, int status, const char *what,
		     const char *message);

/**
 * From now on a hook that takes far too long, or that breaks down, ends with a verdict by the
 * policies of the configuration, and says so.
 */
void hook_guard(const struct hook_voice *voice, const struct cw_config *config);

/** The hooks that this program can be; NULL-terminated. */
extern const char *const hook_types[];
/** Is this a script that runs clausewatch for that type of hook? */
bool hook_calls_us(const char *script, const char *type);
/** From the command line or the environment; NULL: the usual one. */
const char *hook_config_path(const struct hook_options *opts);

/** clausewatch hook install [REPO] */
int hook_install(const struct hook_options *opts, const char *repository);
/** clausewatch hook doctor [REPO]; 1 when something is wrong. */
int hook_doctor(const struct hook_options *opts, const char *repository);
