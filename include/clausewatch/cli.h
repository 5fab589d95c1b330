/** @file
 * The verbs of the command line, one file each in daemon/cli/.
 */
#pragma once

/** Exit status; INTERFACES fixes it. */
enum cw_exit {
	CW_EXIT_CLEAN = 0,
	CW_EXIT_FINDINGS = 1,
	CW_EXIT_USAGE = 2, /**< usage, configuration or rule error */
	CW_EXIT_UNCHECKED = 3, /**< something could not be checked, and nothing was found */
	CW_EXIT_NO_DAEMON = 4,
};

/** argv[0] is the verb.  Returns the exit status; messages have been written. */
typedef int cw_verb_fn(int argc, char **argv);

cw_verb_fn cw_verb_scan;
cw_verb_fn cw_verb_diff;
cw_verb_fn cw_verb_rules;
cw_verb_fn cw_verb_explain;
cw_verb_fn cw_verb_config;
cw_verb_fn cw_verb_hook;
cw_verb_fn cw_verb_status;
cw_verb_fn cw_verb_events;
cw_verb_fn cw_verb_deliveries;
cw_verb_fn cw_verb_legacy;
cw_verb_fn cw_verb_similar;
cw_verb_fn cw_verb_waiver;
cw_verb_fn cw_verb_reload;
cw_verb_fn cw_verb_rescan;
cw_verb_fn cw_verb_notify;
cw_verb_fn cw_verb_doctor;
cw_verb_fn cw_verb_backup;
cw_verb_fn cw_verb_export;
cw_verb_fn cw_verb_import;
