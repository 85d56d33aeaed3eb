/* SPDX-License-Identifier: GPL-2.0-only */
/* A second thread of a test that makes a system call, which may have to wait. */
#ifndef SELFTEST_TDX_TDX_THREAD_H
#define SELFTEST_TDX_TDX_THREAD_H

#include <pthread.h>
#include <stdbool.h>

#include <linux/types.h>

struct tdx_thread {
	int (*fn)(void *arg);
	void *arg;
	pthread_t thread;
	pid_t tid;
	bool done;
	int result;		/* of @fn, once @done is true */
};

/* Start a thread that runs @fn(@arg) once. */
void tdx_thread_start(struct tdx_thread *thread, int (*fn)(void *arg), void *arg);

/* Returns true as soon as the thread is done, false if it is not within @ms. */
bool tdx_thread_done(struct tdx_thread *thread, int ms);

/*
 * Returns true as soon as the thread sleeps in the kernel and no signal can wake it, as
 * for a lock, false if it is done before.
 */
bool tdx_thread_waits(struct tdx_thread *thread);

/* Send signal @sig to the thread. */
void tdx_thread_signal(struct tdx_thread *thread, int sig);

/* Wait for the end of the thread, and return its result. */
int tdx_thread_join(struct tdx_thread *thread);

#endif /* SELFTEST_TDX_TDX_THREAD_H */
