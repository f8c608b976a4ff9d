package lambda

import (
	"bytes"
	"errors"
	"os"
	"sync"
	"syscall"
	"time"
)

// lineMost is how long a line of output may be, in bytes.
const lineMost = 256 << 10

// output reads what a process prints, line by line.
type output struct {
	from  *os.File
	print func(line string)
	ended chan struct{} // closed when everything is read

	mu      sync.Mutex
	waiting []chan struct{} // those who want to know that all was read
}

// readOutput begins to read a pipe.
func readOutput(from *os.File, print func(line string)) *output {
	o := &output{from: from, print: print, ended: make(chan struct{})}
	go o.read()
	return o
}

// drain returns once everything that was printed before is read. A read that
// waits is woken by a deadline; then what is in the pipe is read without waiting.
func (o *output) drain() {
	done := make(chan struct{})
	o.mu.Lock()
	o.waiting = append(o.waiting, done)
	o.mu.Unlock()
	_ = o.from.SetReadDeadline(time.Now()) // a closed one has ended
	select {
	case <-done:
	case <-o.ended:
	}
}

func (o *output) read() {
	defer close(o.ended)
	defer func() { _ = o.from.Close() }()
	var rest []byte
	buffer := make([]byte, 32<<10)
	for {
		n, err := o.from.Read(buffer)
		rest = o.lines(append(rest, buffer[:n]...), false)
		if err == nil {
			continue
		}
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			o.lines(rest, true)
			return
		}
		o.mu.Lock()
		waiting := o.waiting
		o.waiting = nil
		_ = o.from.SetReadDeadline(time.Time{})
		o.mu.Unlock()
		rest = o.lines(append(rest, o.pending()...), true)
		for _, done := range waiting {
			close(done)
		}
	}
}

// pending is what is in the pipe at the moment.
func (o *output) pending() (all []byte) {
	raw, err := o.from.SyscallConn()
	if err != nil {
		return nil
	}
	buffer := make([]byte, 32<<10)
	for {
		n := 0
		// The file does not block: an empty pipe is an error of read's.
		err := raw.Read(func(fd uintptr) bool {
			n, _ = syscall.Read(int(fd), buffer)
			return true
		})
		if err != nil || n <= 0 {
			return all
		}
		all = append(all, buffer[:n]...)
	}
}

// lines prints the lines in text, and returns what is left of the last, which is
// printed as well when it is the end.
func (o *output) lines(text []byte, end bool) (rest []byte) {
	for {
		i := bytes.IndexByte(text, '\n')
		switch {
		case i >= 0:
			o.print(string(bytes.TrimSuffix(text[:i], []byte("\r"))))
			text = text[i+1:]
		case len(text) > lineMost || end && len(text) > 0:
			o.print(string(text))
			return nil
		default:
			return bytes.Clone(text)
		}
	}
}
