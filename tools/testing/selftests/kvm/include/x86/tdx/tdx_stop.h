/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory at which a thread stops inside of the kernel: userfaultfd keeps it in its copy
 * from or to the memory until the test lets it go on.  So the test decides what happens
 * between two accesses of an ioctl to its operand.
 *
 * The memory is two pages.  An object may lie across the border of the two, so that the
 * thread stops after it has read a first part of the object.
 */
#ifndef SELFTEST_TDX_TDX_STOP_H
#define SELFTEST_TDX_TDX_STOP_H

#include <stdbool.h>
#include <stddef.h>

#include <linux/types.h>

/* Some consumers make the reason of a skip a part of the result's name: keep it. */
#define TDX_STOP_SKIP_REASON	"userfaultfd cannot stop the kernel here"

#define TDX_STOP_PAGES		2

enum tdx_stop_access {
	TDX_STOP_READ,		/* any access; the page has its content afterwards */
	TDX_STOP_WRITE,		/* a write; reads go on */
};

struct tdx_stop {
	int fd;			/* of userfaultfd */
	void *pages;
	void *content;		/* of a page that is away */
	unsigned int page;	/* at which a thread stops */
	enum tdx_stop_access access;
};

/* Returns false if the kernel has no userfaultfd, or not for faults of the kernel. */
bool tdx_stop_supported(void);

/* Map the memory.  tdx_stop_close() takes it away. */
void tdx_stop_open(struct tdx_stop *stop);
void tdx_stop_close(struct tdx_stop *stop);

/*
 * Copy the @size bytes at @object to the memory, the first @split of them to the end of
 * the first page, the others to the start of the second one.  Returns the address.  No
 * page may be armed.
 */
void *tdx_stop_put(struct tdx_stop *stop, const void *object, size_t size, size_t split);

/* From now on, a thread stops when it does @access to page @page, 0 or 1. */
void tdx_stop_arm(struct tdx_stop *stop, unsigned int page, enum tdx_stop_access access);

/* Returns true as soon as a thread has stopped, false if none has within @ms. */
bool tdx_stop_wait(struct tdx_stop *stop, int ms);

/* Let the thread go on.  No other thread stops until tdx_stop_arm(). */
void tdx_stop_release(struct tdx_stop *stop);

/*
 * The same for a thread that has stopped for a read, to find what the test has put in the
 * place of the page.
 */
void tdx_stop_wake(struct tdx_stop *stop);

#endif /* SELFTEST_TDX_TDX_STOP_H */
