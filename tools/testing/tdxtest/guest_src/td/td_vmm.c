// SPDX-License-Identifier: GPL-2.0-only
/* Starts a VMM with pipes for its console and its monitor, and reads them. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "td_vmm.h"

/*
 * Make and open a pair of named pipes, as QEMU's chardev "pipe" wants them. Each
 * is opened for both directions, so that its last end is never closed.
 */
static int open_pipes(const char *path, int *in, int *out)
{
	char name[128];

	snprintf(name, sizeof(name), "%s.in", path);
	if (mkfifo(name, 0600) && errno != EEXIST)
		return -1;
	*in = open(name, O_RDWR | O_CLOEXEC);
	snprintf(name, sizeof(name), "%s.out", path);
	if (mkfifo(name, 0600) && errno != EEXIST)
		return -1;
	*out = open(name, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	return *in < 0 || *out < 0 ? -1 : 0;
}

int vmm_start(struct vmm *vmm, char **argv, const char *console,
	      const char *monitor)
{
	int output[2], null;

	if (open_pipes(console, &vmm->console_in, &vmm->sources[VMM_CONSOLE].fd) ||
	    open_pipes(monitor, &vmm->monitor_in, &vmm->sources[VMM_MONITOR].fd) ||
	    pipe2(output, O_CLOEXEC))
		return -1;

	vmm->pid = fork();
	if (vmm->pid < 0)
		return -1;
	if (!vmm->pid) {
		null = open("/dev/null", O_RDONLY);
		dup2(null, STDIN_FILENO);
		dup2(output[1], STDOUT_FILENO);
		dup2(output[1], STDERR_FILENO);
		execv(argv[0], argv);
		fprintf(stderr, "exec %s: %s\n", argv[0], strerror(errno));
		_exit(127);
	}
	close(output[1]);
	fcntl(output[0], F_SETFL, O_NONBLOCK);
	vmm->sources[VMM_OUTPUT].fd = output[0];
	return 0;
}

/* Read what there is. A line that is too long is cut in two. False at the end. */
static bool read_lines(struct vmm *vmm, enum vmm_source source, vmm_take_line *take)
{
	struct line_file *file = &vmm->sources[source];
	char *line, *end;
	ssize_t got;

	got = read(file->fd, file->buf + file->used,
		   sizeof(file->buf) - 1 - file->used);
	if (got < 0)
		return errno == EAGAIN || errno == EINTR;
	file->used += got;
	file->buf[file->used] = '\0';

	line = file->buf;
	while ((end = memchr(line, '\n', file->buf + file->used - line))) {
		*end = '\0';
		take(source, line);
		line = end + 1;
	}
	file->used -= line - file->buf;
	memmove(file->buf, line, file->used + 1);
	if (file->used == sizeof(file->buf) - 1 || (!got && file->used)) {
		take(source, file->buf);
		file->used = 0;
	}
	return got;
}

/* Read the rest: the pipes hold at most what was written before the end. */
static void read_rest(struct vmm *vmm, enum vmm_source source, vmm_take_line *take)
{
	struct line_file *file = &vmm->sources[source];
	struct pollfd fd = { .fd = file->fd, .events = POLLIN };

	while (file->fd >= 0 && poll(&fd, 1, 0) == 1 && read_lines(vmm, source, take))
		;
	if (file->used)
		take(source, file->buf);
	file->used = 0;
}

void vmm_poll(struct vmm *vmm, int ms, vmm_take_line *take)
{
	struct pollfd fds[NR_VMM_SOURCES];
	int i;

	for (i = 0; i < NR_VMM_SOURCES; i++)
		fds[i] = (struct pollfd){ .fd = vmm->sources[i].fd, .events = POLLIN };
	poll(fds, NR_VMM_SOURCES, ms);
	for (i = 0; i < NR_VMM_SOURCES; i++) {
		if (!fds[i].revents || read_lines(vmm, i, take))
			continue;
		close(fds[i].fd);
		vmm->sources[i].fd = -1;
	}
	if (vmm->ended || waitpid(vmm->pid, &vmm->status, WNOHANG) != vmm->pid)
		return;

	vmm->ended = true;
	for (i = 0; i < NR_VMM_SOURCES; i++)
		read_rest(vmm, i, take);
}

void vmm_say(struct vmm *vmm, const char *line)
{
	size_t len = strlen(line);

	if (write(vmm->monitor_in, line, len) != (ssize_t)len)
		fprintf(stderr, "monitor: %s\n", strerror(errno));
}

void vmm_kill(struct vmm *vmm)
{
	if (vmm->ended)
		return;
	kill(vmm->pid, SIGKILL);
	waitpid(vmm->pid, &vmm->status, 0);
	vmm->ended = true;
}
