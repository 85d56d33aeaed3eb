/* SPDX-License-Identifier: GPL-2.0-only */
/* The time of a guest, and its end. */
#ifndef GUEST_END_H
#define GUEST_END_H

/* Seconds since the boot. */
double now(void);

/*
 * End the guest by a restart, which the tool takes for the end.  Another process than the
 * first one, as in a test, exits with status 1.
 */
void end(void);

/* Say "Bail out!" with a reason, and end(). */
void bail_out(const char *fmt, ...);

#endif /* GUEST_END_H */
