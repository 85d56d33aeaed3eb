/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Files of the kernel that take a line of text.
 */
#ifndef SELFTEST_TDX_TDX_FILE_H
#define SELFTEST_TDX_TDX_FILE_H

#include <stdbool.h>

/*
 * Write @text to the file @path by one write().  Returns false, with errno, if the file
 * cannot be opened or does not take @text: EIO if it takes a part.
 */
bool tdx_file_write(const char *path, const char *text);

#endif /* SELFTEST_TDX_TDX_FILE_H */
