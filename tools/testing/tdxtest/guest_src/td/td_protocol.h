/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a TD's init says on its serial line, for td_vmm.c to read.
 *
 *	TD: begin			userspace runs
 *	TD: ok NAME			a check passed
 *	TD: skip NAME REASON		it cannot be made here
 *	TD: not ok NAME REASON		it failed
 *	TD: pattern TEXT		TEXT must be TD_PATTERN
 *
 * Each stands on a line of its own.
 */
#ifndef TDXTEST_GUEST_TD_PROTOCOL_H
#define TDXTEST_GUEST_TD_PROTOCOL_H

#define TD_SAYS		"TD: "
#define TD_BEGIN	"begin"
#define TD_OK		"ok "
#define TD_SKIP		"skip "
#define TD_NOT_OK	"not ok "
#define TD_PATTERN_IS	"pattern "

/*
 * Every printable character except the space, which a console may cut, and some
 * twice in a row.
 */
#define TD_PATTERN \
	"!\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_" \
	"`abcdefghijklmnopqrstuvwxyz{|}~~00112233"
/* How often it comes: so many bytes that a loss of one in a thousand shows. */
#define TD_PATTERNS	16

#endif /* TDXTEST_GUEST_TD_PROTOCOL_H */
