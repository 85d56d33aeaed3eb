/* SPDX-License-Identifier: GPL-2.0-only */
/* Memory that the kernel has lost, as kmemleak finds it. */
#ifndef TDXTEST_GUEST_LEAKS_H
#define TDXTEST_GUEST_LEAKS_H

/**
 * leaks_print - print what nothing in the kernel points to, as comments
 * @name: of the step that is judged by it
 * @indent: of the KTAP document
 *
 * Gives the number of lost objects, 0 where the kernel has no kmemleak.  The next call
 * does not tell of them again.  Takes some seconds, since kmemleak tells of no younger
 * object.  The modules that may have lost them must still be there: the kernel names
 * their functions.
 */
unsigned int leaks_print(const char *name, int indent);

#endif /* TDXTEST_GUEST_LEAKS_H */
