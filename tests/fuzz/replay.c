/*
 * Feeds the files of the given directories to a fuzz target: yesterday's findings as today's
 * tests, with any compiler.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay(const char *path)
{
	FILE *f = fopen(path, "rb");
	uint8_t *data = NULL;
	size_t size = 0, n;

	if (!f)
		return -1;
	for (;;) {
		uint8_t *more = realloc(data, size + 65536);
		if (!more)
			abort();
		data = more;
		n = fread(data + size, 1, 65536, f);
		size += n;
		if (n == 0)
			break;
	}
	fclose(f);
	(void)LLVMFuzzerTestOneInput(data, size);
	free(data);
	return 0;
}

static int replay_dir(const char *dir, int *count)
{
	DIR *d = opendir(dir);
	int bad = 0;

	if (!d) {
		printf("not ok - cannot open %s\n", dir);
		return 1;
	}
	for (struct dirent *e; (e = readdir(d));) {
		char path[4096];

		if (e->d_name[0] == '.')
			continue;
		if (snprintf(path, sizeof(path), "%s/%s", dir, e->d_name) >= (int)sizeof(path) ||
		    replay(path) < 0) {
			printf("not ok - %s\n", e->d_name);
			bad++;
			continue;
		}
		printf("ok %d - %s\n", ++*count, e->d_name);
	}
	closedir(d);
	return bad;
}

int main(int argc, char **argv)
{
	int count = 0, bad = 0;

	for (int i = 1; i < argc; i++)
		bad += replay_dir(argv[i], &count);
	return bad != 0 || count == 0;
}
