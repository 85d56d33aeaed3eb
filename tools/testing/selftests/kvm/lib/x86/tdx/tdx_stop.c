// SPDX-License-Identifier: GPL-2.0-only
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include <linux/userfaultfd.h>

#include "kvm_util.h"
#include "processor.h"
#include "tdx/tdx_stop.h"

static void *page_of(const struct tdx_stop *stop, unsigned int page)
{
	return stop->pages + page * PAGE_SIZE;
}

/* Faults of the kernel need CAP_SYS_PTRACE, or vm.unprivileged_userfaultfd. */
static int open_fd(void)
{
	struct uffdio_api api = { .api = UFFD_API, .features = UFFD_FEATURE_PAGEFAULT_FLAG_WP };
	int fd = syscall(__NR_userfaultfd, O_CLOEXEC | O_NONBLOCK);

	if (fd >= 0 && ioctl(fd, UFFDIO_API, &api)) {
		close(fd);
		return -1;
	}
	return fd;
}

bool tdx_stop_supported(void)
{
	const int fd = open_fd();

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

void tdx_stop_open(struct tdx_stop *stop)
{
	struct uffdio_register range = {
		.range.len = TDX_STOP_PAGES * PAGE_SIZE,
		.mode = UFFDIO_REGISTER_MODE_MISSING | UFFDIO_REGISTER_MODE_WP,
	};

	stop->pages = kvm_mmap(TDX_STOP_PAGES * PAGE_SIZE, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS, -1);
	stop->content = kvm_mmap(PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
				 -1);
	memset(stop->pages, 0, TDX_STOP_PAGES * PAGE_SIZE);

	stop->fd = open_fd();
	TEST_ASSERT(stop->fd >= 0, "userfaultfd: %m");
	range.range.start = (u64)stop->pages;
	TEST_ASSERT(!ioctl(stop->fd, UFFDIO_REGISTER, &range), "UFFDIO_REGISTER: %m");
}

void tdx_stop_close(struct tdx_stop *stop)
{
	close(stop->fd);
	kvm_munmap(stop->pages, TDX_STOP_PAGES * PAGE_SIZE);
	kvm_munmap(stop->content, PAGE_SIZE);
}

void *tdx_stop_put(struct tdx_stop *stop, const void *object, size_t size, size_t split)
{
	void *place = page_of(stop, 1) - split;

	TEST_ASSERT(split <= PAGE_SIZE && size - split <= PAGE_SIZE,
		    "an object of %zu bytes, split at %zu, does not fit", size, split);
	memcpy(place, object, size);
	return place;
}

static void protect(struct tdx_stop *stop, bool writes)
{
	struct uffdio_writeprotect range = {
		.range = { .start = (u64)page_of(stop, stop->page), .len = PAGE_SIZE },
		.mode = writes ? UFFDIO_WRITEPROTECT_MODE_WP : 0,
	};

	TEST_ASSERT(!ioctl(stop->fd, UFFDIO_WRITEPROTECT, &range), "UFFDIO_WRITEPROTECT: %m");
}

void tdx_stop_arm(struct tdx_stop *stop, unsigned int page, enum tdx_stop_access access)
{
	void *place;

	stop->page = page;
	stop->access = access;
	if (access == TDX_STOP_WRITE) {
		protect(stop, true);
		return;
	}

	place = page_of(stop, page);
	memcpy(stop->content, place, PAGE_SIZE);
	TEST_ASSERT_EQ(madvise(place, PAGE_SIZE, MADV_DONTNEED), 0);
}

bool tdx_stop_wait(struct tdx_stop *stop, int ms)
{
	struct pollfd pollfd = { .fd = stop->fd, .events = POLLIN };
	const bool write = stop->access == TDX_STOP_WRITE;
	struct uffd_msg msg;

	if (poll(&pollfd, 1, ms) != 1)
		return false;

	TEST_ASSERT_EQ(read(stop->fd, &msg, sizeof(msg)), (ssize_t)sizeof(msg));
	TEST_ASSERT_EQ((unsigned int)msg.event, UFFD_EVENT_PAGEFAULT);
	TEST_ASSERT_EQ(!!(msg.arg.pagefault.flags & UFFD_PAGEFAULT_FLAG_WP), write);
	return true;
}

void tdx_stop_release(struct tdx_stop *stop)
{
	struct uffdio_copy copy = {
		.src = (u64)stop->content,
		.dst = (u64)page_of(stop, stop->page),
		.len = PAGE_SIZE,
	};

	if (stop->access == TDX_STOP_WRITE)
		protect(stop, false);
	else
		TEST_ASSERT(!ioctl(stop->fd, UFFDIO_COPY, &copy), "UFFDIO_COPY: %m");
}

void tdx_stop_wake(struct tdx_stop *stop)
{
	struct uffdio_range range = { .start = (u64)page_of(stop, stop->page), .len = PAGE_SIZE };

	TEST_ASSERT(!ioctl(stop->fd, UFFDIO_WAKE, &range), "UFFDIO_WAKE: %m");
}
