/* clausewatch backup, export, import: the store as a whole. */
#include "ask.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clausewatch/store.h"

/* A copy of a large store takes a while without a word. */
#define BACKUP_S 3600

struct options {
	struct cli_ask ask;
};

static const struct cli_option options[] = {
	CLI_ASK_OPTIONS(options),
	{ 0 },
};

/* One word behind the verb. */
static int begin(const struct cli_verb *verb, int argc, char **argv, const char *what,
		 struct options *o, const char **out_word)
{
	struct cli_list args = { 0 };
	int status = cli_parse(verb, argc, argv, o, &args);

	if (status < 0 && args.count != 1)
		status = cli_usage("%s: which %s? One", argv[0], what);
	if (status < 0)
		*out_word = args.items[0];
	cli_list_release(&args);
	return status;
}

/* ---- backup ---- */

static char *absolute(const char *path)
{
	char *cwd = *path == '/' ? NULL : getcwd(NULL, 0), *out = NULL;

	if (*path == '/')
		return strdup(path);
	if (cwd && asprintf(&out, "%s/%s", cwd, path) < 0)
		out = NULL;
	free(cwd);
	return out;
}

int cw_verb_backup(int argc, char **argv)
{
	static const struct cli_verb verb = {
		.usage = "backup DIR [options]",
		.help = "Copy the store, compacted and consistent, while the daemon goes on. The daemon writes it,\n"
			"with its permissions: as a service, below its state directory only. To restore, stop the\n"
			"daemon and put data.mdb into its state directory.\n\n"
			"Exit status: 0 copied, 2 wrong use or not permitted, 4 the daemon cannot be reached.",
		.options = options,
	};
	struct options o = { 0 };
	const char *word;
	int status = begin(&verb, argc, argv, "DIR", &o, &word);

	if (status >= 0)
		return status;
	char *dir = absolute(word);
	if (!dir)
		return cli_usage("backup: '%s': %s", word, strerror(errno));
	json_t *question = cli_question("backup");
	cli_question_text(question, "dir", dir);
	status = cli_ask(&o.ask, question, BACKUP_S, NULL, NULL);
	if (status == CW_EXIT_CLEAN) {
		struct cli_page page = { 0 };
		cw_buf_puts(&page.buf, "copied to ");
		cli_page_paint(&page, CLI_PLAIN, dir);
		cw_buf_putc(&page.buf, '\n');
		cli_page_print(&page);
	}
	free(dir);
	return status;
}

/* ---- export ---- */

struct exporting {
	FILE *file;
	bool failed;
};

static int write_line(void *ctx, const json_t *answer, const char *line)
{
	struct exporting *e = ctx;

	(void)answer;
	e->failed |= fputs(line, e->file) < 0 || fputc('\n', e->file) < 0;
	return e->failed ? CW_EIO : CW_OK;
}

/* Contracts are in it: for its owner only, and never half a file under the name asked for. */
static int export_to(const struct options *o, const char *path)
{
	struct exporting e = { 0 };
	char *part = NULL;
	int fd = -1, status;

	if (asprintf(&part, "%s.part", path) >= 0)
		fd = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	e.file = fd < 0 ? NULL : fdopen(fd, "w");
	if (!e.file) {
		status = cli_usage("export: '%s.part': %s", path, strerror(errno));
		if (fd >= 0)
			close(fd);
		goto out;
	}
	status = cli_ask(&o->ask, cli_question("export"), CLI_SILENCE_S, write_line, &e);
	e.failed |= fflush(e.file) != 0 || fsync(fd) != 0;
	e.failed |= fclose(e.file) != 0;
	if (status == CW_EXIT_CLEAN && (e.failed || rename(part, path) != 0))
		status = cli_usage("export: '%s': %s", path, strerror(errno));
	if (status != CW_EXIT_CLEAN)
		(void)unlink(part);
out:
	free(part);
	return status;
}

int cw_verb_export(int argc, char **argv)
{
	static const struct cli_verb verb = {
		.usage = "export FILE|- [options]",
		.help = "Write all that cannot be made again as JSON lines: documents with their texts and\n"
			"versions, events, deliveries, waivers. The whole text of agreements is in it.\n\n"
			"Exit status: 0 written, 2 wrong use or not writable, 4 the daemon cannot be reached.",
		.options = options,
	};
	struct exporting e = { .file = stdout };
	struct options o = { 0 };
	const char *path;
	int status = begin(&verb, argc, argv, "FILE", &o, &path);

	if (status >= 0)
		return status;
	if (strcmp(path, "-") != 0)
		return export_to(&o, path);
	status = cli_ask(&o.ask, cli_question("export"), CLI_SILENCE_S, write_line, &e);
	return e.failed || fflush(stdout) != 0
		       ? cli_usage("export: standard output: %s", strerror(errno))
		       : status;
}

/* ---- import ---- */

/* Files of another user in its state directory would stop the daemon. */
static int check_owner(const char *dir)
{
	struct stat st;

	if (stat(dir, &st) < 0)
		return cli_usage("import: '%s': %s", dir, strerror(errno));
	if (st.st_uid != geteuid())
		return cli_usage("import: '%s' belongs to user %u: run this as the daemon's user, "
				 "such as: sudo -u '#%u' clausewatch import ...",
				 dir, (unsigned)st.st_uid, (unsigned)st.st_uid);
	return -1;
}

static int import_from(const char *dir, const char *path)
{
	struct cw_store *store = NULL;
	struct cw_error err = { 0 };
	FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
	int status = CW_EXIT_CLEAN;

	if (!file)
		return cli_usage("import: '%s': %s", path, strerror(errno));
	int ret = cw_store_open(dir, NULL, &store, &err);
	if (ret == CW_OK)
		ret = cw_store_import(store, file, &err);
	cw_store_close(store);
	if (file != stdin)
		(void)fclose(file);
	if (ret < 0)
		status = cli_usage("import: %s", err.msg);
	else
		(void)puts("imported; the daemon reads the documents again when it starts");
	return status;
}

int cw_verb_import(int argc, char **argv)
{
	static const struct cli_verb verb = {
		.usage = "import FILE|- [options]",
		.help = "Read what export wrote into an empty store. The daemon must be stopped, and whoever runs\n"
			"this must own its state directory: sudo -u clausewatch.\n\n"
			"Exit status: 0 imported, 2 wrong use, the daemon runs, or the file is damaged: nothing is\n"
			"then imported.",
		.options = options,
	};
	struct options o = { 0 };
	struct cw_config *config = NULL;
	struct cw_error err = { 0 };
	const char *path;
	int status = begin(&verb, argc, argv, "FILE", &o, &path);

	if (status < 0 && cw_config_load(cli_config_path(o.ask.config), &config, &err) < 0)
		status = cli_usage("%s", err.msg);
	if (status < 0)
		status = check_owner(config->state_dir);
	if (status < 0)
		status = import_from(config->state_dir, path);
	cw_config_free(config);
	return status;
}
