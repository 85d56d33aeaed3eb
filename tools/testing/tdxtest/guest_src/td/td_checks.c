// SPDX-License-Identifier: GPL-2.0-only
/* What a TD sees of its CPUs, its clock and its devices. */
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
#include <sys/timerfd.h>

#include "td_checks.h"
#include "td_protocol.h"

#define CLOCKSOURCE	"/sys/devices/system/clocksource/clocksource0/"
/* The scratch register of the first serial line: it keeps what is written. */
#define UART_SCRATCH	0x3ff
/* The CMOS clock: an index port and a data port. Register 0xa of it has a divider. */
#define CMOS_INDEX	0x70
#define CMOS_DATA	0x71
#define CMOS_REG_A	0x0a
#define CMOS_DIVIDER	0x26

static double now(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

/* The first line of a file, "" if it cannot be read. */
static const char *first_line(const char *path)
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

/* Read or write a byte of a port; the kernel does it, since a process gets #GP. */
static int port_byte(int fd, unsigned int port, unsigned char *value, int is_write)
{
	ssize_t done = is_write ? pwrite(fd, value, 1, port) : pread(fd, value, 1, port);

	return done == 1 ? 0 : -1;
}

static int open_ports(void)
{
	return open("/dev/port", O_RDWR | O_CLOEXEC);
}

/* IN gives what the device has: what OUT left there, and what was there before. */
enum td_outcome check_port_in(char *why, int size)
{
	unsigned char old = 0, value, got;
	int fd = open_ports(), i;
	enum td_outcome outcome = TD_PASSED;

	if (fd < 0)
		return td_skip(why, size, "the TD's kernel has no /dev/port");
	port_byte(fd, UART_SCRATCH, &old, 0);
	for (i = 0; outcome == TD_PASSED && i < 256; i++) {
		value = i;
		if (port_byte(fd, UART_SCRATCH, &value, 1) ||
		    port_byte(fd, UART_SCRATCH, &got, 0))
			outcome = td_fail(why, size, "port 0x%x: %s", UART_SCRATCH,
					  strerror(errno));
		else if (got != value)
			outcome = td_fail(why, size, "port 0x%x: wrote 0x%x, got 0x%x",
					  UART_SCRATCH, value, got);
	}
	port_byte(fd, UART_SCRATCH, &old, 1);

	value = CMOS_REG_A;
	if (outcome == TD_PASSED &&
	    (port_byte(fd, CMOS_INDEX, &value, 1) || port_byte(fd, CMOS_DATA, &got, 0) ||
	     (got & 0x7f) != CMOS_DIVIDER))
		outcome = td_fail(why, size, "CMOS 0x%x: wanted 0x%x in bits 6:0, got 0x%x",
				  CMOS_REG_A, CMOS_DIVIDER, got);
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

	if (!strstr(first_line(CLOCKSOURCE "available_clocksource"), "hpet"))
		return td_skip(why, size, "the TD has no HPET, its clock sources are: %.100s",
			       first_line(CLOCKSOURCE "available_clocksource"));
	snprintf(before, sizeof(before), "%.60s",
		 first_line(CLOCKSOURCE "current_clocksource"));
	if (set_clocksource("hpet"))
		return td_fail(why, size, "clock source hpet: %s", strerror(errno));
	if (strcmp(first_line(CLOCKSOURCE "current_clocksource"), "hpet"))
		return td_fail(why, size, "wanted the clock source hpet, got %.60s",
			       first_line(CLOCKSOURCE "current_clocksource"));

	hpet = now(CLOCK_MONOTONIC);
	for (i = 0; i < 200; i++) {
		at = now(CLOCK_MONOTONIC);
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

	current = first_line("/sys/devices/virtual/misc/hw_random/rng_current");
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

/* Interrupts of the local timer since the boot, over all CPUs. */
static unsigned long timer_interrupts(void)
{
	char *line = NULL, *at, *end;
	unsigned long sum = 0;
	size_t room = 0;
	FILE *f = fopen("/proc/interrupts", "r");

	while (f && getline(&line, &room, f) > 0) {
		at = strstr(line, "LOC:");
		if (!at)
			continue;
		for (at += 4;; at = end) {
			unsigned long count = strtoul(at, &end, 10);

			if (end == at)
				break;
			sum += count;
		}
	}
	free(line);
	if (f)
		fclose(f);
	return sum;
}

/* Time that the CPUs were idle, in ticks of USER_HZ. */
static unsigned long idle_ticks(void)
{
	unsigned long user, nice, system, idle;

	if (sscanf(first_line("/proc/stat"), "cpu %lu %lu %lu %lu", &user, &nice, &system,
		   &idle) != 4)
		return 0;
	return idle;
}

/* A CPU without work halts, and an interrupt wakes it in time. */
enum td_outcome check_hlt(char *why, int size)
{
	struct timespec pause = { .tv_nsec = 500 * 1000 * 1000 };
	unsigned long ticks = timer_interrupts(), idle = idle_ticks();
	double start = now(CLOCK_MONOTONIC), slept;

	if (clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, NULL))
		return td_fail(why, size, "clock_nanosleep: %s", strerror(errno));
	slept = now(CLOCK_MONOTONIC) - start;
	/* An emulated CPU is slow: what matters is that it woke at all, and not before. */
	if (slept < 0.5 || slept > 5)
		return td_fail(why, size, "wanted a sleep of 0.5 s, got one of %.3f s", slept);
	if (idle_ticks() == idle)
		return td_fail(why, size, "wanted idle time in a sleep of %.3f s, got none", slept);
	if (timer_interrupts() == ticks)
		return td_fail(why, size, "wanted an interrupt of the local timer, got none");
	return TD_PASSED;
}

/* A timer fires again and again. */
enum td_outcome check_timer(char *why, int size)
{
	struct itimerspec every = {
		.it_value = { .tv_nsec = 20 * 1000 * 1000 },
		.it_interval = { .tv_nsec = 20 * 1000 * 1000 },
	};
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
	double start = now(CLOCK_MONOTONIC), took;
	uint64_t fired, sum = 0;

	if (fd < 0 || timerfd_settime(fd, 0, &every, NULL))
		return td_fail(why, size, "timerfd: %s", strerror(errno));
	while (sum < 10 && read(fd, &fired, sizeof(fired)) == sizeof(fired))
		sum += fired;
	close(fd);
	took = now(CLOCK_MONOTONIC) - start;
	if (sum < 10 || took < 0.2 || took > 5)
		return td_fail(why, size, "wanted 10 expirations in 0.2 s, got %llu in %.3f s",
			       (unsigned long long)sum, took);
	return TD_PASSED;
}
