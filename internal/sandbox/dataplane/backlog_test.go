package dataplane

import (
	"context"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/slipway-cd/slipway/internal/sandbox/controlplane"
)

// A request that waits to be accepted when its task is stopped is answered. It
// has a body and is not idempotent: nobody could send it again.
func TestBacklogIsAnswered(t *testing.T) {
	p := New(Options{})
	t.Cleanup(p.Close)
	const arn = "arn:aws:elasticloadbalancing:eu-west-1:111122223333:targetgroup/web/0000000000000001"
	if err := p.AddTargetGroup(TargetGroup{ARN: arn}); err != nil {
		t.Fatal(err)
	}
	address, err := p.Listen(t.Context(), LoadBalancer{Name: "web", Address: "127.0.0.1:0", Protocol: HTTP, Forward: []Forward{{arn, 1}}})
	if err != nil {
		t.Fatal(err)
	}

	// The task listens, but does not accept yet.
	task := newTask(controlplane.TaskSpec{
		ID:         "a1",
		Containers: []controlplane.ContainerSpec{{Name: "app", Image: "webapp1:1", Ports: []int32{8080}}},
	}, controlplane.TaskEvents{}, p.scaled)
	if task.failed != nil {
		t.Fatal(task.failed)
	}
	t.Cleanup(func() { task.kill("") })
	p.mu.Lock()
	p.tasks["a1"] = task
	p.mu.Unlock()
	p.Register(controlplane.Target{TargetGroupARN: arn, TaskID: "a1", Container: "app", Port: 8080}, func(controlplane.TargetHealth) {})
	connected := make(chan struct{})
	connect := sync.OnceFunc(func() { close(connected) })
	group := p.groups[arn]
	group.mu.Lock()
	group.targets[0].state = controlplane.TargetHealthy
	group.targets[0].transport.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		defer connect()
		return (&net.Dialer{}).DialContext(ctx, network, address)
	}
	group.mu.Unlock()

	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+address, strings.NewReader("once"))
	if err != nil {
		t.Fatal(err)
	}
	answer := make(chan int, 1)
	go func() {
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Error(err)
			answer <- 0
			return
		}
		_ = res.Body.Close()
		answer <- res.StatusCode
	}()
	<-connected
	p.StopTask("a1", 30*time.Second, func(map[string]int32) {})
	codes, ended := map[string]int32{}, make(chan struct{})
	go func() {
		task.terminate(t.Context(), codes)
		close(ended)
	}()
	select {
	case <-ended:
		t.Errorf("the task ended before it accepted the request, which got %d", <-answer)
		return
	case <-time.After(50 * time.Millisecond):
	}
	go task.apps[0].serve()
	if code := <-answer; code != http.StatusOK {
		t.Errorf("the request got %d, want 200", code)
	}
	<-ended
	if codes["app"] != 0 {
		t.Errorf("the task ended with %v, want 0", codes)
	}
}
