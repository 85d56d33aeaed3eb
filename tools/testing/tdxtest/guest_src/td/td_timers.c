// SPDX-License-Identifier: GPL-2.0-only
/* How a TD waits: idle vCPUs and timers. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <sys/timerfd.h>

#include "td_checks.h"

/* Those of a TD that has just booted are fewer. */
#define MAX_PID		512
#define MAX_BUSY	12
/* For a kernel that has just booted to come to the end of its work. */
#define IDLE_PATIENCE_S	10

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

	if (sscanf(td_first_line("/proc/stat"), "cpu %lu %lu %lu %lu", &user, &nice, &system,
		   &idle) != 4)
		return 0;
	return idle;
}

/* Which processes had work at the looks of note_busy(), and how often. */
static struct {
	char name[24];
	unsigned int times;
} busy[MAX_BUSY];

/* Look which processes have work now, beside this one. */
static void note_busy(void)
{
	char path[64], name[24], state;
	int pid, i;

	for (pid = 2; pid < MAX_PID; pid++) {
		snprintf(path, sizeof(path), "/proc/%d/stat", pid);
		if (sscanf(td_first_line(path), "%*d (%23[^)]) %c", name, &state) != 2 ||
		    state != 'R')
			continue;
		for (i = 0; i < MAX_BUSY - 1 && *busy[i].name && strcmp(busy[i].name, name); i++)
			;
		memcpy(busy[i].name, name, strlen(name) + 1);
		busy[i].times++;
	}
}

static void tell_busy(char *text, int size)
{
	int i, len = 0;

	snprintf(text, size, "none");
	for (i = 0; i < MAX_BUSY && *busy[i].name && len < size; i++)
		len += snprintf(text + len, size - len, "%s%s %u", len ? ", " : "",
				busy[i].name, busy[i].times);
}

/* Sleep, and give an outcome if the sleep took too long or not long enough. */
static enum td_outcome sleep_once(char *why, int size)
{
	struct timespec pause = { .tv_nsec = 500 * 1000 * 1000 };
	double start = td_clock(), slept;

	if (clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, NULL))
		return td_fail(why, size, "clock_nanosleep: %s", strerror(errno));
	slept = td_clock() - start;
	/* An emulated CPU is slow: what matters is that it woke at all, and not before. */
	if (slept < 0.5 || slept > 5)
		return td_fail(why, size, "wanted a sleep of 0.5 s, got one of %.3f s", slept);
	return TD_PASSED;
}

/*
 * A CPU without work halts, and an interrupt wakes it in time. A kernel that has just
 * booted may have work left, in threads of its own: the self-tests of its crypto code
 * take seconds in an emulator.
 */
enum td_outcome check_hlt(char *why, int size)
{
	unsigned long ticks = timer_interrupts(), idle = idle_ticks();
	double start = td_clock();
	char names[300];

	do {
		if (sleep_once(why, size) != TD_PASSED)
			return TD_FAILED;
		note_busy();
	} while (idle_ticks() == idle && td_clock() - start < IDLE_PATIENCE_S);
	tell_busy(names, sizeof(names));
	printf("hlt: slept %.1f s, processes with work: %s\n", td_clock() - start, names);
	if (idle_ticks() == idle)
		return td_fail(why, size,
			       "wanted idle time in sleeps of %.1f s, got none; processes with work, and how often: %s",
			       td_clock() - start, names);
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
	double start = td_clock(), took;
	uint64_t fired, sum = 0;

	if (fd < 0 || timerfd_settime(fd, 0, &every, NULL))
		return td_fail(why, size, "timerfd: %s", strerror(errno));
	while (sum < 10 && read(fd, &fired, sizeof(fired)) == sizeof(fired))
		sum += fired;
	close(fd);
	took = td_clock() - start;
	if (sum < 10 || took < 0.2 || took > 5)
		return td_fail(why, size, "wanted 10 expirations in 0.2 s, got %llu in %.3f s",
			       (unsigned long long)sum, took);
	return TD_PASSED;
}
