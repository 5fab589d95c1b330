/* clausewatch hook: the gate before a push or a commit, and the nudge after one. */
#include "hook.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "clausewatch/glob.h"
#include "clausewatch/json.h"

static const struct cli_option options[] = {
	{ "config", 0, CLI_TEXT, offsetof(struct hook_options, config), "FILE",
	  "instead of $CLAUSEWATCH_CONFIG or " CW_CONFIG_PATH },
	{ "rules", 0, CLI_LIST, offsetof(struct hook_options, rules), "DIR",
	  "rule packs over the shipped ones; repeatable" },
	{ "type", 0, CLI_TEXT, offsetof(struct hook_options, type), "TYPE",
	  "install: pre-receive (bare), pre-commit, pre-push or post-receive" },
	{ "chain", 0, CLI_FLAG, offsetof(struct hook_options, chain), NULL,
	  "install: keep a hook that is there, and run it first" },
	{ 0 },
};

static const struct cli_verb verb = {
	.usage =
		"hook pre-receive|pre-commit|pre-push|post-receive|install|doctor [REPO] [options]",
	.help = "pre-receive   refuse a push that makes agreements riskier; git hands it the updates\n"
		"pre-commit    the same for what is staged, against HEAD\n"
		"pre-push      the same for what is about to be pushed\n"
		"post-receive  tell the daemon that references moved\n"
		"install       write the hook of a repository\n"
		"doctor        see whether the hooks of a repository would do their work\n\n"
		"What refuses, how long a check may take and what becomes of documents that cannot be\n"
		"checked is decided by the section 'hook' of the configuration.\n\n"
		"Exit status: 0 accepted, 1 refused, 2 refused for wrong use, configuration or rules,\n"
		"3 refused because something could not be checked.",
	.options = options,
};

struct hook {
	const struct hook_options *opts;
	const struct cli_list *args; /* of git */
	struct hook_voice voice;
	struct cw_config *config;
	struct cw_arena arena;
	struct gate gate;
	struct gate_report report;
};

/* Fills the report; what it returns has to do with the push as a whole. */
typedef int judge_fn(struct hook *h, struct cw_error *err);

static void cannot_check(struct hook *h, const char *ref, const struct cw_error *err)
{
	struct cw_buf text = { 0 };

	cw_buf_printf(&text, "%s%s%s", ref ? ref : "", ref ? ": " : "", err->msg);
	gate_add_unchecked(&h->report, NULL, cw_unchecked_name(err->code), cw_buf_str(&text));
	cw_buf_release(&text);
}

struct judged {
	struct cw_oid base, tree;
};

static bool is_judged(const struct judged *done, size_t n, const struct cw_git_update *u)
{
	for (size_t i = 0; i < n; i++)
		if (cw_oid_eq(&done[i].base, &u->base_tree) &&
		    cw_oid_eq(&done[i].tree, &u->new_tree))
			return true;
	return false;
}

static void note_update(struct hook *h, const struct cw_git_update *u)
{
	if (u->kind == CW_GIT_FORCED && cw_oid_is_none(&u->base_commit))
		gate_add_note(&h->report, "%s: history rewritten; the state before is gone",
			      u->ref);
	else if (u->kind == CW_GIT_FORCED && cw_oid_eq(&u->base_commit, &u->old))
		gate_add_note(&h->report, "%s: history rewritten; compared with the state before",
			      u->ref);
	else if (u->kind == CW_GIT_FORCED && !u->tag)
		gate_add_note(&h->report, "%s: history rewritten", u->ref);
}

static void judge_update(struct hook *h, struct cw_git_update *u, const struct cw_git_tips *known,
			 struct judged *done, size_t *ndone)
{
	struct cw_error err = { 0 };
	struct cw_oid *oids = NULL;
	int ret;

	if (known) {
		oids = cw_arena_alloc(&h->arena, (known->count + 1) * sizeof(*oids));
		for (size_t i = 0; oids && i < known->count; i++)
			oids[i] = known->items[i].oid;
	}
	ret = cw_git_classify(h->gate.repo, oids, oids ? known->count : 0, u, &err);
	if (ret < 0) {
		cannot_check(h, u->ref, &err);
		return;
	}
	if (u->kind == CW_GIT_DELETE)
		return;
	note_update(h, u);
	if (cw_oid_is_none(&u->new_tree)) {
		cw_fail(&err, CW_EUNSUPPORTED, "it leads to a single file");
		cannot_check(h, u->ref, &err);
		return;
	}
	if (is_judged(done, *ndone, u))
		return;
	done[(*ndone)++] = (struct judged){ u->base_tree, u->new_tree };
	ret = gate_trees(&h->gate, &u->base_tree, &u->new_tree, &err);
	if (ret < 0)
		cannot_check(h, u->ref, &err);
}

/* known NULL: the references as they are. */
static int judge_updates(struct hook *h, const struct cw_git_updates *updates,
			 const struct cw_git_tips *known, struct cw_error *err)
{
	struct judged *done = calloc(updates->count + 1, sizeof(*done));
	size_t ndone = 0;

	if (!done)
		return cw_fail(err, CW_ENOMEM, "out of memory");
	for (size_t i = 0; i < updates->count; i++)
		judge_update(h, &updates->items[i], known, done, &ndone);
	free(done);
	return CW_OK;
}

static int judge_receive(struct hook *h, struct cw_error *err)
{
	struct cw_git_updates updates;
	int ret = cw_git_read_updates(&h->arena, STDIN_FILENO, &updates, err);

	return ret < 0 ? ret : judge_updates(h, &updates, NULL, err);
}

static int judge_commit(struct hook *h, struct cw_error *err)
{
	struct cw_error local = { 0 };

	(void)err;
	if (gate_index(&h->gate, &local) < 0)
		cannot_check(h, NULL, &local);
	return CW_OK;
}

/* Lines "LOCAL-REF NEW REMOTE-REF OLD" as pre-receive would see them. */
static int read_push(struct hook *h, struct cw_git_updates *updates, struct cw_error *err)
{
	struct cw_buf text = { 0 };
	char *line = NULL;
	size_t cap = 0, no = 0;
	int ret = CW_OK;

	while (ret == CW_OK && getline(&line, &cap, stdin) > 0) {
		char *save = NULL, *word[4];
		no++;
		for (size_t i = 0; i < 4; i++)
			word[i] = strtok_r(i == 0 ? line : NULL, " \n", &save);
		if (!word[3])
			ret = cw_fail(err, CW_EINVAL,
				      "line %zu is not \"LOCAL-REF NEW REMOTE-REF OLD\"", no);
		else
			cw_buf_printf(&text, "%s %s %s\n", word[3], word[1], word[2]);
	}
	free(line);
	if (ret == CW_OK)
		ret = cw_buf_ok(&text, err);
	if (ret == CW_OK)
		ret = cw_git_parse_updates(&h->arena, cw_buf_str(&text), text.len, updates, err);
	cw_buf_release(&text);
	return ret;
}

/* The pre-commit framework reads the lines itself and sets variables; without them, all is new. */
static int read_framework(struct hook *h, struct cw_git_updates *updates, struct cw_error *err)
{
	const char *ref = getenv("PRE_COMMIT_REMOTE_BRANCH"), *to = getenv("PRE_COMMIT_TO_REF");
	const char *from = getenv("PRE_COMMIT_FROM_REF");
	struct cw_git_object object;
	int ret = CW_OK;

	if (updates->count > 0 || !ref || !*ref)
		return CW_OK;
	updates->items = cw_arena_alloc(&h->arena, sizeof(*updates->items));
	if (!updates->items)
		return cw_fail(err, CW_ENOMEM, "out of memory");
	updates->count = 1;
	updates->items->ref = ref;
	if (from && *from) {
		ret = cw_git_resolve(h->gate.repo, from, &object, err);
		if (ret == CW_OK)
			updates->items->old = object.oid;
	}
	if (ret == CW_OK)
		ret = cw_git_resolve(h->gate.repo, to && *to ? to : "HEAD", &object, err);
	if (ret == CW_OK)
		updates->items->new = object.oid;
	return ret;
}

/* What the remote is known to have: its tracking references, or else those of all remotes. */
static int remote_tips(struct hook *h, struct cw_git_tips *tips, struct cw_error *err)
{
	const char *globs[2] = { "refs/remotes", NULL };
	struct cw_buf own = { 0 };
	int ret = CW_OK;

	*tips = (struct cw_git_tips){ 0 };
	if (h->args->count > 1 && !cw_glob_is_pattern(h->args->items[1])) {
		cw_buf_printf(&own, "refs/remotes/%s", h->args->items[1]);
		globs[1] = cw_buf_str(&own);
		ret = cw_git_snapshot_refs(h->gate.repo, &h->arena, &globs[1], 1, tips, err);
	}
	if (ret == CW_OK && tips->count == 0)
		ret = cw_git_snapshot_refs(h->gate.repo, &h->arena, globs, 1, tips, err);
	cw_buf_release(&own);
	return ret;
}

static int judge_push(struct hook *h, struct cw_error *err)
{
	struct cw_git_updates updates;
	struct cw_git_tips tips;
	int ret = read_push(h, &updates, err);

	if (ret == CW_OK)
		ret = read_framework(h, &updates, err);
	if (ret == CW_OK)
		ret = remote_tips(h, &tips, err);
	return ret < 0 ? ret : judge_updates(h, &updates, &tips, err);
}

static int verdict(const struct hook *h)
{
	const struct gate_report *r = &h->report;

	for (size_t i = 0; i < r->nchanges; i++)
		if (r->changes[i].blocks)
			return CW_EXIT_FINDINGS;
	if (r->rules_code < 0 && h->config->hook.on_uncheckable == CW_POLICY_REJECT)
		return CW_EXIT_USAGE;
	if (r->nunchecked > 0 && h->config->hook.on_uncheckable == CW_POLICY_REJECT)
		return CW_EXIT_UNCHECKED;
	if (r->late > 0 && h->config->hook.on_timeout == CW_POLICY_REJECT)
		return CW_EXIT_UNCHECKED;
	return CW_EXIT_CLEAN;
}

const char *hook_config_path(const struct hook_options *opts)
{
	const char *env = getenv("CLAUSEWATCH_CONFIG");

	return opts->config ? opts->config : env && *env ? env : NULL;
}

static int run_gate(const struct hook_options *opts, const struct cli_list *args, const char *what,
		    judge_fn *judge)
{
	struct hook h = { .opts = opts, .args = args, .voice = hook_voice_of(what) };
	struct cw_error err = { 0 };
	double begun = cli_now();
	int status;

	if (cw_config_load(hook_config_path(opts), &h.config, &err) < 0)
		return hook_say_failure(&h.voice, CW_EXIT_USAGE, "the configuration cannot be used",
					err.msg);
	hook_guard(&h.voice, h.config);
	h.gate = (struct gate){ .config = h.config, .packs = &opts->rules, .report = &h.report };
	h.gate.deadline = begun + (double)h.config->hook.timeout / 1e3;
	int ret = cw_git_init(NULL, &err);
	if (ret == CW_OK)
		ret = cw_git_open_quarantine(&h.gate.repo, &err);
	if (ret < 0)
		cannot_check(&h, NULL, &err);
	else
		ret = judge(&h, &err);
	if (ret == CW_EINVAL && h.gate.repo) {
		status = hook_say_failure(&h.voice, CW_EXIT_USAGE, "standard input", err.msg);
	} else {
		if (ret < 0 && h.gate.repo)
			cannot_check(&h, NULL, &err);
		status = verdict(&h);
		hook_say_report(&h.voice, h.config, &h.report, status);
	}
	gate_release(&h.gate);
	gate_report_release(&h.report);
	cw_arena_release(&h.arena);
	cw_git_close(h.gate.repo);
	cw_git_shutdown();
	cw_config_free(h.config);
	return status;
}

/* One line to the daemon, if there is one; it would find out by itself, only later. */
static void nudge(const char *socket_path, const char *repository)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	const struct timeval soon = { .tv_usec = 200000 };
	struct cw_buf line = { 0 };
	struct cw_json json;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	cw_json_init(&json, &line);
	cw_json_open(&json, NULL, '{');
	cw_json_str(&json, "op", "nudge");
	cw_json_str(&json, "repository", repository);
	cw_json_close(&json, '}');
	cw_buf_putc(&line, '\n');
	if (fd >= 0 && !line.failed && strlen(socket_path) < sizeof(addr.sun_path)) {
		memcpy(addr.sun_path, socket_path, strlen(socket_path) + 1);
		(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &soon, sizeof(soon));
		if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)) == 0)
			(void)send(fd, line.data, line.len, MSG_NOSIGNAL);
	}
	if (fd >= 0)
		(void)close(fd);
	cw_buf_release(&line);
}

/* The push is accepted already: whatever goes wrong here concerns nobody. */
static int run_nudge(const struct hook_options *opts)
{
	const char *dir = getenv("GIT_DIR");
	char *repository = realpath(dir && *dir ? dir : ".", NULL);
	struct cw_config *config = NULL;
	struct cw_error err;
	char drain[4096];

	while (read(STDIN_FILENO, drain, sizeof(drain)) > 0)
		;
	if (repository && cw_config_load(hook_config_path(opts), &config, &err) == CW_OK)
		nudge(config->socket, repository);
	cw_config_free(config);
	free(repository);
	return CW_EXIT_CLEAN;
}

static int run(const struct hook_options *opts, const struct cli_list *args)
{
	static const char *const words[] = {
		"pre-receive", "pre-commit", "pre-push", "post-receive", "install", "doctor", NULL
	};
	static const struct {
		const char *what;
		judge_fn *judge;
	} gates[] = { { "push", judge_receive },
		      { "commit", judge_commit },
		      { "push", judge_push } };
	size_t kind = 0;

	while (words[kind] && strcmp(args->items[0], words[kind]) != 0)
		kind++;
	if (!words[kind])
		return cli_unknown("hook", args->items[0], words);
	if (kind < sizeof(gates) / sizeof(gates[0]))
		return run_gate(opts, args, gates[kind].what, gates[kind].judge);
	if (kind == 3)
		return run_nudge(opts);
	if (args->count > 2)
		return cli_usage("hook %s: one repository at a time", words[kind]);
	const char *repository = args->count > 1 ? args->items[1] : ".";
	return kind == 4 ? hook_install(opts, repository) : hook_doctor(opts, repository);
}

int cw_verb_hook(int argc, char **argv)
{
	struct hook_options opts = { 0 };
	struct cli_list args = { 0 };
	int status = cli_parse(&verb, argc, argv, &opts, &args);

	if (status < 0 && args.count == 0)
		status = cli_usage("hook: which one? See clausewatch hook --help");
	if (status < 0)
		status = run(&opts, &args);
	cli_list_release(&args);
	cli_list_release(&opts.rules);
	return status;
}
