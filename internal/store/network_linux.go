package store

import "syscall"

// nfsMagic is the type of NFS, which EFS is: statfs(2).
const nfsMagic = 0x6969

// onNetwork reports whether a folder is on a file system of the network.
func onNetwork(folder string) (bool, error) {
	var stat syscall.Statfs_t
	if err := syscall.Statfs(folder, &stat); err != nil {
		return false, err
	}
	return stat.Type == nfsMagic, nil
}
