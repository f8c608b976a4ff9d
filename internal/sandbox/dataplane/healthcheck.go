package dataplane

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

// leastCheckTimeout is real time for a health check, at any scale.
const leastCheckTimeout = 2 * time.Second

// The descriptions of failed health checks, as Elastic Load Balancing gives
// them: API reference, TargetHealth.
const (
	failed          = "Health checks failed"
	failedWithCodes = "Health checks failed with these codes: [%d]"
	timedOut        = "Request timed out"
)

// checker makes health checks.
type checker struct {
	client *http.Client
	dialer net.Dialer
}

func newChecker() *checker {
	return &checker{client: &http.Client{
		Transport: &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse
		},
	}}
}

// check checks the target at an address once, and returns the empty string or
// why it failed.
func (c *checker) check(ctx context.Context, address string, group TargetGroup, timeout time.Duration) (failure string) {
	ctx, cancel := context.WithTimeout(ctx, max(timeout, leastCheckTimeout))
	defer cancel()
	if group.Protocol == TCP {
		return c.checkTCP(ctx, address)
	}
	return c.checkHTTP(ctx, "http://"+address+group.HealthCheck.Path)
}

func (c *checker) checkHTTP(ctx context.Context, url string) string {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return failed
	}
	req.Header.Set("User-Agent", healthChecker)
	res, err := c.client.Do(req)
	if errors.Is(err, context.DeadlineExceeded) {
		return timedOut
	} else if err != nil {
		return failed
	}
	_, _ = io.Copy(io.Discard, res.Body)
	_ = res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return fmt.Sprintf(failedWithCodes, res.StatusCode)
	}
	return ""
}

// checkTCP wants a connection that is not reset at once: see app.speakLines.
func (c *checker) checkTCP(ctx context.Context, address string) string {
	conn, err := c.dialer.DialContext(ctx, "tcp", address)
	if err != nil {
		return failed
	}
	defer func() { _ = conn.Close() }()
	defer context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Now()) })()
	if _, err := conn.Read(make([]byte, 1)); err != nil {
		return failed
	}
	return ""
}
