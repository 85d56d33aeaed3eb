// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every machine has a console, but not a second serial line or a disk.  The
 * console loses nothing; a check sum is cheap and would tell if it did.
 */
#define _GNU_SOURCE
#include <ftw.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collect.h"

/* A multiple of three, so that only the last line of a file is padded. */
#define BYTES_PER_LINE	720
/* nftw() keeps so many folders open. */
#define MAX_FOLDERS	16

static const char *wanted_suffix;
static int nr_collected;

/* The CRC of zlib and of Ethernet, bit by bit: files are small. */
static uint32_t crc32(const unsigned char *data, size_t size)
{
	uint32_t crc = ~0u;
	int bit;

	while (size--) {
		crc ^= *data++;
		for (bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
	}
	return ~crc;
}

static void print_base64(const unsigned char *data, size_t size)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t i;

	printf("# collect: data ");
	for (i = 0; i < size; i += 3) {
		uint32_t bits = data[i] << 16;

		if (i + 1 < size)
			bits |= data[i + 1] << 8;
		if (i + 2 < size)
			bits |= data[i + 2];
		putchar(digits[bits >> 18]);
		putchar(digits[bits >> 12 & 63]);
		putchar(i + 1 < size ? digits[bits >> 6 & 63] : '=');
		putchar(i + 2 < size ? digits[bits & 63] : '=');
	}
	putchar('\n');
}

/* Files of a pseudo file system do not tell their size: read to the end. */
static unsigned char *read_whole(const char *path, size_t *size)
{
	unsigned char *data = NULL, *grown;
	size_t room = 0, len;
	FILE *f;

	f = fopen(path, "rb");
	if (!f)
		return NULL;

	*size = 0;
	do {
		if (*size == room) {
			room = room ? 2 * room : 65536;
			grown = realloc(data, room);
			if (!grown)
				break;
			data = grown;
		}
		len = fread(data + *size, 1, room - *size, f);
		*size += len;
	} while (len);

	if (ferror(f) || !feof(f)) {
		free(data);
		data = NULL;
	}
	fclose(f);
	return data;
}

static int collect_file(const char *path, const struct stat *info, int type,
			struct FTW *where)
{
	size_t len = strlen(path), end = strlen(wanted_suffix), size, i;
	unsigned char *data;

	if (type != FTW_F || len < end || strcmp(path + len - end, wanted_suffix))
		return 0;

	data = read_whole(path, &size);
	if (!data)
		return -1;
	printf("# collect: begin %zu %s\n", size, path);
	for (i = 0; i < size; i += BYTES_PER_LINE)
		print_base64(data + i, size - i < BYTES_PER_LINE ?
				       size - i : BYTES_PER_LINE);
	printf("# collect: end %08x\n", crc32(data, size));
	free(data);
	nr_collected++;
	return 0;
}

int collect_files(const char *folder, const char *suffix)
{
	wanted_suffix = suffix;
	nr_collected = 0;
	if (nftw(folder, collect_file, MAX_FOLDERS, FTW_PHYS))
		return -1;
	return nr_collected;
}
