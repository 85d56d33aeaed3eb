// SPDX-License-Identifier: GPL-2.0-only
/* What a TD is told of its measurements: TDREPORT, MRTD and the RTMRs. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/ioctl.h>

#include "td_checks.h"

#define TDX_GUEST	"/dev/tdx_guest"
#define MEASUREMENTS	"/sys/devices/virtual/misc/tdx_guest/measurements/"
#define SHA384_SIZE	48

/* include/uapi/linux/tdx-guest.h, which an older system's headers lack. */
struct tdx_report_req {
	unsigned char reportdata[64];
	unsigned char tdreport[1024];
};

#define TDX_CMD_GET_REPORT0	_IOWR('T', 1, struct tdx_report_req)

/* Offsets in a TDREPORT: REPORTMACSTRUCT, then TEE_TCB_INFO, then TDINFO. */
#define REPORT_TYPE		0
#define REPORT_TYPE_TDX		0x81
#define REPORT_DATA		128
#define REPORT_TDINFO		512
#define TDINFO_MRTD		16

static int get_report(struct tdx_report_req *req)
{
	int fd = open(TDX_GUEST, O_RDWR | O_CLOEXEC);
	int ret = fd < 0 ? -1 : ioctl(fd, TDX_CMD_GET_REPORT0, req);

	close(fd);
	return ret;
}

static void hex(char *text, const unsigned char *bytes, int nr)
{
	int i;

	for (i = 0; i < nr; i++)
		sprintf(text + 2 * i, "%02x", bytes[i]);
}

/* A report has its type, and the data that the TD gave for it. */
enum td_outcome check_report(char *why, int size)
{
	struct tdx_report_req req = { 0 };
	unsigned int i;

	if (access(TDX_GUEST, F_OK))
		return td_fail(why, size, "wanted %s, got %s", TDX_GUEST, strerror(errno));
	for (i = 0; i < sizeof(req.reportdata); i++)
		req.reportdata[i] = 0xff - i;
	if (get_report(&req))
		return td_fail(why, size, "TDX_CMD_GET_REPORT0: wanted success, got %s",
			       strerror(errno));
	if (req.tdreport[REPORT_TYPE] != REPORT_TYPE_TDX)
		return td_fail(why, size, "TDREPORT: wanted the type 0x%x, got 0x%x",
			       REPORT_TYPE_TDX, req.tdreport[REPORT_TYPE]);
	if (memcmp(req.tdreport + REPORT_DATA, req.reportdata, sizeof(req.reportdata)))
		return td_fail(why, size, "TDREPORT: wanted the REPORTDATA that was given");
	return TD_PASSED;
}

/* The tool calculates MRTD from the firmware's file (tdvf.py). */
enum td_outcome check_mrtd(char *why, int size)
{
	struct tdx_report_req req = { 0 };
	const char *wanted = td_parameter("td.mrtd");
	char got[2 * SHA384_SIZE + 1];

	if (!*wanted)
		return td_skip(why, size, "the firmware's MRTD is not known");
	if (get_report(&req))
		return td_fail(why, size, "TDX_CMD_GET_REPORT0: wanted success, got %s",
			       strerror(errno));
	hex(got, req.tdreport + REPORT_TDINFO + TDINFO_MRTD, SHA384_SIZE);
	if (strcmp(got, wanted))
		return td_fail(why, size, "wanted %s, got %s", wanted, got);
	return TD_PASSED;
}

static int read_register(const char *path, char *text)
{
	unsigned char value[SHA384_SIZE];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int ret = fd < 0 || read(fd, value, sizeof(value)) != sizeof(value);

	close(fd);
	if (!ret)
		hex(text, value, sizeof(value));
	return ret;
}

/* Nothing but this extends RTMR3. It starts as 0, so what comes of it is known. */
enum td_outcome check_rtmr(char *why, int size)
{
	static const char path[] = MEASUREMENTS "rtmr3:sha384";
	char before[2 * SHA384_SIZE + 1], after[2 * SHA384_SIZE + 1];
	unsigned char data[SHA384_SIZE];
	const char *wanted = td_parameter("td.rtmr3");
	int fd, i, ret;

	if (access(path, F_OK))
		return td_skip(why, size, "the TD's kernel does not show its RTMRs");
	for (i = 0; i < SHA384_SIZE; i++)
		data[i] = i;
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (read_register(path, before) || before[strspn(before, "0")])
		return td_fail(why, size, "RTMR3: wanted 0 at first, got %s", before);
	ret = fd < 0 || write(fd, data, sizeof(data)) != sizeof(data);
	close(fd);
	if (ret || read_register(path, after))
		return td_fail(why, size, "RTMR3: wanted it extended, got %s", strerror(errno));
	if (strcmp(after, wanted))
		return td_fail(why, size, "RTMR3: wanted %s, got %s", wanted, after);
	return TD_PASSED;
}
