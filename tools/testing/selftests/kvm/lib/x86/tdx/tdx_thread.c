// SPDX-License-Identifier: GPL-2.0-only
#include <signal.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>
#include <sys/syscall.h>

#include "kvm_util.h"
#include "tdx/tdx_thread.h"

#define POLL_US		200

/* A thread that allocates memory or waits for RCU sleeps for a moment only. */
#define NR_SAMPLES	5

static void *run(void *arg)
{
	struct tdx_thread *thread = arg;

	WRITE_ONCE(thread->tid, syscall(__NR_gettid));
	thread->result = thread->fn(thread->arg);
	/* Pairs with the load in is_done(). */
	__atomic_store_n(&thread->done, true, __ATOMIC_RELEASE);
	return NULL;
}

static bool is_done(struct tdx_thread *thread)
{
	return __atomic_load_n(&thread->done, __ATOMIC_ACQUIRE);
}

void tdx_thread_start(struct tdx_thread *thread, int (*fn)(void *arg), void *arg)
{
	*thread = (struct tdx_thread) { .fn = fn, .arg = arg };
	TEST_ASSERT_EQ(pthread_create(&thread->thread, NULL, run, thread), 0);
	while (!READ_ONCE(thread->tid))
		usleep(POLL_US);
}

static u64 now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

bool tdx_thread_done(struct tdx_thread *thread, int ms)
{
	const u64 end = now_ms() + ms;

	while (!is_done(thread) && now_ms() < end)
		usleep(POLL_US);
	return is_done(thread);
}

/* The letter after the name in /proc/PID/stat, which is in parentheses. */
static char state_of(pid_t tid)
{
	char path[64], state = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", tid);
	file = fopen(path, "r");
	if (!file)
		return 0;
	if (fscanf(file, "%*d (%*[^)]) %c", &state) != 1)
		state = 0;
	fclose(file);
	return state;
}

bool tdx_thread_waits(struct tdx_thread *thread)
{
	int samples = 0;

	while (samples < NR_SAMPLES && !is_done(thread)) {
		samples = state_of(thread->tid) == 'D' ? samples + 1 : 0;
		usleep(POLL_US);
	}
	return !is_done(thread);
}

void tdx_thread_signal(struct tdx_thread *thread, int sig)
{
	TEST_ASSERT_EQ(pthread_kill(thread->thread, sig), 0);
}

int tdx_thread_join(struct tdx_thread *thread)
{
	TEST_ASSERT_EQ(pthread_join(thread->thread, NULL), 0);
	return thread->result;
}
