/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Simulated TDX module: files in debugfs.
 */
#ifndef _X86_VIRT_TDX_SIM_DEBUGFS_H
#define _X86_VIRT_TDX_SIM_DEBUGFS_H

#include <linux/err.h>
#include <linux/init.h>

struct dentry;

/* The folder tdx_sim of debugfs; for late_initcall. */
#ifdef CONFIG_DEBUG_FS
struct dentry *__init sim_debugfs_dir(void);
#else
static inline struct dentry *sim_debugfs_dir(void)
{
	return ERR_PTR(-ENODEV);
}
#endif

#endif /* _X86_VIRT_TDX_SIM_DEBUGFS_H */
