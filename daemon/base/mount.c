#include "clausewatch/mount.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/vfs.h>

static const struct {
	uint32_t magic;
	const char *name;
} kinds[] = {
	{ 0x6969, "nfs" },         { 0xfe534d42, "smb2" }, { 0xff534d42, "cifs" },
	{ 0x517b, "smb" },         { 0x65735546, "fuse" }, /* sshfs, s3fs, cloud drives */
	{ 0x01021997, "9p" },      { 0x00c36400, "ceph" }, { 0x6b414653, "afs" },
	{ 0x5346414f, "openafs" }, { 0x73757245, "coda" }, { 0x0bd00bd0, "lustre" },
	{ 0x7461636f, "ocfs2" },   { 0x01161970, "gfs2" }, { 0x786f4256, "vboxsf" },
	{ 0xbacbacbc, "vmhgfs" },
};

const char *cw_network_kind(unsigned long f_type)
{
	/* f_type is signed on some machines. */
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (kinds[i].magic == (uint32_t)f_type)
			return kinds[i].name;
	return NULL;
}

const char *cw_network_mount(const char *path)
{
	struct statfs fs;

	return statfs(path, &fs) < 0 ? NULL : cw_network_kind((unsigned long)fs.f_type);
}
