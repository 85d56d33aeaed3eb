// SPDX-License-Identifier: GPL-2.0-only
/*
 * Files of the kernel that take a line of text.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "tdx/tdx_file.h"

bool tdx_file_write(const char *path, const char *text)
{
	const ssize_t length = strlen(text);
	const int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t written;
	int error;

	if (fd < 0)
		return false;
	written = write(fd, text, length);
	error = written < 0 ? errno : EIO;
	close(fd);
	errno = error;
	return written == length;
}
