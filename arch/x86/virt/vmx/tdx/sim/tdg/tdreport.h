/* SPDX-License-Identifier: GPL-2.0 */
/*
 * TDX module ABI: TDREPORT_STRUCT, the output of TDG.MR.REPORT ("TDREPORT_STRUCT"
 * and what it consists of, 1.5 ABI).  Sizes in bytes.
 */
#ifndef _X86_VIRT_TDX_SIM_TDREPORT_H
#define _X86_VIRT_TDX_SIM_TDREPORT_H

#include <linux/build_bug.h>
#include <linux/types.h>

#include <crypto/sha2.h>

#define TDREPORT_TYPE_TDX	0x81
#define TDREPORT_SUBTYPE	0
/* Version 1 is that of a TD with service TDs. */
#define TDREPORT_VERSION	0

#define TDREPORT_DATA_SIZE	64

struct tdreport_mac {
	struct {
		u8 type;
		u8 subtype;
		u8 version;
		u8 reserved;
	} report_type;
	u8 reserved0[12];
	u8 cpusvn[16];
	u8 tee_tcb_info_hash[SHA384_DIGEST_SIZE];
	u8 tee_info_hash[SHA384_DIGEST_SIZE];
	u8 reportdata[TDREPORT_DATA_SIZE];
	u8 reserved1[32];
	u8 mac[SHA256_DIGEST_SIZE];	/* of everything before it */
};

struct tdreport_tcb_info {
	u64 valid;			/* bitmap of the fields that hold anything */
	u8 tee_tcb_svn[16];
	u8 mrseam[SHA384_DIGEST_SIZE];
	u8 mrsignerseam[SHA384_DIGEST_SIZE];
	u64 attributes;
	u8 tee_tcb_svn2[16];
	u8 reserved[95];
} __packed;

struct tdreport_td_info {
	u64 attributes;
	u64 xfam;
	u8 mrtd[SHA384_DIGEST_SIZE];
	u8 mrconfigid[SHA384_DIGEST_SIZE];
	u8 mrowner[SHA384_DIGEST_SIZE];
	u8 mrownerconfig[SHA384_DIGEST_SIZE];
	u8 rtmr[4][SHA384_DIGEST_SIZE];
	u8 servtd_hash[SHA384_DIGEST_SIZE];
	u8 reserved[64];
};

struct tdreport {
	struct tdreport_mac mac;
	struct tdreport_tcb_info tcb_info;
	u8 reserved[17];
	struct tdreport_td_info td_info;
};

static_assert(sizeof(struct tdreport_mac) == 256);
static_assert(sizeof(struct tdreport_tcb_info) == 239);
static_assert(sizeof(struct tdreport_td_info) == 512);
static_assert(sizeof(struct tdreport) == 1024);

#endif /* _X86_VIRT_TDX_SIM_TDREPORT_H */
