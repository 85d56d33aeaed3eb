// SPDX-License-Identifier: GPL-2.0-only
/* What a TD sees of its CPUs and its devices. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "td_checks.h"
#include "td_protocol.h"

#define CLOCKSOURCE	"/sys/devices/system/clocksource/clocksource0/"
#define HOST_BRIDGE	"/sys/bus/pci/devices/0000:00:00.0/"
/* Registers of it: vendor and device, and the interrupt line, which it does not use. */
#define PCI_IDS		0x00
#define PCI_LINE	0x3c
#define VENDOR_INTEL	0x8086

double td_clock(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

const char *td_first_line(const char *path)
{
	static char line[256];
	FILE *f = fopen(path, "r");

	if (!f || !fgets(line, sizeof(line), f))
		line[0] = '\0';
	line[strcspn(line, "\n")] = '\0';
	if (f)
		fclose(f);
	return line;
}

/* A line of /proc/cpuinfo or the like with a word, which stands alone. */
static int has_flag(const char *path, const char *flag)
{
	char *line = NULL, *at;
	size_t room = 0, len = strlen(flag);
	FILE *f = fopen(path, "r");
	int found = 0;

	while (f && !found && getline(&line, &room, f) > 0) {
		for (at = line; !found && (at = strstr(at, flag)); at += len)
			found = (at == line || at[-1] == ' ') &&
				(at[len] == ' ' || at[len] == '\n');
	}
	free(line);
	if (f)
		fclose(f);
	return found;
}

/* The kernel knows that it is a TD, and each vCPU runs a process. */
enum td_outcome check_cpus(char *why, int size)
{
	int wanted = atoi(td_parameter("td.cpus"));
	int got = sysconf(_SC_NPROCESSORS_ONLN);
	int i;

	if (!has_flag("/proc/cpuinfo", "tdx_guest"))
		return td_fail(why, size, "wanted the flag tdx_guest in /proc/cpuinfo, got none");
	if (got != wanted)
		return td_fail(why, size, "wanted %d CPU(s), got %d", wanted, got);
	for (i = 0; i < wanted; i++) {
		cpu_set_t set;

		CPU_ZERO(&set);
		CPU_SET(i, &set);
		if (sched_setaffinity(0, sizeof(set), &set) || sched_getcpu() != i)
			return td_fail(why, size, "CPU %d: wanted to run there, got %s on CPU %d",
				       i, strerror(errno), sched_getcpu());
	}
	return TD_PASSED;
}

/* A register of the configuration space, little endian; -1 if it cannot be read. */
static long read_config(int fd, int reg, int size)
{
	uint32_t value = 0;

	return pread(fd, &value, size, reg) == size ? (long)value : -1;
}

/* IN of each size gives the same bytes. */
static enum td_outcome check_in_sizes(int fd, char *why, int size)
{
	const long whole = read_config(fd, PCI_IDS, 4);
	int reg, width;

	if (whole < 0 || (whole & 0xffff) != VENDOR_INTEL)
		return td_fail(why, size, "IDs of the host bridge: wanted vendor 0x%x, got 0x%lx",
			       VENDOR_INTEL, whole);
	for (width = 1; width <= 2; width++) {
		for (reg = 0; reg < 4; reg += width) {
			const long wanted = whole >> 8 * reg & ((1 << 8 * width) - 1);
			const long got = read_config(fd, PCI_IDS + reg, width);

			if (got != wanted)
				return td_fail(why, size,
					       "IN of %d byte(s) at 0x%x: wanted 0x%lx, got 0x%lx",
					       width, PCI_IDS + reg, wanted, got);
		}
	}
	return TD_PASSED;
}

/*
 * IN gives what the device has, and what OUT left there. The kernel reads the first 256
 * bytes of the configuration space by ports; a process of its own would get #GP.
 */
enum td_outcome check_port_in(char *why, int size)
{
	int fd = open(HOST_BRIDGE "config", O_RDWR | O_CLOEXEC), i;
	enum td_outcome outcome;
	unsigned char value;
	long old, got;

	if (fd < 0)
		return td_skip(why, size, "the TD's kernel has no " HOST_BRIDGE);
	outcome = check_in_sizes(fd, why, size);
	old = read_config(fd, PCI_LINE, 1);
	for (i = 0; outcome == TD_PASSED && i < 256; i++) {
		value = i;
		if (pwrite(fd, &value, 1, PCI_LINE) != 1)
			outcome = td_fail(why, size, "register 0x%x: %s", PCI_LINE,
					  strerror(errno));
		got = read_config(fd, PCI_LINE, 1);
		if (outcome == TD_PASSED && got != value)
			outcome = td_fail(why, size, "register 0x%x: wrote 0x%x, got 0x%lx",
					  PCI_LINE, value, got);
	}
	value = old;
	if (outcome == TD_PASSED && pwrite(fd, &value, 1, PCI_LINE) != 1)
		outcome = td_fail(why, size, "register 0x%x: %s", PCI_LINE, strerror(errno));
	close(fd);
	return outcome;
}

/* OUT loses nothing: td_test.c compares the lines, and says so if they differ. */
enum td_outcome check_port_out(char *why, int size)
{
	int i;

	for (i = 0; i < TD_PATTERNS; i++)
		printf(TD_SAYS TD_PATTERN_IS "%s\n", TD_PATTERN);
	fflush(stdout);
	(void)why;
	(void)size;
	return TD_PASSED;
}

static int set_clocksource(const char *name)
{
	int fd = open(CLOCKSOURCE "current_clocksource", O_WRONLY | O_CLOEXEC);
	int ret = fd < 0 || write(fd, name, strlen(name)) < 0;

	close(fd);
	return ret ? -1 : 0;
}

/*
 * The HPET is a device in memory. As the clock source each look at the clock is a
 * read of it, which must give a counter that goes on.
 */
enum td_outcome check_mmio(char *why, int size)
{
	double hpet, last = 0, at = 0;
	char before[64];
	int i;

	if (!strstr(td_first_line(CLOCKSOURCE "available_clocksource"), "hpet"))
		return td_skip(why, size, "the TD has no HPET, its clock sources are: %.100s",
			       td_first_line(CLOCKSOURCE "available_clocksource"));
	snprintf(before, sizeof(before), "%.60s",
		 td_first_line(CLOCKSOURCE "current_clocksource"));
	if (set_clocksource("hpet"))
		return td_fail(why, size, "clock source hpet: %s", strerror(errno));
	if (strcmp(td_first_line(CLOCKSOURCE "current_clocksource"), "hpet"))
		return td_fail(why, size, "wanted the clock source hpet, got %.60s",
			       td_first_line(CLOCKSOURCE "current_clocksource"));

	hpet = td_clock();
	for (i = 0; i < 200; i++) {
		at = td_clock();
		if (at <= last)
			break;
		last = at;
	}
	hpet = last - hpet;
	set_clocksource(before);
	if (i < 200)
		return td_fail(why, size, "HPET: wanted a time after %.9f, got %.9f", last, at);
	if (hpet <= 0 || hpet > 60)
		return td_fail(why, size, "HPET: wanted a moment for 200 reads, got %.3f s", hpet);
	return TD_PASSED;
}

/*
 * A device writes to the TD's memory, which must be shared with it: bytes of
 * virtio-rng come by way of the kernel's shared buffers.
 */
enum td_outcome check_shared(char *why, int size)
{
	unsigned char bytes[64] = "", zero[64] = "";
	const char *current;
	ssize_t got;
	int fd;

	current = td_first_line("/sys/devices/virtual/misc/hw_random/rng_current");
	if (!strstr(current, "virtio"))
		return td_skip(why, size, "the kernel's random source is '%.60s', not virtio-rng",
			       current);
	fd = open("/dev/hwrng", O_RDONLY | O_CLOEXEC);
	got = read(fd, bytes, sizeof(bytes));
	close(fd);
	if (got <= 0)
		return td_fail(why, size, "/dev/hwrng: wanted %zu bytes, got %s", sizeof(bytes),
			       strerror(errno));
	if (!memcmp(bytes, zero, got))
		return td_fail(why, size, "/dev/hwrng: wanted random bytes, got %zd zeros", got);
	return TD_PASSED;
}
