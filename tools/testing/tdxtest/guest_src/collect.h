/* SPDX-License-Identifier: GPL-2.0-only */
/* Brings files of the guest to the machine that runs it, by the console. */
#ifndef TDXTEST_GUEST_COLLECT_H
#define TDXTEST_GUEST_COLLECT_H

/**
 * collect_files - print every file below a folder whose name ends with @suffix
 * @folder: where to look, symbolic links are not followed
 * @suffix: such as ".gcda"
 *
 * A file is a block of KTAP comments, its bytes in base64:
 *
 *	# collect: begin SIZE PATH
 *	# collect: data BASE64
 *	# collect: end CRC32
 *
 * Gives the number of files, or -1 with errno set when one could not be read.
 */
int collect_files(const char *folder, const char *suffix);

#endif /* TDXTEST_GUEST_COLLECT_H */
