package dataplane_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-cd/slipway/internal/sandbox/controlplane"
	"github.com/slipway-cd/slipway/internal/sandbox/dataplane"
	"github.com/slipway-cd/slipway/internal/sandbox/dataplane/runtimetest"
)

const (
	webGroup   = "arn:aws:elasticloadbalancing:eu-west-1:111122223333:targetgroup/web/0000000000000001"
	otherGroup = "arn:aws:elasticloadbalancing:eu-west-1:111122223333:targetgroup/other/0000000000000002"
	lineGroup  = "arn:aws:elasticloadbalancing:eu-west-1:111122223333:targetgroup/lines/0000000000000003"
	patience   = 10 * time.Second
)

// newPlane returns a fast plane with target groups and a load balancer for each
// protocol, and the balancers' addresses.
func newPlane(t *testing.T) (p *dataplane.Plane, web, lines string) {
	t.Helper()
	p = dataplane.New(dataplane.Options{TimeScale: 300})
	t.Cleanup(p.Close)
	for arn, protocol := range map[string]dataplane.Protocol{webGroup: dataplane.HTTP, otherGroup: dataplane.HTTP, lineGroup: dataplane.TCP} {
		if err := p.AddTargetGroup(dataplane.TargetGroup{ARN: arn, Protocol: protocol, DeregistrationDelay: 30 * time.Second}); err != nil {
			t.Fatal(err)
		}
	}
	listen := func(name string, protocol dataplane.Protocol, group string) string {
		address, err := p.Listen(t.Context(), dataplane.LoadBalancer{
			Name: name, Protocol: protocol, Address: "127.0.0.1:0", ListenerRule: ruleOf(name), Forward: []dataplane.Forward{{TargetGroupARN: group, Weight: 1}},
		})
		if err != nil {
			t.Fatal(err)
		}
		return address
	}
	return p, listen("web", dataplane.HTTP, webGroup), listen("lines", dataplane.TCP, lineGroup)
}

// ruleOf is the listener rule of a load balancer.
func ruleOf(name string) string {
	return "arn:aws:elasticloadbalancing:eu-west-1:111122223333:listener-rule/app/" + name + "/1/2/3"
}

// otherShare is the share of requests that the task in the other group answers.
func otherShare(t *testing.T, web string) float64 {
	t.Helper()
	const requests = 200
	other := 0
	for range requests {
		code, _, header, err := get(t.Context(), "http://"+web)
		if err != nil || code != http.StatusOK {
			t.Fatal(code, err)
		}
		if header.Get("X-Sandbox-Task") == runtimetest.OtherTaskID {
			other++
		}
	}
	return float64(other) / requests
}

func TestConformance(t *testing.T) {
	for _, c := range runtimetest.Cases() {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			p, web, _ := newPlane(t)
			c.Run(t, runtimetest.Harness{
				Runtime: p, TargetGroupARN: webGroup, OtherGroupARN: otherGroup, ListenerRule: ruleOf("web"),
				Share:    func(t *testing.T) float64 { return otherShare(t, web) },
				Patience: patience, Quiet: 50 * time.Millisecond,
			})
		})
	}
}

// task starts a task and registers it; it returns the target and its health.
func task(t *testing.T, p *dataplane.Plane, id, tag, group string) (controlplane.Target, <-chan controlplane.TargetHealth) {
	t.Helper()
	running := make(chan string, 1)
	p.StartTask(controlplane.TaskSpec{
		ID:         id,
		Containers: []controlplane.ContainerSpec{{Name: "app", Image: "111122223333.dkr.ecr.eu-west-1.amazonaws.com/webapp1:" + tag, Essential: true, Ports: []int32{8080}}},
	}, controlplane.TaskEvents{
		Running: func(address map[string]string) { running <- address["app"] },
		Exited:  func(string, int32, string) {},
	})
	target := controlplane.Target{TargetGroupARN: group, TaskID: id, Container: "app", Port: 8080, Address: receive(t, running)}
	health := make(chan controlplane.TargetHealth, 100)
	p.Register(target, func(h controlplane.TargetHealth) { health <- h })
	return target, health
}

// healthyTask is task, healthy.
func healthyTask(t *testing.T, p *dataplane.Plane, id, tag, group string) controlplane.Target {
	t.Helper()
	target, health := task(t, p, id, tag, group)
	for receive(t, health).State != controlplane.TargetHealthy {
	}
	return target
}

func receive[T any](t *testing.T, from <-chan T) (value T) {
	t.Helper()
	select {
	case value = <-from:
	case <-time.After(patience):
		t.Fatal("nothing came")
	}
	return value
}

// replace deregisters a target and stops its task once it has drained.
func replace(t *testing.T, p *dataplane.Plane, old controlplane.Target) {
	t.Helper()
	drained, exited := make(chan bool, 1), make(chan map[string]int32, 1)
	p.Deregister(old, func() { drained <- true })
	receive(t, drained)
	p.StopTask(old.TaskID, 30*time.Second, func(codes map[string]int32) { exited <- codes })
	if codes := receive(t, exited); codes["app"] != 0 {
		t.Errorf("task %s ended with %v, want 0", old.TaskID, codes)
	}
}

func get(ctx context.Context, url string) (code int, body string, header http.Header, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, "", nil, err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, "", nil, err
	}
	defer func() { _ = res.Body.Close() }()
	content, err := io.ReadAll(res.Body)
	return res.StatusCode, string(content), res.Header, err
}

func TestHTTPAnswer(t *testing.T) {
	p, web, _ := newPlane(t)
	code, _, _, err := get(t.Context(), "http://"+web)
	if err != nil || code != http.StatusServiceUnavailable {
		t.Fatalf("without a target: %d, %v, want 503", code, err)
	}
	healthyTask(t, p, "a1", "1.4.2", webGroup)
	code, body, header, err := get(t.Context(), "http://"+web+"/any/path")
	if err != nil || code != http.StatusOK || body != "webapp1 1.4.2 task a1\n" {
		t.Errorf("got %d %q, %v", code, body, err)
	}
	if image, id := header.Get("X-Sandbox-Image"), header.Get("X-Sandbox-Task"); image != "111122223333.dkr.ecr.eu-west-1.amazonaws.com/webapp1:1.4.2" || id != "a1" {
		t.Errorf("headers name image %q and task %q", image, id)
	}
}

// Tasks are replaced again and again under load, gently and by StopTask alone,
// and no request fails.
func TestNoRequestFails(t *testing.T) {
	p, web, _ := newPlane(t)
	old := []controlplane.Target{healthyTask(t, p, "a0", "0", webGroup), healthyTask(t, p, "b0", "0", webGroup)}

	ctx, cancel := context.WithCancel(t.Context())
	var clients sync.WaitGroup
	seen := make([]map[string]int, 4)
	for i := range seen {
		seen[i] = map[string]int{}
		clients.Go(func() {
			for ctx.Err() == nil {
				code, body, _, err := get(context.WithoutCancel(ctx), "http://"+web)
				if err != nil || code != http.StatusOK {
					t.Errorf("request failed: %d %q, %v", code, body, err)
					return
				}
				_, rest, _ := strings.Cut(body, " ")
				version, _, _ := strings.Cut(rest, " ")
				seen[i][version]++
			}
		})
	}
	for round := 1; round <= 5; round++ {
		for i, name := range []string{"a", "b"} {
			next := healthyTask(t, p, fmt.Sprint(name, round), fmt.Sprint(round), webGroup)
			if round%2 == 0 {
				exited := make(chan map[string]int32, 1)
				p.StopTask(old[i].TaskID, 30*time.Second, func(codes map[string]int32) { exited <- codes })
				receive(t, exited)
			} else {
				replace(t, p, old[i])
			}
			old[i] = next
		}
	}
	cancel()
	clients.Wait()
	total := map[string]int{}
	for _, counts := range seen {
		for version, n := range counts {
			total[version] += n
		}
	}
	for version := range 6 {
		if total[fmt.Sprint(version)] == 0 {
			t.Errorf("no request reached version %d: %v", version, total)
		}
	}
}

// fill sends more than all socket buffers on the way hold, so that the app has
// begun with the request when it returns.
func fill(t *testing.T, body io.Writer) {
	t.Helper()
	chunk := bytes.Repeat([]byte("x"), 1<<20)
	for range 32 {
		if _, err := body.Write(chunk); err != nil {
			t.Fatal(err)
		}
	}
}

// A request that is open when its target is deregistered and its task is
// stopped ends well; a new one goes elsewhere from that moment.
func TestOpenRequestEnds(t *testing.T) {
	p, web, _ := newPlane(t)
	old := healthyTask(t, p, "old", "1", webGroup)

	body, feed := io.Pipe()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+web, body)
	if err != nil {
		t.Fatal(err)
	}
	answer := make(chan string, 1)
	go func() {
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			answer <- err.Error()
			return
		}
		defer func() { _ = res.Body.Close() }()
		content, _ := io.ReadAll(res.Body)
		answer <- string(content)
	}()
	fill(t, feed)
	healthyTask(t, p, "new", "2", webGroup)
	drained, exited := make(chan bool, 1), make(chan map[string]int32, 1)
	p.Deregister(old, func() { drained <- true })
	for range 10 {
		if _, body, _, err := get(t.Context(), "http://"+web); err != nil || body != "webapp1 2 task new\n" {
			t.Fatalf("a new request got %q, %v", body, err)
		}
	}
	receive(t, drained)
	p.StopTask("old", 30*time.Second, func(codes map[string]int32) { exited <- codes })
	if err := feed.Close(); err != nil {
		t.Fatal(err)
	}
	if got := receive(t, answer); got != "webapp1 1 task old\n" {
		t.Errorf("the open request got %q", got)
	}
	if diff := cmp.Diff(map[string]int32{"app": 0}, receive(t, exited)); diff != "" {
		t.Errorf("exit codes (-want +got):\n%s", diff)
	}
}

// A request that does not end in time is cut off by SIGKILL.
func TestKill(t *testing.T) {
	p, web, _ := newPlane(t)
	healthyTask(t, p, "old", "1", webGroup)
	body, feed := io.Pipe()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+web, body)
	if err != nil {
		t.Fatal(err)
	}
	code := make(chan int, 1)
	go func() {
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Error(err)
			code <- 0
			return
		}
		_ = res.Body.Close()
		code <- res.StatusCode
	}()
	fill(t, feed)
	exited := make(chan map[string]int32, 1)
	p.StopTask("old", time.Second, func(codes map[string]int32) { exited <- codes })
	if diff := cmp.Diff(map[string]int32{"app": 137}, receive(t, exited)); diff != "" {
		t.Errorf("exit codes (-want +got):\n%s", diff)
	}
	if err := feed.Close(); err != nil {
		t.Fatal(err)
	}
	if got := receive(t, code); got != http.StatusBadGateway {
		t.Errorf("the request got %d, want 502", got)
	}
}

// Turns follow the weights exactly, and change at once.
func TestWeights(t *testing.T) {
	p, web, _ := newPlane(t)
	healthyTask(t, p, "stable", "1", webGroup)
	healthyTask(t, p, "canary", "2", otherGroup)
	count := func(forward ...dataplane.Forward) map[string]int {
		if err := p.SetForward("web", forward...); err != nil {
			t.Fatal(err)
		}
		got := map[string]int{}
		for range 20 {
			_, body, _, err := get(t.Context(), "http://"+web)
			if err != nil {
				t.Fatal(err)
			}
			got[strings.Fields(body)[1]]++
		}
		return got
	}
	for _, c := range []struct{ stable, canary int }{{18, 2}, {10, 10}, {0, 20}} {
		want := map[string]int{"1": c.stable, "2": c.canary}
		if c.stable == 0 {
			delete(want, "1")
		}
		got := count(dataplane.Forward{TargetGroupARN: webGroup, Weight: 5 * c.stable}, dataplane.Forward{TargetGroupARN: otherGroup, Weight: 5 * c.canary})
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("requests by version (-want +got):\n%s", diff)
		}
	}
	for _, bad := range []dataplane.Forward{{TargetGroupARN: "none", Weight: 1}, {TargetGroupARN: lineGroup, Weight: 1}, {TargetGroupARN: webGroup, Weight: -1}} {
		if err := p.SetForward("web", bad); err == nil {
			t.Errorf("a forward to %+v was accepted", bad)
		}
	}
}

// say sends a line and returns the answer.
func say(t *testing.T, conn net.Conn, lines *bufio.Reader, line string) string {
	t.Helper()
	if _, err := fmt.Fprintln(conn, line); err != nil {
		t.Fatal(err)
	}
	answer, err := lines.ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

func TestTCP(t *testing.T) {
	p, _, address := newPlane(t)
	dial := func() (net.Conn, *bufio.Reader) {
		t.Helper()
		conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		_ = conn.SetDeadline(time.Now().Add(patience))
		return conn, bufio.NewReader(conn)
	}
	greets := func(lines *bufio.Reader, want string) {
		t.Helper()
		if got, err := lines.ReadString('\n'); got != want {
			t.Fatalf("greeted with %q, %v, want %q", got, err, want)
		}
	}
	// Without a healthy target the connection is reset, be it while it opens.
	if conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", address); err == nil {
		greets(bufio.NewReader(conn), "")
		_ = conn.Close()
	}

	old := healthyTask(t, p, "old", "1", lineGroup)
	_, health := task(t, p, "bad", "1-unhealthy", lineGroup)
	receive(t, health)
	if diff := cmp.Diff(controlplane.TargetHealth{State: controlplane.TargetUnhealthy, Description: "Health checks failed"}, receive(t, health)); diff != "" {
		t.Errorf("a bad task's health (-want +got):\n%s", diff)
	}

	conn, lines := dial()
	greets(lines, "webapp1 1 task old\n")
	healthyTask(t, p, "new", "2", lineGroup)
	drained, exited := make(chan bool, 1), make(chan map[string]int32, 1)
	p.Deregister(old, func() { drained <- true })
	for range 4 {
		_, lines := dial()
		greets(lines, "webapp1 2 task new\n")
	}
	receive(t, drained)
	if got := say(t, conn, lines, "still there?"); got != "still there?\n" {
		t.Errorf("the open connection answered %q", got)
	}
	p.StopTask("old", 30*time.Second, func(codes map[string]int32) { exited <- codes })
	if diff := cmp.Diff(map[string]int32{"app": 0}, receive(t, exited)); diff != "" {
		t.Errorf("exit codes (-want +got):\n%s", diff)
	}
	greets(lines, "")
}
