package lambda

import "syscall"

// dieWithUs has the kernel kill the process when this one is killed.
func dieWithUs(attr *syscall.SysProcAttr) { attr.Pdeathsig = syscall.SIGKILL }
