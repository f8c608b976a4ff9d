package controller_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/slipway-cd/slipway/internal/controller"
)

// asked is what a standby answers.
func asked(t *testing.T, s *controller.Standby, method, path string, header ...string) (int, string) {
	t.Helper()
	body := ""
	if method == http.MethodPost {
		body = `{"by":"Ada"}`
	}
	r := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body))
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w.Code, w.Body.String()
}

func TestStandbyAlone(t *testing.T) {
	t.Parallel()
	s := controller.NewStandby("1.2.3")
	for path, want := range map[string]int{"/healthz": http.StatusOK, "/readyz": http.StatusServiceUnavailable, "/api/v1/apps": http.StatusServiceUnavailable} {
		if got, text := asked(t, s, http.MethodGet, path); got != want {
			t.Errorf("%s gave %d, want %d: %s", path, got, want, text)
		}
	}
	for _, nobody := range []string{"", "no url", "/path"} {
		s.Follow(nobody)
		if got, text := asked(t, s, http.MethodGet, "/api/v1/apps"); got != http.StatusServiceUnavailable {
			t.Errorf("following %q gave %d: %s", nobody, got, text)
		}
	}
}

func TestStandbyHandsOn(t *testing.T) {
	t.Parallel()
	conductor := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.WriteHeader(http.StatusTeapot)
		_, _ = io.WriteString(w, r.Method+" "+r.URL.String()+" "+string(body)+" as "+r.Header.Get("X-Amzn-Oidc-Identity")+" at "+r.Host)
	}))
	t.Cleanup(conductor.Close)
	s := controller.NewStandby("1.2.3")
	s.Follow(conductor.URL)
	const who = "X-Amzn-Oidc-Identity"
	for _, test := range []struct{ method, path, want string }{
		{http.MethodGet, "/api/v1/executions?limit=2", "GET /api/v1/executions?limit=2  as ada at example.com"},
		{http.MethodPost, "/api/v1/apps/cluster1/webapp1/start", `POST /api/v1/apps/cluster1/webapp1/start {"by":"Ada"} as ada at example.com`},
		{http.MethodGet, "/readyz", "GET /readyz  as ada at example.com"},
	} {
		if got, text := asked(t, s, test.method, test.path, who, "ada"); got != http.StatusTeapot || text != test.want {
			t.Errorf("%s %s gave %d: %s", test.method, test.path, got, text)
		}
	}
	if got, text := asked(t, s, http.MethodGet, "/healthz"); got != http.StatusOK {
		t.Errorf("its own health is %d: %s", got, text)
	}
	if got, text := asked(t, s, http.MethodGet, "/api/v1/apps", "Slipway-Forwarded", "1"); got != http.StatusServiceUnavailable {
		t.Errorf("what was handed on already gave %d: %s", got, text)
	}
	s.Follow("")
	if got, text := asked(t, s, http.MethodGet, "/api/v1/apps"); got != http.StatusServiceUnavailable {
		t.Errorf("following nobody any more gave %d: %s", got, text)
	}
}

// What was certainly not done may be asked again; what may have been, a person looks at.
func TestStandbyOfOneThatGoes(t *testing.T) {
	t.Parallel()
	conductor := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }))
	s := controller.NewStandby("1.2.3")
	s.Follow(conductor.URL)
	next := func(method string) (status int, next string) {
		t.Helper()
		status, text := asked(t, s, method, "/api/v1/refresh")
		var problem struct{ Next string }
		if err := json.Unmarshal([]byte(text), &problem); err != nil {
			t.Errorf("%s: %v: %s", method, err, text)
		}
		return status, problem.Next
	}
	if status, next := next(http.MethodPost); status != http.StatusConflict || next != "person" {
		t.Errorf("a lost answer to a command gave %d, %s", status, next)
	}
	if status, next := next(http.MethodGet); status != http.StatusServiceUnavailable || next != "retry" {
		t.Errorf("a lost answer to a question gave %d, %s", status, next)
	}
	conductor.Close()
	if status, next := next(http.MethodPost); status != http.StatusServiceUnavailable || next != "retry" {
		t.Errorf("a command that reached nobody gave %d, %s", status, next)
	}
}
