// SPDX-License-Identifier: GPL-2.0-only
/*
 * Measures where the cost of a case goes: a library that is loaded before a test.
 *
 * It stands in front of the functions of the C library that a case calls.  Each call, and
 * what the program does between two calls, is a part.  The time from one of these points
 * to the next is charged to one part, so that the sum of the parts is the whole.  A case
 * runs in processes that wait for each other: the account is in memory that they share,
 * and is that of all of them.  Threads that run side by side blur the parts, not the sum.
 *
 * At the end of the program the lines
 *
 *	# case TICKS AWAY
 *	# part NAME CALLS PAGES TICKS AWAY
 *	# cost LOOPS LOOP-TICKS TICKS IDLE-TICKS
 *
 * go to standard output.  TICKS are of the TSC.  AWAY are those of them in which the CPU did
 * not run the process: it idled, or ran other processes and threads of the kernel.  The
 * last line has the ticks of a loop of two instructions for each turn, those of the whole
 * program, and those of them in which the CPU idled.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <linux/kvm.h>

#define ARRAY_SIZE(x)	(sizeof(x) / sizeof((x)[0]))
#define LOOPS		100000
#define MAX_CASES	512
/* The TSC of the guest, see the machine bochs. */
#define TICKS_PER_S	100000000ull

/* What the program itself does, by how far its TD has come. */
enum part {
	OWN_HARNESS, OWN_TEST, OWN_VM, OWN_IMAGE, OWN_RUN, OWN_TEARDOWN,
	FORK, EXIT, WAIT, OUTPUT, MMAP, MUNMAP, CLOSE,
	CREATE_VM, MEMFD, SLOT, ATTRIBUTES, CAPABILITIES, INIT_VM, CREATE_VCPU, INIT_VCPU,
	VCPU_CPUID, SUPPORTED_CPUID, INIT_MEMORY, FINALIZE, FIRST_RUN, RUN, CHECK, OTHER_IOCTL,
	NR_PARTS
};

static const char * const part_names[NR_PARTS] = {
	[OWN_HARNESS] = "own_harness", [OWN_TEST] = "own_test", [OWN_VM] = "own_vm",
	[OWN_IMAGE] = "own_image", [OWN_RUN] = "own_run", [OWN_TEARDOWN] = "own_teardown",
	[FORK] = "fork", [EXIT] = "exit", [WAIT] = "wait", [OUTPUT] = "output",
	[MMAP] = "mmap", [MUNMAP] = "munmap", [CLOSE] = "close",
	[CREATE_VM] = "create_vm", [MEMFD] = "guest_memfd", [SLOT] = "memory_slot",
	[ATTRIBUTES] = "attributes", [CAPABILITIES] = "capabilities", [INIT_VM] = "init_vm",
	[CREATE_VCPU] = "create_vcpu", [INIT_VCPU] = "init_vcpu",
	[VCPU_CPUID] = "vcpu_cpuid", [SUPPORTED_CPUID] = "supported_cpuid",
	[INIT_MEMORY] = "init_memory", [FINALIZE] = "finalize",
	[FIRST_RUN] = "first_run", [RUN] = "run", [CHECK] = "check_extension",
	[OTHER_IOCTL] = "other_ioctl",
};

static const struct {
	unsigned long cmd;
	enum part part;
} ioctl_parts[] = {
	{ KVM_RUN, RUN },
	{ KVM_CREATE_VM, CREATE_VM },
	{ KVM_CREATE_GUEST_MEMFD, MEMFD },
	{ KVM_SET_USER_MEMORY_REGION, SLOT },
	{ KVM_SET_USER_MEMORY_REGION2, SLOT },
	{ KVM_SET_MEMORY_ATTRIBUTES, ATTRIBUTES },
	{ KVM_CREATE_VCPU, CREATE_VCPU },
	{ KVM_SET_CPUID2, VCPU_CPUID },
	{ KVM_GET_SUPPORTED_CPUID, SUPPORTED_CPUID },
	{ KVM_CHECK_EXTENSION, CHECK },
};

static const enum part tdx_parts[] = {
	[KVM_TDX_CAPABILITIES] = CAPABILITIES, [KVM_TDX_INIT_VM] = INIT_VM,
	[KVM_TDX_INIT_VCPU] = INIT_VCPU, [KVM_TDX_INIT_MEM_REGION] = INIT_MEMORY,
	[KVM_TDX_FINALIZE_VM] = FINALIZE, [KVM_TDX_GET_CPUID] = VCPU_CPUID,
};

struct sum {
	uint64_t calls, pages, ticks, away;
};

/* Shared by the processes of the program. */
static struct account {
	struct sum parts[NR_PARTS];
	struct sum cases[MAX_CASES];
	unsigned int nr_cases;
	enum part own;			/* what the program does between calls */
	uint64_t last;			/* tick of the last point */
	bool ending;			/* a process has called _exit() */
	bool ran;			/* the vCPU */
	struct sum all;
	struct sum start;		/* of the case that runs */
} *account;

static uint64_t loop_ticks, idle_ticks;
static pid_t main_pid;

static uint64_t rdtsc(void)
{
	uint32_t low, high;

	asm volatile("rdtsc" : "=a" (low), "=d" (high) : : "memory");
	return (uint64_t)high << 32 | low;
}

/* CPU time of the calling thread. */
static uint64_t cpu_ticks(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return ts.tv_sec * TICKS_PER_S + ts.tv_nsec / (1000000000 / TICKS_PER_S);
}

/* Charge the time since the last point to a part. */
static uint64_t charge(enum part part)
{
	uint64_t now = rdtsc(), ticks = now - account->last;

	account->parts[part].ticks += ticks;
	account->all.ticks += ticks;
	account->last = now;
	return ticks;
}

static void before(void)
{
	charge(account->own);
}

static void after(enum part part)
{
	charge(part);
	account->parts[part].calls++;
}

/* The same for a call in which the process may wait; gives its CPU time before the call. */
static uint64_t before_measured(void)
{
	before();
	return cpu_ticks();
}

static void after_measured(enum part part, uint64_t start)
{
	uint64_t cpu = cpu_ticks() - start, ticks = charge(part);
	uint64_t away = ticks > cpu ? ticks - cpu : 0;

	account->parts[part].calls++;
	account->parts[part].away += away;
	account->all.away += away;
}

#define REAL(name)	((typeof(name) *)real(#name, &real_##name))

static void *real(const char *name, void **cache)
{
	if (!*cache)
		*cache = dlsym(RTLD_NEXT, name);
	return *cache;
}

#define STAND_IN(name)	static void *real_##name

STAND_IN(ioctl);
STAND_IN(fork);
STAND_IN(_exit);
STAND_IN(waitpid);
STAND_IN(poll);
STAND_IN(mmap);
STAND_IN(munmap);
STAND_IN(close);
STAND_IN(vfprintf);
STAND_IN(puts);
STAND_IN(fflush);

/* Calls in which a process may wait, or the kernel waits for a grace period. */
#define MEASURED(part, call) ({						\
	uint64_t start = before_measured();				\
	typeof(call) ret_ = call;					\
									\
	after_measured(part, start);					\
	ret_;								\
})

#define COUNTED(part, call) ({						\
	typeof(call) ret_ = (before(), call);				\
									\
	after(part);							\
	ret_;								\
})

static enum part part_of(unsigned long cmd, void *arg)
{
	unsigned int i;

	if (cmd == KVM_MEMORY_ENCRYPT_OP) {
		struct kvm_tdx_cmd *tdx = arg;

		if (tdx->id < ARRAY_SIZE(tdx_parts))
			return tdx_parts[tdx->id];
	}
	for (i = 0; i < ARRAY_SIZE(ioctl_parts); i++) {
		if (ioctl_parts[i].cmd == cmd)
			return ioctl_parts[i].part;
	}
	return OTHER_IOCTL;
}

int ioctl(int fd, unsigned long cmd, ...)
{
	enum part part;
	va_list va;
	void *arg;
	int ret;

	va_start(va, cmd);
	arg = va_arg(va, void *);
	va_end(va);
	if (!account)
		return REAL(ioctl)(fd, cmd, arg);

	part = part_of(cmd, arg);
	if (part == RUN && !account->ran) {
		part = FIRST_RUN;
		account->ran = true;
	}
	if (part == INIT_MEMORY) {
		struct kvm_tdx_cmd *tdx = arg;

		account->parts[part].pages +=
			((struct kvm_tdx_init_mem_region *)(uintptr_t)tdx->data)->nr_pages;
	}
	ret = MEASURED(part, REAL(ioctl)(fd, cmd, arg));

	if (part == CREATE_VM) {
		account->own = OWN_VM;
		account->ran = false;
	} else if (part == CREATE_VCPU) {
		account->own = OWN_IMAGE;
	} else if (part == FIRST_RUN) {
		account->own = OWN_RUN;
	}
	return ret;
}

pid_t fork(void)
{
	bool is_case = getpid() == main_pid;
	pid_t pid;

	before();
	if (is_case)
		account->start = account->all;
	pid = REAL(fork)();
	after(FORK);
	if (!pid)
		account->own = OWN_TEST;
	return pid;
}

void _exit(int status)
{
	if (account) {
		before();
		account->ending = true;
	}
	REAL(_exit)(status);
	__builtin_unreachable();
}

/* A call that waits for another process ends: the other one may have been in its exit. */
static void waited(void)
{
	after(account->ending ? EXIT : WAIT);
	account->ending = false;
}

pid_t waitpid(pid_t pid, int *status, int options)
{
	struct account *a = account;
	bool is_case = getpid() == main_pid;
	pid_t ret;

	before();
	ret = REAL(waitpid)(pid, status, options);
	waited();
	a->own = OWN_HARNESS;
	if (is_case && ret > 0 && a->nr_cases < MAX_CASES) {
		struct sum *sum = &a->cases[a->nr_cases++];

		sum->ticks = a->all.ticks - a->start.ticks;
		sum->away = a->all.away - a->start.away;
	}
	return ret;
}

int poll(struct pollfd *fds, nfds_t nfds, int timeout)
{
	int ret;

	before();
	ret = REAL(poll)(fds, nfds, timeout);
	waited();
	return ret;
}

void *mmap(void *addr, size_t length, int prot, int flags, int fd, off_t offset)
{
	if (!account)
		return REAL(mmap)(addr, length, prot, flags, fd, offset);
	return COUNTED(MMAP, REAL(mmap)(addr, length, prot, flags, fd, offset));
}

int munmap(void *addr, size_t length)
{
	if (account->own == OWN_RUN)
		account->own = OWN_TEARDOWN;
	return COUNTED(MUNMAP, REAL(munmap)(addr, length));
}

int close(int fd)
{
	return MEASURED(CLOSE, REAL(close)(fd));
}

int vfprintf(FILE *f, const char *format, va_list va)
{
	return COUNTED(OUTPUT, REAL(vfprintf)(f, format, va));
}

int fprintf(FILE *f, const char *format, ...)
{
	va_list va;
	int ret;

	va_start(va, format);
	ret = vfprintf(f, format, va);
	va_end(va);
	return ret;
}

int printf(const char *format, ...)
{
	va_list va;
	int ret;

	va_start(va, format);
	ret = vfprintf(stdout, format, va);
	va_end(va);
	return ret;
}

int puts(const char *text)
{
	return COUNTED(OUTPUT, REAL(puts)(text));
}

int fflush(FILE *f)
{
	return COUNTED(OUTPUT, REAL(fflush)(f));
}

/* Ticks in which the CPUs of this guest have idled, in steps of 10 ms. */
static uint64_t read_idle_ticks(void)
{
	double up, idle = 0;
	FILE *f = fopen("/proc/uptime", "r");

	if (f) {
		if (fscanf(f, "%lf %lf", &up, &idle) != 2)
			idle = 0;
		fclose(f);
	}
	return idle * TICKS_PER_S;
}

static void calibrate(void)
{
	uint64_t n = LOOPS, start = rdtsc();

	asm volatile("1:	dec	%0\n\t"
		     "jnz	1b" : "+r" (n) : : "cc");
	loop_ticks = rdtsc() - start;
}

__attribute__((constructor))
static void begin(void)
{
	struct account *a = REAL(mmap)(NULL, sizeof(*a), PROT_READ | PROT_WRITE,
				       MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	/* A system that is not this guest's may have no memory to spare. */
	if (a == MAP_FAILED)
		return;
	calibrate();
	idle_ticks = read_idle_ticks();
	main_pid = getpid();
	a->last = rdtsc();
	account = a;
}

__attribute__((destructor))
static void end(void)
{
	const struct account *a = account;
	unsigned int i;

	if (!a || getpid() != main_pid)
		return;
	before();
	account = NULL;
	idle_ticks = read_idle_ticks() - idle_ticks;
	for (i = 0; i < a->nr_cases; i++)
		dprintf(1, "# case %lu %lu\n", a->cases[i].ticks, a->cases[i].away);
	for (i = 0; i < NR_PARTS; i++)
		dprintf(1, "# part %s %lu %lu %lu %lu\n", part_names[i], a->parts[i].calls,
			a->parts[i].pages, a->parts[i].ticks, a->parts[i].away);
	dprintf(1, "# cost %u %lu %lu %lu\n", LOOPS, loop_ticks, a->all.ticks, idle_ticks);
}
