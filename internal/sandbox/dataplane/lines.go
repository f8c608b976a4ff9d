package dataplane

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"time"
)

// speakLines greets on a connection and echoes each line, until the client or
// the app ends. An app that is not ready resets the connection: a listener
// cannot be made to refuse without giving its port away.
func (a *app) speakLines(conn net.Conn) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.ended || !a.ready() {
		reset(conn)
		return
	}
	a.conns[conn] = struct{}{}
	a.work.Go(func() {
		defer func() {
			_ = conn.Close()
			a.mu.Lock()
			delete(a.conns, conn)
			a.mu.Unlock()
		}()
		if _, err := io.WriteString(conn, a.greeting()); err != nil {
			return
		}
		for lines := bufio.NewScanner(conn); lines.Scan(); {
			if _, err := fmt.Fprintln(conn, lines.Text()); err != nil {
				return
			}
		}
	})
}

// endLines ends the connections that speak lines: at once, or when the line
// that they are answering is answered.
func (a *app) endLines(now bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.ended = true
	for conn := range a.conns {
		if now {
			_ = conn.Close()
		} else {
			_ = conn.SetReadDeadline(time.Now())
		}
	}
}

// reset closes a connection with RST instead of FIN.
func reset(conn net.Conn) {
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}
