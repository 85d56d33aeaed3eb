// SPDX-License-Identifier: GPL-2.0-only
/*
 * The report of a TD: the TDX module must have measured the image that userspace gave
 * to KVM, page by page and in the order of the calls.
 *
 * The test calculates MRTD itself, from the definition of the ABI ("TDX Measurement and
 * Reporting") and with a SHA-384 of its own.
 */
#include "kvm_util.h"
#include "processor.h"
#include "ucall_common.h"
#include "tdx/sha384.h"
#include "tdx/tdcall.h"
#include "tdx/tdx_test_harness.h"
#include "tdx/tdx_util.h"

/* Records of MRTD: 16 bytes for the name of the leaf, 8 for the GPA, then zeros. */
#define RECORD_SIZE		128
#define RECORD_GPA		16
#define EXTEND_SIZE		256	/* bytes that one TDH.MR.EXTEND measures */

/* The part of TDREPORT_STRUCT that this test checks. */
struct td_report {
	u8 type[4];			/* type, subtype, version, reserved */
	u8 reserved0[12];
	u8 cpusvn[16];
	u8 tee_tcb_info_hash[SHA384_SIZE];
	u8 tee_info_hash[SHA384_SIZE];
	u8 reportdata[64];
	u8 reserved1[32];
	u8 mac[32];
	u8 tee_tcb_info[256];
	struct td_info {
		u64 attributes;
		u64 xfam;
		u8 mrtd[SHA384_SIZE];
		u8 mrconfigid[SHA384_SIZE];
		u8 mrowner[SHA384_SIZE];
		u8 mrownerconfig[SHA384_SIZE];
		u8 rtmr[4][SHA384_SIZE];
		u8 servtd_hash[SHA384_SIZE];
		u8 reserved[64];
	} info;
};

kvm_static_assert(sizeof(struct td_report) == 1024);
kvm_static_assert(sizeof(struct td_info) == 512);

#define TDREPORT_TYPE_TDX	0x81

/* Layout of a page of the TD: the report, REPORTDATA, and the data that extends an RTMR. */
#define REPORTDATA_OFFSET	0x400
#define RTMR_DATA_OFFSET	0x440
#define RTMR_INDEX		2

/* First bytes of the three identifiers that KVM_TDX_INIT_VM takes. */
#define FIRST_OF_MRCONFIGID	0x10
#define FIRST_OF_MROWNER	0x50
#define FIRST_OF_MROWNERCONFIG	0x90

/* A ucall carries six words. */
#define SLICE_SIZE		48

#define INVALID_RCX		(TDX_OPERAND_INVALID | TDX_OPERAND_ID_RCX)
#define INVALID_RDX		(TDX_OPERAND_INVALID | TDX_OPERAND_ID_RDX)
#define INVALID_R8		(TDX_OPERAND_INVALID | TDX_OPERAND_ID_R8)

static u64 tdcall(u64 leaf, u64 rcx, u64 rdx, u64 r8)
{
	struct tdcall_regs regs = { .rax = leaf, .rcx = rcx, .rdx = rdx, .r8 = r8 };

	tdcall_execute(&regs);
	return regs.rax;
}

static void guest_send(const u64 *words, u64 size)
{
	u64 i;

	for (i = 0; i < size / sizeof(*words); i += 6)
		GUEST_SYNC6(words[i], words[i + 1], words[i + 2], words[i + 3], words[i + 4],
			    words[i + 5]);
}

static void guest_report(u64 *page, gpa_t gpa, u64 extends)
{
	u64 i;

	for (i = 0; i < extends; i++)
		GUEST_ASSERT_EQ(tdcall(TDG_MR_RTMR_EXTEND, gpa + RTMR_DATA_OFFSET, RTMR_INDEX, 0),
				0ul);
	GUEST_ASSERT_EQ(tdcall(TDG_MR_REPORT, gpa, gpa + REPORTDATA_OFFSET, 0), 0ul);
	/* A part of the last slice is REPORTDATA. */
	guest_send(page, roundup(sizeof(struct td_report), SLICE_SIZE));
	GUEST_DONE();
}

/* Refused calls leave the RTMRs unchanged, and write nothing. */
static void guest_refused(u64 *page, gpa_t gpa)
{
	const gpa_t data = gpa + RTMR_DATA_OFFSET, reportdata = gpa + REPORTDATA_OFFSET;

	GUEST_ASSERT_EQ(tdcall(TDG_MR_RTMR_EXTEND, data + 32, RTMR_INDEX, 0), INVALID_RCX);
	GUEST_ASSERT_EQ(tdcall(TDG_MR_RTMR_EXTEND, data | TDX_SHARED_BIT, RTMR_INDEX, 0),
			INVALID_RCX);
	GUEST_ASSERT_EQ(tdcall(TDG_MR_RTMR_EXTEND, data, 4, 0), INVALID_RDX);
	GUEST_ASSERT_EQ(tdcall(TDG_MR_RTMR_EXTEND, data + 32, 4, 0), INVALID_RCX);
	GUEST_ASSERT_EQ(tdcall(TDG_MR_REPORT, gpa + 512, reportdata, 0), INVALID_RCX);
	GUEST_ASSERT_EQ(tdcall(TDG_MR_REPORT, gpa, reportdata + 32, 0), INVALID_RDX);
	GUEST_ASSERT_EQ(tdcall(TDG_MR_REPORT, gpa + 512, reportdata + 32, 1), INVALID_RCX);
	GUEST_ASSERT_EQ(tdcall(TDG_MR_REPORT, gpa, reportdata, 1), INVALID_R8);
	GUEST_ASSERT_EQ(page[0], 0ul);
	guest_report(page, gpa, 0);
}

/* The measurement of the TD so far, and the pages that it covers. */
struct measurement {
	struct sha384 sha;
	u64 pages;			/* added so far */
	u64 first, end;			/* numbers of the measured pages */
};

static void add_record(struct sha384 *sha, const char *leaf, gpa_t gpa)
{
	u8 record[RECORD_SIZE] = {};

	memcpy(record, leaf, strlen(leaf));
	memcpy(record + RECORD_GPA, &gpa, sizeof(gpa));
	sha384_update(sha, record, sizeof(record));
}

static void measured_page(struct kvm_vm *vm, struct sha384 *sha, gpa_t gpa, bool content)
{
	u64 i;

	add_record(sha, "MEM.PAGE.ADD", gpa);
	if (!content)
		return;

	for (i = 0; i < PAGE_SIZE; i += EXTEND_SIZE) {
		add_record(sha, "MR.EXTEND", gpa + i);
		sha384_update(sha, (u8 *)addr_gpa2hva(vm, gpa) + i, EXTEND_SIZE);
	}
}

static void add_and_measure(struct kvm_vm *vm, gpa_t gpa, u64 nr_pages, void *data)
{
	struct measurement *m = data;
	u64 i;

	for (i = 0; i < nr_pages; i++, m->pages++, gpa += PAGE_SIZE) {
		bool content = m->pages >= m->first && m->pages < m->end;

		measured_page(vm, &m->sha, gpa, content);
		tdx_vm_add_pages(vm, gpa, 1, content ? KVM_TDX_MEASURE_MEMORY_REGION : 0);
	}
}

/* The same by one command for each range. */
static void add_range_and_measure(struct kvm_vm *vm, gpa_t gpa, u64 nr_pages, void *data)
{
	struct measurement *m = data;
	u64 i;

	for (i = 0; i < nr_pages; i++)
		measured_page(vm, &m->sha, gpa + i * PAGE_SIZE, true);
	tdx_vm_add_pages(vm, gpa, nr_pages, KVM_TDX_MEASURE_MEMORY_REGION);
}

/* Placeholders for digests: bytes that count up from @first. */
static void fill_digest(void *digest, u8 first)
{
	u8 *bytes = digest;
	int i;

	for (i = 0; i < SHA384_SIZE; i++)
		bytes[i] = first + i;
}

static struct kvm_vm *create_with_ids(void)
{
	struct kvm_vm *vm = __tdx_vm_create(1);
	struct kvm_tdx_init_vm *params = tdx_vm_get_init_params(vm);

	fill_digest(params->mrconfigid, FIRST_OF_MRCONFIGID);
	fill_digest(params->mrowner, FIRST_OF_MROWNER);
	fill_digest(params->mrownerconfig, FIRST_OF_MROWNERCONFIG);
	tdx_vm_init(vm, params);
	free(params);
	return vm;
}

FIXTURE(report)
{
	struct kvm_vm *vm;
	struct kvm_vcpu *vcpu;
	u8 *page;			/* the host's copy */
	gva_t gva;
	struct measurement m;
};

FIXTURE_SETUP(report)
{
	u64 i;

	self->vm = create_with_ids();
	self->vcpu = tdx_vcpu_add(self->vm, 0, guest_report);
	self->gva = vm_alloc_page(self->vm);
	self->page = addr_gva2hva(self->vm, self->gva);
	for (i = 0; i < 64; i++)
		self->page[REPORTDATA_OFFSET + i] = 0xd0 ^ i;
	fill_digest(self->page + RTMR_DATA_OFFSET, 0);
	sha384_init(&self->m.sha);
}

TDX_FIXTURE_TEARDOWN(report);

static void finalize(FIXTURE_DATA(report) *self, tdx_range_fn *add, u64 extends)
{
	tdx_vcpu_args_set(self->vcpu, 3, self->gva, addr_gva2gpa(self->vm, self->gva), extends);
	tdx_vm_walk_ranges(self->vm, add, &self->m);
	tdx_vm_ioctl(self->vm, KVM_TDX_FINALIZE_VM, 0, 0);
}

static void get_report(FIXTURE_DATA(report) *self, struct td_report *report)
{
	const u64 size = roundup(sizeof(*report), SLICE_SIZE);
	struct ucall uc;
	u64 done, i;

	for (done = 0; ; done += SLICE_SIZE) {
		u64 slice[SLICE_SIZE / 8];

		vcpu_run(self->vcpu);
		switch (get_ucall(self->vcpu, &uc)) {
		case UCALL_DONE:
			TEST_ASSERT_EQ(done, size);
			return;
		case UCALL_SYNC:
			break;
		default:
			TEST_FAIL("ucall %lu, %s", uc.cmd,
				  exit_reason_str(self->vcpu->run->exit_reason));
		}
		for (i = 0; i < ARRAY_SIZE(slice); i++)
			slice[i] = uc.args[i];
		if (done < sizeof(*report))
			memcpy((u8 *)report + done, slice,
			       min_t(u64, SLICE_SIZE, sizeof(*report) - done));
	}
}

static const char *hex(char *text, const u8 *digest)
{
	int i;

	for (i = 0; i < SHA384_SIZE; i++)
		sprintf(text + 2 * i, "%02x", digest[i]);
	return text;
}

static void assert_digest(const char *what, const u8 *want, const u8 *got)
{
	char wanted[2 * SHA384_SIZE + 1], found[2 * SHA384_SIZE + 1];

	TEST_ASSERT(!memcmp(want, got, SHA384_SIZE), "%s: wanted %s, got %s", what,
		    hex(wanted, want), hex(found, got));
}

static void assert_filled(const char *what, u8 first, const u8 *got)
{
	u8 want[SHA384_SIZE];

	fill_digest(want, first);
	assert_digest(what, want, got);
}

static void check_mrtd(FIXTURE_DATA(report) *self, const struct td_report *report)
{
	u8 mrtd[SHA384_SIZE];

	sha384_final(&self->m.sha, mrtd);
	assert_digest("MRTD", mrtd, report->info.mrtd);
}

/* Pages by their number, in the order in which they are added. */
static void check_pages(FIXTURE_DATA(report) *self, u64 first, u64 end)
{
	struct td_report report;

	self->m.first = first;
	self->m.end = end;
	finalize(self, add_and_measure, 0);
	get_report(self, &report);
	check_mrtd(self, &report);
}

TDX_TEST_F(report, mrtd_without_content)
{
	check_pages(self, 0, 0);
}

TDX_TEST_F(report, mrtd_of_first_page)
{
	check_pages(self, 0, 1);
}

TDX_TEST_F(report, mrtd_of_some_pages)
{
	check_pages(self, 3, 7);
}

TDX_TEST_F(report, mrtd_of_all_pages)
{
	struct td_report report;

	finalize(self, add_range_and_measure, 0);
	get_report(self, &report);
	check_mrtd(self, &report);
}

/*
 * The identifiers given to KVM_TDX_INIT_VM, the data of the TD, and the hash over the
 * former.
 */
TDX_TEST_F(report, fields)
{
	static const u8 zeros[SHA384_SIZE];
	struct td_report report;
	u8 hash[SHA384_SIZE];
	unsigned int i;

	finalize(self, add_and_measure, 0);
	get_report(self, &report);

	TEST_ASSERT_EQ(report.type[0], TDREPORT_TYPE_TDX);
	TEST_ASSERT_EQ(report.type[1], 0);
	TEST_ASSERT_EQ(report.info.attributes, TDX_TD_ATTR_SEPT_VE_DISABLE);
	TEST_ASSERT_EQ(report.info.xfam, TDX_XFAM_MINIMUM);
	assert_filled("MRCONFIGID", FIRST_OF_MRCONFIGID, report.info.mrconfigid);
	assert_filled("MROWNER", FIRST_OF_MROWNER, report.info.mrowner);
	assert_filled("MROWNERCONFIG", FIRST_OF_MROWNERCONFIG, report.info.mrownerconfig);
	for (i = 0; i < 4; i++)
		assert_digest("RTMR", zeros, report.info.rtmr[i]);
	for (i = 0; i < sizeof(report.reportdata); i++)
		TEST_ASSERT_EQ(report.reportdata[i], 0xd0 ^ i);
	sha384(&report.info, sizeof(report.info), hash);
	assert_digest("TEE_INFO_HASH", hash, report.tee_info_hash);
}

TDX_TEST_F(report, rtmr_extended_twice)
{
	u8 rtmr[2 * SHA384_SIZE] = {};
	static const u8 zeros[SHA384_SIZE];
	struct td_report report;
	int i;

	/* The new value is the hash of the old value and the data. */
	memcpy(rtmr + SHA384_SIZE, self->page + RTMR_DATA_OFFSET, SHA384_SIZE);
	sha384(rtmr, sizeof(rtmr), rtmr);
	sha384(rtmr, sizeof(rtmr), rtmr);

	finalize(self, add_and_measure, 2);
	get_report(self, &report);
	for (i = 0; i < 4; i++)
		assert_digest("RTMR", i == RTMR_INDEX ? rtmr : zeros, report.info.rtmr[i]);
	check_mrtd(self, &report);
}

TEST(refused_operands)
{
	FIXTURE_DATA(report) data = {}, *self = &data;
	static const u8 zeros[SHA384_SIZE];
	struct td_report report;

	self->vm = tdx_vm_create(1);
	self->vcpu = tdx_vcpu_add(self->vm, 0, guest_refused);
	self->gva = vm_alloc_page(self->vm);
	sha384_init(&self->m.sha);
	finalize(self, add_and_measure, 0);
	get_report(self, &report);
	assert_digest("RTMR", zeros, report.info.rtmr[RTMR_INDEX]);
	kvm_vm_free(self->vm);
}

static u64 be64(const u8 *data)
{
	u64 value = 0;
	int i;

	for (i = 0; i < 8; i++)
		value = value << 8 | data[i];
	return value;
}

/*
 * A test of the calculation itself, with the examples of FIPS 180-4: no text, one
 * block, two blocks.
 */
TEST(sha384_vectors)
{
	static const struct {
		u64 size;
		u64 digest[SHA384_SIZE / 8];
	} vectors[] = {
		{ 0, {
		  0x38b060a751ac9638ul, 0x4cd9327eb1b1e36aul, 0x21fdb71114be0743ul,
		  0x4c0cc7bf63f6e1daul, 0x274edebfe76f65fbul, 0xd51ad2f14898b95bul } },
		{ 3, {
		  0xcb00753f45a35e8bul, 0xb5a03d699ac65007ul, 0x272c32ab0eded163ul,
		  0x1a8b605a43ff5bedul, 0x8086072ba1e7cc23ul, 0x58baeca134c825a7ul } },
		{ 112, {
		  0x09330c33f71147e8ul, 0x3d192fc782cd1b47ul, 0x53111b173b3b05d2ul,
		  0x2fa08086e3b0f712ul, 0xfcc7c71a557e2db9ul, 0x66c3e9fa91746039ul } },
	};
	u8 text[112], digest[SHA384_SIZE];
	unsigned int i, j;

	/* "abcdefghbcdefghicdefghij...": starts with "abc". */
	for (i = 0; i < sizeof(text); i++)
		text[i] = 'a' + i / 8 + i % 8;

	for (i = 0; i < ARRAY_SIZE(vectors); i++) {
		sha384(text, vectors[i].size, digest);
		for (j = 0; j < ARRAY_SIZE(vectors[i].digest); j++)
			TEST_ASSERT_EQ(vectors[i].digest[j], be64(digest + 8 * j));
	}
}

TDX_TEST_MAIN()
