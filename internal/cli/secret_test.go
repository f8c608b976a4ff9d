package cli

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/slipway-cd/slipway"
)

func TestSecretReferences(t *testing.T) {
	t.Parallel()
	for reference, valid := range map[secret]bool{
		"": true, "env:PASSWORD": true, "secretsmanager:arn:aws:secretsmanager:eu-west-1:111122223333:secret:slipway-AbCdEf": true,
		"env:": false, "hunter2": false, "secretsmanager:slipway": false, "vault:slipway": false,
	} {
		err := reference.Validate()
		if (err == nil) != valid {
			t.Errorf("%q gave %v", reference, err)
		}
		if err != nil && strings.Contains(err.Error(), "hunter2") {
			t.Errorf("it repeats what may be a password: %v", err)
		}
	}
	if secret("").read() != nil {
		t.Error("nothing can be read")
	}
}

// What is no reference is refused from the environment as well, which kong does not ask.
func TestSecretReferenceOfTheEnvironment(t *testing.T) {
	t.Setenv("SLIPWAY_DATABASE_PASSWORD", "hunter2")
	got := slipwayCommand(t, "serve", "--repository", t.TempDir(), "--database", "postgres://slipway@127.0.0.1:1/slipway", "--listen", "127.0.0.1:0")
	if got.code != 2 || !strings.Contains(got.err, "env:NAME or secretsmanager:ARN") || strings.Contains(got.err, "hunter2") {
		t.Errorf("code %d: %s", got.code, got.err)
	}
}

func TestSecretOfTheEnvironment(t *testing.T) {
	t.Setenv("SLIPWAY_TEST_SECRET", "hunter2")
	if got, err := secret("env:SLIPWAY_TEST_SECRET").read()(t.Context()); got != "hunter2" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
	if _, err := secret("env:SLIPWAY_TEST_NO_SECRET").read()(t.Context()); slipway.NextOf(err) != slipway.NextPerson {
		t.Errorf("a variable that is not set gave %v", err)
	}
}

func TestSecretOfSecretsManager(t *testing.T) {
	const arn = "arn:aws:secretsmanager:ca-central-1:111122223333:secret:slipway-AbCdEf"
	var text string
	amazon(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var in struct{ SecretId string }
		body, _ := io.ReadAll(r.Body)
		if r.Header.Get("X-Amz-Target") != "secretsmanager.GetSecretValue" || json.Unmarshal(body, &in) != nil || in.SecretId != arn ||
			!strings.Contains(r.Header.Get("Authorization"), "/ca-central-1/secretsmanager/") {
			t.Errorf("it asks %s of %s, signed as %s", r.Header.Get("X-Amz-Target"), body, r.Header.Get("Authorization"))
		}
		if text == "" {
			w.WriteHeader(http.StatusBadRequest)
			_, _ = io.WriteString(w, `{"__type":"AccessDeniedException","Message":"not authorized"}`)
			return
		}
		_ = json.NewEncoder(w).Encode(map[string]string{"ARN": in.SecretId, "SecretString": text})
	}))
	read := secret("secretsmanager:" + arn).read()
	for _, test := range []struct{ text, want string }{
		{"hunter2", "hunter2"},
		{`{"username":"slipway","password":"hunter2"}`, "hunter2"}, // RDS's own
		{`{"password":""}`, ""},
		{`{"key":"value"}`, `{"key":"value"}`},
		{`"quoted"`, `"quoted"`},
	} {
		text = test.text
		if got, err := read(t.Context()); got != test.want || err != nil {
			t.Errorf("%s gave %q, %v; want %q", test.text, got, err, test.want)
		}
	}
	text = ""
	if _, err := read(t.Context()); slipway.NextOf(err) != slipway.NextPerson || !strings.Contains(err.Error(), arn) || slipway.HintOf(err) == "" {
		t.Errorf("a secret that may not be read gave %v", err)
	}
}
