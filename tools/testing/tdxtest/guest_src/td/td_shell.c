// SPDX-License-Identifier: GPL-2.0-only
/* Joins a terminal to the console of a TD. */
#define _GNU_SOURCE
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>
#include <sys/wait.h>

#include "td_shell.h"

#define ARRAY_SIZE(x)	(sizeof(x) / sizeof((x)[0]))

#define POLL_MS		500
/*
 * The tool takes these words on the terminal for the end of the guest in which the
 * VMM runs. Those of a TD get an escape sequence in between that shows nothing.
 */
#define END_WORDS	"reboot: "
#define NO_COLOUR	"\033[m"

static void show(const char *bytes, ssize_t nr)
{
	static size_t matched;
	ssize_t i;

	for (i = 0; i < nr; i++) {
		matched = bytes[i] == END_WORDS[matched] ? matched + 1 :
			  bytes[i] == END_WORDS[0];
		if (matched == strlen(END_WORDS)) {
			fputs(NO_COLOUR, stdout);
			matched = 0;
		}
		putchar(bytes[i]);
	}
	fflush(stdout);
}

/* Copy what there is. False if there is nothing more to come. */
static bool copy(int fd, int out)
{
	char buf[1024];
	ssize_t got = read(fd, buf, sizeof(buf));

	if (got > 0 && out < 0)
		show(buf, got);
	else if (got > 0 && write(out, buf, got) != got)
		return false;
	return got > 0;
}

void td_shell(struct vmm *vmm)
{
	struct pollfd fds[] = {
		{ .fd = STDIN_FILENO, .events = POLLIN },
		{ .fd = vmm->sources[VMM_CONSOLE].fd, .events = POLLIN },
		{ .fd = vmm->sources[VMM_OUTPUT].fd, .events = POLLIN },
	};
	struct termios before, raw;
	bool is_terminal = !tcgetattr(STDIN_FILENO, &before);

	if (is_terminal) {
		raw = before;
		cfmakeraw(&raw);
		/* Lines of the VMM itself end with a newline only. */
		raw.c_oflag |= OPOST | ONLCR;
		tcsetattr(STDIN_FILENO, TCSADRAIN, &raw);
	}
	while (waitpid(vmm->pid, &vmm->status, WNOHANG) != vmm->pid) {
		poll(fds, ARRAY_SIZE(fds), POLL_MS);
		if (fds[0].revents && !copy(fds[0].fd, vmm->console_in))
			fds[0].fd = -1;
		if (fds[1].revents)
			copy(fds[1].fd, -1);
		if (fds[2].revents && !copy(fds[2].fd, -1))
			fds[2].fd = -1;
	}
	vmm->ended = true;
	while (copy(fds[1].fd, -1))
		;
	if (is_terminal)
		tcsetattr(STDIN_FILENO, TCSADRAIN, &before);
}
