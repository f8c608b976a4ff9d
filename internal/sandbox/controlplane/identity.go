package controlplane

import (
	"cmp"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
)

// randomHex is n random hexadecimal digits: a task's id has 32.
func randomHex(n int) string {
	b := make([]byte, (n+1)/2)
	_, _ = rand.Read(b) // never fails
	return hex.EncodeToString(b)[:n]
}

// randomDigits is n random digits, the first not 0: a deployment's id has 19.
func randomDigits(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails
	for i := range b {
		b[i] = '0' + b[i]%10
	}
	if b[0] == '0' {
		b[0] = '1'
	}
	return string(b)
}

// randomUUID is an event's id.
func randomUUID() string {
	h := randomHex(32)
	return fmt.Sprintf("%s-%s-%s-%s-%s", h[:8], h[8:12], h[12:16], h[16:20], h[20:])
}

// randomRecord is the last part of a service deployment's ARN.
func randomRecord() string { return rand.Text()[:21] }

// digestOf is the digest that an image reference resolves to: its own, or one
// made from the reference, always the same.
func digestOf(image string) string {
	if _, digest, ok := strings.Cut(image, "@"); ok {
		return digest
	}
	return fmt.Sprintf("sha256:%x", sha256.Sum256([]byte(image)))
}

// lastPart is what follows the last slash: the name in an ARN, or the name.
func lastPart(arnOrName string) string {
	return arnOrName[strings.LastIndex(arnOrName, "/")+1:]
}

// sortTasks puts the oldest first.
func sortTasks(tasks []*task) {
	slices.SortFunc(tasks, func(a, b *task) int { return cmp.Compare(a.Number, b.Number) })
}
