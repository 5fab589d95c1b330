/*
 * Every option there is.  Parsing, checking, `config show` and the manual walk this table; an
 * option is added here and in the struct, nowhere else.
 */
#include "config/config.h"

#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof(*(a)))
#define SECOND INT64_C(1000)
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)
#define MIB (INT64_C(1) << 20)

static const char *const level_words[] = { "error", "warning", "notice", "info", "debug", NULL };
static const char *const log_words[] = { "auto", "journal", "text", "json", NULL };
static const char *const severity_words[] = { "info", "low", "medium", "high", "critical", NULL };
static const char *const mode_words[] = { "off", "shadow", "warn", "block", NULL };
static const char *const poll_words[] = { "auto", "always", "never", NULL };
static const char *const first_words[] = { "summary", "all", "none", NULL };
static const char *const format_words[] = { "generic", "slack", NULL };
static const char *const policy_words[] = { "reject", "accept", NULL };

const char *const cw_event_types[] = {
	"risk.appeared",       "risk.changed",
	"risk.removed",        "protection.lost",
	"protection.weakened", "protection.added",
	"document.added",      "document.removed",
	"document.collapsed",  "document.unchecked",
	"legacy.detected",     "push.rejected",
	"push.bypassed",       "push.accepted-unchecked",
	"waiver.created",      "waiver.expiring",
	"waiver.expired",      "waiver.lapsed",
	"watch.degraded",      "watch.restored",
	"delivery.disabled",   NULL,
};

const struct cw_section cw_sections[] = {
	{ "", CW_SECTION_PLAIN, NULL, "Where things are kept and found." },
	{ "log", CW_SECTION_PLAIN, NULL,
	  "What the daemon writes to standard error. Clause text is never logged." },
	{ "sources", CW_SECTION_LIST, "source",
	  "What is watched: a list of folders and git repositories, each with a name of its own. A "
	  "later file that names a known source changes only the options that it gives." },
	{ "watch", CW_SECTION_PLAIN, NULL, "How sources are watched and read." },
	{ "alerts", CW_SECTION_PLAIN, NULL, "What becomes an alert." },
	{ "channels", CW_SECTION_LIST, "channel",
	  "Where alerts are sent: a list of webhooks, each with a name of its own. Bodies are "
	  "CloudEvents 1.0, signed as Standard Webhooks. A later file that names a known channel "
	  "changes only the options that it gives." },
	{ "terms", CW_SECTION_MAP, "term",
	  "Decisions about single terms, by id or glob (\"data.*\"). Entries are applied in order; "
	  "of several that match, the last wins." },
	{ "hook", CW_SECTION_PLAIN, NULL, "What the git hooks do." },
};
const size_t cw_nsections = COUNT(cw_sections);

#define TOP(f) offsetof(struct cw_config, f)
#define SRC(f) offsetof(struct cw_config_source, f)
#define CHN(f) offsetof(struct cw_config_channel, f)
#define OVR(f) offsetof(struct cw_config_override, f)

const struct cw_option cw_options[] = {
	{ .section = "",
	  .name = "state_dir",
	  .kind = CW_OPT_PATH,
	  .offset = TOP(state_dir),
	  .def = "/var/lib/clausewatch",
	  .manual =
		  "Directory of the store: documents, findings, events and alerts not yet sent." },
	{ .section = "",
	  .name = "runtime_dir",
	  .kind = CW_OPT_PATH,
	  .offset = TOP(runtime_dir),
	  .def = "/run/clausewatch",
	  .manual = "Directory of the control socket." },
	{ .section = "",
	  .name = "socket",
	  .kind = CW_OPT_PATH,
	  .offset = TOP(socket),
	  .manual = "Control socket that the command line and the hooks talk to. Without it: "
		    "control.sock in runtime_dir." },
	{ .section = "",
	  .name = "rules",
	  .kind = CW_OPT_PATHS,
	  .offset = TOP(rules),
	  .def = "[]",
	  .manual = "More directories of rule packs, laid in order over the shipped rules and "
		    "/etc/clausewatch/rules." },
	{ .section = "",
	  .name = "legacy_before",
	  .kind = CW_OPT_DATE,
	  .offset = TOP(legacy_before),
	  .def = "2022-11-30",
	  .manual =
		  "An agreement dated before this day counts as legacy: nobody thought of training "
		  "models when it was signed." },

	{ .section = "log",
	  .name = "level",
	  .kind = CW_OPT_WORD,
	  .words = level_words,
	  .min = CW_LOG_ERR,
	  .offset = TOP(log.level),
	  .def = "info",
	  .manual = "The least important lines that are still written." },
	{ .section = "log",
	  .name = "format",
	  .kind = CW_OPT_WORD,
	  .words = log_words,
	  .offset = TOP(log.format),
	  .def = "auto",
	  .manual = "auto writes journal lines under systemd and logfmt elsewhere." },

	{ .section = "sources",
	  .name = "name",
	  .kind = CW_OPT_NAME,
	  .offset = SRC(name),
	  .manual = "Unique name, of a-z, 0-9, '.', '_' and '-'. It appears in every alert." },
	{ .section = "sources",
	  .name = "folder",
	  .kind = CW_OPT_PATH,
	  .offset = SRC(folder),
	  .of = CW_OF_FOLDER,
	  .manual = "Directory that is watched with all below it." },
	{ .section = "sources",
	  .name = "repository",
	  .kind = CW_OPT_PATH,
	  .offset = SRC(repository),
	  .of = CW_OF_REPOSITORY,
	  .manual =
		  "Git repository, bare or not, whose references are watched. A source has either "
		  "folder or repository." },
	{ .section = "sources",
	  .name = "poll_interval",
	  .kind = CW_OPT_DURATION,
	  .offset = SRC(poll_interval),
	  .min = SECOND,
	  .max = 7 * DAY,
	  .def = "30s",
	  .manual =
		  "How often to look where the kernel does not tell of changes, such as on network "
		  "mounts, and how often to look at a repository's references for safety." },
	{ .section = "sources",
	  .name = "include",
	  .kind = CW_OPT_GLOBS,
	  .offset = SRC(include),
	  .of = CW_OF_FOLDER,
	  .def = "[]",
	  .manual = "Only paths that match one of these are read; none means all that can be "
		    "read. '**/' stands for any number of directories." },
	{ .section = "sources",
	  .name = "exclude",
	  .kind = CW_OPT_GLOBS,
	  .offset = SRC(exclude),
	  .of = CW_OF_FOLDER,
	  .def = "[]",
	  .manual = "Paths that are left out, also when included. Files named .clausewatchignore "
		    "in the folder do the same in the syntax of .gitignore." },
	{ .section = "sources",
	  .name = "poll",
	  .kind = CW_OPT_WORD,
	  .words = poll_words,
	  .offset = SRC(poll),
	  .of = CW_OF_FOLDER,
	  .def = "auto",
	  .manual = "auto polls network mounts and what the kernel's watch limit leaves out; never "
		    "relies on the kernel everywhere." },
	{ .section = "sources",
	  .name = "refs",
	  .kind = CW_OPT_GLOBS,
	  .offset = SRC(refs),
	  .of = CW_OF_REPOSITORY,
	  .def = "[refs/heads/*]",
	  .manual = "References that count. As in a refspec, '*' also matches '/'." },
	{ .section = "sources",
	  .name = "paths",
	  .kind = CW_OPT_GLOBS,
	  .offset = SRC(paths),
	  .of = CW_OF_REPOSITORY,
	  .def = "[]",
	  .manual =
		  "Only paths in the repository that match one of these are read; none means all." },
	{ .section = "sources",
	  .name = "trust_owner",
	  .kind = CW_OPT_BOOL,
	  .offset = SRC(trust_owner),
	  .of = CW_OF_REPOSITORY,
	  .def = "false",
	  .manual =
		  "Read the repository although it belongs to another user. Nothing in it is ever "
		  "executed." },
	{ .section = "sources",
	  .name = "web_url",
	  .kind = CW_OPT_WEB_URL,
	  .offset = SRC(web_url),
	  .of = CW_OF_REPOSITORY,
	  .manual = "Address of a line in the repository's web view, with {commit}, {path} and "
		    "{line}; alerts then carry a link." },

	{ .section = "watch",
	  .name = "settle",
	  .kind = CW_OPT_DURATION,
	  .offset = TOP(watch.settle),
	  .min = 0,
	  .max = MINUTE,
	  .def = "400ms",
	  .manual = "A file is read when it was left alone for so long." },
	{ .section = "watch",
	  .name = "settle_max",
	  .kind = CW_OPT_DURATION,
	  .offset = TOP(watch.settle_max),
	  .min = 0,
	  .max = HOUR,
	  .def = "5s",
	  .manual = "A file that is written without pause is read after so long." },
	{ .section = "watch",
	  .name = "reconcile",
	  .kind = CW_OPT_DURATION,
	  .offset = TOP(watch.reconcile),
	  .min = 0,
	  .max = 30 * DAY,
	  .def = "6h",
	  .manual =
		  "Every source is looked through this often, in case something was missed; 0 for "
		  "never." },
	{ .section = "watch",
	  .name = "max_file_size",
	  .kind = CW_OPT_SIZE,
	  .offset = TOP(watch.max_file_size),
	  .min = 1024,
	  .max = 1024 * MIB,
	  .def = "64MiB",
	  .manual = "A larger file is reported as not checked." },
	{ .section = "watch",
	  .name = "jobs",
	  .kind = CW_OPT_INT,
	  .offset = TOP(watch.jobs),
	  .min = 0,
	  .max = 256,
	  .def = "0",
	  .manual = "Documents that are analysed at the same time; 0 for one a processor core." },

	{ .section = "alerts",
	  .name = "min_severity",
	  .kind = CW_OPT_WORD,
	  .words = severity_words,
	  .offset = TOP(alerts.min_severity),
	  .def = "medium",
	  .manual = "Less severe changes are kept, but not sent." },
	{ .section = "alerts",
	  .name = "first_scan",
	  .kind = CW_OPT_WORD,
	  .words = first_words,
	  .offset = TOP(alerts.first_scan),
	  .def = "summary",
	  .manual = "What a new source sends for what is already there: one summary, an alert for "
		    "each document, or nothing." },
	{ .section = "alerts",
	  .name = "group_window",
	  .kind = CW_OPT_DURATION,
	  .offset = TOP(alerts.group_window),
	  .min = 0,
	  .max = HOUR,
	  .def = "30s",
	  .manual = "Changes of one source within so long may share an alert." },

	{ .section = "channels",
	  .name = "name",
	  .kind = CW_OPT_NAME,
	  .offset = CHN(name),
	  .manual = "Unique name, of a-z, 0-9, '.', '_' and '-'." },
	{ .section = "channels",
	  .name = "enabled",
	  .kind = CW_OPT_BOOL,
	  .offset = CHN(enabled),
	  .def = "true",
	  .manual = "false keeps the channel, but sends nothing." },
	{ .section = "channels",
	  .name = "url",
	  .kind = CW_OPT_URL,
	  .offset = CHN(url),
	  .manual = "Where to POST: https, or http to this machine. Shown up to the host only, "
		    "because with some services the rest is a secret." },
	{ .section = "channels",
	  .name = "url_file",
	  .kind = CW_OPT_SECRET,
	  .offset = CHN(url_file),
	  .manual = "File that holds the URL instead, as for secret_file." },
	{ .section = "channels",
	  .name = "format",
	  .kind = CW_OPT_WORD,
	  .words = format_words,
	  .offset = CHN(format),
	  .def = "generic",
	  .manual =
		  "generic sends the signed CloudEvent; slack a message that Slack and Mattermost "
		  "show." },
	{ .section = "channels",
	  .name = "secret_file",
	  .kind = CW_OPT_SECRETS,
	  .alias = true,
	  .offset = CHN(secret_files),
	  .manual = "File that holds the signing secret (whsec_...): an absolute path, or "
		    "credential:NAME for a credential of the systemd unit. Needed by generic." },
	{ .section = "channels",
	  .name = "secret_files",
	  .kind = CW_OPT_SECRETS,
	  .offset = CHN(secret_files),
	  .def = "[]",
	  .manual = "The same while secrets are changed: the newest first, every one signs." },
	{ .section = "channels",
	  .name = "include_text",
	  .kind = CW_OPT_BOOL,
	  .offset = CHN(include_text),
	  .def = "false",
	  .manual =
		  "Send the words of clauses too. Without it no clause text leaves the machine." },
	{ .section = "channels",
	  .name = "min_severity",
	  .kind = CW_OPT_WORD,
	  .words = severity_words,
	  .offset = CHN(min_severity),
	  .manual = "For this channel instead of alerts.min_severity." },
	{ .section = "channels",
	  .name = "types",
	  .kind = CW_OPT_TYPES,
	  .offset = CHN(types),
	  .def = "[]",
	  .manual = "Types of events that are sent, such as risk.appeared or protection.*; none "
		    "means all." },
	{ .section = "channels",
	  .name = "sources",
	  .kind = CW_OPT_GLOBS,
	  .offset = CHN(sources),
	  .def = "[]",
	  .manual = "Names of sources whose events are sent; none means all." },
	{ .section = "channels",
	  .name = "timeout",
	  .kind = CW_OPT_DURATION,
	  .offset = CHN(timeout),
	  .min = SECOND,
	  .max = 5 * MINUTE,
	  .def = "15s",
	  .manual = "How long one attempt may take, all included." },
	{ .section = "channels",
	  .name = "allow_private",
	  .kind = CW_OPT_NETS,
	  .offset = CHN(allow_private),
	  .def = "[]",
	  .manual = "Private addresses that may be connected to, such as 10.1.2.0/24; others are "
		    "refused, whatever the name in the URL resolves to." },
	{ .section = "channels",
	  .name = "retry",
	  .kind = CW_OPT_DURATIONS,
	  .offset = CHN(retry),
	  .min = 0,
	  .max = 7 * DAY,
	  .def = "[0, 5s, 5m, 30m, 2h, 5h, 10h, 14h, 20h, 24h]",
	  .manual = "Wait before each attempt; the first is made at once." },
	{ .section = "channels",
	  .name = "max_attempts",
	  .kind = CW_OPT_INT,
	  .offset = CHN(max_attempts),
	  .min = 1,
	  .max = 100,
	  .manual =
		  "Attempts until a delivery counts as dead; beyond the list of waits the last is "
		  "repeated. Without it: as many as retry has waits." },

	{ .section = "terms",
	  .name = "severity",
	  .kind = CW_OPT_WORD,
	  .words = severity_words,
	  .offset = OVR(severity),
	  .manual = "Severity of the term for this installation." },
	{ .section = "terms",
	  .name = "mode",
	  .kind = CW_OPT_WORD,
	  .words = mode_words,
	  .offset = OVR(mode),
	  .manual =
		  "off: never found. shadow: found and kept, never shown or sent. warn: reported, "
		  "never refuses a push. block: may refuse one." },

	{ .section = "hook",
	  .name = "fail_on",
	  .kind = CW_OPT_WORD,
	  .words = severity_words,
	  .offset = TOP(hook.fail_on),
	  .def = "high",
	  .manual = "A push with riskier changes of at least this severity is refused." },
	{ .section = "hook",
	  .name = "timeout",
	  .kind = CW_OPT_DURATION,
	  .offset = TOP(hook.timeout),
	  .min = 100,
	  .max = HOUR,
	  .def = "4500ms",
	  .manual = "How long a check may take. Some hosts allow all hooks 5 s together." },
	{ .section = "hook",
	  .name = "on_timeout",
	  .kind = CW_OPT_WORD,
	  .words = policy_words,
	  .offset = TOP(hook.on_timeout),
	  .def = "reject",
	  .manual = "What happens to a push that could not be checked in time; an accepted one is "
		    "recorded as unchecked." },
	{ .section = "hook",
	  .name = "on_uncheckable",
	  .kind = CW_OPT_WORD,
	  .words = policy_words,
	  .offset = TOP(hook.on_uncheckable),
	  .def = "reject",
	  .manual = "What happens to a push with a document that cannot be read." },
	{ .section = "hook",
	  .name = "max_findings",
	  .kind = CW_OPT_INT,
	  .offset = TOP(hook.max_findings),
	  .min = 1,
	  .max = 1000,
	  .def = "5",
	  .manual = "Findings that are shown to who pushes; the rest is counted." },
};
const size_t cw_noptions = COUNT(cw_options);

void cw_option_keys(const char *section, const char *keys[CW_OPTION_KEYS_MAX])
{
	size_t n = 0;

	for (size_t i = 0; i < cw_noptions; i++) {
		if (strcmp(cw_options[i].section, section) == 0 && n + 1 < CW_OPTION_KEYS_MAX)
			keys[n++] = cw_options[i].name;
	}
	for (size_t i = 1; *section == '\0' && i < cw_nsections && n + 1 < CW_OPTION_KEYS_MAX; i++)
		keys[n++] = cw_sections[i].name;
	keys[n] = NULL;
}

const struct cw_option *cw_option_find(const char *section, const char *name)
{
	for (size_t i = 0; i < cw_noptions; i++) {
		if (strcmp(cw_options[i].section, section) == 0 &&
		    strcmp(cw_options[i].name, name) == 0)
			return &cw_options[i];
	}
	return NULL;
}

const struct cw_option *cw_option_alias(const struct cw_option *opt)
{
	for (size_t i = 0; i < cw_noptions; i++) {
		const struct cw_option *other = &cw_options[i];

		if (other != opt && other->offset == opt->offset &&
		    strcmp(other->section, opt->section) == 0)
			return other;
	}
	return NULL;
}

const struct cw_place *cw_config_where(const struct cw_place *where, const char *section,
				       const char *name)
{
	const struct cw_option *opt = cw_option_find(section, name);

	if (!opt)
		return NULL;
	const struct cw_place *place = &where[opt - cw_options];
	const struct cw_option *other = place->file ? NULL : cw_option_alias(opt);
	return other ? &where[other - cw_options] : place;
}

const char *cw_config_section_text(const char *section)
{
	for (size_t i = 0; i < cw_nsections; i++) {
		if (strcmp(cw_sections[i].name, section) == 0)
			return cw_sections[i].manual;
	}
	return NULL;
}

static bool has_range(const struct cw_option *opt)
{
	return opt->kind == CW_OPT_INT || opt->kind == CW_OPT_DURATION ||
	       opt->kind == CW_OPT_SIZE || opt->kind == CW_OPT_DURATIONS;
}

void cw_config_describe(cw_config_option_cb *cb, void *ctx)
{
	struct cw_buf min = { 0 }, max = { 0 };

	for (size_t i = 0; i < cw_noptions; i++) {
		const struct cw_option *opt = &cw_options[i];
		struct cw_option_info info = {
			.section = opt->section,
			.name = opt->name,
			.type = cw_option_kind_name(opt->kind),
			.words = opt->words,
			.def = opt->def,
			.manual = opt->manual,
		};

		cw_buf_clear(&min);
		cw_buf_clear(&max);
		if (has_range(opt)) {
			cw_option_show_number(opt, opt->min, &min);
			cw_option_show_number(opt, opt->max, &max);
			info.min = cw_buf_str(&min);
			info.max = cw_buf_str(&max);
		}
		cb(ctx, &info);
	}
	cw_buf_release(&min);
	cw_buf_release(&max);
}
